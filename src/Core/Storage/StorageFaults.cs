using System.Globalization;
using Scion.Faults;

namespace Scion.Storage;

/// <summary>Refusals and faults of the stores; listed in docs/errors.md.</summary>
public static class StorageFaults
{
    public static InputRejectedException Changed(BlobPath path, string wanted, string found) => new("S002",
        $"'{path}' is no longer at version {wanted}; it is at {found}.", "Read the new version from its start.", Refusal.Conflict);

    public static InputRejectedException ChangedWhileRead(BlobPath path, string etag, long read) => new("S002",
        $"'{path}' changed while it was read: version {etag} was overwritten at or before byte {read.ToString(CultureInfo.InvariantCulture)}.",
        "Read the new version from its start. A file that is still being copied is read when the copy has ended.", Refusal.Conflict);

    /// <summary>The file system holds fewer bytes a segment than the name needs, or has no such names at all.</summary>
    public static InputRejectedException NameNotForFiles(BlobPath path, string why) => new("S008",
        $"The file system cannot hold '{path}': {why}.", "Give the file a shorter name, or a plainer one; most file systems hold 255 bytes a segment.");

    /// <summary>A folder stands where a blob is to be, or a blob where a folder is to be.</summary>
    public static InputRejectedException InTheWay(BlobPath path, string file, bool folder) => new("S009",
        folder ? $"'{path}' cannot be a blob: '{file}' is a folder." : $"'{path}' cannot be stored: '{file}' is a file, not a folder.",
        "In the file store a name is either a file or a folder. Rename one of the two.", Refusal.Conflict);

    public static InputRejectedException NotAFile(string what, string file) => new("S010",
        $"{what} is not read: '{file}' is a symbolic link or a special file.", "Copy the file itself there; links are never followed.");

    public static TransientStorageException DiskFull(string what, Exception inner) => new("S011",
        $"The disk is full: {what} could not be written ({inner.Message}).", "Free some space and repeat; no blob is half written.", inner);

    public static InputRejectedException NotAllowed(string what, string reason) => new("S012",
        $"The file system refuses access to {what}: {reason.TrimEnd('.')}.", "Let the user who runs Scion read and write there, or choose another folder with --data.");

    public static TransientStorageException FileFault(string what, Exception inner) => new("S013",
        $"A file operation on {what} failed: {inner.Message.TrimEnd('.')}.", "Repeat the call; if it stays, look at the disk and at the system's log.", inner);

    public static TransientStorageException Locked(string container, string file, TimeSpan waited) => new("S014",
        $"Container '{container}' stayed locked by another process for {waited.TotalSeconds.ToString("0", CultureInfo.InvariantCulture)} s ('{file}').",
        "A process that was stopped while it wrote may hold the lock; let it go on or end it, then repeat.");

    public static InputRejectedException OtherFileSystem(BlobPath path, string file) => new("S015",
        $"'{path}' ('{file}') lies on another file system than the rest of the data folder, so it cannot be written in one step.",
        "Mount the whole data folder, not one container in it.");

    public static InputRejectedException ConnectionUnusable() => new("S020",
        "The storage connection is neither a connection string nor an address of the form https://account.blob.core.windows.net.",
        "Copy it from the account's page 'Access keys', give its address to use your own sign-in, or 'UseDevelopmentStorage=true' for Azurite.");

    public static InputRejectedException NotAuthorized(string what, string reason) => new("S021",
        $"The storage account refuses access to '{what}': {reason}.",
        "Sign in with 'az login' or give the app an identity, with the role 'Storage Blob Data Contributor'; with a key or a SAS, check that it is current.");

    public static TransientStorageException NoAnswer(string what, string reason, Exception inner) => new("S022",
        $"Storage did not answer for '{what}' in {AzureBlobStore.MaxTries} tries: {reason.TrimEnd('.')}.",
        "Repeat the call. If it stays, check the account's name, the network and the service's status.", inner);

    public static TransientStorageException OutcomeUnknown(BlobPath path, Exception inner) => new("S023",
        $"A write of '{path}' was sent again because its answer was lost, and another write has come since: whether it was done cannot be told.",
        "Read the blob and decide anew.", inner);

    public static InputRejectedException ServiceRefused(string what, int status, string? code, string reason) => new("S024",
        $"The storage service refuses '{what}' with {status} {code}: {reason.TrimEnd('.')}.", "Look the service's code up; repeating the call will not help.");

    public static InputRejectedException AddressFolded(BlobPath path) => new("S025",
        $"The address built for '{path}' leads elsewhere.", "Rename the blob.");

    public static InputRejectedException ListUnreadable(string what, Exception inner) => new("S026",
        $"The list of '{what}' is not readable XML: {inner.Message.TrimEnd('.')}.",
        "A blob there has a control character in its name. Find it with another tool and delete it.");
}
