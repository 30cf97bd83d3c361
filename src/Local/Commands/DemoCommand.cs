using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Scion.Datasets;
using Scion.Demo;
using Scion.Evaluation;
using Scion.Local.Running;
using Scion.Local.Terminal;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Serving;
using Scion.Storage;
using Scion.Text;

namespace Scion.Local.Commands;

/// <summary><c>scion demo [reviews|dresses]</c>: the article's experiment on 72 embedded reviews, then often enough to mean something; or <see cref="DressDemo"/>.</summary>
static class DemoCommand
{
    const string Model = "demo";

    static readonly string[] Shown = ["wonderful", "boring", "brilliant", "terrible"];

    public static Command Create()
    {
        Argument<string> what = new("WHAT") { Description = "Which demonstration.", DefaultValueFactory = _ => "reviews" };
        what.AcceptOnlyFromAmong("reviews", "dresses");
        return new Command("demo", "Runs the whole pipeline on 72 embedded reviews, or on drawn dresses, in a temporary folder (or --data), offline, in seconds.") { what }
            .Does(call => RunAsync(call, call.Get(what) == "dresses"));
    }

    /// <summary>As the article has it: vectors learned from the texts at hand and no others, and a head on them alone.</summary>
    static readonly KeyValuePair<string, string>[] ArticleShape = [new("encoder", ReviewSettings.OwnEncoder), new("wordCounts", ReviewSettings.NoWords)];

    static async Task<int> RunAsync(Invocation call, bool dresses)
    {
        bool keep = call.Parsed.GetResult(GlobalOptions.Data) is not null || call.Parsed.GetResult(GlobalOptions.Storage) is not null;
        if (keep) return await (dresses ? DressDemo.ShowAsync(call, keep) : ShowAsync(call));
        DirectoryInfo folder = Directory.CreateTempSubdirectory("scion-demo-");
        try
        {
            Invocation inFolder = new(call.Parsed, call.Screen, call.Cancellation) { Location = new StoreLocation(folder.FullName, null) };
            return await (dresses ? DressDemo.ShowAsync(inFolder, keep) : ShowAsync(inFolder));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    static async Task<int> ShowAsync(Invocation call)
    {
        Screen screen = call.Screen;
        IReadOnlyList<DemoReview> reviews = DemoReviews.Read();
        DemoReview[] test = [.. reviews.Where(review => review.Role == "test")];
        int labelled = reviews.Count(review => review.Role == "train");
        screen.Line($"[bold]{reviews.Count} short film reviews[/]: {reviews.Count - labelled - test.Length} without a label, {labelled} with one, {test.Length} to test");
        screen.Line();

        await UploadAsync(call.Store, reviews, call.Cancellation);
        TrainReviewsRequest request = await ReviewSnapshot.TakeAsync(call.Store, Model, ArticleShape, call.Time, call.Cancellation);
        await call.Ledger.RecordAsync(request, call.Cancellation);
        RunStatus status = await TrainCommand.TrainAsync(call, request);
        TrainedReviews trained = (TrainedReviews)await call.Ledger.ReportAsync(status.Run, call.Cancellation);
        StoredWords words = await StoredWords.ReadAsync(call.Registry, Model, status.Version, call.Cancellation);
        (string Word, IReadOnlyList<NearWord> Near)[] neighbours = [.. Shown.Select(word => (word, words.Nearest(word, 5)))];
        screen.Line("[bold]1[/]  Word vectors, learned from the texts alone, no label seen. Nearest words:");
        foreach ((string word, IReadOnlyList<NearWord> near) in neighbours)
            screen.Line($"   {word,-12}[dim]{string.Join("  ", near.Select(n => n.Word)).Escaped()}[/]");
        screen.Line();

        (Predictor loaded, _) = await PredictCommand.LoadAsync(call.Registry, call.Pictures, Model, status.Version, call.Cancellation);
        using ReviewPredictor predictor = (ReviewPredictor)loaded;
        Prediction[] predictions = predictor.Predict([.. test.Select(review => review.Text)]);
        int right = test.Zip(predictions).Count(pair => pair.First.Truth == pair.Second.Label);
        screen.Line($"[bold]2[/]  On {N(trained.Encoder.Parameters)} frozen numbers, a head of ({trained.Encoder.Dim} + 1) · {trained.Data.Labels.Count} = {N(trained.Evaluated.HeadParameters)}, fitted to {labelled} labels:");
        foreach ((DemoReview review, Prediction prediction) in test.Zip(predictions))
        {
            string[] lines = [.. TextTable.Wrap(review.Text, 52)];
            screen.Line($"   {(review.Truth == prediction.Label ? "[green]right[/]" : "[red]wrong[/]")}  {prediction.Label,-8} {Receipt.Percent(prediction.Score),7}  [dim]{lines[0].Escaped()}[/]");
            foreach (string line in lines[1..]) screen.Line($"{"",-28}[dim]{line.Escaped()}[/]");
        }
        Figure two = trained.Evaluated.Models[^1].Accuracy;
        screen.Line($"   {right} of {test.Length} right proves little: the 95 % interval is {100 * two.Low:0} to {100 * two.High:0} %. So, many times:");
        screen.Line();

        TransferOutcome outcome = await Task.Run(() => TransferExperiment.Run([.. reviews.Select(review => review.Text)],
            [.. reviews.Select(review => review.Truth == "positive")], request.Settings, new SkipGramTrainer(), cancellation: call.Cancellation), call.Cancellation);
        double seconds = (DateTime.Now - Process.GetCurrentProcess().StartTime).TotalSeconds;
        screen.Line($"[bold]3[/]  {N(outcome.Draws)} draws of which {labelled} train and which {test.Length} test, {outcome.Pretrainings} pretrainings:");
        screen.Line($"   {"",-14} {"accuracy",8}  {"95 % interval",-15} [dim]{ArmBar.Axis()}[/]");
        ArmBar.Print(screen, "from scratch", outcome.Scratch, "yellow");
        ArmBar.Print(screen, "transferred", outcome.Transfer, "green");
        screen.Line($"   Transfer is worth {100 * outcome.Gain.Accuracy:0} points ({100 * outcome.Gain.Low:0} to {100 * outcome.Gain.High:0}): same head, same {labelled} labels.");
        screen.Line();
        screen.Line($"[dim]{seconds.ToString("0.0", CultureInfo.InvariantCulture)} s.[/] Your own reviews: [bold]scion train reviews FILE.csv --model NAME[/]");

        screen.Document(new
        {
            model = Model,
            version = status.Version,
            outcome.Scratch,
            outcome.Transfer,
            outcome.Gain,
            outcome.Draws,
            outcome.Pretrainings,
            test = test.Zip(predictions, (review, prediction) => new { review.Text, label = review.Truth, predicted = prediction.Label, prediction.Score }),
            neighbours = neighbours.Select(word => new { word.Word, word.Near }),
            parameters = new { encoder = trained.Encoder.Parameters, head = trained.Evaluated.HeadParameters },
            seconds = Math.Round(seconds, 2),
        });
        return Exit.Done;
    }

    /// <summary>The demo's data set as a person would upload it: labels only where the role gives one.</summary>
    static async Task UploadAsync(IBlobStore store, IReadOnlyList<DemoReview> reviews, CancellationToken cancellation)
    {
        StringBuilder csv = new("text,label,split\n");
        foreach (DemoReview review in reviews)
            ExportCsv.Append(csv, review.Text, review.Role == "unlabelled" ? "" : review.Truth, review.Role == "unlabelled" ? "" : review.Role);
        BlobPath path = BlobPath.Of("reviews", $"{Model}/reviews.csv");
        ReadOnlyMemoryStream bytes = new(Encoding.UTF8.GetBytes(csv.ToString()));
        if (await store.CreateAsync(path, bytes, cancellation) is not null) return;
        bytes.Position = 0;
        if (await store.FindAsync(path, cancellation) is { } there && await store.FindBytesAsync(path, cancellation) is { } old
            && !old.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(csv.ToString()))) await store.ReplaceAsync(path, bytes, there.ETag, cancellation);
    }

    static string N(long number) => number.ToString("n0", CultureInfo.InvariantCulture);
}
