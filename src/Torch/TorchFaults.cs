using System.Globalization;
using Scion.Faults;

namespace Scion.Torch;

/// <summary>Faults of pretraining.</summary>
static class TorchFaults
{
    public static InputRejectedException Diverged(long step, double rate) => new("V097",
        string.Create(CultureInfo.InvariantCulture, $"Pretraining lost its numbers at step {step}: the loss is no longer finite at rate {rate}."),
        "Start again with another --seed; if it happens again, report it with the command.");
}
