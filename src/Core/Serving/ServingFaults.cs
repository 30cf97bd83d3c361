using Scion.Faults;

namespace Scion.Serving;

/// <summary>Refusals of prediction; listed in docs/errors.md.</summary>
public static class ServingFaults
{
    public static InputRejectedException TooManyWords(int words) => new("P001",
        $"A text has {words} known words; at most {ReviewPredictor.MaxWords} are scored.", "Cut it into parts.", Refusal.TooLarge);
}
