using Scion.Storage;

namespace Scion.Tests.Storage;

public sealed class InMemoryBlobStoreTests : BlobStoreConformance
{
    protected override IBlobStore Store { get; } = new InMemoryBlobStore();

    protected override int ModelRounds => 200;

    protected override Task<bool> TryWriteHostileAsync(string name, byte[] bytes) => Task.FromResult(false);
}
