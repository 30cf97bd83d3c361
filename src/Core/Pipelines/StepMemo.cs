using System.Security.Cryptography;
using System.Text.Json;
using Scion.Storage;

namespace Scion.Pipelines;

/// <summary>Runs a step at most once per input: the answer is kept under the hash of the step's name, version and input.</summary>
/// <remarks>Reads and writes: container <c>work</c>, <c>{key}/result.json</c> last, create-only. Durable may run a step twice and a host may be
/// killed in it; the first complete result wins and later runs return it. Blobs a step writes are named by their content, so an attempt that
/// was cut off never mixes with the one that finishes.</remarks>
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
        if (await Store.FindBytesAsync(result, cancellation) is { } earlier)
            return JsonSerializer.Deserialize<TOutput>(earlier, ScionJson.Strict)!;

        TOutput output = await work(new StepWriter(Store, key));
        byte[] bytes = JsonSerializer.SerializeToUtf8Bytes(output, ScionJson.Strict);
        if (await Store.CreateAsync(result, new MemoryStream(bytes, writable: false), cancellation) is not null) return output;
        return JsonSerializer.Deserialize<TOutput>((await Store.FindBytesAsync(result, cancellation))!, ScionJson.Strict)!;
    }
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
