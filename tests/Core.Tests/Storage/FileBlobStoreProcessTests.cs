using System.Diagnostics;
using System.Globalization;
using System.Text;
using Scion.Storage;

namespace Scion.Tests.Storage;

/// <summary>The file store between processes, and under kill -9.</summary>
public sealed class FileBlobStoreProcessTests : IDisposable
{
    readonly DirectoryInfo root = Directory.CreateTempSubdirectory("scion-processes-");
    readonly FileBlobStore store;

    public FileBlobStoreProcessTests() => store = new(root.FullName);

    public void Dispose() => root.Delete(recursive: true);

    [Fact]
    public async Task Write_WriterKilledFiftyTimes_LosesNothingAcknowledgedAndTearsNothing()
    {
        Random random = new(1);
        int number = 1, acknowledged = 0;
        for (int round = 0; round < 25; round++)
        {
            (HashSet<int> Created, int Replaced)[] saw = await Task.WhenAll(
                RunUntilKilledAsync("a", number, random.Next(40)), RunUntilKilledAsync("b", number, random.Next(40)));

            foreach ((string writer, (HashSet<int> created, int replaced)) in new[] { "a", "b" }.Zip(saw))
            {
                Assert.All(created, i => Assert.True(File.Exists(Path.Combine(root.FullName, "kill", writer, $"{i % 10}", $"{i}"))));
                if (replaced > 0)
                {
                    int current = NumberIn((await store.FindBytesAsync(BlobPath.Of("kill", $"{writer}/current"), default))!);
                    Assert.InRange(current, replaced, replaced + 1);
                }
                acknowledged += created.Count;
                number = Math.Max(number, created.Append(number).Max() + 2);
            }
        }

        int listed = 0;
        await foreach (BlobItem item in store.ListAsync("kill", "", default))
        {
            string[] parts = item.Name.Split('/');
            int found = NumberIn((await store.FindBytesAsync(item.Path, default))!);
            if (parts is [_, "current"]) continue;
            Assert.Equal($"{parts[0]}/{found % 10}/{found}", item.Name);
            listed++;
        }
        Assert.InRange(listed, acknowledged, acknowledged + 50);
        Assert.Equal([".scion", "kill"], root.GetDirectories().Select(folder => folder.Name).Order(StringComparer.Ordinal));
        _ = new FileBlobStore(root.FullName, new Later(FileBlobStore.TemporaryGrace + TimeSpan.FromMinutes(1)));
        Assert.Empty(Directory.GetFiles(Path.Combine(root.FullName, ".scion", "tmp")));
    }

    [Fact]
    public async Task Replace_FourProcesses_CountsEveryIncrement()
    {
        await store.CreateAsync(BlobPath.Of("race", "count"), new MemoryStream("0"u8.ToArray()), default);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => RunAsync("count", $"{writer}", 25)));

        Assert.Equal("100", Encoding.UTF8.GetString((await store.FindBytesAsync(BlobPath.Of("race", "count"), default))!));
    }

    [Fact]
    public async Task Create_FourProcesses_ExactlyOneWinsEachName()
    {
        string[] wins = await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => RunAsync("create", $"{writer}", 60)));

        List<(string Writer, string Name)> won = [.. wins.SelectMany((lines, writer) =>
            lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => ($"{writer}", line.Trim())))];
        Assert.Equal(Enumerable.Range(0, 60).Select(i => $"{i}").Order(StringComparer.Ordinal), won.Select(win => win.Name).Order(StringComparer.Ordinal));
        foreach ((string writer, string name) in won)
            Assert.Equal(writer, Encoding.UTF8.GetString((await store.FindBytesAsync(BlobPath.Of("race", $"created/{name}"), default))!));
    }

    /// <summary>Runs a writer, kills it some milliseconds after its first acknowledged write, and returns what it acknowledged.</summary>
    async Task<(HashSet<int> Created, int Replaced)> RunUntilKilledAsync(string writer, int number, int milliseconds)
    {
        using Process process = Start("write", writer, number);
        HashSet<int> created = [];
        int replaced = 0;
        long first = 0;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            int i = int.Parse(line.AsSpan(line.IndexOf(' ', StringComparison.Ordinal) + 1), CultureInfo.InvariantCulture);
            if (line.StartsWith("created", StringComparison.Ordinal)) created.Add(i);
            else replaced = i;
            if (first == 0) first = Stopwatch.GetTimestamp();
            if (Stopwatch.GetElapsedTime(first).TotalMilliseconds >= milliseconds) process.Kill();
        }
        await process.WaitForExitAsync();
        Assert.NotEqual(0, process.ExitCode);
        Assert.NotEmpty(created);
        return (created, replaced);
    }

    async Task<string> RunAsync(string command, string writer, int number)
    {
        using Process process = Start(command, writer, number);
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    Process Start(string command, string writer, int number) => Process.Start(new ProcessStartInfo(
        Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "StorageWriter.exe" : "StorageWriter"),
        [command, root.FullName, writer, number.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardOutput = true })!;

    /// <summary>The number in a blob of the writer, after checking that the blob is whole.</summary>
    static int NumberIn(byte[] bytes)
    {
        int line = Array.IndexOf(bytes, (byte)'\n');
        string[] head = Encoding.ASCII.GetString(bytes, 0, line).Split(' ');
        (int number, int length) = (int.Parse(head[0], CultureInfo.InvariantCulture), int.Parse(head[1], CultureInfo.InvariantCulture));
        Assert.Equal(length, bytes.Length - line - 1);
        Assert.Equal(-1, bytes.AsSpan(line + 1).IndexOfAnyExcept((byte)number));
        return number;
    }

    sealed class Later(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + by;
    }
}
