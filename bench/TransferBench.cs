using System.Diagnostics;
using System.Globalization;
using Scion.Demo;
using Scion.Text;

namespace Scion.Bench;

/// <summary>How far does transfer beat from-scratch on re-draws of the demo's reviews, by the options of the word vectors?</summary>
static class TransferBench
{
    public static Task<int> Run(string[] arguments)
    {
        Dictionary<string, string[]> sets = FeatureChoices.OptionLists(arguments);
        IReadOnlyList<DemoReview> reviews = DemoReviews.Read();
        string[] texts = [.. reviews.Select(review => review.Text)];
        bool[] truth = [.. reviews.Select(review => review.Truth == "positive")];
        int rounds = sets.TryGetValue("rounds", out string[]? r) ? int.Parse(r[0], CultureInfo.InvariantCulture) : 1;
        foreach (Dictionary<string, string> choice in FeatureChoices.Cross(sets, FeatureChoices.Trained))
        {
            long started = Stopwatch.GetTimestamp();
            TransferOutcome o = TransferExperiment.Run(texts, truth, FeatureChoices.Settings(choice), new SkipGramTrainer(), rounds: rounds);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{string.Join(' ', choice.Select(c => $"{c.Key}={c.Value}")),-60} scratch {Text(o.Scratch)} transfer {Text(o.Transfer)} gain {Text(o.Gain)} {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s"));
        }
        return Task.FromResult(0);
    }

    static string Text(TransferArm arm) => string.Create(CultureInfo.InvariantCulture, $"{arm.Accuracy:F3} [{arm.Low:F3}, {arm.High:F3}]");
}
