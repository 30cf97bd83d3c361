using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Scion.Faults;
using Scion.Serving;

namespace Scion.Web;

/// <summary><c>POST /api/models/{model}/predict</c>.</summary>
sealed class PredictEndpoint(ScionApiOptions options, PredictorCache cache, TimeProvider time)
{
    /// <summary>Units of work from which a batch is spread over the cores: a text of 20 words is one (about 20 µs), explained four. Below some
    /// 1.3 ms, waking other threads costs a server under load more than it saves one caller.</summary>
    const int ParallelFrom = 64, ExplainedUnits = 4;

    int underWay;
    long pictureBytes;

    public async Task PredictAsync(HttpContext context, string model)
    {
        bool explain = IsExplained(context.Request);
        if (Interlocked.Increment(ref underWay) > options.MaxConcurrentPredictions)
        {
            Interlocked.Decrement(ref underWay);
            throw new ProblemException(HttpFaults.Busy("predictions", options.MaxConcurrentPredictions));
        }
        try
        {
            HttpRequest request = context.Request;
            BodyKind kind = PictureBody.KindOf(request);
            if (kind == BodyKind.Json && request.ContentLength <= options.MaxBody)
            {
                await AnswerAsync(context, model, explain, await PredictRequest.ReadAsync(request, options, options.MaxBody, context.RequestAborted), indexed: true);
                return;
            }
            bool pictures = await IsOfImagesAsync(model, context.RequestAborted);
            if (kind != BodyKind.Json && !pictures) throw ServingFaults.ImagesToReviews(model);
            int most = pictures ? options.MaxPictureBody : options.MaxBody;
            long held = pictures ? Math.Min(request.ContentLength ?? most, most) : 0;
            if (request.ContentLength > most && pictures) throw new ProblemException(HttpFaults.PicturesTooLarge(most));
            if (Interlocked.Add(ref pictureBytes, held) > options.MaxPictureMemory)
            {
                Interlocked.Add(ref pictureBytes, -held);
                throw new ProblemException(HttpFaults.Busy("bytes of pictures", options.MaxPictureMemory));
            }
            try
            {
                if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = most + 1L;
                PredictInputs inputs = kind switch
                {
                    BodyKind.Json => await PredictRequest.ReadAsync(request, options, most, context.RequestAborted),
                    BodyKind.Picture => new PredictInputs(null, [await PictureBody.ReadAsync(request, options, context.RequestAborted)]),
                    _ => new PredictInputs(null, await PictureBody.ReadFormAsync(request, options, context.RequestAborted)),
                };
                await AnswerAsync(context, model, explain, inputs, indexed: kind != BodyKind.Picture);
            }
            finally
            {
                Interlocked.Add(ref pictureBytes, -held);
            }
        }
        finally
        {
            Interlocked.Decrement(ref underWay);
        }
    }

    /// <param name="context">The request.</param>
    /// <param name="model">Model name.</param>
    /// <param name="explain">True adds what each word did.</param>
    /// <param name="inputs">Texts or pictures.</param>
    /// <param name="indexed">True when a refusal says which input it is of.</param>
    async Task AnswerAsync(HttpContext context, string model, bool explain, PredictInputs inputs, bool indexed)
    {
        using PredictorLease lease = await RentAsync(model, context.RequestAborted);
        int count = inputs.Texts?.Count ?? inputs.Pictures!.Count;
        using Activity? activity = ServingMetrics.Activities.StartActivity("predict");
        activity?.SetTag("model", model).SetTag("version", lease.Version).SetTag("inputs", count);
        long started = time.GetTimestamp();
        using PredictionWriter answer = PredictionWriter.Take();
        int abstained = lease.Predictor switch
        {
            ReviewPredictor reviews => Judge(reviews, inputs.Texts ?? throw ServingFaults.ImagesToReviews(model), explain, answer, model, lease.Version, context.RequestAborted),
            ImagePredictor when inputs.Pictures is null => throw ServingFaults.TextToImages(model),
            _ when inputs.Refused is { } refused => throw refused,
            _ when explain => throw ServingFaults.NoWords(model),
            ImagePredictor images => await JudgeAsync(images, inputs.Pictures, indexed, answer, model, lease.Version, context.RequestAborted),
            _ => throw new InvalidOperationException($"{lease.Predictor.GetType().Name} is not served."),
        };
        ServingMetrics.Predicted(model, count, abstained, time.GetElapsedTime(started));
        await answer.SendAsync(context.Response);
    }

    async ValueTask<bool> IsOfImagesAsync(string model, CancellationToken cancellation)
    {
        using PredictorLease lease = await RentAsync(model, cancellation);
        return lease.Predictor is ImagePredictor;
    }

    /// <summary>Judges all pictures, or refuses the request for the first that cannot be read.</summary>
    static async Task<int> JudgeAsync(
        ImagePredictor predictor, List<byte[]> pictures, bool indexed, PredictionWriter answer, string model, string version, CancellationToken cancellation)
    {
        Prediction[] predictions = new Prediction[pictures.Count];
        InputRejectedException?[] faults = new InputRejectedException?[pictures.Count];
        if (pictures.Count == 1) await JudgeOneAsync(0, cancellation);
        else await Parallel.ForEachAsync(Enumerable.Range(0, pictures.Count), cancellation, JudgeOneAsync);
        int refused = Array.FindIndex(faults, fault => fault is not null);
        if (refused >= 0)
        {
            Problem problem = Problem.Of(faults[refused]!);
            throw new ProblemException(indexed ? problem with { Detail = $"inputs[{refused}]: {problem.Detail}" } : problem);
        }
        int abstained = 0;
        answer.Begin(model, version);
        foreach (Prediction prediction in predictions)
        {
            if (prediction.Abstained) abstained++;
            answer.Add(prediction);
        }
        answer.End();
        return abstained;

        async ValueTask JudgeOneAsync(int i, CancellationToken stop)
        {
            try
            {
                predictions[i] = await predictor.PredictAsync(pictures[i], stop);
            }
            catch (InputRejectedException e)
            {
                faults[i] = e;
            }
        }
    }

    async ValueTask<PredictorLease> RentAsync(string model, CancellationToken cancellation)
    {
        try
        {
            return await cache.RentAsync(model, cancellation);
        }
        catch (InputRejectedException fault) when (fault.Code is not ("R001" or "R002"))
        {
            throw new ProblemException(Problem.Of(fault) with { Status = StatusCodes.Status503ServiceUnavailable });   // the store's fault, not the caller's
        }
    }

    static int Judge(
        ReviewPredictor predictor, List<string> inputs, bool explain, PredictionWriter answer, string model, string version, CancellationToken cancellation)
    {
        int abstained = 0;
        answer.Begin(model, version);
        if (inputs.Count * (explain ? ExplainedUnits : 1) < ParallelFrom || inputs.Count == 1 || Environment.ProcessorCount == 1)
        {
            foreach (string input in inputs)
            {
                cancellation.ThrowIfCancellationRequested();
                Write(predictor.Predict(input, explain));
            }
        }
        else
        {
            Prediction[] predictions = new Prediction[inputs.Count];
            ParallelOptions parallel = new() { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellation };
            try
            {
                Parallel.ForEach(Partitioner.Create(0, inputs.Count, Math.Max(1, inputs.Count / (4 * Environment.ProcessorCount))), parallel, range =>
                {
                    for (int i = range.Item1; i < range.Item2; i++) predictions[i] = predictor.Predict(inputs[i], explain);
                });
            }
            catch (AggregateException several)
            {
                throw several.InnerExceptions.FirstOrDefault(fault => fault is InputRejectedException) ?? several;
            }
            foreach (Prediction prediction in predictions) Write(prediction);
        }
        answer.End();
        return abstained;

        void Write(Prediction prediction)
        {
            if (prediction.Abstained) abstained++;
            answer.Add(prediction);
        }
    }

    static bool IsExplained(HttpRequest request)
    {
        if (!request.QueryString.HasValue) return false;
        ScionApi.RequireQuery(request, "explain");
        return request.Query["explain"].ToString() switch
        {
            "" when !request.Query.ContainsKey("explain") => false,
            "true" => true,
            "false" => false,
            _ => throw new ProblemException(HttpFaults.QueryRefused("explain", "Use explain=true or explain=false.")),
        };
    }
}

/// <summary>Writes an answer into memory that is used again: its length is known before its first byte is sent, and a fault midway sends none.</summary>
sealed class PredictionWriter : IDisposable
{
    const int KeptBytes = 1 << 18;

    static readonly ConcurrentBag<PredictionWriter> Pool = [];
    static readonly JsonEncodedText ModelName = JsonEncodedText.Encode("model"), VersionName = JsonEncodedText.Encode("version"),
        PredictionsName = JsonEncodedText.Encode("predictions"), LabelName = JsonEncodedText.Encode("label"), ScoreName = JsonEncodedText.Encode("score"),
        ScoresName = JsonEncodedText.Encode("scores"), AbstainedName = JsonEncodedText.Encode("abstained"), ReasonName = JsonEncodedText.Encode("reason"),
        NameName = JsonEncodedText.Encode("name"), CutName = JsonEncodedText.Encode("cut"), PictureName = JsonEncodedText.Encode("picture"),
        NeighboursName = JsonEncodedText.Encode("neighbours"), TextName = JsonEncodedText.Encode("text"), SimilarityName = JsonEncodedText.Encode("similarity"),
        WordsName = JsonEncodedText.Encode("words"), WordName = JsonEncodedText.Encode("word"), ContributionName = JsonEncodedText.Encode("contribution"),
        NoKnownWords = JsonEncodedText.Encode("noKnownWords"), UnlikeTraining = JsonEncodedText.Encode("unlikeTraining");

    readonly ArrayBufferWriter<byte> buffer = new(4096);
    readonly Utf8JsonWriter json;
    string examples = "";

    PredictionWriter() => json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });

    public static PredictionWriter Take() => Pool.TryTake(out PredictionWriter? free) ? free : new PredictionWriter();

    /// <summary>Lends it to the next answer, unless this one was so large that its memory is better given back.</summary>
    public void Dispose()
    {
        if (buffer.Capacity > KeptBytes)
        {
            json.Dispose();
            return;
        }
        json.Reset();
        buffer.ResetWrittenCount();
        Pool.Add(this);
    }

    public void Begin(string model, string version)
    {
        examples = $"/api/models/{model}/versions/{version}/examples/";
        json.WriteStartObject();
        json.WriteString(ModelName, model);
        json.WriteString(VersionName, version);
        json.WriteStartArray(PredictionsName);
    }

    public void Add(Prediction prediction)
    {
        json.WriteStartObject();
        json.WriteString(LabelName, prediction.Label);
        json.WriteNumber(ScoreName, prediction.Score);
        json.WriteStartObject(ScoresName);
        foreach ((string label, float score) in prediction.Scores) json.WriteNumber(label, score);
        json.WriteEndObject();
        json.WriteBoolean(AbstainedName, prediction.Abstained);
        if (prediction.Cut) json.WriteBoolean(CutName, true);
        if (prediction.Reason is { } reason) json.WriteString(ReasonName, reason == AbstainReason.NoKnownWords ? NoKnownWords : UnlikeTraining);
        json.WriteStartArray(NeighboursName);
        foreach (Neighbour neighbour in prediction.Neighbours)
        {
            json.WriteStartObject();
            if (neighbour.Text is { } text) json.WriteString(TextName, text);
            if (neighbour.Name is { } name) json.WriteString(NameName, name);
            json.WriteString(LabelName, neighbour.Label);
            json.WriteNumber(SimilarityName, neighbour.Similarity);
            if (neighbour.Example is { } example) json.WriteString(PictureName, string.Create(CultureInfo.InvariantCulture, $"{examples}{example}"));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        if (prediction.Words is { } words)
        {
            json.WriteStartArray(WordsName);
            foreach (WordContribution word in words)
            {
                json.WriteStartObject();
                json.WriteString(WordName, word.Word);
                json.WriteNumber(ContributionName, word.Contribution);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    public void End()
    {
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
    }

    public Task SendAsync(HttpResponse response)
    {
        response.ContentType = "application/json";
        response.ContentLength = buffer.WrittenCount;
        return response.Body.WriteAsync(buffer.WrittenMemory, response.HttpContext.RequestAborted).AsTask();
    }
}
