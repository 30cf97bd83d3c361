#if TORCH
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Scion.Local.Running;
using Scion.Torch;
using Scion.Vision;

namespace Scion.Local.Commands;

static partial class PretrainCommand
{
    static readonly TimeSpan SaidEvery = TimeSpan.FromSeconds(10), SavedEvery = TimeSpan.FromSeconds(60);

    static async Task<int> RunAsync(Invocation call, Request request)
    {
        if (request.Cuda && !TorchSharp.torch.cuda.is_available()) throw PretrainFaults.NoCuda();
        Directory.CreateDirectory(request.Output);
        string At(string file) => Path.Combine(request.Output, file);
        using FileStream locked = Lock(At("pretraining.lock"));

        PretrainingPhotos? gathered = request.Folders.Length == 0 ? null
            : await PretrainingPhotos.GatherAsync(call.Screen, request.Folders, request.Exclude, request.HoldOut, At("photos.rgb"), call.Cancellation);
        using TrainingPhotos photos = gathered is null ? TrainingPhotos.None : new TrainingPhotos(At("photos.rgb"), gathered.Labels, gathered.Classes);
        ImageEncoderOptions options = OptionsOf(request);
        using ImageEncoderTrainer trainer = new(options, photos, Identity(options, gathered), call.Time);
        call.Screen.Note($"Computes in {(options.BFloat16 ? "bfloat16" : "float32")} on {(options.Cuda ? "CUDA" : $"{options.Workers} cores")}.");
        Resume(call, trainer, At("pretraining.checkpoint"));
        await Task.Run(() => Train(call, trainer, At("pretraining.checkpoint")), CancellationToken.None);
        call.Cancellation.ThrowIfCancellationRequested();

        PretrainedEncoder encoder = PretrainedEncoder.Of(trainer, request.Name, Command(request), request.Licence, TrainedOn(trainer, options, request, gathered));
        await File.WriteAllBytesAsync(At("encoder.onnx"), encoder.Model, call.Cancellation);
        await File.WriteAllBytesAsync(At("encoder.json"), JsonSerializer.SerializeToUtf8Bytes(encoder.Card, ScionJson.Indented), call.Cancellation);
        await File.WriteAllBytesAsync(At("probe.json"), JsonSerializer.SerializeToUtf8Bytes(encoder.Probe), call.Cancellation);
        await ImageEncoders.AddAsync(call.Store, encoder.Card, encoder.Model, call.Cancellation);
        if (gathered is not null) File.Delete(At("photos.rgb"));
        call.Screen.Document(new { encoder.Card, encoder.Parity, trainer.Step, folder = request.Output });
        call.Screen.Line(string.Create(CultureInfo.InvariantCulture,
            $"{encoder.Card.Name}: {encoder.Card.Parameters:N0} parameters, {encoder.Model.Length / 1e6:0.0} MB, {trainer.Step:N0} steps; ONNX differs from the trained network by {encoder.Parity:g2} of the largest feature").Escaped());
        call.Screen.Line($"Written to {At("encoder.onnx")}, and kept as encoders/{encoder.Card.Sha256}".Escaped());
        return Exit.Done;
    }

    static FileStream Lock(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException) when (File.Exists(path))
        {
            throw PretrainFaults.Busy(path);
        }
    }

    static ImageEncoderOptions OptionsOf(Request request)
    {
        int workers = request.Cuda ? 1 : Environment.ProcessorCount switch { >= 8 => 8, >= 4 => 4, >= 2 => 2, _ => 1 };
        return new ImageEncoderOptions(EncoderArchitecture.Default, request.Seed, request.Steps, request.Time)
        {
            Workers = workers,
            Cuda = request.Cuda,
            BFloat16 = request.Cuda || ImageEncoderTrainer.BFloat16IsFaster(),
        };
    }

    /// <summary>Digest of what makes it this training: what is learned from, and how; not for how long, nor on which machine.</summary>
    static string Identity(ImageEncoderOptions options, PretrainingPhotos? photos) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new
        {
            Options = options with { Steps = null, Time = null, Workers = 0, Cuda = false, BFloat16 = false },
            Photos = photos?.Hashes,
            photos?.Labels,
            photos?.Classes,
        }))));

    static void Resume(Invocation call, ImageEncoderTrainer trainer, string path)
    {
        if (!File.Exists(path)) return;
        using FileStream checkpoint = File.OpenRead(path);
        if (!trainer.TryResume(checkpoint)) throw PretrainFaults.OtherTraining(path);
        call.Screen.Note($"Goes on from step {trainer.Step.ToString("N0", CultureInfo.InvariantCulture)} of {path}.".Escaped());
    }

    static void Train(Invocation call, ImageEncoderTrainer trainer, string path)
    {
        long said = call.Time.GetTimestamp(), saved = said;
        trainer.Train(
            now =>
            {
                if (call.Time.GetElapsedTime(said) > SaidEvery)
                {
                    said = call.Time.GetTimestamp();
                    string photos = double.IsNaN(now.PhotoLoss) ? "" : string.Create(CultureInfo.InvariantCulture, $"photos {now.PhotoLoss:0.00}, ");
                    call.Screen.Note(string.Create(CultureInfo.InvariantCulture,
                        $"step {now.Step:N0}, {100 * now.Part:0.0} %, {now.PicturesPerSecond:0} pictures/s{(now.Left is { } left ? $", {Left(left)} left" : "")}; loss: {photos}forms {now.ShapeLoss:0.00} ({100 * now.ShapesRight:0} % right), colours {now.PaletteLoss:0.00} ({100 * now.PalettesRight:0} % right)").Escaped());
                }
                if (call.Time.GetElapsedTime(saved) < SavedEvery) return;
                saved = call.Time.GetTimestamp();
                try
                {
                    Save(trainer, path);
                }
                catch (IOException error)           // an hour's training does not end because a disk is full for a minute
                {
                    call.Screen.Note($"[yellow]![/] The checkpoint was not written, the one before it stands: {error.Message.Escaped()}");
                }
            },
            () => call.Cancellation.IsCancellationRequested, CancellationToken.None);
        Save(trainer, path);
    }

    static void Save(ImageEncoderTrainer trainer, string path)
    {
        using (FileStream file = new(path + ".part", FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16))
        {
            trainer.Save(file);
            file.Flush(flushToDisk: true);
        }
        File.Move(path + ".part", path, overwrite: true);
    }

    static string Left(TimeSpan left) => left.TotalMinutes < 1 ? $"{(int)left.TotalSeconds} s" : $"{(int)left.TotalHours} h {left.Minutes} min";

    static string Command(Request r)
    {
        StringBuilder command = new("scion encoders pretrain");
        foreach (string folder in r.Folders) command.Append(CultureInfo.InvariantCulture, $" {folder}");
        if (r.Exclude.Length > 0) command.Append(CultureInfo.InvariantCulture, $" --exclude {string.Join(' ', r.Exclude)}");
        if (r.HoldOut > 0) command.Append(CultureInfo.InvariantCulture, $" --hold-out {r.HoldOut}");
        if (r.Time is { } time) command.Append(CultureInfo.InvariantCulture, $" --minutes {time.TotalMinutes}");
        if (r.Steps is { } steps) command.Append(CultureInfo.InvariantCulture, $" --steps {steps}");
        command.Append(CultureInfo.InvariantCulture, $" --seed {r.Seed} --name {r.Name}");
        if (r.Licence is { } licence) command.Append(CultureInfo.InvariantCulture, $" --licence \"{licence}\"");
        if (r.Cuda) command.Append(" --device cuda");
        return command.ToString();
    }

    static string TrainedOn(ImageEncoderTrainer trainer, ImageEncoderOptions options, Request request, PretrainingPhotos? photos)
    {
        string drawn = string.Create(CultureInfo.InvariantCulture, $"pictures drawn from formulas ({options.Shapes} forms, {options.Palettes} palettes, seed {options.Seed})");
        string length = string.Create(CultureInfo.InvariantCulture, $"{trainer.Step:N0} steps of {options.Batch} pictures");
        if (photos is null) return $"{length}: {drawn}.";
        string held = request.HoldOut > 0
            ? string.Create(CultureInfo.InvariantCulture, $", those whose SHA-256, read as a fraction, is below {1 - request.HoldOut:0.####}")
            : "";
        return string.Create(CultureInfo.InvariantCulture,
            $"{length}: {photos.Labels.Count:N0} photos of {photos.Classes.Count} labels ({string.Join(", ", photos.Classes)}){held}; {drawn}.");
    }
}
#endif
