using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Scion.Faults;
using Scion.Onnx;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Text;

/// <summary>What is known of a sentence network beside its files. What is left out is taken from them, or refused when it cannot be.</summary>
/// <param name="Source">File name or address of the network.</param>
public sealed record SentenceOrigin(string Source)
{
    /// <summary>File name or address of the tokenizer.</summary>
    public string TokenizerSource { get; init; } = TokenizerFile.Name;

    /// <summary>What people call it: lower case, digits, dashes. Default: made of the source.</summary>
    public string? Name { get; init; }

    public string? Licence { get; init; }

    public string? TrainedOn { get; init; }

    /// <summary>How vectors of tokens become one. Default: none for an output <c>sentence_embedding</c>; otherwise it must be given.</summary>
    public SentencePooling? Pooling { get; init; }

    /// <summary>Output that is used. Default: <c>sentence_embedding</c> where pooling is none, <c>last_hidden_state</c> or <c>token_embeddings</c> otherwise, or the only one.</summary>
    public string? Output { get; init; }

    /// <summary>Tokens of a text at most. Default: the tokenizer's, or 512, or the longest below that the network takes.</summary>
    public int? MaxLength { get; init; }
}

/// <summary>The tokenizer of a stored sentence network.</summary>
/// <param name="Kind">How words are cut.</param>
/// <param name="Sha256">Digest of <c>tokenizer.json</c>.</param>
/// <param name="Length">Bytes of it.</param>
/// <param name="Source">File it was made of.</param>
/// <param name="Tokens">Largest id and one.</param>
/// <param name="LowerCase">True when text is lower-cased.</param>
/// <param name="Before">Ids put before every text.</param>
/// <param name="After">Ids put behind every text.</param>
/// <param name="Padding">Id that pads.</param>
public sealed record TokenizerFacts(
    SubwordKind Kind, string Sha256, long Length, string Source, int Tokens, bool LowerCase, IReadOnlyList<int> Before, IReadOnlyList<int> After, int Padding);

/// <summary>What is known of a stored sentence network: <c>encoders/{sha256}/encoder.json</c>.</summary>
/// <param name="Kind">"sentence-network".</param>
/// <param name="Sha256">Digest of <c>encoder.onnx</c>, which names tokenizer, pooling and length: the encoder's identity.</param>
/// <param name="Length">Bytes of it.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Source">File name or address it came from.</param>
/// <param name="SourceSha256">Digest of the file as it came.</param>
/// <param name="Licence">As given; null when not given.</param>
/// <param name="TrainedOn">As given; null when not given.</param>
/// <param name="Tokenizer">Its tokenizer.</param>
/// <param name="Inputs">Inputs it takes.</param>
/// <param name="Output">Output of the network as it came.</param>
/// <param name="Pooling">How vectors of tokens become one.</param>
/// <param name="MaxLength">Tokens of a text at most, those around it among them; what is behind them is not read.</param>
/// <param name="Dim">Components of a text's features.</param>
/// <param name="Parameters">Numbers learned.</param>
/// <param name="Half">True when it computes in float16.</param>
public sealed record SentenceNetworkCard(
    string Kind, string Sha256, long Length, string Name, string Source, string SourceSha256, string? Licence, string? TrainedOn, TokenizerFacts Tokenizer,
    IReadOnlyList<string> Inputs, string Output, SentencePooling Pooling, int MaxLength, int Dim, long Parameters, bool Half);

/// <summary>A sentence network, checked: its card, its graph, its tokenizer.</summary>
/// <param name="Card">Its card.</param>
/// <param name="Graph">Callers do not change it.</param>
/// <param name="Tokenizer">Gives texts their ids.</param>
public sealed record SentenceNetwork(SentenceNetworkCard Card, ModelProto Graph, SentenceTokenizer Tokenizer)
{
    /// <summary>Opens it in ONNX Runtime.</summary>
    /// <param name="threads">Threads a run uses on the CPU.</param>
    /// <param name="gpu">True: a GPU is used if there is one.</param>
    public SentenceSession Open(int threads, bool gpu) => new(Card.Name, Graph, Card.MaxLength, Card.Dim, Tokenizer.Padding, threads, gpu);
}

/// <param name="Card">Of the stored encoder.</param>
/// <param name="Warnings">What a person should know, each a sentence that begins with its code.</param>
public sealed record ImportedSentenceNetwork(SentenceNetworkCard Card, IReadOnlyList<string> Warnings);

/// <summary>Sentence networks in the store: <c>encoders/{sha256}/encoder.onnx</c>, <c>tokenizer.json</c> and <c>encoder.json</c>.</summary>
/// <remarks>Create-only: an encoder's bytes and card never change, so importing one again is free. Every read scans graph and tokenizer as if they were foreign.</remarks>
public static partial class SentenceNetworks
{
    public const string Kind = "sentence-network";

    /// <summary>Longest text where neither the caller nor the tokenizer says: what BERT and RoBERTa learned with.</summary>
    const int UsualLength = 512;

    const int LeastLength = 8;

    /// <summary>Makes an encoder of a network's files, without storing it.</summary>
    /// <param name="file">The .onnx file.</param>
    /// <param name="tokenizer">Its <c>tokenizer.json</c>.</param>
    /// <param name="origin">What else is known.</param>
    /// <exception cref="InputRejectedException">They cannot be used (T020 to T028, V050 to V059).</exception>
    public static (SentenceNetwork Network, byte[] File) Make(ReadOnlyMemory<byte> file, ReadOnlyMemory<byte> tokenizer, SentenceOrigin origin)
    {
        TokenizerFile read = TokenizerFile.Read(origin.TokenizerSource, tokenizer);
        string what = $"'{EncoderFaults.Shown(origin.Source)}'", tokenizerSha256 = Convert.ToHexStringLower(SHA256.HashData(tokenizer.Span));
        ModelProto foreign = ForeignGraph.ReadSentenceNetwork(what, file);
        (SentencePooling pooling, string output) = OutputOf(foreign, origin);
        if (origin.MaxLength is < LeastLength or > SentenceGraph.MostTokens) throw SentenceNetworkFaults.BadOption($"--max-length is {origin.MaxLength}; {LeastLength} to {SentenceGraph.MostTokens} tokens are allowed.");
        if (SentenceGraph.VocabularyOf(foreign) is { } rows && rows < read.Ids) throw SentenceNetworkFaults.VocabularyTooLarge(origin.Source, read.Ids, rows);

        int stated = Math.Clamp(origin.MaxLength ?? read.MaxLength ?? UsualLength, LeastLength, SentenceGraph.MostTokens);
        int[] lengths = origin.MaxLength is not null ? [stated] : [.. SentenceGraph.Lengths(stated).Reverse().Where(length => length == stated || length >= 32)];
        InputRejectedException? first = null;
        foreach (int length in lengths)
        {
            try
            {
                ModelProto model = SentenceGraph.Write(what, foreign, new SentenceInput(tokenizerSha256, length, pooling, output));
                byte[] bytes = model.ToByteArray();
                SentenceNetwork network = CardOf(origin, file.Span, tokenizer.Length, read, bytes, SentenceGraph.Scanned(what, bytes));
                Try(network, read.Ids);
                return (network, bytes);
            }
            catch (InputRejectedException e) when (e.Code is "V058" or "V059" or "T026")
            {
                if (first is null || (first.Code != "T026" && e.Code == "T026")) first = e;      // at a length that fits, the fault is another than the length
            }
        }
        throw first!;
    }

    /// <summary>Makes an encoder of a network's files and stores it.</summary>
    /// <exception cref="InputRejectedException">As <see cref="Make"/>.</exception>
    public static async Task<ImportedSentenceNetwork> ImportAsync(IBlobStore store, ReadOnlyMemory<byte> file, ReadOnlyMemory<byte> tokenizer, SentenceOrigin origin, CancellationToken cancellation)
    {
        (SentenceNetwork network, byte[] stored) = Make(file, tokenizer, origin);
        string folder = network.Card.Sha256;
        await store.CreateAsync(BlobPath.Of(EncoderCards.Container, $"{folder}/encoder.onnx"), new ReadOnlyMemoryStream(stored), cancellation);
        await store.CreateAsync(BlobPath.Of(EncoderCards.Container, $"{folder}/{TokenizerFile.Name}"), new ReadOnlyMemoryStream(tokenizer), cancellation);
        BlobPath path = BlobPath.Of(EncoderCards.Container, $"{folder}/encoder.json");
        await store.CreateAsync(path, new ReadOnlyMemoryStream(JsonSerializer.SerializeToUtf8Bytes(network.Card, ScionJson.Indented)), cancellation);
        SentenceNetworkCard card = (await store.FindJsonAsync<SentenceNetworkCard>(path, cancellation))?.Value ?? network.Card;
        bool other = (card.Name, card.Licence, card.TrainedOn) != (network.Card.Name, origin.Licence ?? card.Licence, origin.TrainedOn ?? card.TrainedOn);
        return new ImportedSentenceNetwork(card, other ? [SentenceNetworkFaults.StoredAlready(card.Name)] : []);
    }

    /// <summary>All sentence networks, by digest.</summary>
    public static Task<IReadOnlyList<SentenceNetworkCard>> ListAsync(IBlobStore store, CancellationToken cancellation) =>
        EncoderCards.ListAsync<SentenceNetworkCard>(store, Kind, cancellation);

    /// <summary>The card of <c>encoders/{sha256}</c>; null when there is none of a sentence network.</summary>
    public static async Task<SentenceNetworkCard?> FindAsync(IBlobStore store, string encoder, CancellationToken cancellation)
    {
        string key = encoder.StartsWith(EncoderCards.Container + "/", StringComparison.Ordinal) ? encoder[(EncoderCards.Container.Length + 1)..] : encoder;
        return Digest().IsMatch(key) ? await EncoderCards.FindAsync<SentenceNetworkCard>(store, key, Kind, cancellation) : null;
    }

    /// <summary>What a run needs of the sentence network that a user named: its card is the run's artifact. Null when the name is not of one.</summary>
    internal static async Task<EncoderTrained?> PrepareAsync(IBlobStore store, StepWriter writer, string encoder, CancellationToken cancellation)
    {
        if (await FindAsync(store, encoder, cancellation) is not { } card) return null;
        await ReadAsync(store, card, cancellation);                            // damaged files are told before anything is computed
        ArtifactRef artifact = await writer.AddAsync("network.json", JsonSerializer.SerializeToUtf8Bytes(card, ScionJson.Strict), cancellation);
        return new EncoderTrained(EncoderSource.Network, artifact, card.Dim, card.Tokenizer.Tokens, card.Parameters, Loss: null, Reproducible: true, card.Sha256);
    }

    /// <summary>The card that a run on a sentence network carries.</summary>
    /// <exception cref="InputRejectedException">It is gone (S003) or damaged (S004, T029).</exception>
    public static async Task<SentenceNetworkCard> CardAsync(IBlobStore store, EncoderTrained encoder, CancellationToken cancellation) =>
        JsonSerializer.Deserialize<SentenceNetworkCard>(await store.ReadAsync(encoder.Encoder, cancellation), ScionJson.Strict) ?? throw SentenceNetworkFaults.Damaged(encoder.Digest, "its card is null");

    /// <summary>Reads the files of a card: digests checked, graph and tokenizer scanned, card compared with them.</summary>
    /// <exception cref="InputRejectedException">A file is gone, damaged or replaced (T029).</exception>
    public static async Task<(SentenceNetwork Network, byte[] Graph, byte[] Tokenizer)> ReadAsync(IBlobStore store, SentenceNetworkCard card, CancellationToken cancellation)
    {
        byte[] graph = await FileAsync(store, card, "encoder.onnx", card.Length, card.Sha256, cancellation);
        byte[] tokenizer = await FileAsync(store, card, TokenizerFile.Name, card.Tokenizer.Length, card.Tokenizer.Sha256, cancellation);
        try
        {
            StoredSentenceGraph stored = SentenceGraph.Read("encoder.onnx", graph);
            if (stored.Input != new SentenceInput(card.Tokenizer.Sha256, card.MaxLength, card.Pooling, card.Output) || stored.Dim != card.Dim)
                throw SentenceNetworkFaults.Damaged(card.Name, "its card is not that of its graph");
            TokenizerFile file = TokenizerFile.Read(TokenizerFile.Name, tokenizer);
            return (new SentenceNetwork(card, stored.Model, new SentenceTokenizer(TokenizerFile.Name, file, card.MaxLength)), graph, tokenizer);
        }
        catch (InputRejectedException e) when (e.Code != "T029")
        {
            throw SentenceNetworkFaults.Damaged(card.Name, $"{e.Code}, {e.Fact.TrimEnd('.')}");
        }
    }

    static async Task<byte[]> FileAsync(IBlobStore store, SentenceNetworkCard card, string name, long length, string sha256, CancellationToken cancellation)
    {
        byte[] bytes = await store.FindBytesAsync(BlobPath.Of(EncoderCards.Container, $"{card.Sha256}/{name}"), cancellation) ?? throw SentenceNetworkFaults.Damaged(card.Name, $"{name} is gone");
        string found = Convert.ToHexStringLower(SHA256.HashData(bytes));
        return found == sha256 ? bytes : throw SentenceNetworkFaults.Damaged(card.Name, $"{name} has {bytes.Length} bytes with SHA-256 {found}; {length} bytes with {sha256} are expected");
    }

    static (SentencePooling, string) OutputOf(ModelProto foreign, SentenceOrigin origin)
    {
        HashSet<string> outputs = [.. foreign.Graph.Output.Select(output => output.Name)];
        SentencePooling? pooling = origin.Pooling ?? ((origin.Output ?? (outputs.Contains("sentence_embedding") ? "sentence_embedding" : "")) == "sentence_embedding" ? SentencePooling.None : null);
        if (pooling is null) throw SentenceNetworkFaults.NoPooling(origin.Source);
        string[] usual = pooling == SentencePooling.None ? ["sentence_embedding", "sentence_embeddings", "pooler_output"] : ["last_hidden_state", "token_embeddings"];
        return (pooling.Value, origin.Output ?? usual.FirstOrDefault(outputs.Contains) ?? (outputs.Count == 1 ? outputs.Single()
            : throw SentenceNetworkFaults.BadOption($"'{EncoderFaults.Shown(origin.Source)}' has the outputs {string.Join(", ", outputs.Take(8).Select(name => EncoderFaults.Shown(name)))}; say which with --output.")));
    }

    static SentenceNetwork CardOf(SentenceOrigin origin, ReadOnlySpan<byte> source, long tokenizerLength, TokenizerFile tokenizer, byte[] file, StoredSentenceGraph stored)
    {
        SentenceInput input = stored.Input;
        SentenceNetworkCard card = new(Kind, Convert.ToHexStringLower(SHA256.HashData(file)), file.Length, origin.Name is null ? NameOf(origin.Source) : RequireName(origin.Name),
            origin.Source, Convert.ToHexStringLower(SHA256.HashData(source)), origin.Licence, origin.TrainedOn,
            new TokenizerFacts(tokenizer.Kind, input.Tokenizer, tokenizerLength, origin.TokenizerSource, tokenizer.Ids, tokenizer.LowerCase, tokenizer.Before, tokenizer.After, tokenizer.Padding),
            [.. stored.Model.Graph.Input.Select(value => value.Name)], input.Output, input.Pooling, input.MaxLength, stored.Dim, stored.Parameters, stored.Half);
        return new SentenceNetwork(card, stored.Model, new SentenceTokenizer(origin.TokenizerSource, tokenizer, input.MaxLength));
    }

    /// <summary>Runs texts of several lengths, beside others and alone, one of them as long as any: what fails or depends on its neighbours is not stored.</summary>
    static void Try(SentenceNetwork network, int ids)
    {
        SentenceNetworkCard card = network.Card;
        Xoshiro random = new(1, 0);
        int[][] texts = [.. new[] { Math.Min(3, card.MaxLength), Math.Min(8, card.MaxLength), Math.Min(11, card.MaxLength), card.MaxLength }.Select(length =>
            Enumerable.Range(0, length).Select(_ => (int)(random.Next() % (ulong)ids)).Select(id => id == card.Tokenizer.Padding ? (id + 1) % ids : id).ToArray())];
        using SentenceSession session = network.Open(Math.Clamp(Environment.ProcessorCount, 1, 8), gpu: false);
        float[] together = new float[3 * card.Dim], alone = new float[card.Dim];
        session.Run(texts[..3], together, null, CancellationToken.None);
        for (int i = 0; i < texts.Length; i++)
        {
            session.Run([texts[i]], alone, null, CancellationToken.None);
            if (alone.Any(value => !float.IsFinite(value))) throw SentenceNetworkFaults.DoesNotRun(card.Source, $"its features of {texts[i].Length} random tokens are not finite");
            if (i == 3) break;
            float apart = alone.Zip(together.Skip(i * card.Dim), (a, b) => MathF.Abs(a - b)).Max();
            if (apart > (card.Half ? 1e-2f : 1e-3f))
                throw SentenceNetworkFaults.DoesNotRun(card.Source, $"features of a text differ by {apart:g3} when it is padded beside longer ones, so it does not heed {SentenceGraph.Mask}");
        }
    }

    static string RequireName(string name) => ValidName().IsMatch(name) ? name
        : throw SentenceNetworkFaults.BadOption($"'{EncoderFaults.Shown(name)}' is not a name of an encoder; 1 to 63 of a to z, 0 to 9 and '-' are, beginning with a letter or digit.");

    static string NameOf(string source)
    {
        string last = source.Split('/', '\\')[^1];
        string plain = NotName().Replace((last.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase) ? last[..^5] : last).ToLowerInvariant(), "-").Trim('-');
        return plain.Length == 0 ? "encoder" : plain[..Math.Min(63, plain.Length)].Trim('-');
    }

    [GeneratedRegex("^[0-9a-f]{64}$")]
    private static partial Regex Digest();

    [GeneratedRegex("^[a-z0-9][a-z0-9-]{0,62}$")]
    private static partial Regex ValidName();

    [GeneratedRegex("[^a-z0-9]+")]
    private static partial Regex NotName();
}
