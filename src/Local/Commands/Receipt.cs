using System.Globalization;
using Scion.Datasets;
using Scion.Evaluation;
using Scion.Heads;
using Scion.Local.Running;
using Scion.Local.Terminal;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Text;

namespace Scion.Local.Commands;

/// <summary>What a person gets for training: the data, every model measured on the same rows, parameters, neighbours, the gate, next commands.</summary>
static class Receipt
{
    public static async Task PrintAsync(Invocation call, RunStatus status, TrainedReviews trained)
    {
        Screen screen = call.Screen;
        (CuratedRows data, Evaluated evaluated, Published published) = (trained.Data, trained.Evaluated, trained.Published);
        bool network = trained.Encoder.Source == EncoderSource.Network;
        (string Word, IReadOnlyList<NearWord> Near)[] neighbours = network ? []
            : [.. NeighboursOf(await StoredWords.ReadAsync(call.Registry, published.Model, published.Version, call.Cancellation), 4)];
        string report = call.Location.Show($"{ModelRegistry.Container}/{published.Model}/versions/{published.Version}/{ModelPackage.ReportName}");
        string rejects = call.Location.Show($"{RunLedger.Container}/{status.Run}/rejects.csv");

        screen.Document(new
        {
            model = published.Model,
            version = published.Version,
            run = status.Run,
            digest = published.Digest,
            promoted = published.Promoted,
            gate = published.Gate,
            rows = new { data.Train, data.Test, data.Unlabelled, data.Duplicates, data.Conflicts, status.Refused },
            rejects = status.Refused > 0 ? rejects : null,
            files = status.Files,
            protocol = evaluated.Protocol,
            evaluated.Models,
            evaluated.Comparisons,
            parameters = new
            {
                encoder = trained.Encoder.Parameters, head = evaluated.HeadParameters, counted = Counted(trained), trained.Encoder.Dim, trained.Encoder.Words, classes = data.Labels.Count,
            },
            head = new { kind = evaluated.Head, evaluated.Strength },
            encoder = new { chosen = evaluated.Set, tried = evaluated.Scores },
            neighbours = neighbours.Select(word => new { word.Word, word.Near }),
            parityError = published.ParityError,
            warnings = status.Warnings,
            report,
        });
        if (screen.Json) return;

        PrintMeasured(screen, status, trained, rejects);
        Field(screen, "Encoder", $"{N(trained.Encoder.Parameters)} parameters ({SizeOf(trained.Encoder)}), {OriginOf(trained.Encoder.Source)}, frozen");
        Field(screen, "Head", $"{N(evaluated.HeadParameters)} parameters = ({trained.Encoder.Dim} + {(Counted(trained) is > 0 and var counted ? $"{N(counted)} words + " : "")}1) · {data.Labels.Count}, {evaluated.Head}: all that the labels had to teach");
        foreach ((int i, SetScore tried) in evaluated.Scores.Index())
            Field(screen, i == 0 ? "Chosen" : "", $"{(tried.Set == evaluated.Set ? "[bold]" : "[dim]")}{Percent(tried.ValidationAccuracy),8}  {tried.Set.Escaped()}{Prior(tried)}[/]");
        foreach ((int i, (string word, IReadOnlyList<NearWord> near)) in neighbours.Index())
            Field(screen, i == 0 ? "Neighbours" : "", $"{word.Escaped()}: {string.Join(", ", near.Select(n => n.Word)).Escaped()}");
        Field(screen, "Gate", published.Gate.Escaped());
        foreach (string warning in status.Warnings) screen.Line($"[yellow]![/] {warning.Escaped()}");
        screen.Line();
        Field(screen, "Report", report.Escaped());
        Field(screen, "Next", $"scion predict {published.Model} --text \"…\"");
        if (!network) Field(screen, "", $"scion words {published.Model} {(neighbours.Length > 0 ? neighbours[0].Word : "WORD").Escaped()}");
        Field(screen, "", $"scion models show {published.Model}");
    }

    static string SizeOf(EncoderTrained encoder) =>
        encoder.Source == EncoderSource.Network ? $"sentence network, {N(encoder.Words)} tokens, {encoder.Dim} features" : $"{N(encoder.Words)} words × {encoder.Dim}";

    /// <summary>Words counted beside the features.</summary>
    static long Counted(TrainedReviews trained) =>
        trained.Evaluated.Lexicon is null ? 0 : (trained.Evaluated.HeadParameters / trained.Data.Labels.Count) - trained.Encoder.Dim - 1;

    static string OriginOf(EncoderSource source) => source switch
    {
        EncoderSource.Own => "learned without labels",
        EncoderSource.Default => "ships with Scion",
        EncoderSource.Continued => "ships with Scion, trained further without labels",
        _ => "imported",
    };

    static string Prior(SetScore tried) => tried is { ValidationLoss: { } loss, Handicap: { } handicap }
        ? string.Create(CultureInfo.InvariantCulture, $", validation loss {loss:0.0} + prior of other tasks {handicap:0.0} nats") : "";

    /// <summary>How good, on what data, against what.</summary>
    public static void PrintMeasured(Screen screen, RunStatus status, TrainingOutcome trained, string rejects)
    {
        (CuratedRows data, Evaluated evaluated, Published published) = (trained.Data, trained.Evaluated, trained.Published);
        screen.Line();
        screen.Line($"[bold]{published.Model}[/]  {published.Version}  {(published.Promoted ? "[green]serves now[/]" : "[yellow]not promoted[/]")}");
        PrintVerdict(screen, data.Kind, evaluated);
        screen.Line();
        Field(screen, "Data", $"{Counts(data.Train, data.Test)}, {N(data.Unlabelled)} unlabelled");
        if (data.Duplicates + data.Conflicts > 0)
            Field(screen, "", $"left out: {N(data.Duplicates)} copies, {N(data.Conflicts)} {(data.Kind == DataKind.Images ? "pictures" : "rows with a text")} that {(data.Kind == DataKind.Images ? "have" : "has")} two labels");
        if (status.Refused > 0)
            Field(screen, "", $"[yellow]{N(status.Refused)} {data.Kind.Row}{(status.Refused == 1 ? "" : "s")} refused[/], listed in {rejects.Escaped()}");
        Field(screen, "Measured", ProtocolOf(data.Kind, evaluated));
        screen.Line();
        PrintModels(screen, evaluated);
        screen.Line();
    }

    /// <summary>Models by rows, with their intervals and whether transfer is better on the same rows.</summary>
    public static void PrintModels(Screen screen, Evaluated evaluated, string indent = "")
    {
        Dictionary<string, PairedTest> against = evaluated.Comparisons.ToDictionary(test => test.Than, StringComparer.Ordinal);
        string[][] rows = [.. evaluated.Models.Select(model => new[]
        {
            NameOf(model.Name), Percent(model.Accuracy.Value), $"{Percent(model.Accuracy.Low)} – {Percent(model.Accuracy.High)}",
            against.TryGetValue(model.Name, out PairedTest? test) ? $"{test.Verdict} ({McNemar.InWords(test.PValue)})" : "",
        })];
        string[] lines = [.. TextTable.Lines(["", "accuracy", "95 % interval", "this model is"], rows, right: [1])];
        screen.Line($"{indent}[dim]{lines[0].Escaped()}[/]");
        for (int i = 0; i < rows.Length; i++)
            screen.Line(indent + (evaluated.Models[i].Name == "transfer" ? $"[bold]{lines[i + 1].Escaped()}[/]" : lines[i + 1].Escaped()));
    }

    /// <summary>Neighbours of the words that speak most for each class, classes in turn.</summary>
    public static IEnumerable<(string Word, IReadOnlyList<NearWord> Near)> NeighboursOf(StoredWords words, int most)
    {
        int classes = words.Manifest.Labels.Count, each = Math.Max(1, most / classes);
        IReadOnlyList<string>[] telling = [.. Enumerable.Range(0, Math.Min(classes, most)).Select(label => words.Telling(label, each))];
        HashSet<string> seen = [];
        for (int rank = 0; rank < each; rank++)
            foreach (IReadOnlyList<string> ofClass in telling)
                if (rank < ofClass.Count && seen.Add(ofClass[rank])) yield return (ofClass[rank], words.Nearest(ofClass[rank], 5));
    }

    public static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.0} %");

    /// <summary>How good, in words: against always saying the most common class, on the same rows.</summary>
    static void PrintVerdict(Screen screen, DataKind kind, Evaluated evaluated)
    {
        ModelMetrics transfer = evaluated.Models[^1], majority = evaluated.Models[0];
        bool better = evaluated.Comparisons.FirstOrDefault(test => test.Than == majority.Name)?.Verdict == "better";
        screen.Line($"[{(better ? "green" : "yellow")}]{Percent(transfer.Accuracy.Value)} right[/] on {kind.Item}s it was not fitted to; 95 % interval {Percent(transfer.Accuracy.Low)} – {Percent(transfer.Accuracy.High)}.");
        screen.Line(better
            ? $"Always saying the most common class is right on {Percent(majority.Accuracy.Value)}."
            : $"[yellow]Not shown to be better than always saying the most common class ({Percent(majority.Accuracy.Value)}).[/]");
    }

    public static string NameOf(string model) => model switch
    {
        "majority" => "most common class",
        "bag-of-words" => "bag of words",
        "pixels" => "colours and edges",
        "scratch" => "from scratch",
        "transfer" => "this model",
        _ => model,
    };

    static string ProtocolOf(DataKind kind, Evaluated evaluated)
    {
        string rows = N(evaluated.Models[^1].Rows);
        return evaluated.Protocol switch
        {
            Protocol.GivenSplit => kind == DataKind.Images ? $"on the {rows} pictures your split holds out" : $"on the {rows} rows your split column holds out",
            Protocol.HashSplit => $"on {rows} {kind.Row}s held out by content hash; they never move",
            _ => $"by repeated cross-validation over {rows} {kind.Row}s: too few labels to hold any out",
        };
    }

    static string Counts(IReadOnlyList<LabelCount> train, IReadOnlyList<LabelCount> test)
    {
        string labels = string.Join(", ", train.Take(6).Select(label => $"{label.Label}: {N(label.Rows)}")) + (train.Count > 6 ? ", …" : "");
        long held = test.Sum(label => label.Rows);
        return $"{N(train.Sum(label => label.Rows))} to train on ({labels.Escaped()}){(held > 0 ? $", {N(held)} to test" : "")}";
    }

    public static void Field(Screen screen, string name, string markup) => screen.Line($"[dim]{name,-11}[/]{markup}");

    public static string N(long number) => number.ToString("n0", CultureInfo.InvariantCulture);
}
