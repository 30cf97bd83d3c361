using Azure;
using Azure.Storage.Blobs.Models;

namespace Scion.Storage;

/// <summary>The bytes of one version of a blob. The client resumes a broken download with If-Match, so versions never mix.</summary>
/// <param name="download">What the client gave.</param>
/// <param name="path">The blob, for messages.</param>
/// <param name="item">The version.</param>
internal sealed class AzureBlobStream(Stream download, BlobPath path, BlobItem item) : ForwardStream
{
    long position;

    public override long Length => item.Length;

    public override long Position
    {
        get => position;
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        try
        {
            return Counted(download.Read(buffer, offset, count), count);
        }
        catch (Exception e) when (AzureBlobStore.IsOfService(e, CancellationToken.None))
        {
            throw FaultOf(e);
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            return Counted(await download.ReadAsync(buffer, cancellationToken), buffer.Length);
        }
        catch (Exception e) when (AzureBlobStore.IsOfService(e, cancellationToken))
        {
            throw FaultOf(e);
        }
    }

    int Counted(int read, int wanted)
    {
        position += read;
        return read == 0 && wanted > 0 && position < item.Length
            ? throw new IOException($"The download ended at byte {position} of {item.Length}.")
            : read;
    }

    Exception FaultOf(Exception e) => e is RequestFailedException refused && (refused.Status == 404 || refused.ErrorCode == BlobErrorCode.ConditionNotMet)
        ? StorageFaults.ChangedWhileRead(path, item.ETag, position)
        : AzureBlobStore.FaultOf(path.ToString(), e);

    protected override void Dispose(bool disposing)
    {
        if (disposing) download.Dispose();
        base.Dispose(disposing);
    }
}
