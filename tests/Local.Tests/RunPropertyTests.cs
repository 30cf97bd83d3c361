using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CsCheck;
using Scion.Datasets;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Storage;

namespace Scion.Tests;

/// <summary>From random small uploads to the package: each row's fate is told, and nothing is learned from a row held out.</summary>
public sealed class RunPropertyTests : IDisposable
{
    const double TestShare = 0.2;

    static readonly Gen<Row[][]> Uploads =
        Gen.Select(Gen.Int[0, 60], Gen.Int[0, 9], Gen.Int[0, 19]).Select((text, label, fault) => new Row(text, label, fault)).Array[8, 60].Array[2, 4];

    readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <param name="Text">Equal numbers, equal texts.</param>
    /// <param name="Label">0 to 3: none; from 4: what the text says, except 9: its opposite.</param>
    /// <param name="Fault">0: without text; 1: not a row of its format; others: sound.</param>
    sealed record Row(int Text, int Label, int Fault)
    {
        public bool IsSound => Fault > 1;

        public bool IsLabelled => Label > 3;

        /// <summary>A word of this text alone.</summary>
        public string Word => $"q{(char)('a' + (Text / 26))}{(char)('a' + (Text % 26))}";

        public string Content => $"the film {Word} was {(IsPositive ? "good and warm" : "bad and cold")}";

        public string LabelText => !IsLabelled ? "" : IsPositive ^ Label == 9 ? "positive" : "negative";

        bool IsPositive => Text % 2 == 0;
    }

    [Fact]
    public async Task Upload_OfAnyRows_AccountsForEveryRowAndLearnsFromExactlyThoseNotHeldOut()
    {
        int trained = 0;
        await Uploads.SampleAsync(async files => trained += await IsTrainedAsync(files) ? 1 : 0, iter: 40, threads: 1);
        Assert.InRange(trained, 10, 40);                                     // or nothing was looked at
    }

    /// <returns>True when there were test rows to look at.</returns>
    async Task<bool> IsTrainedAsync(Row[][] files)
    {
        InMemoryBlobStore store = Uploaded(files);

        RunStatus run = await TrainAsync(store);

        Row[] rows = [.. files.SelectMany(file => file)], sound = [.. rows.Where(row => row.IsSound)];
        Assert.Equal(files.Select(file => (long)file.Length), run.Files.Select(file => file.Rows + file.Refused));
        Assert.Equal(rows.Length - sound.Length, run.Refused);
        string[] told = Lines(await BytesAsync(store, $"runs/{run.Run}/rejects.csv"))[1..];
        Assert.Equal(run.Refused, told.Count(line => line.Contains(",D1", StringComparison.Ordinal)));
        if (run.State == RunState.Failed)
        {
            Assert.Contains(run.Error!.Code, (string[])["D302", "D303", "D304", "D306"]);
            return false;
        }

        TrainedReviews made = (TrainedReviews)await new RunLedger(store, StoppedClock.Instance).ReportAsync(run.Run, default);
        long used = made.Data.Train.Sum(label => label.Rows) + made.Data.Test.Sum(label => label.Rows);
        Assert.Equal(sound.Count(row => row.IsLabelled), used + told.Count(line => line.Contains(",D3", StringComparison.Ordinal)));
        Assert.Equal(sound.Length, used + made.Data.Unlabelled + made.Data.Duplicates + made.Data.Conflicts);

        string[] learned = [], held = [];
        foreach (IGrouping<string, Row> copies in sound.GroupBy(row => row.Content))
        {
            string[] labels = [.. copies.Where(row => row.IsLabelled).Select(row => row.LabelText).Distinct()];
            if (labels.Length == 2) continue;                                // in conflict: used for nothing
            bool test = labels.Length == 1 && made.Data.Protocol == Protocol.HashSplit && Fraction(copies.Key) < TestShare;
            if (test) held = [.. held, copies.First().Word];
            else learned = [.. learned, copies.First().Word];
        }
        if (made.Data.Test.Any(label => label.Rows == 0) && made.Data.Protocol == Protocol.HashSplit) return false;   // a class without training rows trains on all its rows
        string[] vocabulary = [.. Lines(await BytesAsync(store, $"models/films/versions/{run.Version}/{ModelPackage.VocabularyName}"))
            .Where(line => !line.EndsWith("\t0", StringComparison.Ordinal)).Select(line => line.Split(' ', '\t')[0]).Where(word => word.Length == 3 && word[0] == 'q')];
        Assert.Equal(learned.Order(StringComparer.Ordinal), vocabulary.Order(StringComparer.Ordinal));
        Assert.Equal(held.Length, made.Data.Test.Sum(label => label.Rows));
        return held.Length > 0;
    }

    [Fact]
    public async Task Upload_AFileTwice_ChangesNothingButTheCopiesThatAreCounted() => await Uploads.SampleAsync(async files =>
    {
        InMemoryBlobStore once = Uploaded(files), twice = Uploaded([.. files, files[0]]);

        RunStatus one = await TrainAsync(once), two = await TrainAsync(twice);

        Assert.Equal((one.State, one.Error?.Code), (two.State, two.Error?.Code));
        if (one.State == RunState.Failed) return;
        TrainingOutcome a = await new RunLedger(once, StoppedClock.Instance).ReportAsync(one.Run, default), b = await new RunLedger(twice, StoppedClock.Instance).ReportAsync(two.Run, default);
        Assert.Equal(a.Data.Train, b.Data.Train);
        Assert.Equal(a.Data.Test, b.Data.Test);
        Assert.Equal(a.Data.Unlabelled, b.Data.Unlabelled);
        Assert.Equal(a.Data.Duplicates + a.Data.Conflicts + files[0].Count(row => row.IsSound), b.Data.Duplicates + b.Data.Conflicts);
        Assert.Equal(Json(a.Evaluated.Models), Json(b.Evaluated.Models));
        foreach (string file in new[] { ModelPackage.EncoderName, ModelPackage.HeadName, ModelPackage.VocabularyName })
            Assert.Equal(await BytesAsync(once, $"models/films/versions/{one.Version}/{file}"), await BytesAsync(twice, $"models/films/versions/{two.Version}/{file}"));
    }, iter: 15, threads: 1);

    /// <summary>Files by turns as CSV, JSONL and TSV, named so that a later one sorts later.</summary>
    static InMemoryBlobStore Uploaded(Row[][] files)
    {
        InMemoryBlobStore store = new();
        store.Tamper("reviews/films/dataset.json", Encoding.UTF8.GetBytes(
            """{"embedding":{"dim":4,"epochs":1,"minCount":1,"subsample":0,"threads":1},"split":{"crossValidateBelow":20},"head":"nearest-mean"}"""));
        for (int i = 0; i < files.Length; i++)
        {
            (string extension, string content) = (i % 3) switch
            {
                0 => ("csv", Table(files[i], ',')),
                1 => ("jsonl", string.Concat(files[i].Select(row => row.Fault switch
                {
                    0 => $$"""{"text":"","label":"{{row.LabelText}}"}""",
                    1 => """{"text":""",
                    _ => $$"""{"text":"{{row.Content}}","label":"{{row.LabelText}}"}""",
                } + "\n"))),
                _ => ("tsv", Table(files[i], '\t')),
            };
            store.Tamper($"reviews/films/{(char)('a' + i)}.{extension}", Encoding.UTF8.GetBytes(content));
        }
        return store;
    }

    static string Table(Row[] rows, char by) => $"text{by}label\n" + string.Concat(rows.Select(row => row.Fault switch
    {
        0 => $"{by}{(row.IsLabelled ? row.LabelText : "positive")}\n",
        1 => $"{row.Content}{by}{row.LabelText}{by}more\n",
        _ => $"{row.Content}{by}{row.LabelText}\n",
    }));

    async Task<RunStatus> TrainAsync(InMemoryBlobStore store)
    {
        await new SmallRun(DataKind.Reviews, folder.Path).GoOnAsync(store, TrainingHost.Train, new HurriedClock());
        return Assert.Single(await new RunLedger(store, StoppedClock.Instance).ListAsync(null, default));
    }

    /// <summary>Where a text lies between 0 and 1 for the hash split, as its documentation says.</summary>
    static double Fraction(string text) => BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text))) / Math.Pow(2, 64);

    static async Task<byte[]> BytesAsync(InMemoryBlobStore store, string path) => (await store.FindBytesAsync(BlobPath.Parse(path), default))!;

    static string[] Lines(byte[] text) => Encoding.UTF8.GetString(text).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    static string Json<T>(T value) => JsonSerializer.Serialize(value, ScionJson.Strict);
}
