using Scion.Datasets;
using Scion.Evaluation;
using Scion.Heads;
using Scion.Serving;
using Scion.Storage;

namespace Scion.Registry;

/// <summary>What packages of every kind are made from: the labelled rows with their features, the head, and what it said of rows it was not fitted on.</summary>
sealed class PackageRows
{
    readonly float[][] features;
    readonly LinearHead head;
    readonly int[] train;
    readonly Evaluated evaluated;

    PackageRows(RowTable table, float[][] features, LinearHead head, Evaluated evaluated, HeldOutPredictions held, int dim, int compared)
    {
        (Table, this.features, this.head, this.evaluated, Held, Dim) = (table, features, head, evaluated, held, dim);
        train = [.. Enumerable.Range(0, table.Labelled.Count).Where(row => table.Labelled[row].Use == RowUse.Train)];
        Stored = Spaced(train, Examples.MaxRows);
        Compared = Spaced([.. Enumerable.Range(0, table.Labelled.Count)], compared);
        Shown = HeldOutExample.Choose(held, LabelOf, evaluated.Temperature);
        Calibration = CalibrationBin.Of(held, LabelOf, evaluated.Temperature);
    }

    /// <param name="store">Where the steps' outputs lie.</param>
    /// <param name="data">The data set.</param>
    /// <param name="shards">Features of the labelled rows.</param>
    /// <param name="evaluated">What was measured, with the head.</param>
    /// <param name="compared">Rows compared with the package at most.</param>
    /// <param name="cancellation">Stops the reads.</param>
    /// <exception cref="Faults.InputRejectedException">An input is damaged (S003, S004, S006, S007), or they do not fit together (H003, R014).</exception>
    public static async Task<PackageRows> ReadAsync(IBlobStore store, CuratedRows data, IReadOnlyList<FeaturesExtracted> shards, Evaluated evaluated, int compared,
        CancellationToken cancellation)
    {
        LinearHead head = LinearHead.Parse(await store.ReadAsync(evaluated.Fitted, cancellation));
        RowTable table = RowTable.Parse(await store.ReadAsync(data.Rows, cancellation));
        (float[] values, int dim) = await LabelledFeatures.GatherAsync(store, table, shards, cancellation);
        if (dim != head.Dim) throw RegistryFaults.Inconsistent($"features have {dim} components; the head takes {head.Dim}.");
        float[][] features = [.. values.Chunk(dim)];
        HeldOutPredictions held = HeldOutPredictions.Parse(await store.ReadAsync(evaluated.TestPredictions, cancellation));
        return new PackageRows(table, features, head, evaluated, held, dim, compared);
    }

    public RowTable Table { get; }

    public LinearHead Head => head;

    /// <summary>Components of a row's features.</summary>
    public int Dim { get; }

    public HeldOutPredictions Held { get; }

    /// <summary>Training rows that the package keeps as examples, by index into <see cref="RowTable.Labelled"/>.</summary>
    public int[] Stored { get; }

    /// <summary>Rows whose logits are compared, by index into <see cref="RowTable.Labelled"/>.</summary>
    public int[] Compared { get; }

    /// <summary>Held-out rows that the report shows.</summary>
    public IReadOnlyList<(int Row, int Predicted, double Score)> Shown { get; }

    public IReadOnlyList<CalibrationBin> Calibration { get; }

    /// <summary>Class id of a labelled row.</summary>
    public int LabelOf(int row) => Table.Labelled[row].Label;

    /// <summary>Training's logits of a labelled row, [classes].</summary>
    public float[] Logits(int row)
    {
        float[] logits = new float[head.Classes];
        head.Logits(features[row], logits);
        return logits;
    }

    /// <param name="texts">Text or name of each stored row.</param>
    /// <param name="pictures">True when they are names of pictures.</param>
    public (Examples Examples, ExampleFacts Facts) ExamplesWith(IReadOnlyList<string> texts, bool pictures)
    {
        Examples examples = new([.. Stored.SelectMany(row => features[row])], [.. Stored.Select(LabelOf)], texts, Dim, pictures);
        (double abstainBelow, double? share) = AbstainThreshold.For(examples, Stored, train, row => features[row], evaluated.AbstainBelow);
        return (examples, new ExampleFacts(Stored.Length, train.Length, abstainBelow, share));
    }

    /// <summary>At most <paramref name="most"/> of the rows, evenly spaced.</summary>
    public static int[] Spaced(int[] rows, int most) =>
        rows.Length <= most ? rows : [.. Enumerable.Range(0, most).Select(i => rows[(int)((long)i * rows.Length / most)])];
}
