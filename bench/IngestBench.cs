using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using nietras.SeparatedValues;
using Scion.Datasets;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Bench;

/// <summary>How fast, and in how much memory, is a large file of reviews ingested and curated on the file store? Each run is a process of its own, so
/// that its peak memory is the run's. Beside it in the same minute: reading the bytes alone, and Sep reading rows, which does neither hash
/// nor store.</summary>
static class IngestBench
{
    /// <summary>Arguments: rows=1000000 words=95 labelled=10 runs=3, and a CSV of real reviews whose words are used when given; or from=FILE, which is
    /// ingested as it is.</summary>
    public static async Task<int> Run(string[] arguments)
    {
        if (arguments is ["child", var data]) return await ChildAsync(data);
        int rows = Option("rows", 1_000_000), words = Option("words", 95), runs = Option("runs", 3), labelled = Option("labelled", 10);
        string folder = Directory.CreateTempSubdirectory("scion-ingest-").FullName;
        try
        {
            string? from = arguments.FirstOrDefault(argument => argument.StartsWith("from=", StringComparison.Ordinal))?[5..];
            string file = Path.Combine(folder, "reviews", "bench", from is null ? "reviews.csv" : Path.GetFileName(from));
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            if (from is not null) File.Copy(from, file);
            else Generate(file, rows, words, labelled, arguments.FirstOrDefault(argument => !argument.Contains('=', StringComparison.Ordinal)));
            long bytes = new FileInfo(file).Length;
            Print($"{Path.GetFileName(file)}: {bytes / 1e6:F1} MB, {Environment.ProcessorCount} cores");
            for (int run = 1; run <= runs; run++)
            {
                foreach (string made in new[] { "work", ".scion" })
                    if (Directory.Exists(Path.Combine(folder, made))) Directory.Delete(Path.Combine(folder, made), recursive: true);
                double read = Seconds(() => ReadBytes(file)), sep = file.EndsWith(".csv", StringComparison.Ordinal) ? Seconds(() => ReadWithSep(file)) : double.NaN;
                string[] child = (await InChildAsync(folder)).Split(' ');
                double ingest = Number(child[0]), curate = Number(child[1]), snapshot = Number(child[2]);
                Print($"run {run}: ingest {ingest:F2} s ({Number(child[6]):F2} s of processor), {bytes / 1e6 / ingest:F0} MB/s, {Number(child[4]) / ingest:F0} rows/s; curate {curate:F2} s; snapshot {snapshot:F2} s; "
                    + $"peak RSS {Number(child[7]) / 1024:F0} MiB after ingestion, {Number(child[3]) / 1024:F0} MiB in all; {child[4]} rows, {child[5]} refused, {child[8]} copies; read alone {bytes / 1e6 / read:F0} MB/s, Sep {bytes / 1e6 / sep:F0} MB/s; "
                    + $"ingest / Sep time {ingest / sep:F1}");
            }
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        int Option(string name, int otherwise) => arguments.Where(argument => argument.StartsWith(name + "=", StringComparison.Ordinal))
            .Select(argument => int.Parse(argument[(name.Length + 1)..], CultureInfo.InvariantCulture)).DefaultIfEmpty(otherwise).First();
    }

    /// <summary>Snapshot, ingestion, curation; prints seconds of the last two, of the first, peak kB, rows, refused, processor seconds of ingestion, peak kB after it, copies.</summary>
    static async Task<int> ChildAsync(string data)
    {
        FileBlobStore store = new(data);
        StepMemo memo = new(store);
        Stopwatch clock = Stopwatch.StartNew();
        TrainReviewsRequest request = await ReviewSnapshot.TakeAsync(store, "bench", [], TimeProvider.System, default);
        double snapshot = clock.Elapsed.TotalSeconds;
        TimeSpan before = Process.GetCurrentProcess().TotalProcessorTime;
        clock.Restart();
        IngestedFile file = await new IngestReviewsStep(memo).RunAsync(new IngestReviewsInput(request.Files[0], request.Settings), null, default);
        double ingest = clock.Elapsed.TotalSeconds, processor = (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds;
        string ingestPeak = Peak();
        clock.Restart();
        CuratedRows curated = await new CurateStep(memo).RunAsync(new CurateInput(DataKind.Reviews, [file], request.Settings.Split), null, default);
        double curate = clock.Elapsed.TotalSeconds;
        Print($"{ingest:F4} {curate:F4} {snapshot:F4} {Peak()} {file.Rows} {file.Refused} {processor:F4} {ingestPeak} {curated.Duplicates}");
        return 0;

        static string Peak() => File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
    }

    static async Task<string> InChildAsync(string folder)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!) { RedirectStandardOutput = true };
        foreach (string argument in new[] { "ingest", "child", folder }) start.ArgumentList.Add(argument);
        using Process child = Process.Start(start)!;
        string output = await child.StandardOutput.ReadToEndAsync();
        await child.WaitForExitAsync();
        return child.ExitCode == 0 ? output.Trim() : throw new InvalidOperationException($"The child ended with {child.ExitCode}.");
    }

    static void Generate(string file, int rows, int words, int labelled, string? real)
    {
        string[] vocabulary = real is null ? [.. Enumerable.Range(0, 5000).Select(i => $"word{i}")]
            : [.. File.ReadAllText(real).Split([' ', ',', '"', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries).Where(word => word is not ("text" or "label")).Take(100_000)];
        Random random = new(1);
        StringBuilder row = new();
        using StreamWriter writer = new(file, append: false, new UTF8Encoding(false), 1 << 20);
        writer.Write("text,label\n");
        for (int i = 0; i < rows; i++)
        {
            row.Clear();
            bool quoted = random.Next(2) == 0;
            for (int w = 0, count = words / 2 + random.Next(words + 1); w < count; w++)
            {
                if (w > 0) row.Append(random.Next(40) == 0 ? quoted ? random.Next(4) == 0 ? "\n" : ", \"\"" : " – " : " ");
                row.Append(vocabulary[random.Next(vocabulary.Length)]);
            }
            if (quoted) writer.Write('"');
            writer.Write(row);
            if (quoted) writer.Write('"');
            writer.Write(random.Next(100) < labelled ? random.Next(2) == 0 ? ",positive\n" : ",negative\n" : ",\n");
        }
    }

    static double Seconds(Action action)
    {
        Stopwatch clock = Stopwatch.StartNew();
        action();
        return clock.Elapsed.TotalSeconds;
    }

    static void ReadBytes(string file)
    {
        using FileStream stream = File.OpenRead(file);
        byte[] buffer = new byte[1 << 20];
        while (stream.Read(buffer) > 0)
        {
        }
    }

    static void ReadWithSep(string file)
    {
        using SepReader reader = Sep.New(',').Reader(options => options with { Unescape = true }).FromFile(file);
        long characters = 0;
        foreach (SepReader.Row row in reader) characters += row["text"].Span.Length + row["label"].Span.Length;
        if (characters == 0) throw new InvalidOperationException("Sep read nothing.");
    }

    static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    static void Print(DefaultInterpolatedStringHandler text) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, ref text));
}
