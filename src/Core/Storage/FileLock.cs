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
        SafeFileHandle handle;
        try
        {
            handle = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite,
                OperatingSystem.IsWindows() ? FileShare.None : FileShare.ReadWrite);
        }
        catch (IOException e) when (OperatingSystem.IsWindows() && (e.HResult & 0xFFFF) == 32)  // ERROR_SHARING_VIOLATION
        {
            return null;
        }
        if (OperatingSystem.IsWindows() || Flock(handle, ExclusiveWithoutWaiting) == 0) return handle;
        int error = Marshal.GetLastPInvokeError();
        handle.Dispose();
        return error is 11 or 35 or 4 ? null : throw FileCalls.Error(error, path);              // EWOULDBLOCK of Linux, of macOS, EINTR
    }

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeFileHandle file, int operation);
}
