using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Scion.Storage;

/// <summary>A lock on a file that all processes of a machine respect who take it; the system frees it when its holder dies.</summary>
/// <remarks>flock(2) on Unix, called by name because <c>DOTNET_SYSTEM_IO_DISABLEFILELOCKING</c> switches .NET's own off; sharing modes on Windows.</remarks>
internal static partial class FileLock
{
    const int ExclusiveWithoutWaiting = 2 | 4;      // LOCK_EX | LOCK_NB

    /// <summary>Takes the lock, or returns null when another holds it. Disposing frees it.</summary>
    public static SafeFileHandle? TryTake(string path)
    {
        if (OperatingSystem.IsWindows()) return OpenUnlessUsed(path, FileShare.None);
        // Not opened by .NET, whose own shared lock would stand in the way of everyone's exclusive one.
        SafeFileHandle? handle = FileCalls.OpenForReading(path);
        if (handle is null)
        {
            OpenUnlessUsed(path, FileShare.ReadWrite)?.Dispose();                               // makes the file
            handle = FileCalls.OpenForReading(path) ?? throw FileCalls.Error(FileCalls.NoEntry, path);
        }
        if (Flock(handle, ExclusiveWithoutWaiting) == 0) return handle;
        int error = Marshal.GetLastPInvokeError();
        handle.Dispose();
        return error is 11 or 35 or 4 ? null : throw FileCalls.Error(error, path);              // EWOULDBLOCK of Linux, of macOS, EINTR
    }

    static SafeFileHandle? OpenUnlessUsed(string path, FileShare share)
    {
        try
        {
            return File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, share);
        }
        catch (IOException e) when ((OperatingSystem.IsWindows() ? e.HResult & 0xFFFF : e.HResult) is 32 or 11 or 35)   // ERROR_SHARING_VIOLATION, EWOULDBLOCK
        {
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeFileHandle file, int operation);
}
