using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Scion.Registry;

/// <summary>Small pictures of a package in one zip file, by number: <c>0000.jpg</c>, <c>0001.jpg</c> … Equal pictures give equal bytes.</summary>
static class PictureArchive
{
    /// <summary>Most bytes of one of them that are read.</summary>
    const int MaxBytes = 8 << 20;

    /// <summary>Zip has no time before this one; every entry has it, so that equal content gives equal files.</summary>
    public static readonly DateTimeOffset NoTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static string NameOf(int number, string ending) => string.Create(CultureInfo.InvariantCulture, $"{number:0000}.{ending}");

    /// <param name="pictures">Files in their order; compressed already.</param>
    /// <param name="ending">"jpg" or "png".</param>
    public static byte[] Write(IEnumerable<byte[]> pictures, string ending)
    {
        using MemoryStream zip = new();
        using (ZipArchive archive = new(zip, ZipArchiveMode.Create, leaveOpen: true, Encoding.UTF8))
        {
            int number = 0;
            foreach (byte[] picture in pictures)
            {
                ZipArchiveEntry entry = archive.CreateEntry(NameOf(number++, ending), CompressionLevel.NoCompression);
                entry.LastWriteTime = NoTime;
                using Stream content = entry.Open();
                content.Write(picture);
            }
        }
        return zip.ToArray();
    }

    /// <returns>Null when there is no such picture.</returns>
    /// <exception cref="Faults.InputRejectedException">The archive is damaged, or the picture too large (R014).</exception>
    public static byte[]? Find(string what, ReadOnlyMemory<byte> zip, int number, string ending)
    {
        try
        {
            using ZipArchive archive = new(new Storage.ReadOnlyMemoryStream(zip), ZipArchiveMode.Read);
            if (archive.GetEntry(NameOf(number, ending)) is not { } entry) return null;
            if (entry.Length > MaxBytes) throw RegistryFaults.Inconsistent($"{entry.FullName} of {what} claims {entry.Length} bytes.");
            byte[] bytes = new byte[entry.Length];
            using Stream content = entry.Open();
            content.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or NotSupportedException)
        {
            throw RegistryFaults.Inconsistent($"{what} cannot be read: {e.Message.TrimEnd('.')}.");
        }
    }
}
