using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Scion.Storage;

/// <summary>The calls by which the file store changes the disk. Tests override them to record their order and to make one fail.</summary>
/// <remarks>.NET's <c>File.Move</c> without overwrite looks first and renames then on Unix, so two processes can both "create" one file;
/// and .NET cannot sync a folder. Both are therefore called by name here. Errors are <see cref="IOException"/> whose HResult is errno.</remarks>
internal partial class FileCalls
{
    /// <summary>Creates a file for writing that must not exist.</summary>
    public virtual SafeFileHandle Create(string path) =>
        File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);

    public virtual ValueTask WriteAsync(SafeFileHandle handle, string path, ReadOnlyMemory<byte> bytes, long offset, CancellationToken cancellation) =>
        RandomAccess.WriteAsync(handle, bytes, offset, cancellation);

    /// <summary>Sets the time that versions are told apart by.</summary>
    public virtual void SetModified(SafeFileHandle handle, string path, DateTime time) => File.SetLastWriteTimeUtc(handle, time);

    /// <summary>Makes a file's bytes and times durable.</summary>
    public virtual void Sync(SafeFileHandle handle, string path) => RandomAccess.FlushToDisk(handle);

    /// <summary>Makes the entries of a folder durable. Windows has no such call: its file systems journal entries with the file.</summary>
    public virtual void SyncFolder(string path)
    {
        if (OperatingSystem.IsWindows()) return;
        using SafeFileHandle handle = OpenForReading(path) ?? throw Error(NoEntry, path);
        if (Fsync(handle) == 0) return;
        int error = Marshal.GetLastPInvokeError();
        if (error != InvalidArgument && error != NotSupported) throw Error(error, path);          // a file system without folder sync
    }

    /// <summary>Creates a folder whose parent exists.</summary>
    /// <returns>False when something of that name exists.</returns>
    public virtual bool CreateFolder(string path, bool ownerOnly)
    {
        if (FileStamp.Of(path) is not null) return false;
        if (ownerOnly && !OperatingSystem.IsWindows())
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        else Directory.CreateDirectory(path);
        return true;
    }

    /// <summary>Gives a file a name that must be free, in one step for every other process.</summary>
    /// <returns>False when the name is taken.</returns>
    public virtual bool MoveNew(string from, string to)
    {
        if (OperatingSystem.IsWindows()) return MoveNewOnWindows(from, to);
        if (!HasRenameNoReplace) return MoveNewByLink(from, to);
        int error = RenameAt2(CurrentFolder, from, CurrentFolder, to, RenameNoReplace) == 0 ? 0 : Marshal.GetLastPInvokeError();
        return error switch
        {
            0 => true,
            Exists => false,
            InvalidArgument => MoveNewByLink(from, to),                                        // a file system without it
            _ => throw Error(error, to),
        };
    }

    /// <summary>As <see cref="MoveNew"/>, by a second name and the removal of the first; a crash between leaves a temporary file.</summary>
    internal static bool MoveNewByLink(string from, string to)
    {
        if (Link(from, to) == 0)
        {
            File.Delete(from);
            return true;
        }
        int error = Marshal.GetLastPInvokeError();
        return error == Exists ? false : throw Error(error, to);
    }

    /// <summary>Gives a file a name, replacing what had it.</summary>
    public virtual void MoveOver(string from, string to)
    {
        if (OperatingSystem.IsWindows()) File.Move(from, to, overwrite: true);
        else if (Rename(from, to) != 0) throw Error(Marshal.GetLastPInvokeError(), to);
    }

    public virtual void Delete(string path) => File.Delete(path);

    static bool MoveNewOnWindows(string from, string to)
    {
        try
        {
            File.Move(from, to, overwrite: false);                                             // MoveFileEx without REPLACE_EXISTING
            return true;
        }
        catch (IOException e) when ((e.HResult & 0xFFFF) is 80 or 183)                         // ERROR_FILE_EXISTS, ERROR_ALREADY_EXISTS
        {
            return false;
        }
    }

    /// <summary>Opens a file or a folder by open(2), without any lock; null when it is absent.</summary>
    public static SafeFileHandle? OpenForReading(string path)
    {
        int descriptor = Open(path, OperatingSystem.IsMacOS() ? 0x1000000 : 0x80000);          // O_RDONLY | O_CLOEXEC
        if (descriptor >= 0) return new SafeFileHandle(descriptor, ownsHandle: true);
        int error = Marshal.GetLastPInvokeError();
        return error == NoEntry ? null : throw Error(error, path);
    }

    /// <summary>The exception for an errno, as .NET makes it where it knows one.</summary>
    public static Exception Error(int error, string path)
    {
        string message = $"{Marshal.GetPInvokeErrorMessage(error)} : '{path}'";
        return error switch
        {
            NoEntry or NotAFolder => new DirectoryNotFoundException(message),
            NotPermitted or AccessDenied => new UnauthorizedAccessException(message),
            _ when error == NameTooLong => new PathTooLongException(message),
            _ => new IOException(message, error),
        };
    }

    // errno; the small numbers are the same on Linux and macOS.
    internal const int NotPermitted = 1, NoEntry = 2, AccessDenied = 13, Exists = 17, OtherDevice = 18, NotAFolder = 20, InvalidArgument = 22,
        NoSpace = 28, ReadOnly = 30;

    internal static readonly int NameTooLong = OperatingSystem.IsMacOS() ? 63 : 36, QuotaExceeded = OperatingSystem.IsMacOS() ? 69 : 122;

    static readonly int NotSupported = OperatingSystem.IsMacOS() ? 45 : 95;

    const int CurrentFolder = -100;
    const uint RenameNoReplace = 1;

    static readonly bool HasRenameNoReplace =
        OperatingSystem.IsLinux() && NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), "renameat2", out _);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string from, string to);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rename(string from, string to);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt2(int fromFolder, string from, int toFolder, string to, uint flags);
}
