using Scion.Faults;

namespace Scion.Serving;

/// <summary>Refusals of prediction; listed in docs/errors.md.</summary>
public static class ServingFaults
{
    public static InputRejectedException TooManyWords(int words) => new("P001",
        $"A text has {words} known words; at most {ReviewPredictor.MaxWords} are scored.", "Cut it into parts.", Refusal.TooLarge);

    public static InputRejectedException TextToImages(string model) => new("P003",
        $"Model '{model}' is of images; text was sent.", "Send a picture: its bytes as image/jpeg, image/png or image/webp, multipart/form-data, or {\"inputs\":[{\"image\":\"<base64>\"}]}.", Refusal.Unsupported);

    public static InputRejectedException NoWords(string model) => new("P004",
        $"Model '{model}' is of images and knows no words.", "Only models of reviews have word vectors, and can say what each word did.");

    public static InputRejectedException ImagesToReviews(string model) => new("P002",
        $"Model '{model}' is of reviews; an image was sent.", "Send text: {\"inputs\":[\"a review\"]}.", Refusal.Unsupported);
}
