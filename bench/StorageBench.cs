using System.Diagnostics;
using System.Globalization;
using Scion.Storage;

namespace Scion.Bench;

/// <summary>What durability costs the file store, and how fast it lists. The baseline writes the same files without any sync.</summary>
static class StorageBench
{
    public static async Task<int> Run(string[] arguments)
    {
        int blobs = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 1000;
        int listed = arguments.Length > 1 ? int.Parse(arguments[1], CultureInfo.InvariantCulture) : 100_000;
        string parent = arguments.Length > 2 ? arguments[2] : Path.GetTempPath();
        string root = Path.Combine(parent, $"scion-bench-{Environment.ProcessId}");
        byte[] content = new byte[4096];
        try
        {
            FileBlobStore store = new(root);
            await store.CreateAsync(BlobPath.Of("bench", "warm"), new ReadOnlyMemoryStream(content), default);
            for (int round = 1; round <= 3; round++)
            {
                string folder = $"round{round}";
                string plain = Directory.CreateDirectory(Path.Combine(root, "plain", folder)).FullName;
                double unsynced = await RateAsync(blobs, 1, async i => await File.WriteAllBytesAsync(Path.Combine(plain, $"{i}"), content));
                double one = await RateAsync(blobs, 1, async i => await store.CreateAsync(BlobPath.Of("bench", $"{folder}/one/{i}"), new ReadOnlyMemoryStream(content), default));
                double eight = await RateAsync(blobs, 8, async i => await store.CreateAsync(BlobPath.Of("bench", $"{folder}/eight/{i}"), new ReadOnlyMemoryStream(content), default));
                double folders = await RateAsync(blobs / 4, 1, async i => await store.CreateAsync(BlobPath.Of("bench", $"{folder}/folders/{i}/result.json"), new ReadOnlyMemoryStream(content), default));
                string etag = (await store.FindAsync(BlobPath.Of("bench", "warm"), default))!.ETag;
                double replaced = await RateAsync(blobs, 1, async _ => etag = (await store.ReplaceAsync(BlobPath.Of("bench", "warm"), new ReadOnlyMemoryStream(content), etag, default))!.ETag);
                double again = await RateAsync(blobs, 1, async i => await store.CreateAsync(BlobPath.Of("bench", $"{folder}/one/{i}"), new ReadOnlyMemoryStream(content), default));
                double read = await RateAsync(blobs, 1, async i => await store.FindBytesAsync(BlobPath.Of("bench", $"{folder}/one/{i}"), default));
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"round {round}, blobs of 4 KiB a second: plain files, no sync {unsynced:n0}; create {one:n0}; create, 8 at a time {eight:n0}; "
                    + $"create with a new folder {folders:n0}; replace {replaced:n0}; create what exists {again:n0}; read {read:n0}"));
            }

            for (int i = 0; i < listed; i++)
            {
                string folder = Path.Combine(root, "listed", $"{i % 100}");
                if (i < 100) Directory.CreateDirectory(folder);
                await File.WriteAllBytesAsync(Path.Combine(folder, $"{i}.csv"), []);
            }
            for (int round = 1; round <= 3; round++)
            {
                long start = Stopwatch.GetTimestamp(), before = GC.GetTotalAllocatedBytes();
                int count = 0;
                await foreach (BlobItem _ in store.ListAsync("listed", "", default)) count++;
                double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
                start = Stopwatch.GetTimestamp();
                int files = Directory.EnumerateFiles(Path.Combine(root, "listed"), "*", SearchOption.AllDirectories).Count();
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"listing of {count:n0} blobs in 100 folders, with versions: {seconds:0.000} s, {(GC.GetTotalAllocatedBytes() - before) / 1e6:n0} MB allocated; "
                    + $".NET's own enumeration of the {files:n0} names alone: {Stopwatch.GetElapsedTime(start).TotalSeconds:0.000} s"));
            }

            byte[] large = new byte[256 << 20];
            new Random(1).NextBytes(large);
            long began = Stopwatch.GetTimestamp();
            await store.CreateAsync(BlobPath.Of("bench", "large"), new ReadOnlyMemoryStream(large), default);
            double written = large.Length / 1e6 / Stopwatch.GetElapsedTime(began).TotalSeconds;
            began = Stopwatch.GetTimestamp();
            await using BlobContent opened = (await store.OpenAsync(BlobPath.Of("bench", "large"), null, default))!;
            byte[] buffer = new byte[128 << 10];
            long total = 0;
            while (await opened.Stream.ReadAsync(buffer) is int n and > 0) total += n;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"one blob of {total >> 20} MiB: written and synced at {written:n0} MB/s, read back at {total / 1e6 / Stopwatch.GetElapsedTime(began).TotalSeconds:n0} MB/s"));
            return 0;
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    static async Task<double> RateAsync(int count, int parallel, Func<int, Task> work)
    {
        long start = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = parallel }, async (i, _) => await work(i));
        return count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
