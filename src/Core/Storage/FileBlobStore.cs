using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Enumeration;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Scion.Faults;

namespace Scion.Storage;

/// <summary>Blobs as files <c>root/{container}/{name}</c>, which people may copy in and read with any tool. Crash-safe.</summary>
/// <remarks>A write goes to <c>root/.scion/tmp</c>, is synced, and gets its name in one step under the container's lock; then the folder is
/// synced, and each folder made for it. So a blob is seen whole or not at all, and one whose write returned survives the loss of power.
/// The lock is an advisory one between processes that use this class; a person's <c>cp</c> takes no part in it, but is seen: a version is inode, length,
/// modification and change time (of an own write strictly later than that of the version before). Links are not followed and special files
/// not opened (S010). A name is a file or a folder, never both (S009). On a file system that folds case, so do names.</remarks>
public sealed class FileBlobStore : IBlobStore
{
    /// <summary>A temporary file this old belongs to no living write and is deleted at start.</summary>
    public static readonly TimeSpan TemporaryGrace = TimeSpan.FromHours(1);

    const int BufferBytes = 128 << 10;
    const int MostSyncedFolders = 10_000;

    readonly string root, temporary, locks;
    readonly TimeProvider time;
    readonly FileCalls calls;
    readonly TimeSpan lockPatience;
    readonly ConcurrentDictionary<string, SemaphoreSlim> gates = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<string, byte> synced = new(StringComparer.Ordinal);

    /// <param name="root">The data folder; made by the first write.</param>
    /// <param name="time">Stamps writes; null for the system's clock.</param>
    public FileBlobStore(string root, TimeProvider? time = null) : this(root, time ?? TimeProvider.System, new FileCalls(), TimeSpan.FromSeconds(30))
    {
    }

    internal FileBlobStore(string root, TimeProvider time, FileCalls calls, TimeSpan lockPatience)
    {
        this.root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
        (this.time, this.calls, this.lockPatience) = (time, calls, lockPatience);
        string own = Path.Combine(this.root, ".scion");
        (temporary, locks) = (Path.Combine(own, "tmp"), Path.Combine(own, "locks"));
        DeleteOldTemporaries();
    }

    public async IAsyncEnumerable<BlobItem> ListAsync(string container, string prefix, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask;
        BlobPath.RequireContainer(container);
        int slash = prefix.LastIndexOf('/') + 1;
        if (slash > 0 && prefix[..(slash - 1)].Split('/').Any(segment => segment is "" or "." or ".." || WhyNotOnDisk(segment) is not null)) yield break;
        if (FolderOfPrefix(container, prefix[..slash]) is not { } start) yield break;

        Stack<IEnumerator<Entry>> open = new();
        open.Push(EntriesOf(container, start, prefix[..slash], prefix).GetEnumerator());
        while (open.TryPeek(out IEnumerator<Entry>? entries))
        {
            cancellation.ThrowIfCancellationRequested();
            if (!entries.MoveNext()) open.Pop().Dispose();
            else if (entries.Current is { IsFolder: true } folder) open.Push(EntriesOf(container, folder.File, folder.Name, prefix).GetEnumerator());
            else yield return ItemOf(container, entries.Current.Name, entries.Current.Stamp);
        }
    }

    public Task<BlobItem?> FindAsync(BlobPath path, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return Task.FromResult(Find(path) is var (_, stamp) ? ItemOf(path.Container, path.Name, stamp) : null);
    }

    public Task<BlobContent?> OpenAsync(BlobPath path, string? etag, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (Find(path) is not var (file, _)) return Task.FromResult<BlobContent?>(null);
        SafeFileHandle handle;
        try
        {
            handle = File.OpenHandle(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Task.FromResult<BlobContent?>(null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FaultOf(path, file, e);
        }
        try
        {
            FileStamp stamp = FileStamp.Of(handle, file);
            if (etag is not null && etag != stamp.ETag) throw StorageFaults.Changed(path, etag, stamp.ETag);
            return Task.FromResult<BlobContent?>(new(ItemOf(path.Container, path.Name, stamp), new FileBlobStream(handle, path, file, stamp)));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public Task<BlobItem?> CreateAsync(BlobPath path, Stream content, CancellationToken cancellation) => WriteAsync(path, content, etag: null, cancellation);

    public Task<BlobItem?> ReplaceAsync(BlobPath path, Stream content, string etag, CancellationToken cancellation) =>
        WriteAsync(path, content, etag, cancellation);

    public async Task<bool> DeleteAsync(BlobPath path, string? etag, CancellationToken cancellation)
    {
        if (Find(path) is not var (file, _)) return false;
        using IDisposable held = await LockAsync(path, cancellation);
        return OnDisk(path, file, () =>
        {
            if (Find(path) is not var (_, stamp) || (etag is not null && etag != stamp.ETag)) return false;
            calls.Delete(file);
            calls.SyncFolder(FolderOf(file));
            return true;
        });
    }

    /// <summary>Creates (no ETag) or replaces (an ETag).</summary>
    async Task<BlobItem?> WriteAsync(BlobPath path, Stream content, string? etag, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        string file = FileOf(path), written = Path.Combine(temporary, $"{Guid.NewGuid():n}");
        if (OnDisk(path, file, () => Locate(path, writing: true)?.ETag) != etag) return NotWritten(path, file, etag);
        OnDisk(path, file, () => MakeFolders(path));
        try
        {
            await WriteTemporaryAsync(path, written, content, cancellation);
            FileStamp? stamp;
            using (await LockAsync(path, cancellation)) stamp = OnDisk(path, file, () => GiveName(path, written, file, etag));
            if (stamp is null) return NotWritten(path, file, etag);
            OnDisk(path, file, () => calls.SyncFolder(FolderOf(file)));
            return ItemOf(path.Container, path.Name, stamp.Value);
        }
        finally
        {
            DeleteTemporary(written);
        }
    }

    /// <summary>Copies content to a file and makes it durable. What the content itself throws is the caller's, and passes unchanged.</summary>
    async Task WriteTemporaryAsync(BlobPath path, string file, Stream content, CancellationToken cancellation)
    {
        using SafeFileHandle handle = OnDisk(path, file, () => calls.Create(file));
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            long position = 0;
            while (await content.ReadAsync(buffer, cancellation) is int count and > 0)
            {
                try
                {
                    await calls.WriteAsync(handle, file, buffer.AsMemory(0, count), position, cancellation);
                }
                catch (Exception e) when (IsOfDisk(e))
                {
                    throw FaultOf(path, file, e);
                }
                position += count;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        OnDisk(path, file, () =>
        {
            calls.SetModified(handle, file, time.GetUtcNow().UtcDateTime);
            calls.Sync(handle, file);
        });
    }

    /// <summary>Under the lock: checks the condition once more and gives the written file its name; null when the condition does not hold.</summary>
    FileStamp? GiveName(BlobPath path, string written, string file, string? etag)
    {
        FileStamp? before = Locate(path, writing: true);
        if (before?.ETag != etag) return null;
        if (before is { } earlier)
        {
            MakeLater(written, earlier);
            calls.MoveOver(written, file);
        }
        else if (!calls.MoveNew(written, file)) return null;
        return FileStamp.Of(file) ?? throw new FileNotFoundException($"Another program deleted it at once: '{file}'");
    }

    /// <summary>Makes the modification time of what was written later than the version it replaces, should the clock not have done so:
    /// a version whose number, length and times all returned could be taken for the earlier one.</summary>
    void MakeLater(string written, FileStamp earlier)
    {
        if (FileStamp.Of(written) is { } stamp && stamp.Modified > earlier.Modified) return;
        using SafeFileHandle handle = File.OpenHandle(written, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        calls.SetModified(handle, written, earlier.ModifiedTime.UtcDateTime.AddTicks(1));
        calls.Sync(handle, written);
    }

    /// <summary>The answer when the condition does not hold. A blob that exists already may be the work of a process that was killed before
    /// it synced the folder; the caller builds on it, so it is made durable before it is told of.</summary>
    BlobItem? NotWritten(BlobPath path, string file, string? etag)
    {
        if (etag is null) OnDisk(path, file, () => calls.SyncFolder(FolderOf(file)));
        return null;
    }

    /// <summary>Makes the folders of a blob, each durable in its parent. One that exists is synced once too: another process may have made it
    /// and been killed before it did.</summary>
    void MakeFolders(BlobPath path)
    {
        MakeRoot(root);
        MakeFolder(Path.GetDirectoryName(temporary)!, ownerOnly: false);
        MakeFolder(temporary, ownerOnly: true);
        MakeFolder(locks, ownerOnly: true);
        string folder = Path.Combine(root, path.Container);
        MakeFolder(folder, ownerOnly: false);
        string[] segments = path.Name.Split('/');
        foreach (string segment in segments[..^1]) MakeFolder(folder = Path.Combine(folder, segment), ownerOnly: false);
    }

    void MakeRoot(string folder)
    {
        if (Directory.Exists(folder)) return;
        if (Path.GetDirectoryName(folder) is { } parent) MakeRoot(parent);
        MakeFolder(folder, ownerOnly: false);
    }

    void MakeFolder(string folder, bool ownerOnly)
    {
        if (!calls.CreateFolder(folder, ownerOnly) && synced.ContainsKey(folder)) return;
        calls.SyncFolder(FolderOf(folder));
        if (synced.Count >= MostSyncedFolders) synced.Clear();
        synced[folder] = 0;
    }

    /// <summary>The file of a blob and its state, or null when absent.</summary>
    (string File, FileStamp Stamp)? Find(BlobPath path)
    {
        string file = FileOf(path);
        return OnDisk(path, file, () => Locate(path, writing: false)) is { } stamp ? (file, stamp) : null;
    }

    /// <summary>State of a blob's file, or null when absent; no component is a link.</summary>
    /// <param name="path">Which blob.</param>
    /// <param name="writing">True: what stands in the way of writing it is refused; false: it is absent then.</param>
    FileStamp? Locate(BlobPath path, bool writing)
    {
        string at = Path.Combine(root, path.Container);
        string[] segments = path.Name.Split('/');
        if (segments.Select(WhyNotOnDisk).FirstOrDefault(why => why is not null) is { } reason)
            return writing ? throw StorageFaults.NameNotForFiles(path, reason) : null;
        try
        {
            for (int i = 0; ; at = Path.Combine(at, segments[i++]))
            {
                if (FileStamp.Of(at) is not { } stamp) return null;
                bool last = i == segments.Length;
                if (stamp.Kind == FileKind.Other) throw StorageFaults.NotAFile($"'{path}'", at);
                if (last && stamp.Kind == FileKind.Regular) return stamp;
                if (last == (stamp.Kind == FileKind.Folder)) return writing ? throw StorageFaults.InTheWay(path, at, folder: last) : null;
            }
        }
        catch (PathTooLongException) when (!writing)
        {
            return null;
        }
    }

    string FileOf(BlobPath path) => Path.Combine([root, path.Container, .. path.Name.Split('/')]);

    static string FolderOf(string file) => Path.GetDirectoryName(file)!;

    /// <summary>Why no file can have this name here though a blob can; null when one can.</summary>
    static string? WhyNotOnDisk(string segment)
    {
        if (!OperatingSystem.IsWindows()) return segment.Contains('\0', StringComparison.Ordinal) ? "it holds a NUL" : null;
        if (segment.AsSpan().IndexOfAny(Path.GetInvalidFileNameChars()) is int at and >= 0) return $"Windows allows no '{segment[at]}' in names";
        string stem = segment.Split('.')[0].TrimEnd(' ').ToUpperInvariant();
        bool device = stem is "CON" or "PRN" or "AUX" or "NUL"
            || (stem.Length == 4 && (stem.StartsWith("COM", StringComparison.Ordinal) || stem.StartsWith("LPT", StringComparison.Ordinal))
                && char.IsAsciiDigit(stem[3]));
        return device || segment.EndsWith(' ') ? $"Windows allows no name '{segment}'" : null;
    }

    /// <summary>The folder that a prefix ending in '/' names, or null when there is none. Below the container a link leads nowhere.</summary>
    string? FolderOfPrefix(string container, string prefix)
    {
        string at = Path.Combine(root, container);
        try
        {
            foreach (string segment in prefix.Split('/'))                    // the last is empty and stands for the folder itself
            {
                FileKind? kind = FileStamp.Of(at)?.Kind;
                if (kind == FileKind.Other && at.Length == root.Length + 1 + container.Length) throw StorageFaults.NotAFile($"Container '{container}'", at);
                if (kind != FileKind.Folder) return null;
                at = Path.Combine(at, segment);
            }
            return at;
        }
        catch (PathTooLongException)
        {
            return null;
        }
        catch (Exception e) when (IsOfDisk(e))
        {
            throw FaultOf($"'{container}/{prefix}*'", e);
        }
    }

    /// <summary>Entries of a folder whose blobs can start with the prefix, in the order of their blobs' names.</summary>
    static List<Entry> EntriesOf(string container, string folder, string name, string prefix)
    {
        List<Entry> entries = [];
        try
        {
            EnumerationOptions all = new() { AttributesToSkip = 0, IgnoreInaccessible = false };
            foreach (string segment in new FileSystemEnumerable<string>(folder, (ref found) => found.FileName.ToString(), all))
            {
                string blob = name + segment;
                string file = Path.Combine(folder, segment);
                FileStamp? stamp = FileStamp.Of(file);
                if (stamp is null && !segment.Contains('\uFFFD', StringComparison.Ordinal)) continue;     // deleted meanwhile
                Entry entry = new(stamp is { Kind: FileKind.Folder } ? $"{blob}/" : blob, file, stamp ?? default(FileStamp) with { Kind = FileKind.Other });
                if (entry.Name.StartsWith(prefix, StringComparison.Ordinal) || (entry.IsFolder && prefix.StartsWith(entry.Name, StringComparison.Ordinal)))
                    entries.Add(entry);
            }
        }
        catch (DirectoryNotFoundException)
        {
            return entries;
        }
        catch (Exception e) when (IsOfDisk(e))
        {
            throw FaultOf($"'{container}/{name}*'", e);
        }
        entries.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return entries;
    }

    /// <param name="Name">Blob name; of a folder with a final '/', which makes the order that of the names below it.</param>
    /// <param name="File">Full path.</param>
    /// <param name="Stamp">State; of a name that is not Unicode, which .NET cannot open, all zero.</param>
    readonly record struct Entry(string Name, string File, FileStamp Stamp)
    {
        public bool IsFolder => Stamp.Kind == FileKind.Folder;
    }

    static BlobItem ItemOf(string container, string name, FileStamp stamp) => new(container, name, stamp.Length, stamp.ETag, stamp.ModifiedTime);

    /// <summary>Takes the container's lock, between threads and between processes.</summary>
    async Task<IDisposable> LockAsync(BlobPath path, CancellationToken cancellation)
    {
        SemaphoreSlim gate = gates.GetOrAdd(path.Container, _ => new SemaphoreSlim(1, 1));
        string file = Path.Combine(locks, path.Container);
        await gate.WaitAsync(cancellation);
        try
        {
            long start = TimeProvider.System.GetTimestamp();
            for (int wait = 1; ; wait = Math.Min(wait * 2, 20))
            {
                if (OnDisk(path, file, () => FileLock.TryTake(file)) is { } handle) return new Held(gate, handle);
                if (TimeProvider.System.GetElapsedTime(start) > lockPatience) throw StorageFaults.Locked(path.Container, file, lockPatience);
                await Task.Delay(wait, cancellation);
            }
        }
        catch
        {
            gate.Release();
            throw;
        }
    }

    sealed class Held(SemaphoreSlim gate, SafeFileHandle handle) : IDisposable
    {
        public void Dispose()
        {
            handle.Dispose();
            gate.Release();
        }
    }

    void DeleteTemporary(string file)
    {
        try
        {
            if (File.Exists(file)) calls.Delete(file);
        }
        catch (Exception e) when (IsOfDisk(e))
        {
            // It stays until the next start after the grace; what went wrong with the write itself is told.
        }
    }

    void DeleteOldTemporaries()
    {
        try
        {
            if (!Directory.Exists(temporary)) return;
            DateTime old = (time.GetUtcNow() - TemporaryGrace).UtcDateTime;
            foreach (FileInfo file in new DirectoryInfo(temporary).EnumerateFiles())
                if (file.LastWriteTimeUtc < old) DeleteTemporary(file.FullName);
        }
        catch (Exception e) when (IsOfDisk(e))
        {
            // A folder that cannot be read is told of by the first operation that needs it.
        }
    }

    static bool IsOfDisk(Exception e) => e is IOException or UnauthorizedAccessException;

    static void OnDisk(BlobPath path, string file, Action work) => OnDisk(path, file, () =>
    {
        work();
        return true;
    });

    static T OnDisk<T>(BlobPath path, string file, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (IsOfDisk(e))
        {
            throw FaultOf(path, file, e);
        }
    }

    internal static Exception FaultOf(BlobPath path, string file, Exception e) => e switch
    {
        PathTooLongException => StorageFaults.NameNotForFiles(path, $"its longest segment has {path.Name.Split('/').Max(Encoding.UTF8.GetByteCount)} "
            + $"bytes, its whole path {Encoding.UTF8.GetByteCount(file)}"),
        { HResult: FileCalls.OtherDevice } when !OperatingSystem.IsWindows() => StorageFaults.OtherFileSystem(path, file),
        _ => FaultOf($"'{path}'", e),
    };

    static Exception FaultOf(string what, Exception e)
    {
        int error = OperatingSystem.IsWindows() ? e.HResult & 0xFFFF : e.HResult;
        if (e is UnauthorizedAccessException) return StorageFaults.NotAllowed(what, e.Message);
        if (OperatingSystem.IsWindows())
            return error is 39 or 112 ? StorageFaults.DiskFull(what, e) : StorageFaults.FileFault(what, e);     // HANDLE_DISK_FULL, DISK_FULL
        if (error == FileCalls.NoSpace || error == FileCalls.QuotaExceeded) return StorageFaults.DiskFull(what, e);
        return error == FileCalls.ReadOnly ? StorageFaults.NotAllowed(what, e.Message) : StorageFaults.FileFault(what, e);
    }
}
