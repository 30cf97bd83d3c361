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

    /// <summary>Some centre words with up to four words around them, and noise, of which some stands twice or is the centre.</summary>
    static (int[] Centres, int[][] Around, long[,] Noise) AnyBatch(int words, int centres, int negatives, int seed)
    {
        Random random = new(seed);
        long[,] noise = new long[centres, negatives];
        for (int c = 0; c < centres; c++)
            for (int k = 0; k < negatives; k++) noise[c, k] = random.Next(words);
        return ([.. Enumerable.Range(0, centres).Select(_ => random.Next(words))],
            [.. Enumerable.Range(0, centres).Select(_ => Enumerable.Range(0, random.Next(5)).Select(_ => random.Next(words)).ToArray())], noise);
    }

    static CentreBatch Batch(int[] centres, int[][] around)
    {
        long[,] contexts = new long[centres.Length, 4];
        float[,] mask = new float[centres.Length, 4];
        for (int c = 0; c < centres.Length; c++)
            for (int p = 0; p < 4; p++) (contexts[c, p], mask[c, p]) = p < around[c].Length ? (around[c][p], 1) : (centres[c], 0);
        return new CentreBatch(tensor(centres.Select(id => (long)id).ToArray()), tensor(contexts), tensor(mask));
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
            (int[] ids, int[][] around, long[,] noise) = AnyBatch(words, centres, negatives, seed);
            double[][] u = Rows(tables.Input), v = Rows(tables.Output), newU = Rows(tables.Input), newV = Rows(tables.Output);
            double[][] sumU = Rows(zeros_like(tables.Input)), sumV = Rows(zeros_like(tables.Output));
            double[] b = [.. tables.Bias.data<float>().ToArray().Select(x => (double)x)], newB = [.. b], sumB = new double[words];
            double[] bendU = new double[words], bendV = new double[words], bendB = new double[words];
            NoiseSampler sampler = NoiseSampler.LogUniform(words);
            double expected = 0;
            for (int c = 0; c < centres; c++)
            {
                List<int> outputs = [ids[c]];
                for (int k = 0; k < negatives; k++)
                    if (!outputs.Contains((int)noise[c, k])) outputs.Add((int)noise[c, k]);
                foreach (int i in around[c])
                    foreach (int id in outputs)
                    {
                        double logit = u[i].Zip(v[id], (x, y) => x * y).Sum() + (nce ? b[id] - sampler.LogExpected(id, negatives) : 0);
                        expected += PlainSkipGram.Softplus(id == ids[c] ? -logit : logit);
                        double rate = 0.1 / (nce ? around[c].Length : 1), g = rate * ((id == ids[c] ? 1 : 0) - PlainSkipGram.Sigmoid(logit));
                        double bend = rate * (Math.Abs(logit) < 1e-6 ? 0.25 : Math.Tanh(logit / 2) / (2 * logit));
                        for (int j = 0; j < dim; j++)
                        {
                            sumU[i][j] += g * v[id][j];
                            sumV[id][j] += g * u[i][j];
                        }
                        sumB[id] += nce ? g : 0;
                        bendU[i] += bend * v[id].Sum(x => x * x);
                        bendV[id] += bend * u[i].Sum(x => x * x);
                        bendB[id] += bend;
                    }
            }
            for (int id = 0; id < words; id++)
            {
                for (int j = 0; j < dim; j++)
                {
                    newU[id][j] += sumU[id][j] / (1 + bendU[id]);
                    newV[id][j] += sumV[id][j] / (1 + bendV[id]);
                }
                newB[id] += sumB[id] / (1 + bendB[id]);
            }

            double loss = tables.Step(Batch(ids, around), tensor(noise), 0.1, measure: true)!.ToDouble();

            Assert.Equal(expected, loss, 1e-4 * Math.Max(1, expected));
            AssertRows(newU, tables.Input);
            AssertRows(newV, tables.Output);
            AssertRows([newB], tables.Bias.unsqueeze(0));
        }, iter: 60, threads: 1);

    static void AssertRows(double[][] expected, Tensor actual, double tolerance = 1e-4)
    {
        double[][] rows = Rows(actual);
        for (int i = 0; i < rows.Length; i++)
            for (int j = 0; j < rows[i].Length; j++) Assert.Equal(expected[i][j], rows[i][j], tolerance);
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
        (int[] ids, int[][] around, long[,] noise) = AnyBatch(20, 10, 5, seed: 4);
        Tensor u = tables.Input.clone().requires_grad_(), v = tables.Output.clone().requires_grad_(), b = tables.Bias.clone().requires_grad_();
        NoiseSampler sampler = NoiseSampler.LogUniform(20);
        Tensor total = zeros(1);
        for (int c = 0; c < ids.Length; c++)
            foreach (int context in around[c])
            {
                HashSet<long> outputs = [ids[c], .. Enumerable.Range(0, 5).Select(k => noise[c, k])];
                foreach (long id in outputs)
                {
                    Tensor logit = u[context].dot(v[id]);
                    if (nce) logit = logit + b[id] - sampler.LogExpected((int)id, 5);
                    total += nn.functional.softplus(id == ids[c] ? -logit : logit, 1, 30) / (nce ? around[c].Length : 1);
                }
            }
        total.backward();

        using (no_grad()) tables.Step(Batch(ids, around), tensor(noise), Small, measure: false);

        AssertRows(Rows(u.grad!.neg()), (tables.Input - u.detach()) / Small, 5e-2);
        AssertRows(Rows(v.grad!.neg()), (tables.Output - v.detach()) / Small, 5e-2);
        if (nce) AssertRows(Rows(b.grad!.neg().unsqueeze(0)), ((tables.Bias - b.detach()) / Small).unsqueeze(0), 5e-2);
    }

    /// <summary>A rate so small that the damping is within the tolerance.</summary>
    const double Small = 1e-3;        // differences of float32 tables get coarse below

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

    // The damping keeps training finite at any rate; what is lost before stays lost.
    [Fact]
    public void Continue_FromNumbersThatAreNotFinite_IsRefusedAsDiverged()
    {
        (TokenCorpus corpus, Vocabulary vocabulary) = Topics(20, 2);
        float[] input = new float[vocabulary.Count * Plain.Dim];
        input[3] = float.NaN;

        InputRejectedException fault = Assert.Throws<InputRejectedException>(() =>
            new TorchSkipGramTrainer(useCuda: false).Continue(new EmbeddingStart(input, new float[input.Length], []), corpus, vocabulary, Plain, null, default));

        Assert.Equal("T004", fault.Code);
    }

    // One step holds each of the twenty words some hundred times: without damping, sums of updates overshoot and the loss runs away.
    [Fact]
    public void Step_ThousandsOfCentresOfFewWords_LowersTheLossEveryTime()
    {
        using IDisposable noGradient = no_grad();
        using DisposeScope scope = NewDisposeScope();
        (TokenCorpus corpus, Vocabulary vocabulary) = Topics(600, 2);
        SkipGramTables tables = SkipGramTables.Start(null, vocabulary, Plain, CPU);
        using Generator random = new(1, CPU);
        using CentreBatches batches = new(corpus, vocabulary, Plain, 4800, random, CPU);

        List<double> losses = [];
        for (int step = 0; step < 60; step++)
            foreach ((CentreBatch batch, _) in batches.Epoch()) losses.Add(tables.Step(batch, tables.Noise(4800, 5, random), 0.5, measure: true)!.ToDouble());

        Assert.Equal(60, losses.Count);
        Assert.All(losses.Zip(losses.Skip(1)), pair => Assert.True(pair.Second < pair.First * 1.02, $"{pair}"));
        Assert.True(losses[^1] < 0.75 * losses[0], $"{losses[0]} to {losses[^1]}");
    }

    // The window's width is drawn anew for every centre, so the pairs are compared with what may and what must be there.
    [Fact]
    public void Epoch_BlocksOfAnySize_HaveThePairsOfWindowsWithinTexts() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 9], Gen.Int[1, 30], Gen.Int[1, 4], Gen.Int[0, int.MaxValue]).Sample((texts, centres, block, window, seed) =>
        {
            using DisposeScope scope = NewDisposeScope();
            Random any = new(seed);
            int[] lengths = [.. Enumerable.Range(0, texts).Select(_ => 1 + any.Next(12))];
            int[] starts = [0, .. lengths.Select((_, t) => lengths[..(t + 1)].Sum())];
            TokenCorpus corpus = new([.. Enumerable.Range(0, starts[^1])], starts);                    // every word stands once: an id is a place
            Vocabulary vocabulary = new([.. corpus.Ids.Select(id => $"w{id}")], [.. corpus.Ids.Select(_ => 1L)]);
            using Generator random = new((ulong)seed, CPU);
            using CentreBatches batches = new(corpus, vocabulary, Plain with { Window = window }, centres, random, CPU, Math.Max(12, block));

            List<long> read = [];
            foreach ((CentreBatch batch, _) in batches.Epoch())
            {
                long[] own = [.. batch.Centres.data<long>()], contexts = [.. batch.Contexts.contiguous().data<long>()];
                float[] around = [.. batch.Around.contiguous().data<float>()];
                int places = contexts.Length / own.Length;
                for (int c = 0; c < own.Length; c++)
                {
                    int text = Array.FindLastIndex(starts, start => start <= own[c]), at = (int)own[c];
                    long[] found = [.. Enumerable.Range(c * places, places).Where(p => around[p] == 1).Select(p => contexts[p])];
                    long far = found.Select(id => Math.Abs(id - at)).DefaultIfEmpty(0).Max();
                    Assert.InRange(far, 0, window);
                    if (lengths[text] > 1) Assert.True(far > 0);
                    Assert.Equal(Enumerable.Range(starts[text], lengths[text]).Where(id => id != at && Math.Abs(id - at) <= far).Select(id => (long)id), found);
                }
                read.AddRange(own);
            }

            Assert.Equal(corpus.Ids.Select(id => (long)id), read);
        }, iter: 40, threads: 1);

    [Fact]
    public void Epoch_TextLongerThanABlock_IsReadWholeAndCutInPieces()
    {
        using DisposeScope scope = NewDisposeScope();
        TokenCorpus corpus = new([.. Enumerable.Range(0, 25)], [0, 2, 25]);
        Vocabulary vocabulary = new([.. corpus.Ids.Select(id => $"w{id}")], [.. corpus.Ids.Select(_ => 1L)]);
        using Generator random = new(1, CPU);
        using CentreBatches batches = new(corpus, vocabulary, Plain with { Window = 0 }, 100, random, CPU, blockWords: 10);

        List<(long From, long To, long Around)> blocks = [];
        foreach ((CentreBatch batch, _) in batches.Epoch()) blocks.Add((batch.Centres.min().ToInt64(), batch.Centres.max().ToInt64(), batch.Around.sum().to(ScalarType.Int64).ToInt64()));

        Assert.Equal([(0, 1, 2), (2, 11, 90), (12, 21, 90), (22, 24, 6)], blocks);
    }

    [Fact]
    public void Epoch_SubSampled_KeepsWordsAsOftenAsTheCpuTrainer()
    {
        using DisposeScope scope = NewDisposeScope();
        TokenCorpus corpus = new([.. Enumerable.Range(0, 40_000).Select(i => i % 10 == 0 ? 1 : 0)], [.. Enumerable.Range(0, 401).Select(t => 100 * t)]);
        Vocabulary vocabulary = new(["a", "b"], [36_000, 4_000]);
        uint[] keep = SkipGramTrainer.Keep(vocabulary, 1e-2)!;
        using Generator random = new(1, CPU);
        using CentreBatches batches = new(corpus, vocabulary, Plain with { Subsample = 1e-2 }, 1000, random, CPU, blockWords: 7000);

        long[] kept = new long[2];
        foreach ((CentreBatch batch, _) in batches.Epoch())
            foreach (long id in batch.Centres.data<long>()) kept[id]++;

        for (int id = 0; id < 2; id++)
        {
            double chance = keep[id] / (double)uint.MaxValue, expected = chance * vocabulary.Counts[id];
            Assert.InRange(kept[id], expected - (5 * Math.Sqrt(expected)), expected + (5 * Math.Sqrt(expected)));
        }
    }

    // Within a topic words are alike but for noise, so another seed of the same trainer is the measure.
    [Fact]
    public void Train_AgainstTheCpuTrainer_GivesVectorsThatRankWordsAlike()
    {
        (TokenCorpus corpus, Vocabulary vocabulary) = Topics(1500, 2);
        float[] torch = new TorchSkipGramTrainer(useCuda: false).Train(corpus, vocabulary, Plain, null, default).Vectors;
        float[] cpu = new SkipGramTrainer().Train(corpus, vocabulary, Plain, null, default).Vectors;
        float[] again = new SkipGramTrainer().Train(corpus, vocabulary, Plain with { Seed = 8 }, null, default).Vectors;

        double correlation = RankCorrelation(Similarities(torch, Plain.Dim), Similarities(cpu, Plain.Dim));

        double itself = RankCorrelation(Similarities(again, Plain.Dim), Similarities(cpu, Plain.Dim));
        Assert.True(correlation > itself - 0.08, $"{correlation} beside {itself} of the CPU trainer with another seed");
    }

    static double[] Similarities(float[] vectors, int dim)
    {
        float[][] rows = [.. vectors.Chunk(dim)];
        return [.. rows.SelectMany((one, i) => rows.Skip(i + 1).Select(other => (double)System.Numerics.Tensors.TensorPrimitives.CosineSimilarity<float>(one, other)))];
    }

    static double RankCorrelation(double[] one, double[] other)
    {
        static double[] Ranks(double[] values)
        {
            double[] ranks = new double[values.Length];
            int[] order = [.. Enumerable.Range(0, values.Length).OrderBy(i => values[i])];
            for (int rank = 0; rank < order.Length; rank++) ranks[order[rank]] = rank;
            return ranks;
        }
        double[] a = Ranks(one), b = Ranks(other);
        double mean = (a.Length - 1) / 2.0;
        return a.Zip(b, (x, y) => (x - mean) * (y - mean)).Sum() / a.Sum(x => (x - mean) * (x - mean));
    }

    [Fact]
    public void Continue_CorpusWithoutWords_ChangesNothing()
    {
        Vocabulary vocabulary = new(["a", "b"], [2, 1]);
        float[] input = new float[2 * Plain.Dim], output = new float[2 * Plain.Dim];
        SkipGramTrainer.Start(input, output, 2, Plain.Dim, Plain);

        TrainedVectors trained = new TorchSkipGramTrainer(useCuda: false).Continue(new EmbeddingStart([.. input], [.. output], []), new TokenCorpus([], [0]), vocabulary, Plain, null, default);

        Assert.Equal(input, trained.Vectors);
        Assert.Equal(0, trained.Loss);
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
