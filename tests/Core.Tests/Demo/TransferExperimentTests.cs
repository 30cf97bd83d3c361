using Scion.Datasets;
using Scion.Demo;
using Scion.Text;

namespace Scion.Tests.Demo;

public sealed class TransferExperimentTests
{
    static readonly IReadOnlyList<DemoReview> Reviews = DemoReviews.Read();

    [Fact]
    public void Read_TheDemosReviews_AreTheArticlesSizes()
    {
        Assert.Equal([("test", 2), ("train", 8), ("unlabelled", 62)], Reviews.CountBy(review => review.Role).Select(c => (c.Key, c.Value)).Order());
        Assert.Equal(36, Reviews.Count(review => review.Truth == "positive"));
        Assert.Equal(4, Reviews.Count(review => review is { Truth: "positive", Role: "train" }));
        Assert.Equal(1, Reviews.Count(review => review is { Truth: "positive", Role: "test" }));
        Assert.Equal(72, Reviews.Select(review => review.Text).Distinct().Count());
    }

    [Fact]
    public void Run_TheDemosReviews_TransferBeatsScratchBeyondTheIntervals()
    {
        TransferOutcome outcome = TransferExperiment.Run([.. Reviews.Select(review => review.Text)], [.. Reviews.Select(review => review.Truth == "positive")],
            new ReviewSettings(), new SkipGramTrainer(), cancellation: default);

        Assert.True(outcome.Transfer.Accuracy >= 0.85, $"{outcome.Transfer}");
        Assert.True(outcome.Transfer.Low > outcome.Scratch.High, $"{outcome}");
        Assert.True(outcome.Gain.Low > 0, $"{outcome}");
        Assert.Equal((7200, 36, 72, 14_400), (outcome.Draws, outcome.Pretrainings, outcome.Texts, outcome.Transfer.N));
    }

    // Labels dealt at random say nothing of the texts: neither arm may then know more than a coin.
    [Fact]
    public void Run_TruthThatTheTextsDoNotTell_IsAtChance()
    {
        Random random = new(3);
        bool[] truth = [.. Enumerable.Range(0, 72).Select(i => i % 2 == 0)];
        random.Shuffle(truth);

        TransferOutcome outcome = TransferExperiment.Run([.. Reviews.Select(review => review.Text)], truth, new ReviewSettings(), new SkipGramTrainer(), drawsPerTest: 100);

        Assert.InRange(outcome.Transfer.Accuracy, 0.3, 0.7);
        Assert.True(outcome.Transfer.Low <= 0.5, $"{outcome.Transfer}");
    }

    [Fact]
    public void Run_Twice_GivesTheSameOutcome()
    {
        TransferOutcome Run() => TransferExperiment.Run([.. Reviews.Select(review => review.Text)], [.. Reviews.Select(review => review.Truth == "positive")],
            new ReviewSettings { Embedding = new EmbeddingOverrides { Dim = 8, Epochs = 2 } }, new SkipGramTrainer(), drawsPerTest: 5);

        Assert.Equal(Run(), Run());
    }
}
