using System.Security.Cryptography;

namespace Scion.Local.Server;

/// <summary>The key that callers of the local server send: made once, kept in <c>{data}/.scion/key</c>, readable by its owner alone.</summary>
static class ServerKey
{
    /// <summary>Fewest characters of a key; one that is made has 43, which is 256 bits.</summary>
    const int Fewest = 32;

    /// <returns>The key there is, or a new one.</returns>
    /// <exception cref="Faults.InputRejectedException">The file is not a key (L008).</exception>
    public static string ReadOrCreate(string path)
    {
        if (Find(path) is { } there) return there;
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        string made = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        string temporary = $"{path}.{Environment.ProcessId}";
        FileStreamOptions options = new() { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (FileStream file = new(temporary, options))
        {
            file.Write(System.Text.Encoding.ASCII.GetBytes(made + "\n"));
            file.Flush(flushToDisk: true);
        }
        try
        {
            File.Move(temporary, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(temporary);                                       // another process made one at the same moment: both use that
        }
        return Find(path)!;
    }

    /// <returns>The key, or null when there is none.</returns>
    /// <exception cref="Faults.InputRejectedException">The file is not a key (L008).</exception>
    public static string? Find(string path)
    {
        if (!File.Exists(path)) return null;
        string text = File.ReadAllText(path).Trim();
        return text.Length is >= Fewest and <= 200 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') ? text : throw LocalFaults.KeyMalformed(path);
    }
}
