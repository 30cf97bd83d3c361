using System.Security.Cryptography;
using System.Text;
using Scion.Local.Running;
using Scion.Storage;

namespace Scion.Local;

/// <summary>Which store a command works on.</summary>
/// <param name="Folder">Data folder; with a connection it only holds this machine's <c>.scion</c>.</param>
/// <param name="Connection">Connection string or account URL of Azure Blob storage; null for the folder.</param>
sealed record StoreLocation(string Folder, string? Connection)
{
    public const string DefaultFolder = "scion-data";

    /// <summary>What belongs to this machine and not to the store: the key of the server, locks. No container may be called so.</summary>
    public string Own => Path.Combine(Folder, ".scion");

    public string KeyPath => Path.Combine(Own, "key");

    public IBlobStore Open() => Connection is null ? new FileBlobStore(Folder) : AzureBlobStore.Open(Connection);

    /// <summary>Locks of this store on this machine, the same from whatever folder a command is started.</summary>
    public RunLocks Locks() => new(Connection is null
        ? Path.Combine(Own, "runs")
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create),
            "scion", "locks", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Connection)))[..16]));

    /// <summary>A blob as a person finds it: a path of this machine, or container and name.</summary>
    public string Show(string blob) => Connection is null ? Path.Combine([Folder, .. blob.Split('/')]) : blob;
}
