using Scion.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Scion.Torch;

/// <summary>The tables of a skip-gram model on a device, and one gradient step on them.</summary>
/// <remarks>Sources: Mikolov et al. 2013, arXiv:1310.4546, eq. 4; Gutmann and Hyvärinen 2010. The gradient is written out: autograd would
/// make one of the whole table for every step.</remarks>
sealed class SkipGramTables
{
    readonly bool nce;
    readonly Tensor cumulative;         // float64 [words]: P(id or lower)
    readonly Tensor offsets;            // float32 [words]: log of the expected draws under NCE, else 0

    SkipGramTables(Tensor input, Tensor output, Tensor bias, Tensor cumulative, Tensor offsets, bool nce) =>
        (Input, Output, Bias, this.cumulative, this.offsets, this.nce) = (input, output, bias, cumulative, offsets, nce);

    /// <summary>Input vectors, [words, dim].</summary>
    public Tensor Input { get; }

    /// <summary>Output vectors, [words, dim].</summary>
    public Tensor Output { get; }

    /// <summary>Biases of the outputs under NCE, [words].</summary>
    public Tensor Bias { get; }

    /// <summary>Tables learned before, or the start of <see cref="SkipGramTrainer.Start"/>, on the device.</summary>
    public static SkipGramTables Start(EmbeddingStart? start, Vocabulary vocabulary, EmbeddingOptions options, Device device)
    {
        int words = vocabulary.Count;
        bool nce = options.Loss == SkipGramLoss.Nce;
        float[] input = start?.Input ?? new float[checked(words * options.Dim)], output = start?.Output ?? new float[input.Length], offsets = new float[words];
        if (start is null) SkipGramTrainer.Start(input, output, words, options.Dim, options);
        if (nce)
        {
            NoiseSampler noise = NoiseSampler.LogUniform(words);
            for (int id = 0; id < words; id++) offsets[id] = (float)noise.LogExpected(id, options.Negatives);
        }
        double[] chances = NoiseChances(vocabulary, options), cumulative = new double[words];
        double sum = 0;
        for (int id = 0; id < words; id++) cumulative[id] = sum += chances[id];
        return new SkipGramTables(tensor(input, [words, options.Dim], device: device), tensor(output, [words, options.Dim], device: device),
            start is { Biases.Length: > 0 } ? tensor(start.Biases, device: device) : zeros(words, device: device), tensor(cumulative, device: device), tensor(offsets, device: device), nce);
    }

    /// <summary>Chance of each word in one draw of noise, [words]: as <see cref="NoiseSampler"/> draws.</summary>
    public static double[] NoiseChances(Vocabulary vocabulary, EmbeddingOptions options)
    {
        int words = vocabulary.Count;
        if (options.Loss == SkipGramLoss.Nce)
            return [.. Enumerable.Range(0, words).Select(k => (Math.Log(k + 2.0) - Math.Log(k + 1.0)) / Math.Log(words + 1.0))];
        double[] powers = [.. vocabulary.Counts.Select(count => Math.Pow(count, 0.75))];
        double sum = powers.Sum();
        return [.. powers.Select(power => power / sum)];
    }

    /// <summary>Draws noise words, int64 [centres, negatives].</summary>
    public Tensor Noise(int centres, int negatives, Generator random) =>
        searchsorted(cumulative, rand([centres, negatives], ScalarType.Float64, Input.device, generator: random), right: true).clamp_(0, cumulative.size(0) - 1);

    /// <summary>One step in place: all rows are read before any is written, updates of one row add up.</summary>
    /// <param name="batch">Centre words and the words around them.</param>
    /// <param name="noise">Noise words, int64 [centres, negatives]. One that is the centre, or stands twice, is left out.</param>
    /// <param name="rate">Learning rate. Under NCE the loss of a centre word is the mean over its pairs.</param>
    /// <param name="measure">True: return the loss, which waits for the device.</param>
    /// <returns>Loss before the step, nats, summed over pairs and outputs; 0 when not measured.</returns>
    public double Step(CentreBatch batch, Tensor noise, double rate, bool measure)
    {
        Device device = Input.device;
        Tensor contexts = tensor(batch.Contexts, device: device), of = tensor(batch.CentreOf, device: device);
        Tensor ids = cat([tensor(batch.Centres, device: device).unsqueeze(1), noise], 1);       // [centres, outputs]
        long centres = ids.size(0), outputs = ids.size(1), dim = Input.size(1);
        Tensor earlier = ones(outputs, outputs, dtype: ScalarType.Bool, device: device).tril(-1);
        Tensor repeated = ids.unsqueeze(2).eq(ids.unsqueeze(1)).logical_and(earlier).any(2);    // stands before it among the outputs
        Tensor used = repeated.logical_not().to(ScalarType.Float32);

        Tensor u = Input.index_select(0, contexts);                                             // [pairs, dim]
        Tensor v = Output.index_select(0, ids.view(-1)).view(centres, outputs, dim).index_select(0, of);     // [pairs, outputs, dim]
        Tensor shift = nce ? (Bias - offsets).index_select(0, ids.view(-1)).view(centres, outputs).index_select(0, of) : zeros(1, device: device);
        Tensor logits = bmm(v, u.unsqueeze(2)).squeeze(2) + shift;                              // [pairs, outputs]
        Tensor usedPairs = used.index_select(0, of);
        double loss = 0;
        if (measure)
        {
            Tensor signed = cat([logits.narrow(1, 0, 1).neg(), logits.narrow(1, 1, outputs - 1)], 1);
            loss = (nn.functional.softplus(signed, 1, 30) * usedPairs).sum(ScalarType.Float64).ToDouble();
        }
        Tensor label = zeros(1, outputs, device: device);
        label.narrow(1, 0, 1).fill_(1);
        Tensor step = (label - logits.sigmoid()) * usedPairs * rate;
        if (nce) step /= tensor([.. batch.PairsOf.Select(pairs => (float)pairs)], device: device).index_select(0, of).unsqueeze(1);

        Tensor pull = bmm(step.unsqueeze(1), v).squeeze(1);                                     // [pairs, dim]
        Tensor push = zeros(centres, outputs * dim, device: device).index_add_(0, of, (step.unsqueeze(2) * u.unsqueeze(1)).view(-1, outputs * dim), 1);
        Output.index_add_(0, ids.view(-1), push.view(-1, dim), 1);
        Input.index_add_(0, contexts, pull, 1);
        if (nce) Bias.index_add_(0, ids.view(-1), zeros(centres, outputs, device: device).index_add_(0, of, step, 1).view(-1), 1);
        return loss;
    }

    /// <summary>False when an input is not finite.</summary>
    public bool Finite()
    {
        using Tensor all = Input.isfinite();
        using Tensor one = all.all();
        return one.ToBoolean();
    }

    /// <summary>A table on the host, row-major.</summary>
    public static float[] Host(Tensor table)
    {
        using Tensor host = table.cpu();
        return [.. host.data<float>()];
    }
}
