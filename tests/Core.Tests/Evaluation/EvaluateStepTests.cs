using Scion.Datasets;
using Scion.Evaluation;
using Scion.Faults;
using Scion.Tests.Heads;

namespace Scion.Tests.Evaluation;

public sealed class EvaluateStepTests
{
    [Fact]
    public async Task Evaluate_HeldOutRows_MeasuresAllModelsOnTheSameRows()
    {
        LabelledFixture fixture = await LabelledFixture.MakeAsync([60, 50], [20, 15]);

        Evaluated evaluated = await fixture.EvaluateAsync();

        Assert.Equal(["majority", "bag-of-words", "scratch", "transfer"], evaluated.Models.Select(model => model.Name));
        Assert.All(evaluated.Models, model =>
        {
            Assert.Equal(35, model.Rows);
            Assert.Equal([20, 15], model.Classes.Select(c => c.Support));
            Assert.Equal([20, 15], model.Confusion.Select(row => row.Sum()));
            Assert.Equal((model.Confusion[0][0] + model.Confusion[1][1]) / 35.0, model.Accuracy.Value, 1e-9);
            Assert.InRange(model.Accuracy.Value, model.Accuracy.Low, model.Accuracy.High);
        });
        Assert.Equal(20 / 35.0, evaluated.Models[0].Accuracy.Value, 1e-9);
        Assert.Null(evaluated.Models[0].LogLoss);
        Assert.Equal(["majority", "bag-of-words", "scratch"], evaluated.Comparisons.Select(test => test.Than));
        Assert.All(evaluated.Comparisons, test => Assert.Equal("transfer", test.Better));
        Assert.Equal("better", evaluated.Comparisons[2].Verdict);
        Assert.Equal([2, 4, 8, 16, 32, 38], evaluated.LearningCurve.Select(point => point.LabelsPerClass));
        Assert.Equal(evaluated.Models[^1].Accuracy, evaluated.LearningCurve[^1].Accuracy);
        Assert.True(evaluated.LearningCurve[0].Accuracy.Value < evaluated.LearningCurve[4].Accuracy.Value);
        Assert.StartsWith("E101: Only 35 labelled rows were measured on", evaluated.Warnings[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(4, 4)]
    [InlineData(3, 30)]
    public async Task Evaluate_CrossValidation_CountsEachRowOnce(int first, int second)
    {
        LabelledFixture fixture = await LabelledFixture.MakeAsync([first, second]);

        Evaluated evaluated = await fixture.EvaluateAsync();

        Assert.All(evaluated.Models, model =>
        {
            Assert.Equal(first + second, model.Rows);
            Assert.Equal([first, second], model.Confusion.Select(row => row.Sum()));
            Assert.Equal([first, second], model.Classes.Select(c => c.Support));
            Assert.Equal(Wilson.Interval(model.Accuracy.Value * model.Rows, model.Rows).Low, model.Accuracy.Low, 1e-9);
        });
        Assert.InRange(evaluated.Temperature, 0.03, 34);
        Assert.InRange(evaluated.AbstainBelow, -1, 1);
    }

    [Fact]
    public async Task Evaluate_AgainElsewhere_GivesEqualBytes()
    {
        LabelledFixture one = await LabelledFixture.MakeAsync([9, 12, 7]), two = await LabelledFixture.MakeAsync([9, 12, 7]);

        await one.EvaluateAsync();
        await one.EvaluateAsync();
        await two.EvaluateAsync();

        Assert.Equal(one.Store.Content.Select(blob => (blob.Path, Convert.ToHexString(blob.Bytes))), two.Store.Content.Select(blob => (blob.Path, Convert.ToHexString(blob.Bytes))));
    }

    [Fact]
    public async Task Evaluate_FlippedLabels_AreTheSuspectsWithFileAndLine()
    {
        int[] flipped = [4, 21, 70];
        LabelledFixture fixture = await LabelledFixture.MakeAsync([60, 60], [20, 20], gap: 4, relabel: (i, c) => flipped.Contains(i) ? 1 - c : c);

        Evaluated evaluated = await fixture.EvaluateAsync();

        Assert.Equal(flipped.Select(i => 10L * i), evaluated.Suspects.Select(suspect => suspect.Line).Order());
        Assert.All(evaluated.Suspects, suspect =>
        {
            Assert.Equal("films/a.csv", suspect.File);
            Assert.NotEqual(suspect.Label, suspect.Predicted);
            Assert.InRange(suspect.Score, 0.8, 1);
        });
        Assert.Contains("E107: 3 labels are contradicted by the other rows; the report lists them. Check them first.", evaluated.Warnings);
    }

    [Fact]
    public async Task Evaluate_MoreFlippedLabelsThanAreListed_SaysThatThereMayBeMore()
    {
        LabelledFixture fixture = await LabelledFixture.MakeAsync([1000, 1000], [20, 20], gap: 6, relabel: (i, c) => i % 16 == 5 ? 1 - c : c);

        Evaluated evaluated = await fixture.EvaluateAsync();

        Assert.Equal(EvaluateStep.MostSuspects, evaluated.Suspects.Count);
        Assert.Contains("E107: 50 labels or more are contradicted by the other rows; the report lists the surest. Check them first.", evaluated.Warnings);
    }

    [Fact]
    public async Task Evaluate_CandidateMissing_IsRefused()
    {
        LabelledFixture fixture = await LabelledFixture.MakeAsync([6, 6]);
        EvaluateInput input = new(fixture.Data, [await fixture.TrainAsync(Scion.Heads.CandidateKind.Transfer)], [new("", fixture.Features)], new("auto", 1), fixture.Files);

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(async () =>
            await new EvaluateStep(new Scion.Pipelines.StepMemo(fixture.Store)).RunAsync(input, null, default));

        Assert.Equal("E001", fault.Code);
        Assert.Equal("There is no bag-of-words to evaluate.", fault.Fact);
    }

    [Fact]
    public async Task Evaluate_OneTestRowOfAClass_SaysThatItsFiguresSayLittle()
    {
        LabelledFixture fixture = await LabelledFixture.MakeAsync([60, 6], [20, 1], protocol: Protocol.GivenSplit);

        Evaluated evaluated = await fixture.EvaluateAsync();

        Assert.Equal(Protocol.GivenSplit, evaluated.Protocol);
        Assert.Contains("E104: Fewer than 5 rows were measured on of 'class 1' (1); figures of that class say little.", evaluated.Warnings);
        Assert.Contains(evaluated.Warnings, warning => warning.StartsWith("E103: Classes are uneven: 'class 0' has 40 training rows, 'class 1' has 5.", StringComparison.Ordinal));
        Assert.True(evaluated.Models[^1].Classes[1].F1.High - evaluated.Models[^1].Classes[1].F1.Low > 0.2);
    }
}
