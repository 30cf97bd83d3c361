using Microsoft.ML.OnnxRuntime;
using Scion.Faults;
using Scion.Onnx;
using Scion.Registry;
using Scion.Text;

namespace Scion.Serving;

/// <summary>A sentence network, its tokenizer and the head of a reviews package: texts to features, logits and probabilities.</summary>
/// <remarks>Threads: any number may call. One text runs on one core: requests fill the others.</remarks>
sealed class SentenceClassifier : IDisposable
{
    readonly SentenceTokenizer tokenizer;
    readonly SentenceSession encoder;
    readonly InferenceSession head;
    readonly RunOptions options = new();
    readonly int classes, words;

    /// <param name="package">Of a sentence network.</param>
    /// <exception cref="InputRejectedException">A file is not what Scion wrote for it (R014, R020, T020 to T022).</exception>
    public SentenceClassifier(ModelPackage package)
    {
        ModelManifest manifest = package.Manifest;
        SentenceFacts facts = manifest.Sentence!;
        (classes, words) = (manifest.Labels.Count, manifest.Encoder.Words);
        StoredSentenceGraph stored = SentenceGraph.Read(ModelPackage.EncoderName, package[ModelPackage.EncoderName]);
        ReadOnlyMemory<byte> file = package[ModelPackage.TokenizerName];
        if (stored.Input != new SentenceInput(ModelPackage.DigestOf(file.Span), facts.MaxLength, facts.Pooling, facts.Output) || stored.Dim != manifest.Encoder.Dim)
            throw RegistryFaults.Inconsistent($"{ModelPackage.EncoderName} is not of {ModelPackage.TokenizerName}, or of what model.json says.");
        TokenizerFile read = TokenizerFile.Read(ModelPackage.TokenizerName, file);
        if (read.Ids != words) throw RegistryFaults.Inconsistent($"{ModelPackage.TokenizerName} has {read.Ids} ids; model.json says {words}.");
        tokenizer = new SentenceTokenizer(ModelPackage.TokenizerName, read, facts.MaxLength);
        OnnxGuard.ReadOwn(ModelPackage.HeadName, package[ModelPackage.HeadName], _ => HeadGraph.Layout(stored.Dim, manifest.Head.Temperature, manifest.Labels));
        try
        {
            encoder = new SentenceSession(ModelPackage.EncoderName, stored.Model, facts.MaxLength, stored.Dim, tokenizer.Padding, threads: 1, gpu: false);
        }
        catch (InputRejectedException e) when (e.Code == "T026")
        {
            throw OnnxFaults.Unexpected(ModelPackage.EncoderName, e.Fact.TrimEnd('.'));
        }
        try
        {
            using SessionOptions settings = new() { IntraOpNumThreads = 1, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
            head = new InferenceSession(package[ModelPackage.HeadName].ToArray(), settings);
        }
        catch (OnnxRuntimeException e)
        {
            encoder.Dispose();
            throw OnnxFaults.Unexpected(ModelPackage.HeadName, $"ONNX Runtime refuses it ({e.Message})");
        }
    }

    /// <summary>Tokens of a text at most.</summary>
    public int MaxLength => tokenizer.MaxLength;

    public TokenizedText Encode(string text) => tokenizer.Encode(text);

    /// <summary>Runs one text.</summary>
    /// <param name="ids">As <see cref="Encode"/> gave them.</param>
    /// <param name="features">[dim], written.</param>
    /// <param name="logits">[classes], written: as fitted.</param>
    /// <param name="probabilities">[classes], written: calibrated.</param>
    /// <exception cref="InputRejectedException">An id is none of the tokenizer's, or there are too many (R014); memory does not suffice (T030).</exception>
    public void Run(ReadOnlySpan<int> ids, Span<float> features, Span<float> logits, Span<float> probabilities)
    {
        if (ids.Length > MaxLength || ids.ContainsAnyExceptInRange(0, words - 1)) throw RegistryFaults.Inconsistent($"a text of {ids.Length} tokens is not of this model.");
        float[] made = new float[encoder.Dim], raw = new float[classes], calibrated = new float[classes];
        encoder.Run([ids.ToArray()], made, null, CancellationToken.None);
        Judge(made, 1, raw, calibrated);
        made.CopyTo(features);
        raw.CopyTo(logits);
        calibrated.CopyTo(probabilities);
    }

    /// <summary>Uncalibrated logits of texts, [texts, classes].</summary>
    public float[] LogitsOf(IReadOnlyList<string> texts)
    {
        int rows = texts.Count;
        float[] features = new float[rows * encoder.Dim], logits = new float[rows * classes];
        encoder.Run([.. texts.Select(text => tokenizer.Encode(text).Ids)], features, null, CancellationToken.None);
        Judge(features, rows, logits, new float[rows * classes]);
        return logits;
    }

    void Judge(float[] features, int rows, float[] logits, float[] probabilities)
    {
        using OnnxRun run = new OnnxRun(head).Input<float>("features", features, rows, encoder.Dim).Output<float>("logits", logits, rows, classes)
            .Output<float>("probabilities", probabilities, rows, classes);
        run.Run(head, options);
    }

    public void Dispose()
    {
        encoder.Dispose();
        head.Dispose();
        options.Dispose();
    }
}
