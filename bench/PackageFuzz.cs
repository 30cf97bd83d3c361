using System.Diagnostics;
using System.Globalization;
using Scion.Faults;
using Scion.Registry;
using Scion.Serving;

namespace Scion.Bench;

/// <summary>What becomes of packages whose digests fit and whose content does not? Every one loads or is refused with a code; nothing hangs.</summary>
/// <remarks>Arguments: a version's folder (any package Scion wrote), seconds, seed. One to three changes a file: a byte set, a run cut out or
/// doubled, the end cut off, a number grown. Exit code 1 when an exception has no code or a package takes over a second.</remarks>
static class PackageFuzz
{
    static readonly string[] Files = [ModelPackage.ManifestName, .. ModelPackage.ServingFiles(ModelManifest.Reviews), ModelPackage.ParityName, "latest.json"];

    public static async Task<int> RunAsync(string[] arguments)
    {
        if (arguments.Length == 0)
        {
            Console.Error.WriteLine("Name the folder of a version, for instance scion-data/models/films/versions/….");
            return 2;
        }
        string folder = arguments[0];
        double seconds = arguments.Length > 1 ? double.Parse(arguments[1], CultureInfo.InvariantCulture) : 30;
        int seed = arguments.Length > 2 ? int.Parse(arguments[2], CultureInfo.InvariantCulture) : 1;
        Dictionary<string, ReadOnlyMemory<byte>> files = [];
        foreach (string path in Directory.EnumerateFiles(folder)) files[Path.GetFileName(path)] = await File.ReadAllBytesAsync(path);
        byte[] manifestBytes = files[ModelPackage.ManifestName].ToArray();
        files.Remove(ModelPackage.ManifestName);
        ModelPackage package = ModelPackage.Open(folder, manifestBytes, files);
        byte[] pointer = LatestPointer.Moved(null, PointerAction.Publish, "20260101-000000-00000001", package.Digest, DateTimeOffset.UnixEpoch, "First.").ToBytes();
        using ReviewPredictor whole = ReviewPredictor.Load(package);

        Random random = new(seed);
        SortedDictionary<string, long> outcomes = new(StringComparer.Ordinal);
        (long done, long bad, TimeSpan slowest) = (0, 0, TimeSpan.Zero);
        for (Stopwatch total = Stopwatch.StartNew(); total.Elapsed.TotalSeconds < seconds; done++)
        {
            string file = Files[random.Next(Files.Length)];
            byte[] bytes = file == "latest.json" ? pointer : file == ModelPackage.ManifestName ? manifestBytes : files[file].ToArray();
            for (int changes = 1 + random.Next(3); changes > 0 && bytes.Length > 0; changes--) bytes = Changed(bytes, random);
            Stopwatch one = Stopwatch.StartNew();
            string outcome;
            try
            {
                Read(file, bytes, package, files, whole);
                outcome = "read";
            }
            catch (InputRejectedException e)
            {
                outcome = e.Code;
            }
            catch (Exception e)
            {
                outcome = $"DEFECT {e.GetType().Name} in {file}: {e.Message}";
                bad++;
            }
            if (one.Elapsed > slowest) slowest = one.Elapsed;
            string key = $"{file,-22} {outcome}";
            outcomes[key] = outcomes.GetValueOrDefault(key) + 1;
        }
        foreach ((string outcome, long count) in outcomes) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count,10:n0}  {outcome}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{done:n0} packages in {seconds:0} s, seed {seed}: {bad} without a code; slowest {slowest.TotalMilliseconds:0} ms; most memory {Environment.WorkingSet >> 20} MiB now"));
        return bad == 0 && slowest < TimeSpan.FromSeconds(1) ? 0 : 1;
    }

    static void Read(string file, byte[] bytes, ModelPackage package, Dictionary<string, ReadOnlyMemory<byte>> files, ReviewPredictor whole)
    {
        switch (file)
        {
            case "latest.json":
                LatestPointer.Parse("films", bytes);
                break;
            case ModelPackage.ManifestName:
                ModelPackage.ReadManifest(file, bytes);
                break;
            case ModelPackage.ParityName:
                ParityCheck.Repeat(whole, bytes);
                break;
            default:
                Dictionary<string, ReadOnlyMemory<byte>> changed = new(files) { [file] = bytes };
                using (ReviewPredictor predictor = ReviewPredictor.Load(ModelPackage.Seal(package.Manifest, changed)))
                    if (!float.IsFinite(predictor.Predict(predictor.SampleText, explain: true).Score)) throw new ArithmeticException("the score is not a number");
                break;
        }
    }

    static byte[] Changed(byte[] bytes, Random random)
    {
        int at = random.Next(bytes.Length), length = Math.Min(1 + random.Next(64), bytes.Length - at);
        return random.Next(5) switch
        {
            0 => [.. bytes[..at], (byte)random.Next(256), .. bytes[(at + 1)..]],
            1 => [.. bytes[..at], .. bytes[(at + length)..]],
            2 => [.. bytes[..(at + length)], .. bytes[at..]],
            3 => bytes[..at],
            _ => [.. bytes[..at], .. "999999999999"u8, .. bytes[at..]],
        };
    }
}
