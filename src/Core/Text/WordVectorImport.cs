using System.Security.Cryptography;
using System.Text.Json;
using Scion.Storage;

namespace Scion.Text;

/// <summary>What is known of an imported encoder: <c>encoders/{sha256}/encoder.json</c>.</summary>
/// <param name="Kind">"word-vectors".</param>
/// <param name="Sha256">Digest of the imported file; the encoder's identity.</param>
/// <param name="Length">Bytes of it.</param>
/// <param name="Source">Name of the file it came from.</param>
/// <param name="Words">Words in it.</param>
/// <param name="Dim">Components of a vector.</param>
public sealed record EncoderCard(string Kind, string Sha256, long Length, string Source, long Words, int Dim)
{
    /// <summary>What <c>encoder=</c> takes.</summary>
    public string Name => $"{WordVectorImport.Container}/{Sha256}";
}

/// <param name="Vocabulary">Words of the reviews that the file has, then its other most frequent ones; counts are of the reviews.</param>
/// <param name="Dim">Components of a vector.</param>
/// <param name="Vectors">[words, dim].</param>
public sealed record ImportedVectors(Vocabulary Vocabulary, int Dim, float[] Vectors);

/// <summary>Keeps word vector files of the user and reads what a run needs of them.</summary>
public static class WordVectorImport
{
    public const string Container = EncoderCards.Container;

    public const string Kind = "word-vectors";

    /// <summary>Words kept beyond those of the reviews, so that serving knows words training has not seen.</summary>
    public const int FurtherWords = 30_000;

    /// <summary>Checks a file whole and stores it under its digest; storing it again is free.</summary>
    /// <exception cref="Faults.InputRejectedException">It is not a sound word vector file (T006 to T009).</exception>
    public static async Task<EncoderCard> AddAsync(IBlobStore store, Stream file, string source, CancellationToken cancellation)
    {
        string sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellation));
        file.Position = 0;
        int dim = 0;
        WordVectors found = WordVectorFile.Read(file, (_, kept) => kept == 0, cancellation);
        dim = found.Dim;
        file.Position = 0;
        EncoderCard card = new(Kind, sha256, file.Length, source, found.Read, dim);
        await store.CreateAsync(BlobPath.Of(Container, $"{sha256}/vectors"), file, cancellation);
        await store.CreateAsync(BlobPath.Of(Container, $"{sha256}/encoder.json"), new ReadOnlyMemoryStream(JsonSerializer.SerializeToUtf8Bytes(card, Format)), cancellation);
        return card;
    }

    static readonly JsonSerializerOptions Format = new(ScionJson.Indented) { IgnoreReadOnlyProperties = true };

    /// <summary>All imported word vectors, by digest.</summary>
    public static Task<IReadOnlyList<EncoderCard>> ListAsync(IBlobStore store, CancellationToken cancellation) => EncoderCards.ListAsync<EncoderCard>(store, Kind, cancellation);

    /// <summary>The vectors of the words of the reviews, and the file's most frequent others.</summary>
    /// <exception cref="Faults.InputRejectedException">There is no such import (T011) or no word of the reviews is in it (T010).</exception>
    public static async Task<ImportedVectors> ReadAsync(IBlobStore store, string encoder, Vocabulary reviews, CancellationToken cancellation)
    {
        if (!encoder.StartsWith(Container + "/", StringComparison.Ordinal) || !BlobPath.IsValid(Container, encoder[(Container.Length + 1)..] + "/vectors"))
            throw VectorFileFaults.NotImported(encoder);
        await using BlobContent content = await store.OpenAsync(BlobPath.Parse(encoder + "/vectors"), null, cancellation) ?? throw VectorFileFaults.NotImported(encoder);
        int further = 0;
        WordVectors file = WordVectorFile.Read(content.Stream,
            (word, _) => reviews.IdOf(word) >= 0 || (Tokenizer.Words(word) is [string only] && only == word && further++ < FurtherWords), cancellation);
        int[] order = [.. Enumerable.Range(0, file.Words.Count).OrderBy(i => reviews.IdOf(file.Words[i]) is >= 0 and int id ? id : int.MaxValue).ThenBy(i => i)];
        string[] words = [.. order.Select(i => file.Words[i])];
        long[] counts = [.. words.Select(word => reviews.IdOf(word) is >= 0 and int id ? reviews.Counts[id] : 0)];
        if (counts.All(count => count == 0)) throw VectorFileFaults.NoOverlap(encoder, reviews.Count);
        float[] vectors = new float[file.Vectors.Length];
        for (int i = 0; i < order.Length; i++) file.Vectors.AsSpan(order[i] * file.Dim, file.Dim).CopyTo(vectors.AsSpan(i * file.Dim));
        return new ImportedVectors(new Vocabulary(words, counts), file.Dim, vectors);
    }
}
