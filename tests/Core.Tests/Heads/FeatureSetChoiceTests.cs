using Scion.Datasets;
using Scion.Heads;
using Scion.Storage;

namespace Scion.Tests.Heads;

public sealed class FeatureSetChoiceTests
{
    [Fact]
    public void FitBest_AnotherSetTellsTheClassesApart_LeavesThePreferred()
    {
        (DenseFeatures clear, int[] labels) = LogisticRegressionTests.Clouds(60, 6, 2, seed: 1);
        DenseFeatures noise = Noise(60, 6, seed: 2);

        (int chosen, SelectedHead head, IReadOnlyList<(double Accuracy, double Loss)> reached) = FitBest([noise, clear], preferred: 0, labels);

        Assert.Equal(1, chosen);
        Assert.Same(clear, head.Features);
        Assert.Equal(head.Accuracy, reached[1].Accuracy);
        Assert.True(reached[1].Accuracy > reached[0].Accuracy);
    }

    [Fact]
    public void FitBest_ThePreferredIsAsGood_IsKept()
    {
        (DenseFeatures clear, int[] labels) = LogisticRegressionTests.Clouds(60, 6, 2, seed: 1);

        Assert.Equal(1, FitBest([Noise(60, 6, seed: 2), clear, clear], preferred: 1, labels).Chosen);
        Assert.Equal(2, FitBest([Noise(60, 6, seed: 2), clear, clear], preferred: 2, labels).Chosen);
    }

    [Fact]
    public void FitBest_SetsOfNoise_KeepsThePreferredMostly()
    {
        int kept = 0;
        for (int seed = 0; seed < 15; seed++)
        {
            int[] labels = [.. Enumerable.Range(0, 20).Select(row => row % 2)];
            if (FitBest([Noise(20, 8, 10 * seed), Noise(20, 8, (10 * seed) + 1), Noise(20, 8, (10 * seed) + 2)], preferred: 2, labels).Chosen == 2) kept++;
        }

        Assert.InRange(kept, 9, 15);                                     // chance would keep 5
    }

    [Fact]
    public async Task Train_TwoSets_TakesTheOneThatValidatesBestAndTellsBoth()
    {
        LabelledFixture fixture = await LabelledFixture.MakeAsync([20, 16], [5, 4], gap: 2);
        FeatureSet[] sets = [new("early", fixture.Untrained, Preferred: true), new("late", fixture.Features)];

        HeadsTrained trained = await TrainAsync(fixture, sets);

        HeadsTrained alone = await fixture.TrainAsync(CandidateKind.Transfer);
        Assert.Equal("late", trained.Set);
        Assert.Equal(["early", "late"], trained.Scores.Select(score => score.Set));
        Assert.Equal(trained.ValidationAccuracy, trained.Scores[1].ValidationAccuracy);
        Assert.True(trained.Scores[0].ValidationAccuracy < trained.ValidationAccuracy);
        Assert.Equal((alone.Fitted!.Sha256, alone.Predictions.Sha256, alone.Temperature), (trained.Fitted!.Sha256, trained.Predictions.Sha256, trained.Temperature));
    }

    [Fact]
    public async Task Train_CrossValidation_EachFoldChoosesForItself()
    {
        LabelledFixture fixture = await LabelledFixture.MakeAsync([6, 6], gap: 1.2);
        FeatureSet[] sets = [new("noise", fixture.Untrained, Preferred: true), new("signal", fixture.Features)];
        RowTable table = RowTable.Parse(await fixture.Store.ReadAsync(fixture.Data.Rows, default));
        int[] labels = [.. table.Labelled.Select(row => row.Label)], rows = [.. Enumerable.Range(0, labels.Length)];
        DenseFeatures[] matrices = [.. await Task.WhenAll(sets.Select(set => LabelledFeatures.ReadAsync(fixture.Store, table, set.Shards, default)))];

        HeadsTrained trained = await TrainAsync(fixture, sets);

        HeldOutPredictions held = await fixture.HeldAsync(trained);
        int at = 0;
        foreach (int repeat in Enumerable.Range(0, TrainHeadsStep.Repeats(rows.Length)))
        {
            Dictionary<int, float[]> expected = [];
            foreach (int[] fold in TrainHeadsStep.CrossValidationFolds(rows, labels, 2, seed: 1, repeat))
            {
                (int chosen, SelectedHead head, _) = HeadSelection.FitBest([.. matrices.Select(matrix => (Func<int[], FeatureMatrix>)(_ => matrix))],
                    preferred: 0, [], [.. rows.Except(fold)], labels, 2, "auto", 1, 1, default);
                foreach (int row in fold)
                {
                    expected[row] = new float[2];
                    new WideHead(head.Head).Logits(matrices[chosen], row, expected[row]);
                    for (int c = 0; c < 2; c++) expected[row][c] *= (float)(trained.Temperature / head.Temperature);
                }
            }
            foreach (int row in rows)
            {
                Assert.Equal((repeat, row), (held.Repeats[at], held.Rows[at]));
                for (int c = 0; c < 2; c++) Assert.Equal(expected[row][c], held.LogitsOf(at)[c], 1e-4);
                at++;
            }
        }
    }

    static Task<HeadsTrained> TrainAsync(LabelledFixture fixture, IReadOnlyList<FeatureSet> sets) => new TrainHeadsStep(new Scion.Pipelines.StepMemo(fixture.Store))
        .RunAsync(new TrainHeadsInput(CandidateKind.Transfer, sets, fixture.Data, new HeadSettings("auto", 1)), null, default);

    static (int Chosen, SelectedHead Head, IReadOnlyList<(double Accuracy, double Loss)> Reached) FitBest(IReadOnlyList<FeatureMatrix> sets, int preferred, int[] labels) => HeadSelection.FitBest(
        [.. sets.Select(set => (Func<int[], FeatureMatrix>)(_ => set))], preferred, [], [.. Enumerable.Range(0, labels.Length)], labels, 2, "auto", 1, 2, default);

    static DenseFeatures Noise(int rows, int dim, int seed)
    {
        Random random = new(seed);
        return new DenseFeatures([.. Enumerable.Range(0, rows * dim).Select(_ => (float)random.NextDouble() - 0.5f)], dim);
    }
}
