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

    /// <summary>One step in place: all rows are read before any is written, updates of one row add up, damped by the curvature they add up to.</summary>
    /// <remarks>A sum of n updates from one place overshoots where n is large. Each row's sum is therefore divided by 1 + Λ, as an implicit step would be (Toulis and
    /// Airoldi 2017, arXiv:1408.2923, section 2): Λ adds up rate · c(x) · |other vector|² over the row's pairs, where c(x) = tanh(x/2) / (2x) ≤ ¼ is the curvature of the
    /// quadratic that bounds the logistic loss at logit x from above (Jaakkola and Jordan 2000, eq. 9). A row of few pairs makes the plain step; one of very many goes no
    /// further than the minimum of that bound, whatever the rate.</remarks>
    /// <param name="batch">Centre words and the words around them.</param>
    /// <param name="noise">Noise words, int64 [centres, negatives]. One that is the centre, or stands twice, is left out.</param>
    /// <param name="rate">Learning rate. Under NCE the loss of a centre word is the mean over its pairs.</param>
    /// <param name="measure">True: return the loss.</param>
    /// <returns>Loss before the step, nats, summed over pairs and outputs, float64 on the device; null when not measured. Nothing waits for the device.</returns>
    public Tensor? Step(CentreBatch batch, Tensor noise, double rate, bool measure)
    {
        Device device = Input.device;
        Tensor ids = cat([batch.Centres.unsqueeze(1), noise], 1);                               // [centres, outputs]
        long centres = ids.size(0), outputs = ids.size(1), places = batch.Contexts.size(1), dim = Input.size(1), words = Input.size(0);
        Tensor earlier = ones(outputs, outputs, dtype: ScalarType.Bool, device: device).tril(-1);
        Tensor repeated = ids.unsqueeze(2).eq(ids.unsqueeze(1)).logical_and(earlier).any(2);    // stands before it among the outputs
        Tensor used = repeated.logical_not().to(ScalarType.Float32);
        Tensor contexts = batch.Contexts.reshape(-1), targets = ids.view(-1);

        Tensor u = Input.index_select(0, contexts).view(centres, places, dim);
        Tensor v = Output.index_select(0, targets).view(centres, outputs, dim);
        Tensor logits = bmm(u, v.transpose(1, 2));                                              // [centres, places, outputs]
        if (nce) logits += (Bias - offsets).index_select(0, targets).view(centres, 1, outputs);
        Tensor pairs = batch.Around.unsqueeze(2) * used.unsqueeze(1);                           // 1 where there is such a pair
        Tensor? loss = null;
        if (measure)
        {
            Tensor signed = cat([logits.narrow(2, 0, 1).neg(), logits.narrow(2, 1, outputs - 1)], 2);
            loss = (nn.functional.softplus(signed, 1, 30) * pairs).sum(ScalarType.Float64);
        }
        Tensor rates = nce ? pairs * (rate / batch.Around.sum(1).clamp_min_(1)).view(centres, 1, 1) : pairs * rate;
        Tensor label = zeros(1, 1, outputs, device: device);
        label.narrow(2, 0, 1).fill_(1);
        Tensor step = (label - logits.sigmoid()) * rates;
        Tensor x = logits.abs_().clamp_min_(1e-3);                                              // c is ¼ to 1e-7 there
        Tensor curvature = (x * 0.5).tanh_().div_(x.mul_(2)).mul_(rates);

        Tensor pull = bmm(step, v).view(-1, dim), push = bmm(step.transpose(1, 2), u).view(-1, dim);
        Tensor bendIn = bmm(curvature, v.square().sum(2, keepdim: true)).view(-1), bendOut = bmm(curvature.transpose(1, 2), u.square().sum(2, keepdim: true)).view(-1);
        Input.index_add_(0, contexts, pull.mul_(Damping(words, contexts, bendIn)), 1);
        Output.index_add_(0, targets, push.mul_(Damping(words, targets, bendOut)), 1);
        if (nce)
        {
            Tensor bend = curvature.sum(1).view(-1), raise = step.sum(1).view(-1);
            Bias.index_add_(0, targets, raise.mul_(Damping(words, targets, bend).squeeze(1)), 1);
        }
        return loss;
    }

    /// <summary>1 / (1 + Λ) of each row, [rows, 1], Λ of a word being the sum over its rows.</summary>
    static Tensor Damping(long words, Tensor rows, Tensor bend) =>
        zeros(words, device: bend.device).index_add_(0, rows, bend, 1).add_(1).reciprocal_().index_select(0, rows).unsqueeze(1);

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
