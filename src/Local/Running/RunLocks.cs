namespace Scion.Local.Running;

/// <summary>Lets one process of this machine train a run of a store at a time. The system frees a lock when its process ends, however it ends.</summary>
/// <remarks>Only spares double work: two processes that train one run anyway, on two machines, end with the same version, because steps are
/// memoised and the version is written create-only.</remarks>
/// <param name="folder">Where lock files lie, one a run; they stay, empty.</param>
sealed class RunLocks(string folder)
{
    /// <returns>Held until disposed; null when another process holds it.</returns>
    public IDisposable? TryTake(string run)
    {
        Directory.CreateDirectory(folder);
        try
        {
            return new FileStream(Path.Combine(folder, run + ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or PathTooLongException) && File.Exists(Path.Combine(folder, run + ".lock")))
        {
            return null;
        }
    }
}
