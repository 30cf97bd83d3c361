using System.Security.Cryptography;
using System.Text.Json;
using Scion.Storage;

namespace Scion.Pipelines;

/// <summary>Runs a step at most once per input: the answer is kept under the hash of the step's name, version and input.</summary>
/// <remarks>Reads and writes: container <c>work</c>, <c>{key}/result.json</c> last, create-only. Durable may run a step twice and a host may be
/// killed in it; the first complete result wins and later runs return it. Blobs a step writes are named by their content, so an attempt that
/// was cut off never mixes with the one that finishes. An answer whose own blobs are gone is not believed: the step is done again.</remarks>
public sealed class StepMemo(IBlobStore store)
{
    public const string Container = "work";

    public IBlobStore Store { get; } = store;

    /// <summary>64 hex digits over the step's name and version and the input's JSON (declaration order, camelCase).</summary>
    public static string Key<TInput>(string step, int version, TInput input)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(System.Text.Encoding.UTF8.GetBytes($"{step}\n{version}\n"));
        hash.AppendData(JsonSerializer.SerializeToUtf8Bytes(input, ScionJson.Strict));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Returns the earlier answer to this input, or does the work and keeps its answer.</summary>
    /// <param name="step">The step's name.</param>
    /// <param name="version">Raise it when the step's output for the same input changes.</param>
    /// <param name="input">Serialised into the key: it holds everything the output depends on.</param>
    /// <param name="work">Does the step; stores data with the writer it is given.</param>
    /// <param name="cancellation">Stops the step.</param>
    public async Task<TOutput> RunAsync<TInput, TOutput>(
        string step, int version, TInput input, Func<StepWriter, Task<TOutput>> work, CancellationToken cancellation)
    {
        string key = Key(step, version, input);
        BlobPath result = BlobPath.Of(Container, $"{key}/result.json");
        while (true)
        {
            if (await Store.FindJsonAsync<JsonElement>(result, cancellation) is (JsonElement earlier, string etag))
            {
                if (await IsWholeAsync(earlier, $"{Container}/{key}/", cancellation)) return earlier.Deserialize<TOutput>(ScionJson.Strict)!;
                await Store.DeleteAsync(result, etag, cancellation);
            }
            TOutput output = await work(new StepWriter(Store, key));
            byte[] bytes = JsonSerializer.SerializeToUtf8Bytes(output, ScionJson.Strict);
            if (await Store.CreateAsync(result, new ReadOnlyMemoryStream(bytes), cancellation) is not null) return output;
        }
    }

    /// <summary>True when every blob the answer names under the step's own key is there with its length.</summary>
    async Task<bool> IsWholeAsync(JsonElement answer, string own, CancellationToken cancellation)
    {
        switch (answer.ValueKind)
        {
            case JsonValueKind.Object when IsOwnArtifact(answer, own):
                ArtifactRef artifact = answer.Deserialize<ArtifactRef>(ScionJson.Strict)!;
                return await Store.FindAsync(BlobPath.Parse(artifact.Path), cancellation) is { } found && found.Length == artifact.Length;
            case JsonValueKind.Object:
                foreach (JsonProperty property in answer.EnumerateObject())
                    if (!await IsWholeAsync(property.Value, own, cancellation)) return false;
                return true;
            case JsonValueKind.Array:
                foreach (JsonElement element in answer.EnumerateArray())
                    if (!await IsWholeAsync(element, own, cancellation)) return false;
                return true;
            default:
                return true;
        }
    }

    static bool IsOwnArtifact(JsonElement answer, string own) =>
        answer.TryGetProperty("path", out JsonElement path) && answer.TryGetProperty("sha256", out _)
        && path.GetString()?.StartsWith(own, StringComparison.Ordinal) == true;
}

/// <summary>Stores the data blobs of one step run.</summary>
public sealed class StepWriter(IBlobStore store, string key)
{
    /// <summary>Stores bytes under the step's key; storing the same bytes again is free.</summary>
    /// <param name="name">A constant of ours, never user text: "rows.bin", "vectors.bin".</param>
    /// <param name="bytes">The whole content.</param>
    /// <param name="cancellation">Stops the write.</param>
    public async Task<ArtifactRef> AddAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        string sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes.Span));
        BlobPath path = BlobPath.Of(StepMemo.Container, $"{key}/{sha256[..16]}-{name}");
        await store.CreateAsync(path, new ReadOnlyMemoryStream(bytes), cancellation);
        return new ArtifactRef(path.ToString(), bytes.Length, sha256);
    }
}
