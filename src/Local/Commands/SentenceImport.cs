using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Scion.Local.Running;
using Scion.Local.Terminal;
using Scion.Onnx;
using Scion.Storage;
using Scion.Text;

namespace Scion.Local.Commands;

/// <summary>The part of <c>scion encoders import</c> that takes sentence networks with their tokenizers.</summary>
sealed class SentenceImport
{
    static readonly Dictionary<string, SentencePooling> Poolings = Enum.GetValues<SentencePooling>().ToDictionary(pooling => pooling.ToString().ToLowerInvariant(), StringComparer.Ordinal);

    readonly Option<string?> tokenizer = new("--tokenizer") { Description = "Of a sentence network: tokenizer.json, vocab.txt or vocab.json+merges.txt, a folder with them, or an https address. Default: beside the network.", HelpName = "FILE" };
    readonly Option<string?> tokenizerSha256 = new("--tokenizer-sha256") { Description = "What the tokenizer must be; needed for an address.", HelpName = "HEX" };
    readonly Option<string?> pooling = new("--pooling") { Description = "How vectors of a text's tokens become one: mean, cls, max, or none when the network gives one a text.", HelpName = "RULE" };
    readonly Option<string?> output = new("--output") { Description = "Output of a sentence network. Default: last_hidden_state, token_embeddings, sentence_embedding, or the only one.", HelpName = "NAME" };
    readonly Option<int?> maxLength = new("--max-length") { Description = "Tokens of a text that are read. Default: the tokenizer's, or the most the network takes, to 512.", HelpName = "TOKENS" };
    readonly Option<bool?> lowerCase = new("--lower-case") { Description = "For vocab.txt: whether text is lower-cased. Default: yes, unless its tokens have capitals.", HelpName = "YES" };

    public SentenceImport() => pooling.AcceptOnlyFromAmong([.. Poolings.Keys]);

    public IReadOnlyList<Option> Options => [tokenizer, tokenizerSha256, pooling, output, maxLength, lowerCase];

    /// <summary>Names of those that were given.</summary>
    public string[] Given(Invocation call) => [.. Options.Where(option => call.Parsed.GetResult(option) is not null).Select(option => option.Name)];

    /// <param name="call">The command.</param>
    /// <param name="network">The whole .onnx file.</param>
    /// <param name="path">Where it lies on this machine; null for an address.</param>
    /// <param name="anyDigest">Take whatever an address gives.</param>
    /// <param name="origin">What is known of it.</param>
    public async Task<int> RunAsync(Invocation call, byte[] network, string? path, bool anyDigest, SentenceOrigin origin)
    {
        string folder = path is null ? "" : Path.GetDirectoryName(Path.GetFullPath(path))!;
        string[] folders = path is null ? [] : Path.GetFileName(folder) == "onnx" ? [folder, Path.GetDirectoryName(folder)!] : [folder];
        string from = call.Get(tokenizer) ?? folders.FirstOrDefault(TokenizerFolder.HasOne) ?? throw SentenceNetworkFaults.NoTokenizer(origin.Source);
        (byte[] file, string source) = await TokenizerAsync(call, from, anyDigest);
        SentenceFolder beside = SentenceFolder.Read([.. folders, .. Directory.Exists(from) ? [from] : Array.Empty<string>()]);
        ImportedSentenceNetwork imported = await SentenceNetworks.ImportAsync(call.Store, network, file, origin with
        {
            TokenizerSource = source,
            Pooling = call.Get(pooling) is { } rule ? Poolings[rule] : beside.Pooling,
            Output = call.Get(output),
            MaxLength = call.Get(maxLength) ?? beside.MaxLength,
        }, call.Cancellation);
        call.Screen.Document(new { imported.Card, imported.Warnings });
        Describe(call, imported.Card);
        foreach (string warning in imported.Warnings) call.Screen.Note($"[yellow]![/] {warning.Escaped()}");
        call.Screen.Line($"Train with it: scion train reviews PATH --model NAME --set encoder={EncoderCards.Container}/{imported.Card.Sha256}");
        return Exit.Done;
    }

    /// <summary>The tokenizer as <c>tokenizer.json</c>, and what it was made of.</summary>
    async Task<(byte[] File, string Source)> TokenizerAsync(Invocation call, string from, bool anyDigest)
    {
        string? sha256 = call.Get(tokenizerSha256);
        if (sha256 is not null && (sha256.Length != 64 || !sha256.All(char.IsAsciiHexDigit))) throw SentenceNetworkFaults.BadOption($"'{sha256}' is not a SHA-256: 64 hex digits are.");
        if (!EncoderDownload.IsUrl(from)) return await TokenizerFolder.ReadAsync(from, sha256?.ToLowerInvariant(), call.Get(lowerCase), call.Cancellation);
        if (sha256 is null && !anyDigest) throw EncoderFaults.DigestNeeded(from);
        call.Screen.Note($"Fetching {from.Escaped()}");
        byte[] fetched = await EncoderDownload.FetchAsync(from, sha256?.ToLowerInvariant(), call.Cancellation);
        string name = new Uri(from).AbsolutePath;
        return (name.EndsWith(".txt", StringComparison.OrdinalIgnoreCase) ? TokenizerFile.OfWordPiece(from, fetched, call.Get(lowerCase)) : fetched, from);
    }

    public static void Describe(Invocation call, SentenceNetworkCard card)
    {
        Receipt.Field(call.Screen, "Encoder", $"{card.Name.Escaped()}, {EncoderCards.Container}/{card.Sha256}");
        Receipt.Field(call.Screen, "From", $"{card.Source.Escaped()}, {card.SourceSha256}");
        Receipt.Field(call.Screen, "Licence", (card.Licence ?? "not given").Escaped());
        Receipt.Field(call.Screen, "Trained on", (card.TrainedOn ?? "not given").Escaped());
        Receipt.Field(call.Screen, "Tokenizer", string.Create(CultureInfo.InvariantCulture,
            $"{(card.Tokenizer.Kind == SubwordKind.WordPiece ? "WordPiece" : "byte-level byte pairs")}, {card.Tokenizer.Tokens:n0} tokens{(card.Tokenizer.LowerCase ? ", lower-cased" : "")}, from {card.Tokenizer.Source}").Escaped());
        Receipt.Field(call.Screen, "Texts", string.Create(CultureInfo.InvariantCulture, $"the first {card.MaxLength:n0} tokens; output {card.Output}, pooling {card.Pooling.ToString().ToLowerInvariant()}").Escaped());
        Receipt.Field(call.Screen, "Parameters", string.Create(CultureInfo.InvariantCulture, $"{card.Parameters:n0}{(card.Half ? ", float16" : "")}"));
        Receipt.Field(call.Screen, "Features", string.Create(CultureInfo.InvariantCulture, $"{card.Dim:n0}, so a head of 2 classes has {(card.Dim + 1L) * 2:n0} parameters"));
    }
}
