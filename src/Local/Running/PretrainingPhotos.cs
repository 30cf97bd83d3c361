#if TORCH
using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Scion.Faults;
using Scion.Local.Commands;
using Scion.Local.Terminal;
using Scion.Torch;
using Scion.Vision;

namespace Scion.Local.Running;

/// <summary>Labelled photos of a user's folders, brought to one size in a file, for an encoder to learn from.</summary>
/// <param name="Hashes">SHA-256 of each photo's bytes, ordered; the order of the pixels too.</param>
/// <param name="Labels">Class of each.</param>
/// <param name="Classes">Names of the classes: the folders' names.</param>
sealed record PretrainingPhotos(IReadOnlyList<string> Hashes, IReadOnlyList<int> Labels, IReadOnlyList<string> Classes)
{
    static readonly PictureFit Fit = new(PictureFit.CurrentVersion, TrainingPhotos.Side, TrainingPhotos.Side, PictureResize.Squash, 0);

    /// <summary>Reads all photos of label folders but those left out, and writes their pixels.</summary>
    /// <param name="screen">Told what was not used, and why.</param>
    /// <param name="folders">Each holds a folder a label.</param>
    /// <param name="exclude">Labels left out.</param>
    /// <param name="holdOut">Share of photos left out: those whose digest, read as a fraction, is at least 1 − share.</param>
    /// <param name="output">File of pixels, uint8 [photos, side, side, 3].</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="InputRejectedException">A folder is absent (L005), a label left out does not exist (V092), or fewer than two labels remain (V091).</exception>
    public static async Task<PretrainingPhotos> GatherAsync(
        Screen screen, string[] folders, string[] exclude, double holdOut, string output, CancellationToken cancellation)
    {
        List<(string Path, string Label)> files = [];
        int loose = 0;
        foreach (string folder in folders)
        {
            if (!Directory.Exists(folder)) throw LocalFaults.NoSuchPath(folder);
            loose += Directory.EnumerateFiles(folder).Count();
            foreach (string labelled in Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal))
                foreach (string file in Directory.EnumerateFiles(labelled, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
                    files.Add((file, Path.GetFileName(labelled).Trim().Normalize(NormalizationForm.FormC)));
        }
        if (loose > 0) screen.Note($"{loose} files lie in no label's folder and are not used.");
        HashSet<string> labels = [.. files.Select(file => file.Label)];
        foreach (string label in exclude)
            if (!labels.Contains(label)) throw PretrainFaults.NoSuchLabel(label, labels.Order(StringComparer.Ordinal));
        files.RemoveAll(file => exclude.Contains(file.Label));

        Dictionary<string, (string Path, string Label)> photos = [];
        HashSet<string> contested = [];
        int held = 0, copies = 0;
        foreach ((string path, string label) in files)
        {
            byte[] digest = await DigestAsync(path, cancellation);
            if (BinaryPrimitives.ReadUInt64BigEndian(digest) / 18446744073709551616.0 >= 1 - holdOut)
            {
                held++;
                continue;
            }
            string hash = Convert.ToHexStringLower(digest);
            if (photos.TryAdd(hash, (path, label))) continue;
            copies++;
            if (photos[hash].Label != label) contested.Add(hash);
        }
        foreach (string hash in contested) photos.Remove(hash);
        if (copies > 0) screen.Note($"{copies} exact copies are not used; {contested.Count} photos stand under two labels and are not used at all.");

        (List<string> hashes, List<string> used) = await DecodeAsync(screen, photos, output, cancellation);
        string[] classes = [.. used.Distinct().Order(StringComparer.Ordinal)];
        if (classes.Length < 2) throw PretrainFaults.OneClass(classes.Length, used.Count);
        screen.Note(string.Create(CultureInfo.InvariantCulture, $"{used.Count:N0} photos of {classes.Length} labels to learn from; {held:N0} held out.").Escaped());
        return new PretrainingPhotos(hashes, [.. used.Select(label => Array.IndexOf(classes, label))], classes);
    }

    static async Task<byte[]> DigestAsync(string path, CancellationToken cancellation)
    {
        await using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        return await SHA256.HashDataAsync(file, cancellation);
    }

    static async Task<(List<string> Hashes, List<string> Labels)> DecodeAsync(
        Screen screen, Dictionary<string, (string Path, string Label)> photos, string output, CancellationToken cancellation)
    {
        List<string> hashes = [], labels = [];
        await using DecoderProcesses decoder = new(DecoderOptions.Beside(AppContext.BaseDirectory, processes: 2), TimeProvider.System);
        await using FileStream pixels = new(output, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        int refused = 0;
        foreach (KeyValuePair<string, (string Path, string Label)>[] some in photos.OrderBy(photo => photo.Key, StringComparer.Ordinal).Chunk(64))
        {
            (byte[]? Pixels, string? Refusal)[] read = await Task.WhenAll(some.Select(async photo =>
            {
                byte[] fitted = new byte[Fit.Bytes];
                try
                {
                    if (new FileInfo(photo.Value.Path).Length > PictureDecoder.MaxBytes) return (null, "it is too large");
                    await decoder.ReadAsync(await File.ReadAllBytesAsync(photo.Value.Path, cancellation), Fit, fitted, cancellation);
                    return (fitted, (string?)null);
                }
                catch (InputRejectedException refusal)
                {
                    return ((byte[]?)null, refusal.Message);
                }
            }));
            for (int i = 0; i < some.Length; i++)
            {
                if (read[i].Pixels is not { } fitted)
                {
                    if (refused++ < 10) screen.Note($"[yellow]![/] {some[i].Value.Path.Escaped()}: {read[i].Refusal!.Escaped()}");
                    continue;
                }
                await pixels.WriteAsync(fitted, cancellation);
                hashes.Add(some[i].Key);
                labels.Add(some[i].Value.Label);
            }
        }
        if (refused > 0) screen.Note($"[yellow]![/] {refused} pictures could not be read and are not used.");
        return (hashes, labels);
    }
}
#endif
