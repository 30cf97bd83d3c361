using Scion.Faults;

namespace Scion.Vision;

/// <summary>Refusals while features of pictures are computed.</summary>
static class ExtractionFaults
{
    public static InputRejectedException Graph(string fact) => new("V101", $"The cut network cannot be used: {fact}.",
        "Choose another layer with encoder.layer, or another network; 'scion encoders inspect' lists the layers.");

    public static InputRejectedException OutOfMemory(int batch) => new("V102",
        $"There is not enough memory to run {(batch == 1 ? "1 picture" : $"{batch} pictures")} through the network on the CPU.",
        "Run it on a machine with more memory, or choose a smaller network or an earlier layer.");

    public static InputRejectedException NotReadAgain(string name, InputRejectedException refusal) => new("V103",
        $"'{name}' was accepted and cannot be read now. {refusal.Code}: {refusal.Fact}",
        "Start the run again; if it happens again, take the picture out of the folder.");

    public static InputRejectedException NotFinite(string name) => new("V104", $"The network gives a number for '{name}' that is not finite.",
        "Choose an earlier layer with encoder.layer, or another network; this one overflows.");
}
