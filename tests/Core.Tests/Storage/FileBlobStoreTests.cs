using Scion.Storage;

namespace Scion.Tests.Storage;

public sealed class FileBlobStoreTests : BlobStoreConformance, IDisposable
{
    readonly DirectoryInfo root = Directory.CreateTempSubdirectory("scion-store-");

    public FileBlobStoreTests() => Store = new FileBlobStore(root.FullName);

    public void Dispose() => root.Delete(recursive: true);

    protected override IBlobStore Store { get; }

    protected override int ModelRounds => 200;

    protected override async Task<bool> TryWriteHostileAsync(string name, byte[] bytes)
    {
        if (OperatingSystem.IsWindows()) return false;
        await File.WriteAllBytesAsync(Path.Combine(root.CreateSubdirectory(Container).FullName, name), bytes);
        return true;
    }
}
