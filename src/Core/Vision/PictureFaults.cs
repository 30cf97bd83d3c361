using System.Globalization;
using Scion.Faults;

namespace Scion.Vision;

/// <summary>Refusals of pictures, and the sentences that warn of what was done to one.</summary>
public static class PictureFaults
{
    const string SaveAgain = "Upload the original again, or leave it out.";

    public static InputRejectedException NotRead(string what) => new("V001",
        $"The file is {what}.", "Save it as JPEG, PNG or WebP: these are read, whatever the file is called.", Refusal.Unsupported);

    public static InputRejectedException Empty() => new("V002", "The file is empty.", SaveAgain);

    public static InputRejectedException TooManyBytes(long bytes) => new("V003",
        string.Create(CultureInfo.InvariantCulture, $"The file has {bytes:N0} bytes; a picture may have {PictureDecoder.MaxBytes:N0}."),
        "Save it with stronger compression or fewer pixels.", Refusal.TooLarge);

    public static InputRejectedException TooManyPixels(long width, long height) => new("V004",
        string.Create(CultureInfo.InvariantCulture, $"The picture says it is {width:N0} × {height:N0}; a side may have {PictureDecoder.MaxSide:N0} pixels and all of it {PictureDecoder.MaxPixels:N0}."),
        "Make it smaller; no network looks at more than a thousand pixels a side.", Refusal.TooLarge);

    public static InputRejectedException Header(string format, string what) => new("V005", $"The {format} header is not valid: {what}.", SaveAgain);

    public static InputRejectedException Incomplete(string format, string what) => new("V006", $"The {format} is cut off: {what}.", SaveAgain);

    public static InputRejectedException Damaged(string format, string what) => new("V007", $"The {format} is damaged: {what}.", SaveAgain);

    public static InputRejectedException Variant(string format, string what) => new("V008",
        $"This kind of {format} is not read: {what}.", $"Save it as an ordinary {format} of 8 bits a channel.", Refusal.Unsupported);

    public static InputRejectedException Slow(TimeSpan limit) => new("V009",
        string.Create(CultureInfo.InvariantCulture, $"The picture was not decoded in {limit.TotalSeconds:0.#} s, in two tries."), SaveAgain);

    public static InputRejectedException Died(string how) => new("V010", $"The process that decodes pictures died of it, in two tries: {how}.", SaveAgain);

    public static InputRejectedException Memory(long bytes, long limit) => new("V011",
        string.Create(CultureInfo.InvariantCulture, $"Decoding it took {bytes >> 20:N0} MiB, in two tries; {limit >> 20:N0} are allowed."), "Make it smaller.", Refusal.TooLarge);

    public static InputRejectedException Fit(string what) => new("V012", $"The size a picture is to be fitted to is not usable: {what}.",
        "Import the encoder again with this version of Scion.");

    /// <summary>The installation's fault, no picture's, so it is no refusal.</summary>
    public static InvalidOperationException NoDecoder(string executable, string how) => new(
        $"V013: The program that decodes pictures does not start: {executable} ({how}). Build or install Scion again; it lies beside the host's own program.");

    /// <summary>A warning, not a refusal.</summary>
    public static string Frames(int frames) => string.Create(CultureInfo.InvariantCulture, $"V030: The file has {frames:N0} frames; only the first is used.");

    /// <summary>A warning, not a refusal.</summary>
    public static string PrintingColours() => "V031: The colours are for print (CMYK); they were converted by formula, without a profile, and may look stronger than in a viewer.";
}
