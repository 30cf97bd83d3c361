using System.Globalization;
using Scion.Faults;

namespace Scion.Local;

/// <summary>Refusals of <c>scion encoders pretrain</c>; listed in docs/errors.md.</summary>
static class PretrainFaults
{
    public static InputRejectedException NotBuilt() => new("V090", "Pretraining an encoder needs TorchSharp, which is not in this build.",
        "Run it with: dotnet run --project src/Local -c Release -p:Accelerator=cpu -- encoders pretrain … (or -p:Accelerator=cuda with an NVIDIA GPU).");

    public static InputRejectedException OneClass(int classes, int photos) => new("V091",
        string.Create(CultureInfo.InvariantCulture, $"After what is left out there are {photos:N0} photos of {classes} labels; an encoder learns from two labels or more."),
        "Give a folder with a folder of pictures for each label, or none at all: formula images alone work.");

    public static InputRejectedException NoSuchLabel(string label, IEnumerable<string> labels) => new("V092",
        $"There is no label '{label}' to leave out; there are: {string.Join(", ", labels.Take(20))}.", "Correct --exclude.");

    public static InputRejectedException OtherTraining(string path) => new("V093", $"'{path}' is a checkpoint of another training: other photos, seed or network, or it is damaged.",
        "Give another --out, or delete it to begin anew.", Refusal.Conflict);

    public static InputRejectedException NoCuda() => new("V094", "No CUDA device is there.", "Leave out --device cuda, or build with -p:Accelerator=cuda on a machine with an NVIDIA GPU.");

    public static InputRejectedException Busy(string path) => new("V095", $"'{path}' is in use by another pretraining.", "Wait for it to end, or give another --out.", Refusal.Conflict);
}
