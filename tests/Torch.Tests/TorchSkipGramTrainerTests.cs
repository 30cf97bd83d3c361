using CsCheck;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Tests.Text;
using Scion.Text;
using Scion.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Scion.Tests;

public sealed class TorchSkipGramTrainerTests
{
    static readonly EmbeddingOptions Plain = new(SkipGramLoss.NegativeSampling, Dim: 8, Window: 3, Negatives: 5, Epochs: 10,
        MinCount: 1, Subsample: 0, Rate: 0.05, LinearDecay: true, Threads: 1, Seed: 7);

    static readonly EmbeddingOptions Nce = Plain with { Loss = SkipGramLoss.Nce, Dim = 4, Window = 0, Rate = 0.3, LinearDecay = false };

    static (TokenCorpus Corpus, Vocabulary Vocabulary) Topics(int texts, int seed)
    {
        Random random = new(seed);
        string[] all = [.. Enumerable.Range(0, texts).Select(t => string.Join(' ', Enumerable.Range(0, 8).Select(_ => $"{(t % 2 == 0 ? "red" : "blue")}{random.Next(10)}")))];
        Vocabulary vocabulary = Vocabulary.Of(all.SelectMany(Tokenizer.Words).CountBy(word => word).ToDictionary(c => c.Key, c => (long)c.Value), 1);
        TokenCorpus.Builder corpus = new(vocabulary);
        foreach (string text in all) corpus.Add(text);
        return (corpus.Build(), vocabulary);
    }

    /// <summary>Some centre words with words around them, and noise, of which some stands twice or is the centre.</summary>
    static (CentreBatch Batch, long[,] Noise) AnyBatch(int words, int centres, int negatives, int seed)
    {
        Random random = new(seed);
        int[] pairs = [.. Enumerable.Range(0, centres).Select(_ => 1 + random.Next(4))];
        long[,] noise = new long[centres, negatives];
        for (int c = 0; c < centres; c++)
            for (int k = 0; k < negatives; k++) noise[c, k] = random.Next(words);
        return (new CentreBatch([.. pairs.Select(_ => random.NextInt64(words))], [.. pairs.SelectMany(n => Enumerable.Range(0, n).Select(_ => random.NextInt64(words)))],
            [.. pairs.SelectMany((n, c) => Enumerable.Repeat((long)c, n))], pairs, 0), noise);
    }

    static SkipGramTables Tables(int words, EmbeddingOptions options, int seed)
    {
        Vocabulary vocabulary = new([.. Enumerable.Range(0, words).Select(i => $"w{i}")], [.. Enumerable.Range(0, words).Select(i => 100L - i)]);
        SkipGramTables tables = SkipGramTables.Start(null, vocabulary, options with { Seed = seed }, CPU);
        using Generator random = new(1, CPU);
        if (options.Loss == SkipGramLoss.NegativeSampling)
        {
            tables.Input.uniform_(-1, 1, random);
            tables.Output.uniform_(-1, 1, random);
        }
        else tables.Bias.uniform_(-1, 1, random);
        return tables;
    }

    static double[][] Rows(Tensor table) => [.. table.data<float>().ToArray().Chunk((int)table.size(1)).Select(row => row.Select(x => (double)x).ToArray())];

    [Fact]
    public void Step_AnyBatch_EqualsTheOracleInDoublePrecision() =>
        Gen.Select(Gen.Bool, Gen.Int[1, 12], Gen.Int[1, 8], Gen.Int[1, 10], Gen.Int[1, 9], Gen.Int[0, int.MaxValue]).Sample((nce, words, centres, negatives, dim, seed) =>
        {
            using IDisposable noGradient = no_grad();
            using DisposeScope scope = NewDisposeScope();
            EmbeddingOptions options = (nce ? Nce : Plain) with { Dim = dim, Negatives = negatives };
            SkipGramTables tables = Tables(words, options, seed);
            (CentreBatch batch, long[,] noise) = AnyBatch(words, centres, negatives, seed);
            double[][] u = Rows(tables.Input), v = Rows(tables.Output), newU = Rows(tables.Input), newV = Rows(tables.Output);
            double[] b = [.. tables.Bias.data<float>().ToArray().Select(x => (double)x)], newB = [.. b];
            NoiseSampler sampler = NoiseSampler.LogUniform(words);
            double expected = 0;
            for (int c = 0; c < centres; c++)
            {
                List<int> ids = [(int)batch.Centres[c]];
                for (int k = 0; k < negatives; k++)
                    if (!ids.Contains((int)noise[c, k])) ids.Add((int)noise[c, k]);
                int[] around = [.. batch.Contexts.Where((_, p) => batch.CentreOf[p] == c).Select(id => (int)id)];
                foreach (int i in around)
                    for (int k = 0; k < ids.Count; k++)
                    {
                        double logit = u[i].Zip(v[ids[k]], (x, y) => x * y).Sum() + (nce ? b[ids[k]] - sampler.LogExpected(ids[k], negatives) : 0);
                        expected += PlainSkipGram.Softplus(k == 0 ? -logit : logit);
                        double g = 0.1 / (nce ? around.Length : 1) * ((k == 0 ? 1 : 0) - PlainSkipGram.Sigmoid(logit));
                        for (int j = 0; j < dim; j++)
                        {
                            newU[i][j] += g * v[ids[k]][j];
                            newV[ids[k]][j] += g * u[i][j];
                        }
                        if (nce) newB[ids[k]] += g;
                    }
            }

            double loss = tables.Step(batch, tensor(noise), 0.1, measure: true);

            Assert.Equal(expected, loss, 1e-4 * Math.Max(1, expected));
            AssertRows(newU, tables.Input);
            AssertRows(newV, tables.Output);
            AssertRows([newB], tables.Bias.unsqueeze(0));
        }, iter: 60, threads: 1);

    static void AssertRows(double[][] expected, Tensor actual)
    {
        double[][] rows = Rows(actual);
        for (int i = 0; i < rows.Length; i++)
            for (int j = 0; j < rows[i].Length; j++) Assert.Equal(expected[i][j], rows[i][j], 1e-4);
    }

    [Theory]
    [InlineData(SkipGramLoss.NegativeSampling)]
    [InlineData(SkipGramLoss.Nce)]
    public void Step_AnyBatch_StepsDownTheGradientOfAutograd(SkipGramLoss loss)
    {
        using DisposeScope scope = NewDisposeScope();
        bool nce = loss == SkipGramLoss.Nce;
        EmbeddingOptions options = (nce ? Nce : Plain) with { Dim = 6 };
        SkipGramTables tables = Tables(20, options, seed: 3);
        (CentreBatch batch, long[,] noise) = AnyBatch(20, 10, 5, seed: 4);
        Tensor u = tables.Input.clone().requires_grad_(), v = tables.Output.clone().requires_grad_(), b = tables.Bias.clone().requires_grad_();
        NoiseSampler sampler = NoiseSampler.LogUniform(20);
        Tensor total = zeros(1);
        for (int p = 0; p < batch.Contexts.Length; p++)
        {
            long c = batch.CentreOf[p];
            HashSet<long> ids = [batch.Centres[c]];
            for (int k = 0; k < 5; k++) ids.Add(noise[c, k]);
            foreach (long id in ids)
            {
                Tensor logit = u[batch.Contexts[p]].dot(v[id]);
                if (nce) logit = logit + b[id] - sampler.LogExpected((int)id, 5);
                total += nn.functional.softplus(id == batch.Centres[c] ? -logit : logit, 1, 30) / (nce ? batch.PairsOf[c] : 1);
            }
        }
        total.backward();

        using (no_grad()) tables.Step(batch, tensor(noise), 0.01, measure: false);

        AssertRows(Rows(u.detach() - (0.01 * u.grad!)), tables.Input);
        AssertRows(Rows(v.detach() - (0.01 * v.grad!)), tables.Output);
        if (nce) AssertRows(Rows((b.detach() - (0.01 * b.grad!)).unsqueeze(0)), tables.Bias.unsqueeze(0));
    }

    // Many centres make a step here and one there, and the noise differs; that the loss agrees within 8 % (the CPU shares noise between 16 words) says that both go down the same hill.
    [Theory]
    [InlineData(SkipGramLoss.NegativeSampling)]
    [InlineData(SkipGramLoss.Nce)]
    public void Train_SmallCorpus_ReachesTheCpuTrainersLossAndNeighbours(SkipGramLoss loss)
    {
        (TokenCorpus corpus, Vocabulary vocabulary) = Topics(600, 2);
        EmbeddingOptions options = loss == SkipGramLoss.Nce ? Nce : Plain;

        TrainedVectors torch = new TorchSkipGramTrainer(useCuda: false).Train(corpus, vocabulary, options, null, default);

        TrainedVectors cpu = new SkipGramTrainer().Train(corpus, vocabulary, options, null, default);
        Assert.Equal("cpu", torch.Device);
        Assert.Equal(cpu.Loss, torch.Loss, 0.08 * cpu.Loss);
        if (loss == SkipGramLoss.Nce) return;
        foreach (string word in vocabulary.Words)
            Assert.All(NearestWords.Of(vocabulary, torch.Vectors, options.Dim, word, 5), near => Assert.Equal(word[0], near.Word[0]));
    }

    [Fact]
    public void Train_SameSeedOnTheCpu_GivesTheSameBits()
    {
        (TokenCorpus corpus, Vocabulary vocabulary) = Topics(100, 2);
        TorchSkipGramTrainer trainer = new(useCuda: false);

        TrainedVectors first = trainer.Train(corpus, vocabulary, Plain, null, default), second = trainer.Train(corpus, vocabulary, Plain, null, default);

        Assert.True(first.Reproducible);
        Assert.Equal(first.Vectors, second.Vectors);
        Assert.NotEqual(first.Vectors, trainer.Train(corpus, vocabulary, Plain with { Seed = 8 }, null, default).Vectors);
    }

    [Fact]
    public void Noise_ManyDraws_FollowTheChances()
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (EmbeddingOptions options in new[] { Plain, Nce })
        {
            Vocabulary vocabulary = new(["a", "b", "c", "d"], [1000, 100, 10, 1]);
            using Generator random = new(3, CPU);

            long[] ids = [.. SkipGramTables.Start(null, vocabulary, options, CPU).Noise(20_000, 5, random).data<long>()];

            double[] chances = SkipGramTables.NoiseChances(vocabulary, options);
            Assert.Equal(1, chances.Sum(), 1e-12);
            for (int id = 0; id < 4; id++) Assert.Equal(chances[id], ids.Count(drawn => drawn == id) / 1e5, 0.01);
        }
    }

    [Fact]
    public void Train_RateTooHigh_IsRefusedAsDiverged()
    {
        (TokenCorpus corpus, Vocabulary vocabulary) = Topics(100, 2);

        InputRejectedException fault = Assert.Throws<InputRejectedException>(() =>
            new TorchSkipGramTrainer(useCuda: false).Train(corpus, vocabulary, Nce with { Rate = 1e9, Epochs = 50 }, null, default));

        Assert.Equal("T004", fault.Code);
    }

    [Fact]
    public void Train_Cancelled_Stops()
    {
        (TokenCorpus corpus, Vocabulary vocabulary) = Topics(1000, 2);
        using CancellationTokenSource source = new();

        Assert.ThrowsAny<OperationCanceledException>(() =>
            new TorchSkipGramTrainer(useCuda: false).Train(corpus, vocabulary, Plain with { Epochs = 10_000 }, new Reports(_ => source.Cancel()), source.Token));
    }

    // Steps leave no tensor behind: what lives after ten thousand of them is what lived after a few.
    [Fact]
    public void Train_ManySteps_LeavesNoTensors()
    {
        (TokenCorpus corpus, Vocabulary vocabulary) = Topics(200, 2);
        TorchSkipGramTrainer trainer = new(useCuda: false);
        trainer.Train(corpus, vocabulary, Plain with { Epochs = 1 }, null, default);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;

        trainer.Train(corpus, vocabulary, Plain, null, default);

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    sealed class Reports(Action<StepProgress> report) : IProgress<StepProgress>
    {
        public void Report(StepProgress value) => report(value);
    }
}
