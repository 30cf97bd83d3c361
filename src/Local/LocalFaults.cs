using System.Net.Sockets;
using Scion.Datasets;
using Scion.Faults;

namespace Scion.Local;

/// <summary>A fault as it is shown: not thrown, made where an exception ends.</summary>
/// <param name="Code">As in docs/errors.md.</param>
/// <param name="Fact">What was found, with numbers.</param>
/// <param name="Remedy">What the reader can do.</param>
/// <param name="Exit">Exit code of the command.</param>
sealed record LocalFault(string Code, string Fact, string Remedy, int Exit)
{
    public override string ToString() => $"{Code}: {Fact} {Remedy}";
}

/// <summary>Exit codes, as in docs/errors.md.</summary>
static class Exit
{
    public const int Done = 0;
    public const int Defect = 1;
    public const int Usage = 2;
    public const int Refused = 3;
    public const int NotFound = 4;
    public const int Storage = 5;

    /// <summary>The shell's own code for a program stopped by Ctrl-C.</summary>
    public const int Interrupted = 130;
}

/// <summary>Refusals and faults of the command line and the local server; listed in docs/errors.md.</summary>
static class LocalFaults
{
    public static LocalFault Usage(string fact, string help) => new("L001", fact, $"See '{help} --help'.", Exit.Usage);

    public static LocalFault Defect(Exception e) => new("L002", $"A defect of Scion: {e.GetType().Name}: {e.Message}",
        "Nothing that was uploaded is lost. Please report it with what is printed above it.", Exit.Defect);

    public static LocalFault Io(Exception e) => new("L003", $"The file system refused: {e.Message}",
        "Check the path, free space and permissions; 'scion doctor' checks the data folder.", Exit.Storage);

    public static LocalFault Interrupted() => new("L004", "Stopped before it was done.",
        "Start the same command again; a training run goes on where it was.", Exit.Interrupted);

    public static InputRejectedException NoSuchPath(string path) => new("L005", $"There is no file or folder '{path}'.",
        "Check the path; relative paths start at the folder the command runs in.", Refusal.NotFound);

    public static InputRejectedException NothingToUpload(DataKind kind, string path, int others) => new("L006",
        $"'{path}' holds no file of {kind.Item}s{(others > 0 ? $" ({others} files of other kinds)" : "")}.", $"Give {kind.Known}.");

    public static InputRejectedException SameName(string name, string first, string second) => new("L007",
        $"'{first}' and '{second}' would both become '{name}'.", "Rename one, or give the folder that holds both.");

    public static InputRejectedException KeyMalformed(string path) => new("L008", $"'{path}' is not a key: 32 to 200 letters, digits, '-' and '_' are.",
        "Delete it, and the next start makes a new one.");

    public static InputRejectedException NotLoopback(string url) => new("L009", $"'{url}' can be reached from other machines.",
        "Listen on http://127.0.0.1:PORT, or add --allow-remote and put TLS in front: the key travels in the clear.");

    public static LocalFault PortTaken(string urls) => new("L010", $"The address {urls} is in use.",
        "Another 'scion serve' may be running; stop it, or give another port: --urls http://127.0.0.1:7072.", Exit.Storage);

    public static InputRejectedException FailedRun(Pipelines.RunStatus status) => new(status.Error!.Code,
        $"Run {status.Run} failed: {status.Error.Message}", "", Refusal.Invalid);

    public static InputRejectedException CancelledRun(string run) => new("L011", $"Run {run} was cancelled.",
        "Start the same command again to go on with it.", Refusal.Conflict);

    public static InputRejectedException SuspendedRun(string run) => new("L013", $"Run {run} was suspended.",
        $"Start the same command again to go on with it here, or 'scion runs resume {run}' for a server to.", Refusal.Conflict);

    public static InputRejectedException OutputExists(string path) => new("L012", $"'{path}' exists already.",
        "Name another, or delete it first.", Refusal.Conflict);

    public static InputRejectedException NoPictures(string path) => new("L020", $"'{path}' holds no picture.",
        "Give a .jpg, .png or .webp picture, a folder of them, or a .zip.");

    public static InputRejectedException SettingsOfReviews(string model) => new("L021", $"Model '{model}' is of images, and --set says how a file of reviews is read.",
        "Leave --set out.");

    /// <summary>True for a listener's "address in use", however deep it lies.</summary>
    public static bool IsPortTaken(Exception? e) =>
        e is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse or SocketError.AccessDenied } || (e is not null && IsPortTaken(e.InnerException));

    /// <summary>What an exception means to the person at the terminal.</summary>
    public static LocalFault Of(Exception e) => e switch
    {
        InputRejectedException x => new LocalFault(x.Code, x.Fact, x.Remedy, x.Kind == Refusal.NotFound ? Exit.NotFound : Exit.Refused),
        TransientStorageException x => new LocalFault(x.Code, x.Fact, x.Remedy, Exit.Storage),
        OperationCanceledException => Interrupted(),
        IOException or UnauthorizedAccessException => Io(e),
        _ => Defect(e),
    };
}
