using System.CommandLine;
using System.Text.RegularExpressions;

namespace Scion.Local.Commands;

/// <summary><c>scion encoders pretrain [FOLDER…]</c>: makes an image encoder from labelled photos and formula images.</summary>
static partial class PretrainCommand
{
    public static Command Create()
    {
        Argument<string[]> folders = new("FOLDER")
        {
            Description = "Folders that hold a folder of photos for each label. None: formula images alone.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Option<string> output = new("--out") { Description = "Where encoder.onnx, encoder.json and the checkpoint are written.", HelpName = "DIR", DefaultValueFactory = _ => "pretrained-encoder" };
        Option<double?> minutes = new("--minutes") { Description = "Time to train; 60 when neither this nor --steps is given.", HelpName = "M" };
        Option<long?> steps = new("--steps") { Description = "Steps to train, of 128 pictures, instead of a time.", HelpName = "N" };
        Option<int> seed = new("--seed") { Description = "Of formulas, weights and all draws.", HelpName = "S", DefaultValueFactory = _ => 1 };
        Option<string[]> exclude = new("--exclude") { Description = "Labels whose photos are left out.", HelpName = "LABEL", AllowMultipleArgumentsPerToken = true };
        Option<double> holdOut = new("--hold-out")
        {
            Description = "Share of photos left out, by content: those whose SHA-256, read as a fraction, is at least 1 - SHARE. Measure on them.",
            HelpName = "SHARE",
        };
        Option<string> device = new("--device") { Description = "cpu or cuda.", HelpName = "DEVICE", DefaultValueFactory = _ => "cpu" };
        device.AcceptOnlyFromAmong("cpu", "cuda");
        Option<string> name = new("--name") { Description = "What the encoder is called.", HelpName = "NAME", DefaultValueFactory = _ => "pretrained" };
        Option<string?> licence = new("--licence") { Description = "Written into its card.", HelpName = "TEXT" };
        minutes.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double?>() is { } value && value is not (> 0 and <= 100_000)) result.AddError("--minutes is above 0 and at most 100,000.");
            if (result.GetResult(steps) is { Implicit: false }) result.AddError("Give --minutes or --steps, not both.");
        });
        name.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is { } value && !EncoderName().IsMatch(value)) result.AddError($"'{value}' is no name: 1 to 63 of a to z, 0 to 9 and '-', beginning with a letter or digit.");
        });
        steps.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<long?>() is < 1 or > 1_000_000_000) result.AddError("--steps is at least 1.");
        });
        holdOut.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is not (>= 0 and < 1)) result.AddError("--hold-out lies in [0, 1).");
        });
        Command command = new("pretrain", "Trains an image encoder on labelled photos and on pictures drawn from formulas. Started again, it goes on from its checkpoint.")
        {
            folders, output, minutes, steps, seed, exclude, holdOut, device, name, licence,
        };
        return command.Does(call => RunAsync(call, new Request(call.Get(folders) ?? [], call.Get(output),
            call.Get(minutes) is { } m ? TimeSpan.FromMinutes(m) : call.Get(steps) is null ? TimeSpan.FromMinutes(60) : null, call.Get(steps), call.Get(seed),
            call.Get(exclude) ?? [], call.Get(holdOut), call.Get(device) == "cuda", call.Get(name), call.Get(licence))));
    }

    [GeneratedRegex("^[a-z0-9][a-z0-9-]{0,62}$")]
    private static partial Regex EncoderName();

    /// <summary>What was asked for.</summary>
    sealed record Request(string[] Folders, string Output, TimeSpan? Time, long? Steps, int Seed, string[] Exclude, double HoldOut, bool Cuda, string Name, string? Licence);

#if !TORCH
    static Task<int> RunAsync(Invocation call, Request request)
    {
        call.Cancellation.ThrowIfCancellationRequested();
        _ = request;
        throw PretrainFaults.NotBuilt();
    }
#endif
}
