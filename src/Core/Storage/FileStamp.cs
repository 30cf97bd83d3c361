using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Scion.Storage;

/// <summary>What an entry of a folder is.</summary>
internal enum FileKind
{
    Regular,
    Folder,
    /// <summary>A symbolic link, pipe, socket or device: listed, never opened.</summary>
    Other,
}

/// <summary>State of a file as the file system tells it; its version is made of it.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Modified">Last write, in units of 1 ns since 1970 (Linux) or as fine as .NET tells.</param>
/// <param name="Changed">Last change of the inode, 1 ns; cannot be set by a user. Creation time where a system has no such time.</param>
/// <param name="Inode">Number of the file; 0 where it is not told.</param>
/// <param name="Links">Names that the file has; 0 once it was replaced or deleted. 1 where it is not told.</param>
internal readonly partial record struct FileStamp(FileKind Kind, long Length, Int128 Modified, Int128 Changed, ulong Inode, uint Links)
{
    public string ETag => string.Create(CultureInfo.InvariantCulture, $"{Inode:x}-{Length:x}-{Modified:x}-{Changed:x}");

    public DateTimeOffset ModifiedTime => DateTimeOffset.UnixEpoch.AddTicks((long)(Modified / 100));

    /// <summary>True when the bytes behind an open descriptor are still those of this stamp. Replacing or deleting the name changes the
    /// inode's times too, but not its bytes; writing into the file changes length, modification time or, with a name left, change time.</summary>
    public bool HoldsSameBytesAs(FileStamp now) =>
        Length == now.Length && Modified == now.Modified && (Changed == now.Changed || now.Links < Links);

    /// <summary>Stamp of what is at a path, links not followed; null when nothing is.</summary>
    public static FileStamp? Of(string path)
    {
        if (!HasStatx) return OfInfo(new FileInfo(path));
        int error = Statx(AtCurrentFolder, path, AtSymlinkNoFollow, Mask, out StatxBuffer buffer) == 0 ? 0 : Marshal.GetLastPInvokeError();
        return error switch
        {
            0 => From(buffer),
            FileCalls.NoEntry or FileCalls.NotAFolder => null,
            _ => throw FileCalls.Error(error, path),
        };
    }

    /// <summary>Stamp of an open file.</summary>
    public static FileStamp Of(SafeFileHandle handle, string path)
    {
        if (!HasStatx)
        {
            DateTime created = File.GetCreationTimeUtc(handle), modified = File.GetLastWriteTimeUtc(handle);
            return new(FileKind.Regular, RandomAccess.GetLength(handle), Nanoseconds(modified), Nanoseconds(created), 0, 1);
        }
        return Statx(handle, "", AtEmptyPath, Mask, out StatxBuffer buffer) == 0 ? From(buffer) : throw FileCalls.Error(Marshal.GetLastPInvokeError(), path);
    }

    static FileStamp? OfInfo(FileInfo info)
    {
        if (!info.Exists && info.LinkTarget is null)
            return Directory.Exists(info.FullName) ? new(FileKind.Folder, 0, 0, 0, 0, 1) : null;
        return info.Attributes.HasFlag(FileAttributes.ReparsePoint)
            ? new(FileKind.Other, 0, Nanoseconds(info.LastWriteTimeUtc), 0, 0, 1)
            : new(FileKind.Regular, info.Length, Nanoseconds(info.LastWriteTimeUtc), Nanoseconds(info.CreationTimeUtc), 0, 1);
    }

    static Int128 Nanoseconds(DateTime time) => (Int128)(time - DateTime.UnixEpoch).Ticks * 100;

    static FileStamp From(in StatxBuffer stat) => new(
        (stat.Mode & 0xF000) switch { 0x8000 => FileKind.Regular, 0x4000 => FileKind.Folder, _ => FileKind.Other },
        (long)stat.Size,
        (Int128)stat.ModifiedSeconds * 1_000_000_000 + stat.ModifiedNanoseconds,
        (Int128)stat.ChangedSeconds * 1_000_000_000 + stat.ChangedNanoseconds,
        stat.Inode,
        stat.Links);

    const int AtCurrentFolder = -100, AtSymlinkNoFollow = 0x100, AtEmptyPath = 0x1000;
    const uint Mask = 0x7FF;

    static readonly bool HasStatx = OperatingSystem.IsLinux() && NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), "statx", out _);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, out StatxBuffer buffer);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(SafeFileHandle file, string path, int flags, uint mask, out StatxBuffer buffer);

    // struct statx of linux/stat.h: the same on every architecture.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct StatxBuffer
    {
        [FieldOffset(16)] public uint Links;
        [FieldOffset(28)] public ushort Mode;
        [FieldOffset(32)] public ulong Inode;
        [FieldOffset(40)] public ulong Size;
        [FieldOffset(96)] public long ChangedSeconds;
        [FieldOffset(104)] public uint ChangedNanoseconds;
        [FieldOffset(112)] public long ModifiedSeconds;
        [FieldOffset(120)] public uint ModifiedNanoseconds;
    }
}
