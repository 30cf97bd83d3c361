using System.Text.Json;

namespace Scion.Storage;

/// <summary>Cards of the container <c>encoders</c>, where word vectors and image networks lie side by side: <c>encoders/{sha256}/encoder.json</c>.</summary>
public static class EncoderCards
{
    public const string Container = "encoders";

    /// <summary>All cards of one kind, by digest.</summary>
    public static async Task<IReadOnlyList<T>> ListAsync<T>(IBlobStore store, string kind, CancellationToken cancellation) where T : class
    {
        List<T> cards = [];
        await foreach (BlobItem item in store.ListAsync(Container, "", cancellation))
            if (!item.NameRefused && item.Name.EndsWith("/encoder.json", StringComparison.Ordinal) && await ReadAsync<T>(store, item.Path, kind, cancellation) is { } card) cards.Add(card);
        return cards;
    }

    /// <summary>The card of a digest; null when there is none of that kind.</summary>
    public static Task<T?> FindAsync<T>(IBlobStore store, string sha256, string kind, CancellationToken cancellation) where T : class =>
        ReadAsync<T>(store, BlobPath.Of(Container, $"{sha256}/encoder.json"), kind, cancellation);

    static async Task<T?> ReadAsync<T>(IBlobStore store, BlobPath path, string kind, CancellationToken cancellation) where T : class
    {
        if (await store.FindJsonAsync<JsonElement>(path, cancellation) is not { } found) return null;
        try
        {
            return found.Value.ValueKind == JsonValueKind.Object && found.Value.TryGetProperty("kind", out JsonElement stated) && stated.ValueEquals(kind)
                ? found.Value.Deserialize<T>(ScionJson.Strict) : null;
        }
        catch (JsonException e)
        {
            throw new Faults.InputRejectedException("S005", $"'{path}' is not valid: {e.Message}", "Restore it or delete it.");
        }
    }
}
