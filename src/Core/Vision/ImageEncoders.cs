using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Scion.Faults;
using Scion.Onnx;
using Scion.Storage;

namespace Scion.Vision;

/// <summary>What is known of a network beside its file. What is left out is taken from the file, or refused when it cannot be.</summary>
/// <param name="Source">File name or address it comes from, or the command that made it.</param>
public sealed record ImageEncoderOrigin(string Source)
{
    /// <summary>What people call it: lower case, digits, dashes. Default: made of the source.</summary>
    public string? Name { get; init; }

    public string? Licence { get; init; }

    public string? TrainedOn { get; init; }

    /// <summary>Values as a family of networks takes them; parts that are given below outrank it.</summary>
    public PicturePreset? Preset { get; init; }

    /// <summary>"rgb" or "bgr".</summary>
    public string? Channels { get; init; }

    /// <summary>Three numbers, in units of 0 to 255, in the order of the channels.</summary>
    public IReadOnlyList<float>? Mean { get; init; }

    /// <summary>Three numbers.</summary>
    public IReadOnlyList<float>? Scale { get; init; }

    /// <summary>Height and width in pixels; needed when the network leaves them open.</summary>
    public int? Size { get; init; }

    /// <summary>Default: <see cref="PictureResize.Pad"/>, which loses nothing of the picture and measured best (docs/experiments.md), unless a shorter side is given.</summary>
    public PictureResize? Resize { get; init; }

    /// <summary>Pixels of the shorter side before the middle is cut out. Default: size × 8 ⁄ 7, the usual 256 for 224.</summary>
    public int? ShorterSide { get; init; }

    internal bool ChangesPictures => Preset is not null || Channels is not null || Mean is not null || Scale is not null || Size is not null || Resize is not null || ShorterSide is not null;
}

/// <summary>An image encoder: what is known of it, and its graph.</summary>
/// <param name="Card">Its card.</param>
/// <param name="Model">The whole network, from pixels; callers cut it and do not change it.</param>
public sealed record ImageEncoder(ImageEncoderCard Card, ModelProto Model);

/// <param name="Card">Of the stored encoder.</param>
/// <param name="Warnings">What a person should know, each a sentence that begins with its code.</param>
public sealed record ImportedEncoder(ImageEncoderCard Card, IReadOnlyList<string> Warnings);

/// <summary>Image networks in the store: <c>encoders/{sha256}/encoder.onnx</c> and <c>encoder.json</c>.</summary>
/// <remarks>Create-only: an encoder's bytes and card never change, so importing one again is free. Every read scans the graph as if it were foreign.</remarks>
public static partial class ImageEncoders
{
    public const string Kind = "image";

    /// <summary>Makes an encoder of a network's file, without storing it.</summary>
    /// <exception cref="InputRejectedException">It is not a network that can be used (V050 to V062, V064).</exception>
    public static (ImageEncoder Encoder, byte[] File, IReadOnlyList<string> Warnings) Make(ReadOnlyMemory<byte> file, ImageEncoderOrigin origin)
    {
        string what = $"'{EncoderFaults.Shown(origin.Source)}'", sourceSha256 = Convert.ToHexStringLower(SHA256.HashData(file.Span));
        ModelProto foreign = ForeignGraph.Read(what, file);
        if (!EncoderGraph.IsStored(foreign))
        {
            (PictureFit fit, PictureValues values) = PictureInput.Of(what, foreign, origin);
            return Card(origin, sourceSha256, PictureNetwork.Prepare(what, foreign, fit, values));
        }
        if (origin.ChangesPictures) throw EncoderFaults.BadPreprocessing($"{what} is an encoder of Scion, and its preprocessing is part of it already.");
        return Card(origin, sourceSha256, PictureNetwork.Check(what, foreign));
    }

    /// <summary>Where a file that is not imported can be cut. That does not depend on pixel values, so they need not be known: the card's are not to be used.</summary>
    /// <exception cref="InputRejectedException">As <see cref="Make"/>, but for V061.</exception>
    public static (ImageEncoderCard Card, IReadOnlyList<string> Warnings) Inspect(ReadOnlyMemory<byte> file, string source)
    {
        ImageEncoderOrigin origin = new(source);
        bool stored = EncoderGraph.IsStored(ForeignGraph.Read($"'{EncoderFaults.Shown(source)}'", file));
        (ImageEncoder encoder, _, IReadOnlyList<string> warnings) = Make(file, stored ? origin : origin with { Preset = PicturePreset.Named("rgb") });
        return (encoder.Card, warnings);
    }

    /// <summary>Makes an encoder of a network's file and stores it.</summary>
    /// <exception cref="InputRejectedException">As <see cref="Make"/>.</exception>
    public static async Task<ImportedEncoder> ImportAsync(IBlobStore store, Stream file, ImageEncoderOrigin origin, CancellationToken cancellation)
    {
        byte[] bytes = await ReadAllAsync(file, origin.Source, cancellation);
        (ImageEncoder encoder, byte[] stored, IReadOnlyList<string> warnings) = Make(bytes, origin);
        ImageEncoderCard card = await AddAsync(store, encoder.Card, stored, cancellation);
        bool other = (card.Name, card.Licence, card.TrainedOn) != (encoder.Card.Name, origin.Licence ?? card.Licence, origin.TrainedOn ?? card.TrainedOn);
        return new ImportedEncoder(card, other ? [.. warnings, EncoderFaults.StoredAlready(card.Name)] : warnings);
    }

    /// <summary>Stores an encoder; when it is there already, its card as stored is returned.</summary>
    public static async Task<ImageEncoderCard> AddAsync(IBlobStore store, ImageEncoderCard card, ReadOnlyMemory<byte> file, CancellationToken cancellation)
    {
        await store.CreateAsync(BlobPath.Of(EncoderCards.Container, $"{card.Sha256}/encoder.onnx"), new ReadOnlyMemoryStream(file), cancellation);
        BlobPath path = BlobPath.Of(EncoderCards.Container, $"{card.Sha256}/encoder.json");
        await store.CreateAsync(path, new ReadOnlyMemoryStream(JsonSerializer.SerializeToUtf8Bytes(card, ScionJson.Indented)), cancellation);
        return (await store.FindJsonAsync<ImageEncoderCard>(path, cancellation))?.Value ?? card;
    }

    /// <summary>All image encoders, by digest.</summary>
    public static Task<IReadOnlyList<ImageEncoderCard>> ListAsync(IBlobStore store, CancellationToken cancellation) => EncoderCards.ListAsync<ImageEncoderCard>(store, Kind, cancellation);

    /// <summary>Finds an encoder by <c>encoders/{sha256}</c>, by its digest, or by its name; "default" is the one that ships with Scion, and no other.</summary>
    /// <exception cref="InputRejectedException">There is none (V065), or several are called so (V067).</exception>
    public static async Task<ImageEncoderCard> FindAsync(IBlobStore store, string encoder, CancellationToken cancellation)
    {
        if (encoder == DefaultEncoder.Name) return DefaultEncoder.Card;
        string key = encoder.StartsWith(EncoderCards.Container + "/", StringComparison.Ordinal) ? encoder[(EncoderCards.Container.Length + 1)..] : encoder;
        if (Digest().IsMatch(key))
            return await EncoderCards.FindAsync<ImageEncoderCard>(store, key, Kind, cancellation) ?? throw EncoderFaults.NotImported(encoder);
        ImageEncoderCard[] named = [.. (await ListAsync(store, cancellation)).Where(card => card.Name == encoder)];
        return named switch
        {
            [var only] => only,
            [] => throw EncoderFaults.NotImported(encoder),
            _ => throw EncoderFaults.Ambiguous(encoder, named.Select(card => $"{EncoderCards.Container}/{card.Sha256}")),
        };
    }

    /// <summary>Reads an encoder: digest checked, graph scanned, card compared with it.</summary>
    /// <param name="store">Where it lies.</param>
    /// <param name="encoder">As <see cref="FindAsync"/> takes it.</param>
    /// <param name="cancellation">Stops the reads.</param>
    /// <exception cref="InputRejectedException">There is none (V065), several are called so (V067), or it was damaged or replaced (V066).</exception>
    public static async Task<ImageEncoder> ReadAsync(IBlobStore store, string encoder, CancellationToken cancellation)
    {
        if (encoder == DefaultEncoder.Name) return DefaultEncoder.Open();
        ImageEncoderCard card = await FindAsync(store, encoder, cancellation);
        byte[] file = await store.FindBytesAsync(BlobPath.Of(EncoderCards.Container, $"{card.Sha256}/encoder.onnx"), cancellation) ?? throw EncoderFaults.Damaged(encoder, "encoder.onnx is gone");
        return Open(card, file);
    }

    /// <summary>Checks an encoder that was read from wherever it lies.</summary>
    /// <exception cref="InputRejectedException">It was damaged or replaced, or the card is not that of the file (V066).</exception>
    public static ImageEncoder Open(ImageEncoderCard card, ReadOnlyMemory<byte> file)
    {
        string found = Convert.ToHexStringLower(SHA256.HashData(file.Span));
        if (found != card.Sha256) throw EncoderFaults.Damaged(card.Name, $"encoder.onnx has {file.Length} bytes with SHA-256 {found}; {card.Length} bytes with {card.Sha256} are expected");
        try
        {
            ModelProto model = EncoderGraph.Read("encoder.onnx", file);
            EncoderLayers layers = EncoderGraph.Layers("encoder.onnx", model);
            if (EncoderGraph.FitOf(model) != card.Fit) throw EncoderFaults.Damaged(card.Name, $"its card says {card.Fit} and its graph {EncoderGraph.FitOf(model)}");
            if (EncoderGraph.Batches(model) != card.Batches) throw EncoderFaults.Damaged(card.Name, "its card is wrong about batches");
            foreach (EncoderLayer layer in card.Layers)
                if (layers.All.FirstOrDefault(other => other.Name == layer.Name) is not { } known || known.Features != layer.Features)
                    throw EncoderFaults.Damaged(card.Name, $"its card has a layer '{EncoderFaults.Shown(layer.Name)}' that its graph has not");
            if (!card.Layers.Any(layer => layer.Name == card.DefaultLayer)) throw EncoderFaults.Damaged(card.Name, "its card has no default layer");
            return new ImageEncoder(card, model);
        }
        catch (InputRejectedException e) when (e.Code != "V066")
        {
            throw EncoderFaults.Damaged(card.Name, e.Fact.TrimEnd('.'));
        }
    }

    /// <summary>A new encoder that ends at one layer of another.</summary>
    /// <param name="encoder">The whole one.</param>
    /// <param name="layer">One of its layers.</param>
    /// <param name="name">Null for the old name and the layer's.</param>
    /// <exception cref="InputRejectedException">There is no such layer (V063).</exception>
    public static (ImageEncoder Encoder, byte[] File) Cut(ImageEncoder encoder, string layer, string? name)
    {
        ModelProto model = EncoderGraph.EndedAt($"'{encoder.Card.Name}'", encoder.Model, layer);
        EncoderLayers layers = EncoderGraph.Layers(encoder.Card.Name, model);
        EncoderLayer last = layers.Find(encoder.Card.Name, layer) with { Offered = true };
        byte[] file = model.ToByteArray();
        return (new ImageEncoder(encoder.Card with
        {
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(file)),
            Length = file.Length,
            Name = name is null ? Plain($"{encoder.Card.Name}-{layer}") : RequireName(name),
            Parameters = last.Parameters,
            Layers = [last],
            DefaultLayer = last.Name,
        }, model), file);
    }

    static (ImageEncoder, byte[], IReadOnlyList<string>) Card(ImageEncoderOrigin origin, string sourceSha256, PictureNetwork network)
    {
        byte[] file = network.Model.ToByteArray();
        ImageEncoderCard card = new(Kind, Convert.ToHexStringLower(SHA256.HashData(file)), file.Length, origin.Name is null ? NameOf(origin.Source) : RequireName(origin.Name), origin.Source,
            sourceSha256, origin.Licence, origin.TrainedOn, EncoderGraph.FitOf(network.Model)!, EncoderGraph.ValuesOf(network.Model)!, network.Layers.Parameters,
            network.Layers.All, network.Layers.Default, network.Alone is null);
        return (new ImageEncoder(card, network.Model), file, network.Alone is null ? [] : [EncoderFaults.OneAtATime(network.Alone)]);
    }

    static async Task<byte[]> ReadAllAsync(Stream file, string source, CancellationToken cancellation)
    {
        using MemoryStream all = new();
        byte[] buffer = new byte[1 << 16];
        while (await file.ReadAsync(buffer, cancellation) is int count and > 0)
        {
            if (all.Length + count > ForeignGraph.MaxBytes) throw EncoderFaults.TooLarge($"'{EncoderFaults.Shown(source)}'", $"it has over {ForeignGraph.MaxBytes:n0} bytes");
            all.Write(buffer, 0, count);
        }
        return all.ToArray();
    }

    static string RequireName(string name) => ValidName().IsMatch(name) ? name
        : throw EncoderFaults.BadPreprocessing($"'{EncoderFaults.Shown(name)}' is not a name of an encoder; 1 to 63 of a to z, 0 to 9 and '-' are, beginning with a letter or digit.");

    static string NameOf(string source)
    {
        string last = source.Split('/', '\\')[^1];
        return Plain(last.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase) ? last[..^5] : last);
    }

    static string Plain(string text)
    {
        string plain = NotName().Replace(text.ToLowerInvariant(), "-").Trim('-');
        return plain.Length == 0 ? "encoder" : plain[..Math.Min(63, plain.Length)].Trim('-');
    }

    [GeneratedRegex("^[0-9a-f]{64}$")]
    private static partial Regex Digest();

    [GeneratedRegex("^[a-z0-9][a-z0-9-]{0,62}$")]
    private static partial Regex ValidName();

    [GeneratedRegex("[^a-z0-9]+")]
    private static partial Regex NotName();
}
