using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using System.Text;
using Scion.Datasets;
using Scion.Demo;
using Scion.Evaluation;
using Scion.Local.Running;
using Scion.Local.Terminal;
using Scion.Pipelines;
using Scion.Serving;
using Scion.Storage;
using Scion.Vision;

namespace Scion.Local.Commands;

/// <summary><c>scion demo dresses</c>: drawn dresses that are blue and black or white and gold, from fewer than 100 pictures, the whole way to a served
/// model; then transfer against learning from scratch, over draws of training pictures that share none.</summary>
static class DressDemo
{
    const string Model = "demo-dresses";

    /// <summary>Training pictures of a class, in all and in the smaller experiment.</summary>
    const int PerClass = 40, Fewer = 10;

    const int Draws = 4, TestPerClass = 80, Seed = 1;

    /// <summary>Pairs of pictures that look alike: told in words, and on the sheet.</summary>
    const int PairsTold = 2, PairsOnSheet = 20;

    const string Pixels = "colours, edges", Scratch = "from scratch", Transfer = "transferred";

    /// <param name="call">Of the command.</param>
    /// <param name="keeps">True where the data folder stays, so that a page with pictures is worth writing.</param>
    public static async Task<int> ShowAsync(Invocation call, bool keeps)
    {
        Screen screen = call.Screen;
        screen.Line($"[bold]{2 * PerClass} drawn dresses[/], blue with black lace or white with gold; {2 * TestPerClass} others to test");
        screen.Line("[dim]In a lamp's yellow light and in a blue shade the two can look the same.[/]");
        screen.Line();
        DressPool pool = new(Draws, PerClass, TestPerClass, Seed, call.Cancellation);

        await UploadAsync(call.Store, pool, call.Cancellation);
        TrainingRequest request = await Snapshots.TakeAsync(call.Store, DataKind.Images, Model, [], call.Time, call.Cancellation);
        await call.Ledger.RecordAsync(request, call.Cancellation);
        RunStatus status = await TrainCommand.TrainAsync(call, request);
        TrainedImages trained = (TrainedImages)await call.Ledger.ReportAsync(status.Run, call.Cancellation);
        screen.Line($"[bold]1[/]  Trained as your photos would be, from images/{Model}/:");
        Receipt.PrintModels(screen, trained.Evaluated, indent: "   ");
        screen.Line("   [dim]From scratch, here: the same network with its weights shuffled.[/]");
        screen.Line();

        EncoderLayer layer = trained.Encoder.Layers.Single(layer => layer.Name == trained.Transfer.Set);
        long head = trained.Evaluated.HeadParameters;
        screen.Line($"[bold]2[/]  A head of ({N(layer.Features)} + 1) · 2 = {N(head)} numbers, on {N(layer.Parameters)} frozen ones.");
        screen.Line($"   [dim]On the 2,048 features of ResNet-50 it would be (2,048 + 1) · 2 = {N(ArticleHead)}.[/]");
        (Predictor predictor, _) = await PredictCommand.LoadAsync(call.Registry, call.Pictures, Model, status.Version, call.Cancellation);
        using Predictor loaded = predictor;
        IReadOnlyList<(int BlueBlack, int WhiteGold)> alike = pool.Alike(PairsOnSheet);
        Dictionary<int, Prediction> predictions = await PredictAsync((ImagePredictor)predictor, pool, alike, call.Cancellation);
        screen.Line("   The test pictures whose colours are most alike, as it is served:");
        foreach ((int blue, int white) in alike.Take(PairsTold))
        {
            Tell(screen, pool, blue, predictions[blue]);
            Tell(screen, pool, white, predictions[white]);
        }
        screen.Line();

        (DressOutcome many, DressOutcome few, long? scratchParameters) = await Task.Run(
            () => ExperimentAsync(call.Store, pool, trained, call.Cancellation), call.Cancellation);
        double seconds = (DateTime.Now - Process.GetCurrentProcess().StartTime).TotalSeconds;
        screen.Line($"[bold]3[/]  {Draws} draws of training pictures that share none, {pool.Test.Length} to test, same for all:");
        screen.Line($"   {"",-14} {"accuracy",8}  {"95 % interval",-15} [dim]{ArmBar.Axis()}[/]");
        foreach (DressOutcome outcome in new[] { few, many })
        {
            screen.Line($"   [dim]from {outcome.PerClass} of each[/]");
            foreach (DressArm arm in outcome.Arms) ArmBar.Print(screen, arm.Name, arm.Accuracy, arm.Name == Transfer ? "green" : "yellow");
        }
        foreach ((string verdict, string colour) in new[] { Verdict(few), Verdict(many) })
            foreach (string line in TextTable.Wrap(verdict, 75)) screen.Line($"   [{colour}]{line.Escaped()}[/]");
        string scratchBy = scratchParameters is { } learned
            ? $"From scratch: a network of {N(learned)} numbers (TorchSharp), all learned from the same pictures."
            : "This build has no TorchSharp, so what learns from scratch is a head on colours and edges. With -p:Accelerator=cpu a network does.";
        foreach (string line in TextTable.Wrap(scratchBy, 75)) screen.Line($"   [dim]{line.Escaped()}[/]");
        screen.Line();
        string? sheet = keeps && call.Location.Connection is null ? Path.Combine(call.Location.Folder, "demo-dresses.html") : null;
        if (sheet is not null)
        {
            await File.WriteAllTextAsync(sheet, DressSheet.Html(pool, alike, predictions), call.Cancellation);
            screen.Line($"[dim]Pictures, most alike first: {sheet.Escaped()}[/]");
        }
        screen.Line($"[dim]{seconds.ToString("0.0", CultureInfo.InvariantCulture)} s.[/] Your own photos: [bold]scion train images FOLDER --model NAME[/]");

        screen.Document(new
        {
            model = Model,
            version = status.Version,
            scratchBy = scratchParameters is null ? "pixels" : "torch",
            scratch = ArmOf(many, scratchParameters is null ? Pixels : Scratch),
            pixels = ArmOf(many, Pixels),
            transfer = ArmOf(many, Transfer),
            gain = many.Gains[^1].Accuracy,
            perClass = PerClass,
            draws = Draws,
            fewer = new
            {
                few.PerClass, scratch = ArmOf(few, scratchParameters is null ? Pixels : Scratch), pixels = ArmOf(few, Pixels), transfer = ArmOf(few, Transfer),
                gain = few.Gains[^1].Accuracy,
            },
            trained.Evaluated.Models,
            trained.Evaluated.Comparisons,
            test = alike.Take(PairsTold).SelectMany(pair => new[] { pair.BlueBlack, pair.WhiteGold }).Select(i => new
            {
                picture = NameOf(i), label = LabelOf(pool, i), predicted = predictions[i].Label, predictions[i].Score,
                cloth = Hex(pool.LooksOf(i).Cloth), lace = Hex(pool.LooksOf(i).Lace), kelvin = Math.Round(pool.LooksOf(i).Kelvin), neighbours = predictions[i].Neighbours.Select(near => near.Name),
            }),
            parameters = new { encoder = layer.Parameters, network = trained.Encoder.Card.Parameters, head, scratch = scratchParameters, article = ArticleHead },
            layer = layer.Name,
            sheet,
            seconds = Math.Round(seconds, 2),
        });
        return Exit.Done;
    }

    /// <summary>The article's: (2,048 + 1) · (1 + 1).</summary>
    const long ArticleHead = (2048 + 1) * (1 + 1);

    /// <summary>The first draw and the test pictures, as a person would upload them: folders named by the label, and a table that says which ones test.</summary>
    static async Task UploadAsync(IBlobStore store, DressPool pool, CancellationToken cancellation)
    {
        StringBuilder table = new("file,label,split\n");
        foreach (int i in pool.Draws[0].Concat(pool.Test))
        {
            string name = $"{LabelOf(pool, i)}/{NameOf(i)}";
            table.Append(CultureInfo.InvariantCulture, $"{name},{LabelOf(pool, i)},{(i < pool.Test[0] ? "train" : "test")}\n");
            await PutAsync(store, name, pool.Files[i], cancellation);
        }
        await PutAsync(store, ImageFormats.LabelsName, Encoding.UTF8.GetBytes(table.ToString()), cancellation);
    }

    static async Task PutAsync(IBlobStore store, string name, byte[] bytes, CancellationToken cancellation)
    {
        BlobPath path = BlobPath.Of(DataKind.Images.Container, $"{Model}/{name}");
        ReadOnlyMemoryStream content = new(bytes);
        if (await store.CreateAsync(path, content, cancellation) is not null) return;
        content.Position = 0;
        if (await store.FindAsync(path, cancellation) is { } there && await store.FindBytesAsync(path, cancellation) is { } old && !old.AsSpan().SequenceEqual(bytes))
            await store.ReplaceAsync(path, content, there.ETag, cancellation);
    }

    static async Task<Dictionary<int, Prediction>> PredictAsync(
        ImagePredictor predictor, DressPool pool, IReadOnlyList<(int BlueBlack, int WhiteGold)> pairs, CancellationToken cancellation)
    {
        int[] pictures = [.. pairs.SelectMany(pair => new[] { pair.BlueBlack, pair.WhiteGold })];
        Prediction[] predictions = new Prediction[pictures.Length];
        await Parallel.ForAsync(0, pictures.Length, cancellation, async (i, stop) => predictions[i] = await predictor.PredictAsync(pool.Files[pictures[i]], stop));
        return pictures.Zip(predictions).ToDictionary(pair => pair.First, pair => pair.Second);
    }

    /// <summary>All ways to learn, on many and on few pictures of each class. Transfer is by the network and the layer that the trained model has.</summary>
    static async Task<(DressOutcome Many, DressOutcome Few, long? ScratchParameters)> ExperimentAsync(
        IBlobStore store, DressPool pool, TrainedImages trained, CancellationToken cancellation)
    {
        ImageEncoderReady network = trained.Encoder;
        byte[] graph = await store.ReadAsync(network.Graph, cancellation);
        using EncoderSession session = new(graph, network.Card.Fit, [.. network.Layers.Select(layer => layer.Features)], network.Card.Batches);
        int layer = network.Layers.ToList().FindIndex(layer => layer.Name == trained.Transfer.Set);
        float[][] features = pool.Features(session, cancellation)[layer];
        List<(string, DressLearner)> arms = [(Pixels, DressExperiment.Head(pool.PixelBaseline(cancellation), pool.Truth))];
        (DressLearner Learn, long Parameters)? scratch = ScratchLearner.Of(pool, cancellation);
        if (scratch is { } network_) arms.Add((Scratch, network_.Learn));
        arms.Add((Transfer, DressExperiment.Head(features, pool.Truth)));
        DressOutcome Of(int perClass) => DressExperiment.Run([.. pool.Draws.Select(draw => draw[..(2 * perClass)])], pool.Test, pool.Truth, arms, cancellation);
        return (Of(PerClass), Of(Fewer), scratch?.Parameters);
    }

    /// <summary>What transfer is worth over the best that learns from scratch in this build, and the colour to say it in.</summary>
    static (string Text, string Colour) Verdict(DressOutcome outcome)
    {
        (string name, TransferArm gain) = (outcome.Gains[^1].Name, outcome.Gains[^1].Accuracy);
        string points = $"{100 * gain.Accuracy:0} points ({100 * gain.Low:0} to {100 * gain.High:0})";
        return gain.Low > 0 ? ($"With {outcome.PerClass} of each, transfer is worth {points} over {name}.", "default")
            : gain.High < 0 ? ($"With {outcome.PerClass} of each, transfer is worse than {name}: {points}.", "yellow")
            : ($"With {outcome.PerClass} of each, neither transfer nor {name} is shown to be better: {points}.", "default");
    }

    static void Tell(Screen screen, DressPool pool, int picture, Prediction prediction)
    {
        (Vector3 cloth, Vector3 lace, float kelvin) = pool.LooksOf(picture);
        string verdict = prediction.Label == LabelOf(pool, picture) ? "[green]right[/]" : "[red]wrong[/]";
        screen.Line($"   {verdict}  {prediction.Label,-10} {Receipt.Percent(prediction.Score),7}{(prediction.Abstained ? " [yellow]abstains[/]" : "")}  "
            + $"[dim]cloth[/] [on {Hex(cloth)}]  [/] {Hex(cloth)}  [dim]lace[/] [on {Hex(lace)}]  [/] {Hex(lace)}  [dim]{N((long)(kelvin / 100) * 100)} K[/]");
        screen.Line($"{"",-10}[dim]nearest: {string.Join(" ", prediction.Neighbours.Select(near => near.Name)).Escaped()}[/]");
    }

    static TransferArm ArmOf(DressOutcome outcome, string name) => outcome.Arms.Single(arm => arm.Name == name).Accuracy;

    public static string LabelOf(DressPool pool, int picture) => DressDrawing.LabelOf(pool.Truth[picture] ? DressColours.WhiteGold : DressColours.BlueBlack);

    public static string NameOf(int picture) => string.Create(CultureInfo.InvariantCulture, $"{picture:000}.png");

    public static string Hex(Vector3 colour) => string.Create(CultureInfo.InvariantCulture, $"#{(int)colour.X:x2}{(int)colour.Y:x2}{(int)colour.Z:x2}");

    static string N(long number) => number.ToString("n0", CultureInfo.InvariantCulture);
}
