using Scion.Demo;

namespace Scion.Tests.Demo;

public sealed class DressExperimentTests
{
    static readonly bool[] Truth = [.. Enumerable.Range(0, 200).Select(i => i % 2 == 1)];
    static readonly int[][] Draws = [.. Enumerable.Range(0, 5).Select(k => Enumerable.Range(20 * k, 20).ToArray())];
    static readonly int[] Test = [.. Enumerable.Range(100, 100)];

    /// <summary>One telling feature among noise; <paramref name="strength"/> is the distance of the classes in standard deviations.</summary>
    static float[][] Features(double strength, int seed)
    {
        Random random = new(seed);
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return [.. Truth.Select(white => Enumerable.Range(0, 8).Select(j => (float)(Normal() + (j == 0 && white ? strength : 0))).ToArray())];
    }

    [Fact]
    public void Run_TellingFeaturesAgainstNoise_SaysWhichIsBetterAndThatNoiseIsChance()
    {
        DressOutcome outcome = DressExperiment.Run(Draws, Test, Truth, [("noise", DressExperiment.Head(Features(0, 1), Truth)), ("telling", DressExperiment.Head(Features(5, 2), Truth))]);

        Assert.Equal(["noise", "telling"], outcome.Arms.Select(arm => arm.Name));
        Assert.True(outcome.Arms[0].Accuracy.Low < 0.5 && outcome.Arms[0].Accuracy.High > 0.5, $"{outcome.Arms[0]}");
        Assert.True(outcome.Arms[1].Accuracy.Accuracy > 0.9, $"{outcome.Arms[1]}");
        Assert.True(outcome.Gains.Single().Accuracy.Low > 0.2, $"{outcome.Gains[0]}");
        Assert.Equal((10, 100, 500), (outcome.PerClass, outcome.Tested, outcome.Arms[1].Accuracy.N));
    }

    [Fact]
    public void Run_TheSameLearnerTwice_GainsNothing()
    {
        DressLearner learner = DressExperiment.Head(Features(1, 3), Truth);

        DressOutcome outcome = DressExperiment.Run(Draws, Test, Truth, [("a", learner), ("b", learner)]);

        Assert.Equal((0, 0, 0), (outcome.Gains[0].Accuracy.Accuracy, outcome.Gains[0].Accuracy.Low, outcome.Gains[0].Accuracy.High));
        Assert.Equal(outcome.Arms[0].Draws, outcome.Arms[1].Draws);
    }

    // 400 experiments whose truth is known: each draw has its own skill and each picture its own difficulty; the interval must hold the mean of all skills about as often as it says.
    [Fact]
    public void Run_ManyExperiments_IntervalsHoldTheTruthAsOftenAsTheySay()
    {
        Random random = new(11);
        int held = 0;
        const int experiments = 400;
        for (int e = 0; e < experiments; e++)
        {
            double[] hard = [.. Test.Select(_ => random.NextDouble() < 0.2 ? 0.35 : 0.95)];          // mean 0.83, less what a draw loses
            DressLearner learner = (train, test, _) =>
            {
                lock (random)
                {
                    double lost = 0.1 * random.NextDouble();                                        // mean 0.05
                    return [.. test.Select((picture, i) => (random.NextDouble() < hard[i] - lost) == Truth[picture] ? 1.0 : -1.0)];
                }
            };

            TransferArm arm = DressExperiment.Run(Draws, Test, Truth, [("any", learner)]).Arms[0].Accuracy;

            if (arm.Low <= 0.78 && 0.78 <= arm.High) held++;
        }
        Assert.InRange(held / (double)experiments, 0.92, 0.995);
    }

    [Fact]
    public void Run_APictureInTwoDraws_IsRefused() =>
        Assert.StartsWith("A picture is in two draws, or in a draw and the test.", Assert.Throws<ArgumentException>(() =>
            DressExperiment.Run([[0, 1], [1, 2], [3, 4]], [5], Truth, [("any", DressExperiment.Head(Features(1, 1), Truth))])).Message, StringComparison.Ordinal);

    [Fact]
    public void Run_TwoDraws_AreTooFewForAnInterval() =>
        Assert.StartsWith("2 draws; an interval needs three at least.", Assert.Throws<ArgumentException>(() =>
            DressExperiment.Run([[0, 1], [2, 3]], [5], Truth, [])).Message, StringComparison.Ordinal);

    [Fact]
    public void Run_WhatIsFittedBeforeTheHead_SeesTrainingPicturesAlone()
    {
        List<int[]> fitted = [];

        DressExperiment.Run(Draws, Test, Truth, [("any", DressExperiment.Head(Features(3, 1), Truth, rows =>
        {
            lock (fitted) fitted.Add(rows);
            return Features(3, 1);
        }))]);

        Assert.All(fitted, rows => Assert.DoesNotContain(rows, row => row >= 100));
        Assert.All(fitted, rows => Assert.Single(rows.Select(row => row / 20).Distinct()));
    }
}

public sealed class StudentTTests
{
    [Theory]
    [InlineData(3, 3.1824, 0.03)]
    [InlineData(4, 2.7764, 0.01)]
    [InlineData(10, 2.2281, 0.001)]
    [InlineData(71, 1.9939, 0.001)]
    public void Point975_KnownDegrees_IsTheTables(double degrees, double table, double within) => Assert.Equal(table, Scion.Evaluation.StudentT.Point975(degrees), within);
}
