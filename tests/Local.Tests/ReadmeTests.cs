using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Scion.Tests.Registry;

namespace Scion.Tests;

/// <summary>The README, executed: every command in it, in its order, in one folder, as a reader would.</summary>
public sealed class ReadmeTests : IDisposable
{
    const string MainJob = "dotnet run --project src/Local -c Release -- demo";
    const string Alias = "alias scion='dotnet run --project src/Local -c Release --no-build --'";

    const string Emulator = "npm ci --prefix tests/azurite";
    const string Upload = "curl -T reviews.csv http://localhost:7071/api/datasets/reviews/films/files/reviews.csv        # a run starts by itself";

    readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    static string[] Lines => File.ReadAllLines(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../README.md"));

    static List<string[]> Blocks
    {
        get
        {
            List<string[]> blocks = [];
            List<string>? open = null;
            foreach (string line in Lines)
            {
                if (line.StartsWith("```", StringComparison.Ordinal))
                {
                    if (open is not null) blocks.Add([.. open]);
                    open = open is null ? [] : null;
                }
                else open?.Add(line);
            }
            return blocks;
        }
    }

    [Fact]
    public void Readme_ItsFirstTenLines_SayWhatToRunAndWhatToSee()
    {
        string[] first = Lines[..10];

        Assert.Equal("# Scion", first[0]);
        Assert.Contains(MainJob, first);
        Assert.Contains(first, line => line.StartsWith("You will see:", StringComparison.Ordinal));
        Assert.InRange(Lines.Length, 10, 100);
    }

    [Fact]
    public void Readme_EveryBlock_IsKnownToATest()
    {
        Assert.Equal([MainJob, "dotnet run tests/All.cs", Alias, "scion train images dresses --model dresses           # through a pretrained network, which is not changed; the layer is chosen by validation", "scion serve", Emulator, Upload],
            Blocks.Select(block => block[0]));
    }

    /// <summary>Core Tools cannot be had everywhere, so of these commands only what they name is checked; docs/verification.md says where they ran.</summary>
    [Fact]
    public void Readme_OnTheFunctionsHost_NamesFilesAndAddressesThatThereAre()
    {
        string root = Path.GetDirectoryName(Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../README.md")))!;
        string[] named = [.. Blocks[5].SelectMany(line => line.Split('#')[0].Split(' ')).Where(word => Regex.IsMatch(word, @"^(tests|src)/|\.example$"))];
        string openapi = File.ReadAllText(Path.Combine(root, "src/Web/page/openapi.json"));
        Regex[] addresses = [.. Regex.Matches(openapi, @"^ {4}""(/[^""]*)"": \{", RegexOptions.Multiline).Select(match => new Regex($"^{Regex.Replace(match.Groups[1].Value, @"\{\w+\}", "[^/]+")}$"))];
        string[] called = [.. Blocks[6].Select(line => Regex.Match(line, @"http://localhost:7071(/[^\s?""]*)").Groups[1].Value)];

        Assert.True(named.Length >= 4 && called.Length == 3 && addresses.Length > 15, $"{named.Length} files, {called.Length} addresses of {addresses.Length}");
        Assert.All(named, path => Assert.True(Path.Exists(Path.Combine(root, path)), $"{path} is not there"));
        Assert.All(called, path => Assert.Contains(addresses, address => address.IsMatch(path)));
    }

    [Fact]
    public async Task Readme_TheMainJob_EndsWithBothFiguresAndTheirIntervals()
    {
        string output = await BashAsync(Blocks[0]);

        Assert.Matches("from scratch +[0-9.]+ % +[0-9.]+ % – [0-9.]+ %", output);
        Assert.Matches("transferred +[0-9.]+ % +[0-9.]+ % – [0-9.]+ %", output);
    }

    [Fact]
    public async Task Readme_YourOwnReviews_EveryCommandWorks()
    {
        folder.Write("reviews.csv", Reviews.Csv(300, labelledEvery: 3));
        folder.Write("more.csv", Reviews.Csv(40, labelledEvery: 1, seed: 2));

        string output = await BashAsync(Blocks[2]);

        Assert.Contains("films", output, StringComparison.Ordinal);
        string[] answers = File.ReadAllLines(Path.Combine(folder.Path, "answers.csv"));
        Assert.Equal("input,label,score,abstained", answers[0]);
        Assert.Equal(41, answers.Length);
        Assert.Single(Directory.GetFiles(Path.Combine(folder.Data, "models/films/versions"), "report.html", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Readme_YourOwnPhotos_EveryCommandWorks()
    {
        Random random = new(1);
        for (int i = 0; i < 24; i++) folder.Write($"dresses/{(i % 2 == 0 ? "blue" : "gold")}/{i / 2}.jpg", TrainedPhotos.Photo(random, gold: i % 2 == 1));
        folder.Write("small.onnx", TrainedPhotos.Network().ToByteArray());
        folder.Write("dresses/dataset.json", """{"encoder":"small"}""");
        await BashAsync(["scion encoders import small.onnx"]);

        string output = await BashAsync(Blocks[3]);

        Assert.Matches("right on pictures it was not fitted to", output);
        Assert.Matches("cut at (edges|shapes|[a-z]+)", output);
        Assert.Matches("blue|gold", output.Split('\n')[^6..].Aggregate("", string.Concat));
        Assert.Single(Directory.GetFiles(Path.Combine(folder.Data, "models/dresses/versions"), "report.html", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Readme_AServerThatTrainsOnDrop_AnswersTheCurlCommand()
    {
        string[] block = Blocks[4];
        string address = $"http://127.0.0.1:{FreePort()}";
        folder.Write("more.csv", Reviews.Csv(300, labelledEvery: 3));
        await using ScionProcess serve = ScionProcess.Start(folder.Path, ["serve", "--urls", address]);
        string key = Path.Combine(folder.Data, ".scion/key"), latest = Path.Combine(folder.Data, "models/films/latest.json");
        await serve.UntilAsync(() => Task.FromResult(File.Exists(key) ? key : null), "the key");

        await BashAsync([block.Single(line => line.Contains("cp more.csv", StringComparison.Ordinal))]);
        await serve.UntilAsync(() => Task.FromResult(File.Exists(latest) ? latest : null), "the model");
        int curl = Array.FindIndex(block, line => line.StartsWith("curl ", StringComparison.Ordinal));
        string output = await BashAsync([.. block[curl..].Select(line => line.Replace("http://127.0.0.1:7071", address, StringComparison.Ordinal))]);

        Assert.Matches("""^\{"model":"films","version":"[0-9]{8}-[0-9]{6}-[0-9a-f]{8}","predictions":\[\{"label":"(positive|negative)",""", output);
    }

    /// <summary>Runs lines in bash, in the test's folder, with the built command line in place of building it.</summary>
    async Task<string> BashAsync(IEnumerable<string> lines)
    {
        string scion = $"dotnet '{Path.Combine(AppContext.BaseDirectory, "scion.dll")}'";
        string script = $"set -euo pipefail\nscion() {{ {scion} \"$@\"; }}\n" + string.Join('\n', lines.Where(line => line != Alias)
            .Select(line => line.Replace(MainJob, "scion demo", StringComparison.Ordinal)));
        ProcessStartInfo start = new("bash", ["-c", script]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder.Path };
        foreach (string name in new[] { "SCION_DATA", "SCION_STORAGE" }) start.Environment.Remove(name);
        using Process bash = Process.Start(start)!;
        Task<string> output = bash.StandardOutput.ReadToEndAsync(), error = bash.StandardError.ReadToEndAsync();
        await bash.WaitForExitAsync();
        Assert.True(bash.ExitCode == 0, $"exit {bash.ExitCode} of:\n{script}\nstdout: {await output}\nstderr: {await error}");
        return await output;
    }

    static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    static string ThisFile([CallerFilePath] string path = "") => path;
}
