using Scion.Datasets;
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

    public static InputRejectedException NetworkHasNoWords(string model, string network) => new("P007",
        $"Model '{model}' reads texts with the sentence network '{network}', which has no word vectors.", "Train with own or imported word vectors to look at words; what a word does to a text, a prediction with explain=true says.");

    public static InputRejectedException ImagesToReviews(string model) => new("P002",
        $"Model '{model}' is of reviews; an image was sent.", "Send text: {\"inputs\":[\"a review\"]}.", Refusal.Unsupported);

    public static InputRejectedException DropOfOtherKind(string name, DataKind kind) => new("P005",
        $"'predict/{DatasetFaults.Printable(name)}' is no file of {kind.Item}s by its name, and the model is of {kind.Container}.", $"Drop {kind.Known}.", Refusal.Unsupported);

    /// <summary>Why a file below <c>predict/</c> is not scored.</summary>
    public static InputRejectedException StrayDrop(string name) => new("P006",
        $"'predict/{DatasetFaults.Printable(name)}' lies in no model's folder, or has a name that no answer can be put beside, so it is not scored.",
        "Move it to 'predict/MODEL/', under a name of at most 250 characters without control characters.");
}
