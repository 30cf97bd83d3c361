using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using CsCheck;
using Scion.Datasets;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Tests.Datasets;

/// <summary>Uploads to a store in memory, ingested and curated as a run does it.</summary>
sealed class Uploads
{
    public static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    readonly List<IngestedFile> files = [];

    public InMemoryBlobStore Store { get; } = new();

    public ReviewSettings Settings { get; init; } = new();

    public IReadOnlyList<IngestedFile> Files => files;

    public Task<IngestedFile> AddAsync(string name, string content) => AddAsync(name, Utf8.GetBytes(content));

    public async Task<IngestedFile> AddAsync(string name, byte[] content, IBlobStore? readFrom = null)
    {
        Store.Tamper($"reviews/films/{name}", content);
        BlobItem item = (await Store.FindAsync(BlobPath.Of("reviews", $"films/{name}"), default))!;
        PinnedFile pinned = new(item.Container, item.Name, item.ETag, item.Length, Convert.ToHexStringLower(SHA256.HashData(content)));
        IngestedFile file = await new IngestReviewsStep(new StepMemo(readFrom ?? Store)).RunAsync(new IngestReviewsInput(pinned, Settings), null, default);
        files.Add(file);
        return file;
    }

    public Task<CuratedRows> CurateAsync() =>
        new CurateStep(new StepMemo(Store)).RunAsync(new CurateInput(DataKind.Reviews, files, Settings.Split), null, default);

    public async Task<IReadOnlyList<ReviewRow>> RowsAsync(IngestedFile file)
    {
        List<ReviewRow> rows = [];
        foreach (ShardRef shard in file.Shards) rows.AddRange(ReviewShard.Read(await Store.ReadAsync(shard.Rows, default)));
        return rows;
    }

    /// <summary>Lines of the list of refusals, without its header.</summary>
    public async Task<string[]> RejectsAsync(IngestedFile file) => await LinesAsync(file.Rejects);

    public async Task<string[]> FindingsAsync(CuratedRows data) => await LinesAsync(data.Findings);

    /// <summary>Codes of the refusals with their lines, as "D107@3".</summary>
    public async Task<string[]> CodesAsync(IngestedFile file)
    {
        List<string> codes = [];
        foreach (string[] cells in PlainCsv.Read(string.Join('\n', await RejectsAsync(file)) + "\n", ',').Where(row => row.Length == 4))
            codes.Add(cells[1].Length == 0 ? cells[2] : $"{cells[2]}@{cells[1]}");
        return [.. codes];
    }

    async Task<string[]> LinesAsync(ArtifactRef? list)
    {
        if (list is null) return [];
        string[] lines = Utf8.GetString(await Store.ReadAsync(list, default)).Split('\n');
        Assert.Equal("file,line,code,reason", lines[0]);
        return lines[1..^1];
    }

    /// <summary>Use, label and text of each row of the data set.</summary>
    public async Task<IReadOnlyList<(RowUse Use, string? Class, string Text)>> UsesAsync(CuratedRows data)
    {
        RowTable table = RowTable.Parse(await Store.ReadAsync(data.Rows, default));
        Dictionary<(int, int), string> classes = table.Labelled.ToDictionary(row => (row.Shard, row.Row), row => data.Labels[row.Label]);
        List<(RowUse, string?, string)> rows = [];
        for (int shard = 0; shard < data.Shards.Count; shard++)
        {
            int row = 0;
            foreach (ReviewRow review in ReviewShard.Read(await Store.ReadAsync(data.Shards[shard].Rows, default)))
            {
                rows.Add((table.Uses[shard][row], classes.GetValueOrDefault((shard, row)), review.Text));
                row++;
            }
        }
        return rows;
    }

    public static byte[] Gzip(byte[] content, CompressionLevel level = CompressionLevel.Fastest)
    {
        using MemoryStream target = new();
        using (GZipStream gzip = new(target, level)) gzip.Write(content);
        return target.ToArray();
    }
}

/// <summary>RFC 4180 as plainly as it can be written, over characters and for well-formed input only: the oracle of the byte tokenizer.</summary>
static class PlainCsv
{
    public static List<string[]> Read(string text, char delimiter)
    {
        List<string[]> rows = [];
        List<string> row = [];
        int at = 0;
        while (at < text.Length)
        {
            StringBuilder field = new();
            bool quoted = text[at] == '"';
            if (quoted)
            {
                at++;
                while (text[at] != '"' || (at + 1 < text.Length && text[at + 1] == '"'))
                {
                    field.Append(text[at]);
                    at += text[at] == '"' ? 2 : 1;
                }
                at++;
            }
            else
            {
                while (at < text.Length && text[at] != delimiter && text[at] != '\r' && text[at] != '\n') field.Append(text[at++]);
            }
            row.Add(field.ToString());
            bool ends = at == text.Length || text[at] != delimiter;
            if (!ends && at + 1 == text.Length) row.Add("");
            ends |= at + 1 == text.Length;
            at += at + 1 < text.Length && text[at] == '\r' && text[at + 1] == '\n' ? 2 : 1;
            if (!ends) continue;
            if (row is not [""] || quoted) rows.Add([.. row]);
            row.Clear();
        }
        return rows;
    }
}

/// <summary>A value of a list.</summary>
static class Any
{
    public static Gen<T> Of<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);
}
