using System.Security.Cryptography;
using Scion.Datasets;
using Scion.Pipelines;
using Scion.Storage;
using Scion.Vision;
using SkiaSharp;

namespace Scion.Tests.Datasets;

/// <summary>Pictures in a store in memory, ingested and curated as a run does it.</summary>
sealed class Photos
{
    readonly SortedDictionary<string, PinnedFile> pinned = new(StringComparer.Ordinal);

    public InMemoryBlobStore Store { get; } = new();

    public IPictureReader Reader { get; init; } = new InProcessPictures();

    public SplitSettings Split { get; init; } = new();

    public IReadOnlyList<IngestedFile> Files { get; private set; } = [];

    /// <summary>Uploads a file to the model's folder.</summary>
    public Photos Put(string name, byte[] content)
    {
        Store.Tamper($"images/dresses/{name}", content);
        BlobItem item = Store.FindAsync(BlobPath.Of("images", $"dresses/{name}"), default).GetAwaiter().GetResult()!;
        pinned[name] = new PinnedFile(item.Container, item.Name, item.ETag, item.Length, Convert.ToHexStringLower(SHA256.HashData(content)));
        return this;
    }

    public async Task<IReadOnlyList<IngestedFile>> IngestAsync(IBlobStore? readFrom = null)
    {
        IngestImagesStep step = new(new StepMemo(readFrom ?? Store), Reader);
        List<IngestedFile> files = [];
        foreach (ImageBatch batch in ImageBatch.Of([.. pinned.Values])) files.Add(await step.RunAsync(new IngestImagesInput(batch), null, default));
        return Files = files;
    }

    public async Task<CuratedRows> CurateAsync()
    {
        await IngestAsync();
        return await new CurateStep(new StepMemo(Store)).RunAsync(new CurateInput(DataKind.Images, Files, Split), null, default);
    }

    /// <summary>Accepted pictures as "name label split", in order.</summary>
    public async Task<string[]> RowsAsync()
    {
        List<string> rows = [];
        foreach (ShardRef shard in Files.SelectMany(file => file.Shards))
        {
            (string[] labels, ReadOnlyMemory<byte> index) = RowIndex.Parse(await Store.ReadAsync(shard.Index, default));
            IndexedRow[] indexed = RowIndex.Rows(index).ToArray();
            int at = 0;
            await foreach (ImageRow row in ImageShard.ReadAsync(Store, shard, default))
            {
                IndexedRow said = indexed[at++];
                rows.Add($"{row.Name} {(said.Label < 0 ? "-" : labels[said.Label])}{(said.Split == GivenSplit.None ? "" : " " + said.Split)}");
            }
        }
        return [.. rows];
    }

    /// <summary>Lines of all lists of refusals, without their headers.</summary>
    public async Task<string[]> RejectsAsync()
    {
        List<string> lines = [];
        foreach (IngestedFile file in Files) lines.AddRange(await LinesAsync(file.Rejects));
        return [.. lines];
    }

    public async Task<string[]> LinesAsync(ArtifactRef? list)
    {
        if (list is null) return [];
        string[] lines = Uploads.Utf8.GetString(await Store.ReadAsync(list, default)).Split('\n');
        Assert.Equal("file,line,code,reason", lines[0]);
        return lines[1..^1];
    }

    /// <summary>A picture unlike any of another seed: coloured rectangles.</summary>
    public static byte[] Of(int seed, SKEncodedImageFormat format = SKEncodedImageFormat.Jpeg, int width = 60, int height = 48, int quality = 90)
    {
        using SKBitmap bitmap = new(width, height);
        using SKCanvas canvas = new(bitmap);
        Random random = new(seed);
        canvas.Clear(new SKColor((uint)random.Next() | 0xFF000000));
        for (int i = 0; i < 12; i++)
        {
            using SKPaint paint = new() { Color = new SKColor((uint)random.Next() | 0xFF000000) };
            canvas.DrawRect(random.Next(width), random.Next(height), random.Next(4, width), random.Next(4, height), paint);
        }
        canvas.Flush();
        using SKData data = bitmap.Encode(format, quality);
        return data.ToArray();
    }
}
