using Microsoft.Win32.SafeHandles;

namespace Scion.Storage;

/// <summary>The bytes of one version of a file. After every read the file is looked at again, so no byte of a later version that
/// was written into the same file (as <c>cp</c> does over an existing one) is ever returned.</summary>
/// <param name="handle">Open for reading; closed with the stream.</param>
/// <param name="path">The blob, for messages.</param>
/// <param name="file">Its file.</param>
/// <param name="stamp">The version.</param>
internal sealed class FileBlobStream(SafeFileHandle handle, BlobPath path, string file, FileStamp stamp) : Stream
{
    long position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => stamp.Length;

    public override long Position
    {
        get => position;
        set => position = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A position is not negative.");
    }

    public override int Read(Span<byte> buffer)
    {
        try
        {
            return Checked(RandomAccess.Read(handle, buffer[..Wanted(buffer.Length)], position), buffer.Length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileBlobStore.FaultOf(path, file, e);
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            return Checked(await RandomAccess.ReadAsync(handle, buffer[..Wanted(buffer.Length)], position, cancellationToken), buffer.Length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileBlobStore.FaultOf(path, file, e);
        }
    }

    int Wanted(int room) => (int)Math.Clamp(stamp.Length - position, 0, room);

    int Checked(int read, int room)
    {
        bool cut = read == 0 && room > 0 && position < stamp.Length;
        if (cut || !stamp.HoldsSameBytesAs(FileStamp.Of(handle, file))) throw StorageFaults.ChangedWhileRead(path, stamp.ETag, position + read);
        position += read;
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    protected override void Dispose(bool disposing)
    {
        if (disposing) handle.Dispose();
        base.Dispose(disposing);
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => position + offset,
        _ => stamp.Length + offset,
    };

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
