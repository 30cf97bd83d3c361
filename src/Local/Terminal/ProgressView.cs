using System.Diagnostics;
using System.Globalization;
using Scion.Local.Running;
using Scion.Pipelines;
using Spectre.Console;

namespace Scion.Local.Terminal;

/// <summary>Shows a run while it goes: one bar that redraws on a terminal, plain lines elsewhere. Always on stderr.</summary>
static class ProgressView
{
    static readonly TimeSpan PlainEvery = TimeSpan.FromSeconds(5);

    /// <summary>Shows <paramref name="progress"/> until the work has ended, and hands on its result or its fault.</summary>
    public static async Task<T> WhileAsync<T>(Screen screen, RunProgress progress, Task<T> work)
    {
        if (screen.IsLive) await LiveAsync(screen, progress, work);
        else await PlainAsync(screen, progress, work);
        return await work;
    }

    /// <summary>What a step does, for people.</summary>
    public static string NameOf(string step) => step switch
    {
        nameof(IReviewSteps.IngestReviews) => "Reading files",
        nameof(IImageSteps.IngestImages) => "Reading pictures",
        nameof(IImageSteps.PrepareEncoder) => "Cutting the network",
        nameof(IImageSteps.ExtractImageFeatures) => "Turning pictures to features",
        nameof(IImageSteps.ExtractPixelFeatures) => "Measuring colours and edges",
        nameof(IReviewSteps.Curate) => "Finding copies, splitting",
        nameof(IReviewSteps.BuildVocabulary) => "Counting words",
        nameof(IReviewSteps.TrainEmbeddingShard) => "Learning word vectors of shards",
        nameof(IReviewSteps.AverageEmbeddings) => "Averaging word vectors",
        nameof(IReviewSteps.PretrainEmbeddings) => "Learning word vectors",
        nameof(IReviewSteps.ExtractFeatures) => "Turning reviews to features",
        nameof(IReviewSteps.TrainHeads) => "Fitting heads",
        nameof(IReviewSteps.Evaluate) => "Measuring",
        nameof(IReviewSteps.Publish) or nameof(IImageSteps.PublishImages) => "Publishing",
        _ => step,
    };

    static async Task LiveAsync(Screen screen, RunProgress progress, Task work)
    {
        int width = screen.Live.Profile.Width;
        ProgressColumn[] columns = width >= 90
            ? [new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = Math.Clamp(width - 80, 8, 40) }, new PercentageColumn()]
            : [new TaskDescriptionColumn { Alignment = Justify.Left }];
        await screen.Live.Progress().AutoClear(true).Columns(columns).StartAsync(async context =>
        {
            ProgressTask bar = context.AddTask("Starting", maxValue: 1);
            while (!work.IsCompleted)
            {
                if (progress.Now is { } now)
                {
                    bar.Description = Markup.Escape($"{NameOf(now.Step)}{Left(now)}".PadRight(64, '\u00A0')[..64]);
                    bar.IsIndeterminate = now.Fraction is null or 0;
                    bar.Value = now.Fraction ?? 0;
                }
                await Task.WhenAny(work, Task.Delay(100));
            }
        });
    }

    static async Task PlainAsync(Screen screen, RunProgress progress, Task work)
    {
        string? step = null;
        long said = Stopwatch.GetTimestamp();
        while (!work.IsCompleted)
        {
            if (progress.Now is { } now && (now.Step != step || Stopwatch.GetElapsedTime(said) > PlainEvery))
            {
                bool entered = now.Step != step;
                (step, said) = (now.Step, Stopwatch.GetTimestamp());
                screen.Note(Markup.Escape(entered ? NameOf(now.Step) : $"{NameOf(now.Step)}: {Count(now)}{Left(now)}"));
            }
            await Task.WhenAny(work, Task.Delay(100));
        }
    }

    static string Count(StageView now)
    {
        string done = now.Done.ToString("n0", CultureInfo.InvariantCulture);
        return now.Total > 0 ? $"{done} of {now.Total.ToString("n0", CultureInfo.InvariantCulture)} {now.Unit}" : $"{done} {now.Unit}";
    }

    static string Rate(StageView now) => now.PicturesPerSecond is { } rate ? string.Create(CultureInfo.InvariantCulture, $", {rate:0.#} pictures/s") : "";

    static string Left(StageView now) => Rate(now) + now.SecondsLeft switch
    {
        null => "",
        < 60 => $", {now.SecondsLeft} s left",
        < 3600 => $", {now.SecondsLeft / 60} min left",
        _ => $", {now.SecondsLeft / 3600} h {now.SecondsLeft / 60 % 60} min left",
    };
}
