using Azure.Storage.Blobs;
using Scion.Storage;

namespace Scion.Tests.Storage;

[Collection(nameof(Azurite))]
public sealed class AzureBlobStoreTests(Azurite azurite) : BlobStoreConformance
{
    protected override IBlobStore Store { get; } = AzureBlobStore.Open(azurite.ConnectionString);

    protected override int ModelRounds => 40;

    protected override async Task<bool> TryWriteHostileAsync(string name, byte[] bytes)
    {
        BlobContainerClient container = new(azurite.ConnectionString, Container, AzureBlobStore.Options());
        await container.GetBlobClient(name).UploadAsync(new MemoryStream(bytes));
        return true;
    }
}
