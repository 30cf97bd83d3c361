using System.Globalization;
using Scion.Faults;

namespace Scion.Torch;

/// <summary>Faults of pretraining.</summary>
static class TorchFaults
{
    public static InputRejectedException Diverged(long step, double rate) => new("V097",
        string.Create(CultureInfo.InvariantCulture, $"Pretraining lost its numbers at step {step}: the loss is no longer finite at rate {rate}."),
        "Start again with another --seed; if it happens again, report it with the command.");

    public static InputRejectedException NoParity(double parity, double most) => new("V098",
        string.Create(CultureInfo.InvariantCulture, $"The exported encoder is not the trained one: features differ by {parity:g2} of the largest; {most:g2} is allowed."),
        "Report it with the command; the checkpoint is kept.");
}
