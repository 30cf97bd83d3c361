using Scion.Datasets;
using Scion.Evaluation;
using Scion.Heads;
using Scion.Local.Terminal;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Vision;

namespace Scion.Local.Commands;

/// <summary>What a person gets for training on photos: the data, every model measured on the same photos, layers tried, parameters, the gate, next commands.</summary>
static class ImageReceipt
{
    public static void Print(Invocation call, RunStatus status, TrainedImages trained)
    {
        Screen screen = call.Screen;
        (CuratedRows data, Evaluated evaluated, Published published, HeadsTrained head) = (trained.Data, trained.Evaluated, trained.Published, trained.Transfer);
        ImageEncoderCard card = trained.Encoder.Card;
        EncoderLayer layer = trained.Encoder.Layers.First(layer => layer.Name == head.Set || trained.Encoder.Layers.Count == 1);
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
            encoder = new { card.Name, card.Sha256, layer = layer.Name, layers = head.Scores, devices = trained.Devices },
            parameters = new { encoder = layer.Parameters, network = card.Parameters, head = evaluated.HeadParameters, dim = layer.Features, classes = data.Labels.Count },
            head = new { kind = evaluated.Head, evaluated.Strength },
            parityError = published.ParityError,
            warnings = status.Warnings,
            report,
        });
        if (screen.Json) return;

        Receipt.PrintMeasured(screen, status, trained, rejects);
        Receipt.Field(screen, "Encoder", $"{card.Name.Escaped()}, cut at {layer.Name.Escaped()}: {Receipt.N(layer.Parameters)} parameters, frozen; {Receipt.N(layer.Features)} features a photo, on {string.Join(" and ", trained.Devices)}");
        foreach ((int i, SetScore tried) in head.Scores.Index())
            Receipt.Field(screen, i == 0 ? "Layers" : "", $"{(tried.Set == layer.Name ? "[bold]" : "[dim]")}{Receipt.Percent(tried.ValidationAccuracy),8}  {tried.Set.Escaped()}, {Receipt.N(tried.Dim)} features[/]");
        Receipt.Field(screen, "Head", $"{Receipt.N(evaluated.HeadParameters)} parameters = ({Receipt.N(layer.Features)} + 1) · {data.Labels.Count}, {evaluated.Head}: all that the labels had to teach");
        Receipt.Field(screen, "Gate", published.Gate.Escaped());
        foreach (string warning in status.Warnings) screen.Line($"[yellow]![/] {warning.Escaped()}");
        screen.Line();
        Receipt.Field(screen, "Report", report.Escaped());
        Receipt.Field(screen, "Next", $"scion predict {published.Model} --input PHOTO.jpg");
        Receipt.Field(screen, "", $"scion models show {published.Model}");
    }
}
