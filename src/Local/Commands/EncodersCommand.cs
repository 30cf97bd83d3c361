using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using Scion.Local.Running;
using Scion.Local.Terminal;
using Scion.Onnx;
using Scion.Storage;
using Scion.Text;
using Scion.Vision;

namespace Scion.Local.Commands;

/// <summary><c>scion encoders</c>: word vectors, image and sentence networks made elsewhere.</summary>
static partial class EncodersCommand
{
    static readonly Dictionary<string, PictureResize> Resizes = new(StringComparer.Ordinal)
    {
        ["crop"] = PictureResize.CentreCrop,
        ["squash"] = PictureResize.Squash,
        ["pad"] = PictureResize.Pad,
    };

    public static Command Create()
    {
        Argument<string> encoder = new("ENCODER") { Description = "Name or encoders/SHA256 of an image encoder." };
        Argument<string> either = new("ENCODER") { Description = "Name or encoders/SHA256 of an image encoder, or an .onnx file that is not imported." };
        Option<string> layer = new("--layer") { Description = "Name of the layer to end at; 'inspect' lists them.", HelpName = "LAYER", Required = true };
        Option<string?> name = new("--name") { Description = "Name of the new encoder: a-z, 0-9 and '-'.", HelpName = "NAME" };
        return new Command("encoders", "Lists, imports, inspects and cuts networks made elsewhere.")
        {
            new Command("list", "Word vectors, image and sentence networks in the store.").Does(ListAsync),
            ImportCommand(),
            new Command("inspect", "Layers of an image network: operator, shape, features, parameters; which are tried by encoder.layer=auto.") { either }
                .Does(call => InspectAsync(call, call.Get(either))),
            new Command("cut", "Makes a new encoder that ends at one layer of another.") { encoder, layer, name }
                .Does(call => CutAsync(call, call.Get(encoder), call.Get(layer), call.Get(name))),
            PretrainCommand.Create(),
            VectorsCommand.Create(),
        };
    }

    static Command ImportCommand()
    {
        Argument<string> file = new("FILE|FOLDER|URL") { Description = "An .onnx image or sentence network, or word vectors (word2vec text or binary, GloVe): a file, a folder with one .onnx, or an https address." };
        Option<string?> sha256 = new("--sha256") { Description = "What the file must be; needed for an address.", HelpName = "HEX" };
        Option<bool> anyDigest = new("--any-digest") { Description = "Take whatever the address gives; the digest found is printed." };
        Option<string?> name = new("--name") { Description = "What to call it: a-z, 0-9 and '-'. Default: made of the file's name.", HelpName = "NAME" };
        Option<string?> licence = new("--licence") { Description = "Kept with it.", HelpName = "TEXT" };
        Option<string?> trainedOn = new("--trained-on") { Description = "What it learned from; kept with it.", HelpName = "TEXT" };
        Option<string?> preset = new("--preset") { Description = $"How it takes pixel values: {string.Join(", ", PicturePreset.All.Select(known => known.Name))} (docs/encoders.md).", HelpName = "NAME" };
        preset.AcceptOnlyFromAmong([.. PicturePreset.All.Select(known => known.Name)]);
        Option<int?> size = new("--size") { Description = "Height and width, when the network leaves them open. Default: 224.", HelpName = "PIXELS" };
        Option<string?> resize = new("--resize") { Description = "crop (default): shorter side, then the middle; squash: both sides; pad: white around.", HelpName = "RULE" };
        resize.AcceptOnlyFromAmong([.. Resizes.Keys]);
        Option<int?> shorter = new("--shorter-side") { Description = "For crop: pixels of the shorter side before. Default: size × 8/7.", HelpName = "PIXELS" };
        Option<string?> channels = new("--channels") { Description = "rgb or bgr; outranks the preset, as --mean and --scale do.", HelpName = "ORDER" };
        channels.AcceptOnlyFromAmong("rgb", "bgr");
        Option<string?> mean = new("--mean") { Description = "Subtracted, in units of 0 to 255: one number or three.", HelpName = "A,B,C" };
        Option<string?> scale = new("--scale") { Description = "Multiplied after that: one number or three.", HelpName = "A,B,C" };
        SentenceImport sentence = new();
        Option[] ofPictures = [preset, size, resize, shorter, channels, mean, scale], ofNetworks = [name, licence, trainedOn];
        Command import = new("import", "Checks a network or word vectors whole and keeps them; train with --set encoder=NAME.")
        {
            file, sha256, anyDigest, name, licence, trainedOn, preset, size, resize, shorter, channels, mean, scale,
        };
        foreach (Option option in sentence.Options) import.Options.Add(option);
        string[] Given(Invocation call, IEnumerable<Option> options) => [.. options.Where(option => call.Parsed.GetResult(option) is not null).Select(option => option.Name)];
        return import.Does(call => ImportAsync(call, call.Get(file), call.Get(sha256), call.Get(anyDigest), sentence, new ImageEncoderOrigin("")
        {
            Name = call.Get(name),
            Licence = call.Get(licence),
            TrainedOn = call.Get(trainedOn),
            Preset = call.Get(preset) is { } known ? PicturePreset.Named(known) : null,
            Size = call.Get(size),
            Resize = call.Get(resize) is { } rule ? Resizes[rule] : null,
            ShorterSide = call.Get(shorter),
            Channels = call.Get(channels),
            Mean = Three("--mean", call.Get(mean)),
            Scale = Three("--scale", call.Get(scale)),
        }, Given(call, ofPictures), Given(call, ofNetworks)));
    }

    static async Task<int> ImportAsync(Invocation call, string from, string? sha256, bool anyDigest, SentenceImport sentence, ImageEncoderOrigin origin, string[] ofPictures, string[] ofNetworks)
    {
        if (sha256 is not null && !Digest().IsMatch(sha256)) throw EncoderFaults.BadPreprocessing($"'{sha256}' is not a SHA-256: 64 hex digits are.");
        sha256 = sha256?.ToLowerInvariant();
        byte[]? fetched = null;
        string path = from, source = from;
        if (EncoderDownload.IsUrl(from))
        {
            if (sha256 is null && !anyDigest) throw EncoderFaults.DigestNeeded(from);
            call.Screen.Note($"Fetching {from.Escaped()}");
            fetched = await EncoderDownload.FetchAsync(from, sha256, call.Cancellation);
        }
        else
        {
            if (Directory.Exists(from)) path = EncoderFolder.FileIn(from);
            else if (!File.Exists(from)) throw LocalFaults.NoSuchPath(from);
            source = Path.GetFileName(path);
            if (sha256 is not null) await RequireDigestAsync(path, sha256, call.Cancellation);
        }
        await using Stream file = fetched is not null ? new MemoryStream(fetched, writable: false)
            : new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        if (!IsNetwork(file, path))
        {
            string[] unfit = [.. ofPictures, .. ofNetworks, .. sentence.Given(call)];
            if (unfit.Length > 0) throw EncoderFaults.BadPreprocessing($"{string.Join(", ", unfit)} {(unfit.Length == 1 ? "is an option" : "are options")} of {(sentence.Given(call).Length > 0 ? "" : "image ")}networks, and '{source}' is no ONNX file.");
            return await ImportWordsAsync(call, file, source);
        }
        origin = origin with { Source = source };
        byte[]? whole = fetched ?? await WithinBoundsAsync(file, source, call.Cancellation);
        if (sentence.Given(call).Length > 0 || SentenceGraph.TakesIds(whole))
        {
            if (ofPictures.Length > 0) throw SentenceNetworkFaults.BadOption($"{string.Join(", ", ofPictures)} {(ofPictures.Length == 1 ? "is an option" : "are options")} of image networks, and '{source}' is given as a sentence network.");
            return await sentence.RunAsync(call, whole, fetched is null ? path : null, anyDigest,
                new SentenceOrigin(source) { Name = origin.Name, Licence = origin.Licence, TrainedOn = origin.TrainedOn });
        }
        file.Position = 0;
        if (fetched is null) origin = EncoderFolder.WithConfig(path, origin);
        ImportedEncoder imported = await ImageEncoders.ImportAsync(call.Store, file, origin, call.Cancellation);
        call.Screen.Document(new { imported.Card, imported.Warnings });
        Describe(call, imported.Card);
        foreach (string warning in imported.Warnings) call.Screen.Note($"[yellow]![/] {warning.Escaped()}");
        call.Screen.Line($"Train with it: scion train images PATH --model NAME --set encoder={EncoderCards.Container}/{imported.Card.Sha256}");
        return Exit.Done;
    }

    static async Task<byte[]> WithinBoundsAsync(Stream file, string source, CancellationToken cancellation)
    {
        if (file.Length > ForeignGraph.MaxBytes) throw EncoderFaults.TooLarge($"'{source}'", $"it has {file.Length:n0} bytes; at most {ForeignGraph.MaxBytes:n0} are read");
        byte[] whole = new byte[file.Length];
        await file.ReadExactlyAsync(whole, cancellation);
        return whole;
    }

    /// <summary>ONNX files begin with field 1 of a protobuf message, the byte 8, which no text holds.</summary>
    static bool IsNetwork(Stream file, string path)
    {
        int first = file.ReadByte();
        file.Position = 0;
        return first == 8 || path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase);
    }

    static async Task<int> ImportWordsAsync(Invocation call, Stream file, string source)
    {
        EncoderCard card = await WordVectorImport.AddAsync(call.Store, file, source, call.Cancellation);
        call.Screen.Document(card);
        call.Screen.Line($"{N(card.Words)} words of {card.Dim} components");
        call.Screen.Line($"Train with it: scion train reviews PATH --model NAME --set encoder={card.Name}");
        return Exit.Done;
    }

    static async Task RequireDigestAsync(string path, string sha256, CancellationToken cancellation)
    {
        await using FileStream file = File.OpenRead(path);
        string found = Convert.ToHexStringLower(await System.Security.Cryptography.SHA256.HashDataAsync(file, cancellation));
        if (found != sha256) throw EncoderFaults.WrongDigest(path, file.Length, found, sha256);
    }

    static async Task<int> ListAsync(Invocation call)
    {
        IReadOnlyList<EncoderCard> words = await WordVectorImport.ListAsync(call.Store, call.Cancellation);
        IReadOnlyList<ImageEncoderCard> networks = await ImageEncoders.ListAsync(call.Store, call.Cancellation);
        IReadOnlyList<SentenceNetworkCard> sentences = await SentenceNetworks.ListAsync(call.Store, call.Cancellation);
        call.Screen.Document(new { encoders = words.Cast<object>().Concat(sentences).Append(DefaultEncoder.Card).Concat(networks) });
        IEnumerable<string[]> rows = words.Select(card => new[] { card.Name, card.Kind, "", $"{N(card.Words)} words", N(card.Dim), card.Source })
            .Concat(sentences.Select(card => new[] { $"{EncoderCards.Container}/{card.Sha256}", card.Kind, card.Name, $"{N(card.Parameters)} parameters", N(card.Dim), card.Source }))
            .Concat(networks.Prepend(DefaultEncoder.Card).Select(card => new[]
            {
                card == DefaultEncoder.Card ? DefaultEncoder.Name : $"{EncoderCards.Container}/{card.Sha256}", card.Kind, card.Name,
                $"{N(card.Parameters)} parameters", N(Default(card).Features), card.Source,
            }));
        foreach (string line in TextTable.Lines(["encoder", "kind", "name", "size", "features", "from"], rows, right: [3, 4])) call.Screen.Line(line.Escaped());
        return Exit.Done;
    }

    static async Task<int> InspectAsync(Invocation call, string encoder)
    {
        if (await SentenceNetworks.FindAsync(call.Store, encoder, call.Cancellation) is { } sentence)
        {
            await SentenceNetworks.ReadAsync(call.Store, sentence, call.Cancellation);
            call.Screen.Document(sentence);
            SentenceImport.Describe(call, sentence);
            return Exit.Done;
        }
        ImageEncoderCard card;
        IReadOnlyList<string> warnings = [];
        bool isFile = File.Exists(encoder);
        if (isFile)
        {
            if (new FileInfo(encoder).Length > ForeignGraph.MaxBytes) throw EncoderFaults.TooLarge($"'{encoder}'", $"it has over {ForeignGraph.MaxBytes:n0} bytes");
            (card, warnings) = ImageEncoders.Inspect(await File.ReadAllBytesAsync(encoder, call.Cancellation), Path.GetFileName(encoder));
        }
        else card = (await ImageEncoders.ReadAsync(call.Store, encoder, call.Cancellation)).Card;
        call.Screen.Document(new
        {
            card.Name,
            Imported = !isFile,
            card.Sha256,
            card.Source,
            card.SourceSha256,
            card.Licence,
            card.TrainedOn,
            card.Fit,
            Values = isFile ? null : card.Values,
            card.Parameters,
            card.Batches,
            card.DefaultLayer,
            layers = card.Layers.Select(layer => new { layer.Name, layer.Operator, layer.Shape, layer.Features, layer.Parameters, headParameters = HeadOfTwo(layer), layer.Offered }),
            warnings,
        });
        if (isFile) call.Screen.Line($"{card.Source.Escaped()}: not imported, so its pixel values are not known here.");
        else Describe(call, card);
        foreach (string warning in warnings) call.Screen.Note($"[yellow]![/] {warning.Escaped()}");
        call.Screen.Line();
        foreach (string line in TextTable.Lines(["layer", "operator", "shape", "features", "parameters", "head of 2 classes", ""], card.Layers.Select(layer => new[]
        {
            layer.Name, layer.Operator, string.Join(" × ", layer.Shape), N(layer.Features), N(layer.Parameters), N(HeadOfTwo(layer)),
            layer.Name == card.DefaultLayer ? "default, auto" : layer.Offered ? "auto" : "",
        }), right: [3, 4, 5])) call.Screen.Line(line.Escaped());
        return Exit.Done;
    }

    static async Task<int> CutAsync(Invocation call, string encoder, string layer, string? name)
    {
        (ImageEncoder cut, byte[] file) = ImageEncoders.Cut(await ImageEncoders.ReadAsync(call.Store, encoder, call.Cancellation), layer, name);
        ImageEncoderCard card = await ImageEncoders.AddAsync(call.Store, cut.Card, file, call.Cancellation);
        call.Screen.Document(new { card });
        Describe(call, card);
        return Exit.Done;
    }

    static void Describe(Invocation call, ImageEncoderCard card)
    {
        EncoderLayer layer = Default(card);
        Receipt.Field(call.Screen, "Encoder", $"{card.Name.Escaped()}, {EncoderCards.Container}/{card.Sha256}");
        Receipt.Field(call.Screen, "From", $"{card.Source.Escaped()}, {card.SourceSha256}");
        Receipt.Field(call.Screen, "Licence", (card.Licence ?? "not given").Escaped());
        Receipt.Field(call.Screen, "Trained on", (card.TrainedOn ?? "not given").Escaped());
        Receipt.Field(call.Screen, "Pictures", string.Create(CultureInfo.InvariantCulture, $"{card.Fit.Height} × {card.Fit.Width}, {RuleOf(card.Fit)}"));
        Receipt.Field(call.Screen, "Values", string.Create(CultureInfo.InvariantCulture, $"{card.Values.Channels}, minus {Numbers(card.Values.Mean)}, times {Numbers(card.Values.Scale)}, {card.Values.Type}").Escaped());
        Receipt.Field(call.Screen, "Parameters", string.Create(CultureInfo.InvariantCulture, $"{card.Parameters:n0}; {(card.Batches ? "takes any number of pictures" : "takes one picture at a time")}"));
        Receipt.Field(call.Screen, "Layer", $"{layer.Name.Escaped()}: {N(layer.Features)} features, so a head of 2 classes has {N(HeadOfTwo(layer))} parameters");
    }

    static EncoderLayer Default(ImageEncoderCard card) => card.Layers.First(layer => layer.Name == card.DefaultLayer);

    /// <summary>The source article's formula: (features + 1) · classes.</summary>
    static long HeadOfTwo(EncoderLayer layer) => (layer.Features + 1L) * 2;

    static string RuleOf(PictureFit fit) => fit.Resize switch
    {
        PictureResize.CentreCrop => string.Create(CultureInfo.InvariantCulture, $"the middle of a picture whose shorter side is {fit.ShorterSide}"),
        PictureResize.Squash => "squashed to it",
        _ => "padded with white to it",
    };

    static string Numbers(IReadOnlyList<float> values) => values.Distinct().Count() == 1 ? values[0].ToString("g6", CultureInfo.InvariantCulture)
        : string.Join(", ", values.Select(value => value.ToString("g6", CultureInfo.InvariantCulture)));

    static float[]? Three(string option, string? text)
    {
        if (text is null) return null;
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries);
        float[] values = new float[parts.Length];
        for (int i = 0; i < parts.Length; i++)
            if (!float.TryParse(parts[i], NumberStyles.Float, CultureInfo.InvariantCulture, out values[i])) throw EncoderFaults.BadPreprocessing($"{option} is '{text}'; one number or three, parted by commas, are expected.");
        return values.Length switch
        {
            1 => [values[0], values[0], values[0]],
            3 => values,
            _ => throw EncoderFaults.BadPreprocessing($"{option} is '{text}'; one number or three, parted by commas, are expected."),
        };
    }

    static string N(long number) => number.ToString("n0", CultureInfo.InvariantCulture);

    [GeneratedRegex("^[0-9a-fA-F]{64}$")]
    private static partial Regex Digest();
}
