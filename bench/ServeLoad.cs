using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Scion.Datasets;
using Scion.Evaluation;
using Scion.Heads;
using Scion.Onnx;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Serving;
using Scion.Storage;
using Scion.Text;
using Scion.Vision;
using Scion.Web;

namespace Scion.Bench;

/// <summary>How many predictions a second does the API answer, how late are the slowest, and how far is that from a bare server that answers
/// with a constant of the same size? Server in a process of its own, load from this one, both on this machine.</summary>
static class ServeLoad
{
    public const string Model = "load", Version = "20260101-000000-00000001";
    public const string Key = "0123456789abcdef0123456789abcdef";
    const int Words = 20_000, Dim = 100, Rows = 1000, Bodies = 512;

    public static async Task<int> RunAsync(string[] arguments)
    {
        if (arguments is ["--server", string folder, .. string[] decoder]) return await ServeAsync(folder, decoder.FirstOrDefault());
        int connections = Argument(arguments, "--connections", 32), seconds = Argument(arguments, "--seconds", 5), rounds = Argument(arguments, "--rounds", 3);
        int words = Argument(arguments, "--words", 20), texts = Argument(arguments, "--texts", 1);
        bool explain = arguments.Contains("--explain");

        string data = Path.Combine(Path.GetTempPath(), $"scion-serve-load-{Path.GetRandomFileName()}");
        Directory.CreateDirectory(data);
        try
        {
            await PublishAsync(data);
            using Process server = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["serve-load", "--server", data]) { RedirectStandardOutput = true, RedirectStandardInput = true })!;
            try
            {
                int port = int.Parse((await server.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture);
                byte[][] predict = Requests(port, $"/api/models/{Model}/predict{(explain ? "?explain=true" : "")}", words, texts);
                Answer answer = await OneAsync(port, predict[0]);
                if (answer.Status != 200) throw new InvalidOperationException($"The server answers {answer.Status}.");
                byte[][] bare = Requests(port, $"/bare?bytes={answer.Body}", words, texts);

                Console.WriteLine($"{connections} connections, {words}-word reviews, {texts} a request{(explain ? ", explained" : "")}; answer {answer.Body} bytes; {Environment.ProcessorCount} cores; load and server share them");
                await LoadAsync(port, predict, connections, seconds);         // warm: the JIT's last tier, the pools, the caches
                await LoadAsync(port, bare, connections, 2);
                List<double> ratios = [];
                for (int round = 1; round <= rounds; round++)
                {
                    Measured constant = await LoadAsync(port, bare, connections, seconds);
                    Measured predicted = await LoadAsync(port, predict, connections, seconds);
                    ratios.Add(predicted.PerSecond / constant.PerSecond);
                    Print($"round {round} bare   ", constant);
                    Print($"round {round} predict", predicted);
                }
                Console.WriteLine(Line($"predict / bare: {string.Join(", ", ratios.Select(ratio => ratio.ToString("0.00", CultureInfo.InvariantCulture)))}; server {await ServerFactsAsync(port)}"));
            }
            finally
            {
                server.StandardInput.Close();
                if (!server.WaitForExit(5000)) server.Kill();
            }
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
        return 0;
    }

    public static int Argument(string[] arguments, string name, int standard)
    {
        int at = Array.IndexOf(arguments, name);
        return at >= 0 && at + 1 < arguments.Length ? int.Parse(arguments[at + 1], CultureInfo.InvariantCulture) : standard;
    }

    public static void Print(string what, Measured m) => Console.WriteLine(Line(
        $"{what} {m.PerSecond,9:n0} requests/s  p50 {m.Percentile(0.5):0.00} ms  p99 {m.Percentile(0.99):0.00} ms  p99.9 {m.Percentile(0.999):0.00} ms  worst {m.Percentile(1):0.0} ms  errors {m.Errors}"));

    static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    static string Word(int id) => $"w{id:x}";

    /// <summary>Word ids as a review has them: frequent words often (log-uniform).</summary>
    static int Drawn(Random random) => (int)Math.Exp(random.NextDouble() * Math.Log(Words)) - 1;

    static byte[][] Requests(int port, string address, int words, int texts)
    {
        return [.. Texts(words, Bodies * texts).Chunk(texts).Select(inputs =>
        {
            byte[] body = JsonSerializer.SerializeToUtf8Bytes(new { inputs });
            byte[] head = Encoding.ASCII.GetBytes($"POST {address} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nx-functions-key: {Key}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n");
            return (byte[])[.. head, .. body];
        })];
    }

    /// <summary>Reviews of that many words, the same at each call.</summary>
    public static string[] Texts(int words, int count)
    {
        Random random = new(1);
        return [.. Enumerable.Range(0, count).Select(_ => string.Join(' ', Enumerable.Range(0, words).Select(_ => Word(Drawn(random)))) + ".")];
    }

    /// <summary>A model of 20,000 words and 100 components, with 1,000 examples: as large as a good one from tens of thousands of reviews.</summary>
    public static async Task PublishAsync(string folder)
    {
        Random random = new(1);
        float[] Normal(int count, double scale) => [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() + random.NextDouble() - 1) * scale))];
        Vocabulary vocabulary = new([.. Enumerable.Range(0, Words).Select(Word)], [.. Enumerable.Range(0, Words).Select(id => (long)(Words - id))]);
        float[] direction = Normal(Dim, 1);
        float norm = MathF.Sqrt(direction.Sum(x => x * x));
        SentenceEncoder encoder = new(vocabulary, Dim, Normal(Words * Dim, 1), [.. Enumerable.Range(0, Words).Select(id => 1e-3f / (1e-3f + 1f / (id + 1)))], [.. direction.Select(x => x / norm)]);
        LinearHead head = new(Normal(2 * Dim, 4), [0.1f, -0.1f]);
        string[] labels = ["negative", "positive"];
        float[] features = new float[Rows * Dim];
        string[] texts = [.. Enumerable.Range(0, Rows).Select(_ => string.Join(' ', Enumerable.Range(0, 20).Select(_ => Word(Drawn(random)))))];
        for (int row = 0; row < Rows; row++) encoder.Encode(texts[row], features.AsSpan(row * Dim, Dim));
        Examples examples = new(features, [.. Enumerable.Range(0, Rows).Select(row => row % 2)], texts, Dim, pictures: false);
        JsonElement none = JsonSerializer.SerializeToElement(new { });
        ModelManifest manifest = new()
        {
            Kind = "reviews",
            CodeVersion = 1,
            Labels = labels,
            DataDigest = new string('0', 64),
            Seed = 1,
            Settings = none,
            Encoder = new EncoderFacts(new string('0', 64), EncoderSource.Own, Dim, Words, Words * Dim, null, true, "cpu", none),
            Head = new HeadFacts("logistic", 1, head.Parameters, 1.5),
            Data = new DataFacts(Protocol.HashSplit, [], [], 0, 0, 0),
            Measured = new MeasuredFacts([new ModelMetrics("transfer", 1, default, default, null, null, [], [])], [], [], [], []),
            Examples = new ExampleFacts(Rows, Rows, 0.2, null),
            Parity = new ParityFacts(0, 0, 1e-3),
            Warnings = [],
        };
        ModelPackage package = ModelPackage.Seal(manifest, new Dictionary<string, ReadOnlyMemory<byte>>
        {
            [ModelPackage.EncoderName] = TextEncoderGraph.Write(encoder).ToByteArray(),
            [ModelPackage.HeadName] = HeadGraph.Write(head, 1.5, labels).ToByteArray(),
            [ModelPackage.VocabularyName] = vocabulary.ToBytes(),
            [ModelPackage.ExamplesName] = examples.ToTensors(),
            [ModelPackage.ExampleTextsName] = examples.ToLines(labels),
        });
        ModelRegistry registry = new(new FileBlobStore(folder), TimeProvider.System);
        await registry.UploadAsync(Model, Version, package, default);
        await registry.PromoteAsync(Model, Version, "bench", default);
    }

    static async Task<int> ServeAsync(string folder, string? decoder)
    {
        await using DecoderProcesses? processes = decoder is null ? null : new(new DecoderOptions(decoder, Environment.ProcessorCount), TimeProvider.System);
        ScionApiOptions options = new() { Key = Key };
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.LimitForScion(options);
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        builder.Services.AddSingleton<IBlobStore>(new FileBlobStore(folder));
        builder.Services.AddSingleton<ITrainingHost, NoTraining>();
        builder.Services.AddSingleton<IPictureReader>(processes is null ? new InProcessPictures() : processes);
        builder.Services.AddScionApi(options);
        WebApplication server = builder.Build();
        server.UseRouting();
        server.MapScionApi();
        byte[] constant = [];
        server.MapPost("/bare", async context =>
        {
            if (constant.Length == 0) constant = [.. Enumerable.Repeat((byte)' ', int.Parse(context.Request.Query["bytes"]!, CultureInfo.InvariantCulture))];
            System.IO.Pipelines.ReadResult read;
            while (!(read = await context.Request.BodyReader.ReadAsync()).IsCompleted) context.Request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            context.Request.BodyReader.AdvanceTo(read.Buffer.End);
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = constant.Length;
            await context.Response.Body.WriteAsync(constant);
        });
        server.MapPost("/facts", () => Line($"{GC.GetTotalPauseDuration().TotalMilliseconds:0} ms paused by {GC.CollectionCount(0)}/{GC.CollectionCount(1)}/{GC.CollectionCount(2)} collections, {GC.GetTotalAllocatedBytes() >> 20:n0} MB allocated, {Environment.WorkingSet >> 20:n0} MB resident"));
        await server.StartAsync();
        Console.WriteLine(new Uri(server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port);
        await Console.In.ReadToEndAsync();
        await server.StopAsync();
        return 0;
    }

    static async Task<string> ServerFactsAsync(int port)
    {
        using HttpClient client = new();
        using HttpResponseMessage response = await client.PostAsync(new Uri($"http://127.0.0.1:{port}/facts"), null);
        return await response.Content.ReadAsStringAsync();
    }

    static async Task<Answer> OneAsync(int port, byte[] request)
    {
        using Connection connection = await Connection.OpenAsync(port);
        return await connection.AskAsync(request);
    }

    public static async Task<Measured> LoadAsync(int port, byte[][] requests, int connections, int seconds)
    {
        long start = Stopwatch.GetTimestamp(), end = start + seconds * Stopwatch.Frequency;
        Measured[] parts = await Task.WhenAll(Enumerable.Range(0, connections).Select(number => Task.Run(async () =>
        {
            using Connection connection = await Connection.OpenAsync(port);
            List<long> ticks = new(1 << 16);
            int errors = 0;
            for (int i = number * 17; Stopwatch.GetTimestamp() is long before && before < end; i++)
            {
                if ((await connection.AskAsync(requests[i % requests.Length])).Status != 200) errors++;
                ticks.Add(Stopwatch.GetTimestamp() - before);
            }
            return new Measured(ticks, errors, 0);
        })));
        List<long> all = [.. parts.SelectMany(part => part.Ticks)];
        all.Sort();
        return new Measured(all, parts.Sum(part => part.Errors), Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    /// <summary>Times of all requests, sorted in a total.</summary>
    public sealed record Measured(List<long> Ticks, int Errors, double Seconds)
    {
        public double PerSecond => Ticks.Count / Seconds;

        public double Percentile(double share) => Ticks[Math.Min(Ticks.Count - 1, (int)(share * Ticks.Count))] * 1000.0 / Stopwatch.Frequency;
    }

    public readonly record struct Answer(int Status, int Body);

    /// <summary>One kept-alive connection, one request at a time; reads no more of HTTP than a status and a Content-Length.</summary>
    public sealed class Connection(Socket socket) : IDisposable
    {
        readonly byte[] buffer = new byte[1 << 20];

        public static async Task<Connection> OpenAsync(int port)
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return new Connection(socket);
        }

        public async ValueTask<Answer> AskAsync(byte[] request)
        {
            await socket.SendAsync(request);
            int have = 0, need = int.MaxValue, body = 0;
            while (have < need)
            {
                int read = await socket.ReceiveAsync(buffer.AsMemory(have));
                if (read == 0) throw new IOException("The server closed the connection.");
                have += read;
                if (need == int.MaxValue && buffer.AsSpan(0, have).IndexOf("\r\n\r\n"u8) is >= 0 and int head)
                {
                    ReadOnlySpan<byte> headers = buffer.AsSpan(0, head);
                    int at = headers.IndexOf("Content-Length: "u8) + 16;
                    if (at < 16 || !System.Buffers.Text.Utf8Parser.TryParse(headers[at..], out body, out _)) throw new IOException("No Content-Length.");
                    need = head + 4 + body;
                }
            }
            return new Answer(int.Parse(buffer.AsSpan(9, 3), CultureInfo.InvariantCulture), body);
        }

        public void Dispose() => socket.Dispose();
    }

    sealed class NoTraining : ITrainingHost
    {
        public Task<RunStatus> StartAsync(Scion.Datasets.DataKind kind, string model, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<RunStatus> CancelAsync(string run, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<RunStatus> SuspendAsync(string run, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<RunStatus> ResumeAsync(string run, CancellationToken cancellation) => throw new NotSupportedException();
    }
}
