using System.Security.Cryptography;
using System.Text.Json;
using Scion.Onnx;
using Scion.Text;

namespace Scion.Local.Running;

/// <summary>Tokenizer files as publishers leave them: <c>tokenizer.json</c>, or <c>vocab.txt</c>, or <c>vocab.json</c> with <c>merges.txt</c>.</summary>
static class TokenizerFolder
{
    const string WordPieces = "vocab.txt", BytePairs = "vocab.json", Merges = "merges.txt";

    /// <summary>True for a folder that holds one.</summary>
    public static bool HasOne(string folder) => File.Exists(Path.Combine(folder, TokenizerFile.Name)) || File.Exists(Path.Combine(folder, WordPieces))
        || (File.Exists(Path.Combine(folder, BytePairs)) && File.Exists(Path.Combine(folder, Merges)));

    /// <param name="path">A file, two joined by '+', or a folder.</param>
    /// <param name="sha256">What the file must be (of two, the first); null to take it as it is.</param>
    /// <param name="lowerCase">For <c>vocab.txt</c>: whether text is lower-cased; null to judge by its tokens, or by <c>tokenizer_config.json</c> beside it.</param>
    /// <param name="cancellation">Stops the reads.</param>
    /// <returns>The tokenizer as <c>tokenizer.json</c>, and the names of what it was made of.</returns>
    /// <exception cref="Faults.InputRejectedException">There is none (T020), it is too large (T022), or another than stated (V073).</exception>
    public static async Task<(byte[] File, string Source)> ReadAsync(string path, string? sha256, bool? lowerCase, CancellationToken cancellation)
    {
        string[] files = Directory.Exists(path) ? InFolder(path) : File.Exists(path) ? [path] : path.Split('+');
        foreach (string file in files)
            if (!File.Exists(file)) throw LocalFaults.NoSuchPath(file);
        if (files is [var one] && Path.GetFileName(one) == BytePairs && Path.Combine(Path.GetDirectoryName(one)!, Merges) is var beside && File.Exists(beside)) files = [one, beside];
        byte[] first = await BytesAsync(files[0], cancellation);
        string found = Convert.ToHexStringLower(SHA256.HashData(first));
        if (sha256 is not null && found != sha256) throw EncoderFaults.WrongDigest(files[0], first.Length, found, sha256);
        string source = string.Join('+', files.Select(Path.GetFileName)), name = Path.GetFileName(files[0]);
        if (files.Length > 2) throw SentenceNetworkFaults.BadTokenizer(path, $"{files.Length} files are named");
        if (files.Length == 2) return (TokenizerFile.OfBytePairs(name, first, await BytesAsync(files[1], cancellation)), source);
        if (name.EndsWith(".txt", StringComparison.OrdinalIgnoreCase))
            return (TokenizerFile.OfWordPiece(name, first, lowerCase ?? SentenceFolder.Read([Path.GetDirectoryName(Path.GetFullPath(files[0]))!]).LowerCase), source);
        return lowerCase is null ? (first, source) : throw SentenceNetworkFaults.BadOption($"--lower-case is for vocab.txt; '{name}' says itself how text is read.");
    }

    static string[] InFolder(string folder)
    {
        string At(string name) => Path.Combine(folder, name);
        if (File.Exists(At(TokenizerFile.Name))) return [At(TokenizerFile.Name)];
        if (File.Exists(At(WordPieces))) return [At(WordPieces)];
        return HasOne(folder) ? [At(BytePairs), At(Merges)] : throw SentenceNetworkFaults.BadTokenizer(folder, $"the folder holds no {TokenizerFile.Name}, {WordPieces}, or {BytePairs} with {Merges}");
    }

    static async Task<byte[]> BytesAsync(string path, CancellationToken cancellation)
    {
        long length = new FileInfo(path).Length;
        return length <= TokenizerFile.MaxBytes ? await File.ReadAllBytesAsync(path, cancellation)
            : throw SentenceNetworkFaults.TokenizerTooLarge(path, $"it has {length:n0} bytes; at most {TokenizerFile.MaxBytes:n0} are read");
    }
}

/// <summary>What files beside a published sentence network say: <c>1_Pooling/config.json</c> and <c>sentence_bert_config.json</c> of sentence-transformers, and <c>tokenizer_config.json</c>.</summary>
/// <param name="Pooling">How vectors of tokens become one; null when nothing says so.</param>
/// <param name="MaxLength">Tokens of a text at most; null when nothing says so.</param>
/// <param name="LowerCase">Whether text is lower-cased; null when nothing says so.</param>
sealed record SentenceFolder(SentencePooling? Pooling, int? MaxLength, bool? LowerCase)
{
    /// <param name="folders">Where files may lie; the first that has one counts.</param>
    /// <exception cref="Faults.InputRejectedException">A file cannot be read (T027).</exception>
    public static SentenceFolder Read(IReadOnlyList<string> folders)
    {
        SentencePooling? pooling = Value(folders, Path.Combine("1_Pooling", "config.json"), PoolingOf);
        int? length = Value(folders, "sentence_bert_config.json", (_, config) => Whole(config, "max_seq_length"));
        bool? lower = Value(folders, "tokenizer_config.json", (_, config) => Flag(config, "do_lower_case"));
        return new SentenceFolder(pooling, length is > 0 ? length : null, lower);
    }

    static SentencePooling? PoolingOf(string path, JsonElement config)
    {
        (string Key, SentencePooling Pooling)[] known = [("pooling_mode_cls_token", SentencePooling.Cls), ("pooling_mode_mean_tokens", SentencePooling.Mean), ("pooling_mode_max_tokens", SentencePooling.Max)];
        string[] set = [.. config.EnumerateObject().Where(entry => entry.Name.StartsWith("pooling_mode_", StringComparison.Ordinal) && entry.Value.ValueKind == JsonValueKind.True).Select(entry => entry.Name)];
        return set is [var only] && known.Any(pair => pair.Key == only) ? known.First(pair => pair.Key == only).Pooling
            : throw SentenceNetworkFaults.BadOption($"'{path}' pools by {(set.Length == 0 ? "nothing" : string.Join(" and ", set))}; give --pooling.");
    }

    static T? Value<T>(IReadOnlyList<string> folders, string name, Func<string, JsonElement, T?> read) where T : struct
    {
        string? path = folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        if (path is null) return null;
        if (new FileInfo(path).Length > 1 << 20) throw SentenceNetworkFaults.BadOption($"'{path}' is longer than 1 MiB.");
        try
        {
            using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { MaxDepth = 16 });
            return config.RootElement.ValueKind == JsonValueKind.Object ? read(path, config.RootElement) : throw new JsonException("it is not an object");
        }
        catch (JsonException e)
        {
            throw SentenceNetworkFaults.BadOption($"'{path}' cannot be read: {e.Message}");
        }
    }

    static int? Whole(JsonElement config, string name) =>
        config.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) ? number : null;

    static bool? Flag(JsonElement config, string name) =>
        config.TryGetProperty(name, out JsonElement value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : null;
}
