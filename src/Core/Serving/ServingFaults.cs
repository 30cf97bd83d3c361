using Scion.Faults;

namespace Scion.Serving;

/// <summary>Refusals of prediction; listed in docs/errors.md.</summary>
public static class ServingFaults
{
    public static InputRejectedException TooManyWords(int words) => new("P001",
        $"A text has {words} known words; at most {ReviewPredictor.MaxWords} are scored.", "Cut it into parts.", Refusal.TooLarge);

    public static InputRejectedException ImagesToReviews(string model) => new("P002",
        $"Model '{model}' is of reviews; an image was sent.", "Send text: {\"inputs\":[\"a review\"]}.", Refusal.Unsupported);
}
