using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace Scion.Bench;

/// <summary>Does a run that is killed at any moment end with the version of an undisturbed one, and is nothing lost or done twice?</summary>
/// <remarks>Each trial is a fresh data folder and a child process, <c>scion train</c> and <c>scion serve</c> in turn, killed (SIGKILL) at a
/// random moment of the undisturbed run's duration and started again until the run is finished. Meanwhile <c>latest.json</c> is read all the
/// time: it must be absent or whole and name the digest.</remarks>
static class KillBench
{
    const string Model = "films";

    static readonly string Program = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../src/Local/bin/Release/net10.0/scion.dll"));

    public static async Task<int> Run(string[] arguments)
    {
        int trials = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 50;
        string source = arguments.Length > 1 ? arguments[1] : "../shared/data/mr/reviews.csv";
        int seed = arguments.Length > 2 ? int.Parse(arguments[2], CultureInfo.InvariantCulture) : 1;
        if (!File.Exists(source) || !File.Exists(Program))
        {
            Console.Error.WriteLine($"Needs '{source}' (or another CSV with columns text and label as second argument) and '{Program}' (dotnet build Serverless.sln -c Release).");
            return 3;
        }
        string root = Directory.CreateTempSubdirectory("scion-kill-").FullName;
        try
        {
            string input = Sample(source, Path.Combine(root, "reviews.csv"));
            await TrainAsync(Path.Combine(root, "first"), input, killAfter: null);             // brings the program into memory
            long started = Stopwatch.GetTimestamp();
            string whole = (await TrainAsync(Path.Combine(root, "whole"), input, killAfter: null))!;
            double duration = Stopwatch.GetElapsedTime(started).TotalSeconds;
            Console.WriteLine($"undisturbed  {Seconds(duration)}  digest {whole[..16]}");
            Console.WriteLine("trial  host   kills  first at   in step              steps done  done again  restarted for  latest.json read  broken  digest  uploads");
            Random random = new(seed);
            int wrong = 0;
            for (int trial = 1; trial <= trials; trial++)
                if (!await TrialAsync(trial, Path.Combine(root, $"t{trial}"), input, whole, duration, random)) wrong++;
            Console.WriteLine($"{trials - wrong} of {trials} killed runs ended with the undisturbed digest, every upload whole, no finished step done again, latest.json valid at every read");
            return wrong == 0 ? 0 : 1;
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    static async Task<bool> TrialAsync(int trial, string folder, string input, string whole, double duration, Random random)
    {
        bool serve = trial % 2 == 0;
        using CancellationTokenSource ended = new();
        Task<(long Reads, long Broken)> watching = Task.Run(() => WatchLatest(folder, whole, ended.Token));
        double killAt;
        string? digest;
        while (true)
        {
            killAt = random.NextDouble() * duration;
            digest = serve ? await ServeAsync(folder, input, killAt) : await TrainAsync(folder, input, killAt);
            if (digest is null) break;
            Directory.Delete(folder, recursive: true);                     // it was done before its moment came: draw another
        }
        string step = StepOf(folder);
        Dictionary<string, (long, DateTime)> before = Results(folder);
        long restarted = Stopwatch.GetTimestamp();
        int kills = 1;
        while (digest is null)
        {
            // A second and third kill now and then: also what goes on is interrupted.
            double? again = kills < 3 && random.Next(4) == 0 ? random.NextDouble() * 3 : null;
            if (again is not null) kills++;
            digest = serve ? await ServeAsync(folder, input, again) : await TrainAsync(folder, input, again);
        }
        double took = Stopwatch.GetElapsedTime(restarted).TotalSeconds;
        await ended.CancelAsync();
        (long reads, long broken) = await watching;
        Dictionary<string, (long, DateTime)> after = Results(folder);
        int repeated = before.Count(result => !after.TryGetValue(result.Key, out (long, DateTime) now) || now != result.Value);
        bool kept = Hash(Path.Combine(folder, "reviews", Model, "reviews.csv")) == Hash(input);
        int versions = Directory.GetDirectories(Path.Combine(folder, "models", Model, "versions")).Length;
        bool right = digest == whole && broken == 0 && repeated == 0 && kept && versions == 1;
        Directory.Delete(folder, recursive: true);
        Console.WriteLine($"{trial,5}  {(serve ? "serve" : "train")}  {kills,5}  {Seconds(killAt),9}  {step,-19}  {before.Count,10}  {repeated,10}  {Seconds(took),13}  {reads,16}  {broken,6}  {(digest == whole ? "same" : "OTHER"),-6}  {(kept ? "whole" : "LOST")}{(versions == 1 ? "" : $"  {versions} VERSIONS")}");
        return right;
    }

    /// <returns>The digest; null when it was killed.</returns>
    static async Task<string?> TrainAsync(string folder, string input, double? killAfter)
    {
        using Process scion = Start("train", "reviews", input, "--model", Model, "--data", folder, "--json");
        Task<string> output = scion.StandardOutput.ReadToEndAsync(), error = scion.StandardError.ReadToEndAsync();
        if (!await EndsAsync(scion, killAfter)) return null;
        if (scion.ExitCode != 0) throw new InvalidOperationException($"scion train ended with {scion.ExitCode}: {await output} {await error}");
        using JsonDocument document = JsonDocument.Parse(await output);
        return document.RootElement.GetProperty("digest").GetString();
    }

    /// <returns>The digest; null when it was killed.</returns>
    static async Task<string?> ServeAsync(string folder, string input, double? killAfter)
    {
        long started = Stopwatch.GetTimestamp();
        string dropped = Path.Combine(folder, "reviews", Model, "reviews.csv");
        using Process scion = Start("serve", "--data", folder, "--urls", "http://127.0.0.1:0");
        _ = scion.StandardOutput.ReadToEndAsync();
        Task<string> error = scion.StandardError.ReadToEndAsync();
        if (!File.Exists(dropped))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(dropped)!);
            File.Copy(input, dropped);
        }
        while (killAfter is null || Stopwatch.GetElapsedTime(started).TotalSeconds < killAfter)
        {
            if (scion.HasExited) throw new InvalidOperationException($"scion serve ended with {scion.ExitCode}: {await error}");
            if (Succeeded(folder)) break;
            await Task.Delay(20);
        }
        bool done = Succeeded(folder);
        scion.Kill();
        await scion.WaitForExitAsync();
        if (!done) return null;
        using JsonDocument latest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "models", Model, "latest.json")));
        return latest.RootElement.GetProperty("digest").GetString();
    }

    /// <returns>False when it was killed.</returns>
    static async Task<bool> EndsAsync(Process process, double? killAfter)
    {
        if (killAfter is { } seconds)
        {
            using CancellationTokenSource patience = new(TimeSpan.FromSeconds(seconds));
            try
            {
                await process.WaitForExitAsync(patience.Token);
                return true;
            }
            catch (OperationCanceledException)
            {
                process.Kill();
                await process.WaitForExitAsync();
                return false;
            }
        }
        await process.WaitForExitAsync();
        return true;
    }

    static (long Reads, long Broken) WatchLatest(string folder, string whole, CancellationToken ended)
    {
        string path = Path.Combine(folder, "models", Model, "latest.json");
        long reads = 0, broken = 0;
        while (!ended.IsCancellationRequested)
        {
            Thread.Sleep(2);
            byte[] bytes;
            try
            {
                bytes = File.ReadAllBytes(path);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                continue;
            }
            reads++;
            try
            {
                using JsonDocument document = JsonDocument.Parse(bytes);
                string version = document.RootElement.GetProperty("version").GetString()!;
                byte[] manifest = File.ReadAllBytes(Path.Combine(folder, "models", Model, "versions", version, "model.json"));
                if (document.RootElement.GetProperty("digest").GetString() != whole || Convert.ToHexStringLower(SHA256.HashData(manifest)) != whole) broken++;
            }
            catch (Exception e) when (e is JsonException or IOException or KeyNotFoundException)
            {
                broken++;
            }
        }
        return (reads, broken);
    }

    /// <summary>Answers of finished steps, with what tells a rewritten file.</summary>
    static Dictionary<string, (long, DateTime)> Results(string folder)
    {
        string work = Path.Combine(folder, "work");
        return !Directory.Exists(work) ? [] : Directory.GetFiles(work, "result.json", SearchOption.AllDirectories)
            .ToDictionary(file => file, file => (new FileInfo(file).Length, File.GetLastWriteTimeUtc(file)));
    }

    static bool Succeeded(string folder) => StateOf(folder) is { } status && status.RootElement.GetProperty("state").GetString() == "succeeded";

    static string StepOf(string folder) => StateOf(folder) is not { } status ? "not recorded"
        : status.RootElement.TryGetProperty("stage", out JsonElement stage) ? stage.GetString()! : status.RootElement.GetProperty("state").GetString()!;

    static JsonDocument? StateOf(string folder)
    {
        string runs = Path.Combine(folder, "runs");
        string? file = !Directory.Exists(runs) ? null : Directory.GetFiles(runs, "status.json", SearchOption.AllDirectories).FirstOrDefault();
        return file is null ? null : JsonDocument.Parse(File.ReadAllBytes(file));
    }

    /// <summary>Every tenth label of a file is kept, the rest of its first 1,500 rows are unlabelled: a small run with every step in it.</summary>
    static string Sample(string source, string target)
    {
        using StreamReader lines = new(source);
        using StreamWriter sample = new(target);
        string[] header = lines.ReadLine()!.Split(',');
        if (header.Length != 2 || header[0] != "text" || header[1] != "label") throw new InvalidOperationException($"{source} has columns {string.Join(',', header)}, not text,label.");
        sample.WriteLine("text,label");
        for (int row = 0; row < 1500 && lines.ReadLine() is { } line; row++)
            sample.WriteLine(row % 10 == 0 ? line : line[..(line.LastIndexOf(',') + 1)]);
        return target;
    }

    static Process Start(params string[] arguments)
    {
        ProcessStartInfo start = new("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Program);
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    static string Hash(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));

    static string Seconds(double seconds) => seconds.ToString("0.00", CultureInfo.InvariantCulture) + " s";

    static string ThisFile([CallerFilePath] string path = "") => path;
}
