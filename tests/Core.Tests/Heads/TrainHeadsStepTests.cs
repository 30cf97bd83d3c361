using Scion.Datasets;
using Scion.Faults;
using Scion.Heads;
using Scion.Storage;

namespace Scion.Tests.Heads;

public sealed class TrainHeadsStepTests
{
    [Theory]
    [InlineData(CandidateKind.Transfer)]
    [InlineData(CandidateKind.Scratch)]
    [InlineData(CandidateKind.BagOfWords)]
    public async Task Train_HeldOutRows_PredictsThoseAndNoOther(CandidateKind kind)
    {
        LabelledFixture fixture = await LabelledFixture.MakeAsync([20, 16], [5, 4]);
        RowTable table = RowTable.Parse(await fixture.Store.ReadAsync(fixture.Data.Rows, default));

        HeadsTrained trained = await fixture.TrainAsync(kind);

        HeldOutPredictions held = await fixture.HeldAsync(trained), validation = HeldOutPredictions.Parse(await fixture.Store.ReadAsync(trained.Validation, default));
        Assert.All(held.Rows, row => Assert.Equal(RowUse.Test, table.Labelled[row].Use));
        Assert.Equal(9, held.Rows.Length);
        Assert.All(validation.Rows, row => Assert.Equal(RowUse.Train, table.Labelled[row].Use));
        Assert.Equal(27, validation.Rows.Length);
        Assert.Equal(kind == CandidateKind.BagOfWords, trained.Fitted is null);
        if (kind != CandidateKind.BagOfWords) Assert.Equal(14, trained.HeadParameters);
    }

    [Fact]
    public async Task Train_TestLabelsChanged_FitsTheSameHeads()
    {
        LabelledFixture fixture = await LabelledFixture.MakeAsync([20, 20], [6, 6]);
        LabelledFixture changed = await LabelledFixture.MakeAsync([20, 20], [6, 6], relabel: (i, c) => i >= 28 ? 1 - c : c);

        foreach (CandidateKind kind in Enum.GetValues<CandidateKind>())
        {
            HeadsTrained one = await fixture.TrainAsync(kind), two = await changed.TrainAsync(kind);
            Assert.Equal(one.Fitted?.Sha256, two.Fitted?.Sha256);
            Assert.Equal(one.Predictions.Sha256, two.Predictions.Sha256);
            Assert.Equal((one.Head, one.Strength, one.Temperature), (two.Head, two.Strength, two.Temperature));
        }
    }

    [Fact]
    public async Task Train_CrossValidation_PredictsEveryRowOnceARepeat()
    {
        LabelledFixture fixture = await LabelledFixture.MakeAsync([4, 4]);

        HeldOutPredictions held = await fixture.HeldAsync(await fixture.TrainAsync(CandidateKind.Transfer));

        Assert.Equal(Enumerable.Range(0, 10).SelectMany(repeat => Enumerable.Range(0, 8).Select(row => (repeat, row))), held.Repeats.Zip(held.Rows));
    }

    [Fact]
    public async Task Train_CrossValidationOfAnUnlearnableLabel_IsNotBetterThanChance()
    {
        Random random = new(3);
        double right = 0;
        for (int data = 0; data < 8; data++)
        {
            LabelledFixture fixture = await LabelledFixture.MakeAsync([15, 15], gap: 0, seed: 100 + data);
            HeldOutPredictions held = await fixture.HeldAsync(await fixture.TrainAsync(CandidateKind.Transfer));
            right += Enumerable.Range(0, held.Rows.Length).Average(i => HeldOutPredictions.Largest(held.LogitsOf(i)) == held.Rows[i] % 2 ? 1.0 : 0) / 8;
        }

        Assert.InRange(right, 0.3, 0.58);                                 // cross-validation on balanced classes leans below one half
    }

    [Fact]
    public async Task Train_Again_ReturnsTheEarlierAnswer()
    {
        LabelledFixture fixture = await LabelledFixture.MakeAsync([5, 5]);
        HeadsTrained first = await fixture.TrainAsync(CandidateKind.Transfer);
        int blobs = fixture.Store.Content.Count;

        HeadsTrained again = await fixture.TrainAsync(CandidateKind.Transfer);

        Assert.Equal(first with { Warnings = again.Warnings, Scores = again.Scores }, again);
        Assert.Equal(blobs, fixture.Store.Content.Count);
    }

    [Theory]
    [InlineData(1, "H001: Class 'class 1' has 1 training row and needs 2. Label more rows of it, merge it into another class, or remove it.")]
    [InlineData(0, "H001: Class 'class 1' has no training row and needs 2. Label more rows of it, merge it into another class, or remove it.")]
    public async Task Train_ClassOfTooFewRows_IsRefused(int rows, string message)
    {
        LabelledFixture fixture = await LabelledFixture.MakeAsync([5, rows]);

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => fixture.TrainAsync(CandidateKind.Transfer));

        Assert.Equal(message, fault.Message);
    }

    [Fact]
    public async Task Train_NothingHeldOutThoughTheProtocolSaysSo_IsRefused()
    {
        LabelledFixture fixture = await LabelledFixture.MakeAsync([5, 5], protocol: Protocol.GivenSplit);

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => fixture.TrainAsync(CandidateKind.Transfer));

        Assert.Equal("H002", fault.Code);
    }

    [Fact]
    public async Task Train_MoreFeaturesThanAnArrayHolds_IsRefusedWithTheNumbers()
    {
        LabelledFixture fixture = await LabelledFixture.MakeAsync([5, 6]);
        LabelledFixture wide = fixture with { Features = [fixture.Features[0] with { Dim = 1 << 28 }] };

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => wide.TrainAsync(CandidateKind.Transfer));

        Assert.Equal("H006: 11 labelled rows of 268,435,456 components are 2,952,790,016 numbers; at most 2,147,483,591 are learned from. "
            + "Set a smaller embedding.dim, or leave some labels out: far fewer rows tell as much.", fault.Message);
    }

    [Fact]
    public async Task Train_FeaturesOfAnotherShard_AreRefused()
    {
        LabelledFixture fixture = await LabelledFixture.MakeAsync([5, 6]);
        LabelledFixture mixed = fixture with { Features = [fixture.Features[0], fixture.Features[0] with { Shard = 1 }] };

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => mixed.TrainAsync(CandidateKind.Transfer));

        Assert.Equal("H003", fault.Code);
        Assert.Equal("The features do not belong to the data set: shard 1 has 5 labelled rows of 6 components, and 36 values of rows of 6.", fault.Fact);
    }
}
