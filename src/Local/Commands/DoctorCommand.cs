using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Scion.Datasets;
using Scion.Faults;
using Scion.Heads;
using Scion.Local.Server;
using Scion.Onnx;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Storage;
using Scion.Vision;

namespace Scion.Local.Commands;

/// <summary><c>scion doctor</c>: what this machine can do, and what to do where it cannot.</summary>
static class DoctorCommand
{
    public static Command Create() =>
        new Command("doctor", "Checks this machine: runtime, data folder or storage account, port, key, ONNX Runtime, the reading of pictures, GPU training.").Does(RunAsync);

    static async Task<int> RunAsync(Invocation call)
    {
        Check[] checks =
        [
            Machine(), Memory(), 
            call.Location.Connection is null ? Folder(call.Location.Folder) : new Check("data folder", State.Ok, $"not used: {AccountOf(call.Location.Connection)}"),
            await StoreAsync(call), await UploadsAsync(call), Key(call.Location), Port(), OnnxRuntime(), await PicturesAsync(call), Torch(),
        ];
        call.Screen.Document(new { checks = checks.Select(check => new { check.Name, check.State, check.Fact, check.Remedy }) });
        foreach (Check check in checks)
        {
            string state = check.State switch { State.Ok => "[green]ok  [/]", State.Warn => "[yellow]warn[/]", _ => "[red]fail[/]" };
            call.Screen.Line($"{state}  {check.Name,-13} {check.Fact.Escaped()}");
            if (check.Remedy is not null) call.Screen.Line($"{"",-20}{check.Remedy.Escaped()}");
        }
        return checks.FirstOrDefault(check => check.State == State.Fail)?.Exit ?? Exit.Done;
    }

    static Check Machine()
    {
        string simd = Avx512F.IsSupported ? "AVX-512" : Avx2.IsSupported ? "AVX2" : Vector.IsHardwareAccelerated ? $"{Vector<byte>.Count * 8}-bit SIMD" : "no SIMD";
        string fact = $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription} {RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} cores, {simd}";
        return Vector.IsHardwareAccelerated ? new Check("machine", State.Ok, fact) : new Check("machine", State.Warn, fact, "Training will be slow; a processor with AVX2 or NEON is several times faster.");
    }

    static Check Memory()
    {
        double gib = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1L << 30);
        string fact = string.Create(CultureInfo.InvariantCulture, $"{gib:0.0} GiB may be used; {StepWindow.CallsAtOnce} steps at once");
        return gib >= 1 ? new Check("memory", State.Ok, fact) : new Check("memory", State.Warn, fact, "A million reviews need about 1 GiB.");
    }

    static Check Folder(string folder)
    {
        string full = Path.GetFullPath(folder), there = full;
        while (!Path.Exists(there)) there = Path.GetDirectoryName(there)!;
        string probe = Path.Combine(there, $".scion-doctor-{Environment.ProcessId}");
        try
        {
            if (File.Exists(there)) throw new IOException($"'{there}' is a file.");
            long started = Stopwatch.GetTimestamp();
            using (FileStream file = new(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0, FileOptions.DeleteOnClose))
            {
                file.Write(new byte[4096]);
                file.Flush(flushToDisk: true);
            }
            double took = Stopwatch.GetElapsedTime(started).TotalMilliseconds, free = new DriveInfo(there).AvailableFreeSpace / (double)(1L << 30);
            string fact = string.Create(CultureInfo.InvariantCulture, $"{full} {(there == full ? "is writable" : "can be made")}, a synced write took {took:0.0} ms, {free:0.0} GiB free");
            return free >= 1 ? new Check("data folder", State.Ok, fact) : new Check("data folder", State.Warn, fact, "Free some space: a run needs about four times the size of its files.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new Check("data folder", State.Fail, $"{full} is not writable: {e.Message}", "Let this user write there, or choose another folder with --data.", Exit.Storage);
        }
    }

    static async Task<Check> StoreAsync(Invocation call)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(call.Cancellation);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        try
        {
            long started = Stopwatch.GetTimestamp();
            IReadOnlyList<ModelEntry> models = await call.Registry.ListAsync(patience.Token);
            return new Check("store", State.Ok, string.Create(CultureInfo.InvariantCulture,
                $"reachable, {models.Count} models, listed in {Stopwatch.GetElapsedTime(started).TotalMilliseconds:0} ms"));
        }
        catch (Exception e) when (!call.Cancellation.IsCancellationRequested)
        {
            LocalFault fault = e is OperationCanceledException ? new LocalFault("", "It did not answer within 20 s.", "Check name, key and network.", Exit.Storage) : LocalFaults.Of(e);
            return new Check("store", State.Fail, $"{fault.Code} {fault.Fact}".TrimStart(), fault.Remedy, fault.Exit);
        }
    }

    static async Task<Check> UploadsAsync(Invocation call)
    {
        try
        {
            List<string> stray = [], counts = [];
            foreach (DataKind kind in DataKinds.All)
            {
                List<BlobItem> items = [];
                await foreach (BlobItem item in call.Store.ListAsync(kind.Container, "", call.Cancellation)) items.Add(item);
                stray.AddRange(StrayUploads.Among(kind, items));
                counts.Add(string.Create(CultureInfo.InvariantCulture, $"{items.Count} files in {kind.Container}/"));
            }
            string fact = string.Join(", ", counts);
            return stray.Count == 0 ? new Check("uploads", State.Ok, fact)
                : new Check("uploads", State.Warn, $"{fact}; some can never be trained on", string.Join(" ", stray.Take(5)) + (stray.Count > 5 ? $" And {stray.Count - 5} more." : ""));
        }
        catch (Exception e) when (!call.Cancellation.IsCancellationRequested)
        {
            return new Check("uploads", State.Warn, $"not listed: {LocalFaults.Of(e).Fact}", "Mend the store first.");
        }
    }

    static Check Key(StoreLocation location)
    {
        try
        {
            if (ServerKey.Find(location.KeyPath) is null) return new Check("key", State.Ok, $"{location.KeyPath} is made by the first 'scion serve'");
            bool open = !OperatingSystem.IsWindows() && (File.GetUnixFileMode(location.KeyPath) & (UnixFileMode.GroupRead | UnixFileMode.OtherRead)) != 0;
            return open
                ? new Check("key", State.Warn, $"{location.KeyPath} can be read by other users", $"chmod 600 {location.KeyPath}")
                : new Check("key", State.Ok, $"{location.KeyPath} is there");
        }
        catch (Faults.InputRejectedException e)
        {
            return new Check("key", State.Fail, $"{e.Code} {e.Fact}", e.Remedy, Exit.Refused);
        }
    }

    static Check Port()
    {
        int port = new Uri(ServeCommand.DefaultUrl).Port;
        try
        {
            using TcpListener listener = new(IPAddress.Loopback, port);
            listener.Start();
            return new Check("port", State.Ok, $"127.0.0.1:{port} is free");
        }
        catch (SocketException)
        {
            return new Check("port", State.Warn, $"127.0.0.1:{port} is in use", "A 'scion serve' may be running; for another: --urls http://127.0.0.1:7072");
        }
    }

    /// <summary>Loads ONNX Runtime and lets it compute a head whose answer is known.</summary>
    static Check OnnxRuntime()
    {
        try
        {
            byte[] graph = HeadGraph.Write(new LinearHead([1, 0, 0, 1], [0, 1]), 1, ["a", "b"]).ToByteArray();
            using InferenceSession session = new(graph);
            using OrtValue features = OrtValue.CreateTensorValueFromMemory(new float[] { 2, 3 }, [1, 2]);
            using RunOptions options = new();
            using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(options, ["features"], [features], ["logits"]);
            ReadOnlySpan<float> logits = outputs[0].GetTensorDataAsSpan<float>();
            string version = OrtEnv.Instance().GetVersionString();
            return logits is [2, 4] ? new Check("ONNX Runtime", State.Ok, $"{version} loads and computes")
                : new Check("ONNX Runtime", State.Fail, $"{version} computed [{string.Join(", ", logits.ToArray())}], not [2, 4]", "Please report it.", Exit.Defect);
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException or OnnxRuntimeException or EntryPointNotFoundException)
        {
            return new Check("ONNX Runtime", State.Fail, $"does not load: {e.GetBaseException().Message}",
                "It needs glibc 2.28 or later, or the Visual C++ runtime 2022 on Windows; nothing can be predicted without it.", Exit.Defect);
        }
    }

    /// <summary>Lets the process that reads pictures read one.</summary>
    static async Task<Check> PicturesAsync(Invocation call)
    {
        try
        {
            byte[] white = new byte[16 * 16 * 3], read = new byte[white.Length];
            Array.Fill(white, (byte)255);
            long started = Stopwatch.GetTimestamp();
            await call.Pictures.ReadAsync(PictureWriter.Lossless(white, 16, 16), new PictureFit(PictureFit.CurrentVersion, 16, 16, PictureResize.Squash, 0), read, call.Cancellation);
            string fact = string.Create(CultureInfo.InvariantCulture, $"Scion.Decoder started and read one in {Stopwatch.GetElapsedTime(started).TotalMilliseconds:0} ms");
            return white.AsSpan().SequenceEqual(read) ? new Check("pictures", State.Ok, fact) : new Check("pictures", State.Fail, "a white picture was read as another", "Please report it.", Exit.Defect);
        }
        catch (Exception e) when (e is InvalidOperationException or InputRejectedException)
        {
            return new Check("pictures", State.Fail, $"are not read: {e.Message}", "Build or install Scion again; nothing can be trained on pictures without it.", Exit.Defect);
        }
    }

    static Check Torch() => new("GPU training", State.Ok, TorchBuild.Description,
        "It needs libtorch, hundreds of MB: dotnet build src/Local -c Release -p:Accelerator=cuda");

    /// <summary>The account of a connection, without its key.</summary>
    static string AccountOf(string connection) => Uri.TryCreate(connection, UriKind.Absolute, out Uri? uri) ? uri.Host
        : connection.Split(';').FirstOrDefault(part => part.StartsWith("AccountName=", StringComparison.OrdinalIgnoreCase)) ?? "the storage account";

    enum State
    {
        Ok,
        Warn,
        Fail,
    }

    sealed record Check(string Name, State State, string Fact, string? Remedy = null, int Exit = 0);
}
