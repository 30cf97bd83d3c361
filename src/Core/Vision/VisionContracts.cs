using Scion.Datasets;
using Scion.Heads;
using Scion.Storage;

namespace Scion.Vision;

/// <summary>How a picture of any size becomes a network's input.</summary>
public enum PictureResize
{
    /// <summary>Both sides to the input's, whatever the proportions.</summary>
    Squash,
    /// <summary>The shorter side to <see cref="PictureFit.ShorterSide"/>, then the middle is cut out.</summary>
    CentreCrop,
    /// <summary>The longer side to the input's, the rest filled with white.</summary>
    Pad,
}

/// <summary>The part of preprocessing that is done on pictures before the graph: size, not values. One implementation serves training and
/// serving, so they cannot differ.</summary>
/// <param name="Version">Of the resampling arithmetic: <see cref="CurrentVersion"/>. Another version is another encoder.</param>
/// <param name="Height">Pixels, in [16, 1024].</param>
/// <param name="Width">Pixels, in [16, 1024].</param>
/// <param name="Resize">What is done to the proportions.</param>
/// <param name="ShorterSide">For <see cref="PictureResize.CentreCrop"/>: pixels of the shorter side before the cut, at least the larger of height
/// and width; otherwise 0.</param>
public sealed record PictureFit(int Version, int Height, int Width, PictureResize Resize, int ShorterSide)
{
    public const int CurrentVersion = 1;

    /// <summary>Bytes of a fitted picture: height × width × 3.</summary>
    public int Bytes => Height * Width * 3;
}

/// <summary>The part of preprocessing that is done on values, inside the graph: stored <c>encoder.onnx</c> files take <c>pixels</c>, uint8
/// [batch, height, width, 3], RGB, 0 to 255, and hold nodes for all of this.</summary>
/// <param name="Channels">"rgb" or "bgr": the order the network wants.</param>
/// <param name="Mean">Subtracted, per channel of that order, in units of 0 to 255.</param>
/// <param name="Scale">Multiplied after that, per channel of that order.</param>
/// <param name="Layout">"nchw" or "nhwc".</param>
/// <param name="Type">"float32" or "float16": element type of the network's own input.</param>
public sealed record PictureValues(string Channels, IReadOnlyList<float> Mean, IReadOnlyList<float> Scale, string Layout, string Type);

/// <summary>A place where a network can be cut.</summary>
/// <param name="Name">Name of the tensor in the graph; what <c>encoder.layer</c> takes.</param>
/// <param name="Operator">Operator that makes it, as "Relu".</param>
/// <param name="Shape">Sizes without the batch, as the graph has them: [channels, height, width] or [features].</param>
/// <param name="Features">Components of a picture's features when cut here: four a channel of a map, one for each quarter; else the vector's length.</param>
/// <param name="Parameters">Numbers learned that a network cut here has.</param>
/// <param name="Offered">True for the layers that <c>encoder.layer=auto</c> tries.</param>
public sealed record EncoderLayer(string Name, string Operator, IReadOnlyList<int> Shape, int Features, long Parameters, bool Offered);

/// <summary>What is known of an image network: <c>encoders/{sha256}/encoder.json</c> beside <c>encoder.onnx</c>.</summary>
/// <param name="Kind">"image".</param>
/// <param name="Sha256">Digest of <c>encoder.onnx</c> as stored; the encoder's identity.</param>
/// <param name="Length">Bytes of it.</param>
/// <param name="Name">What people call it: "squeezenet", "default".</param>
/// <param name="Source">File name or address it came from, or the command that made it.</param>
/// <param name="SourceSha256">Digest of the file that was imported, before it was rewritten.</param>
/// <param name="Licence">As given by the importer; null when not given.</param>
/// <param name="TrainedOn">What the network learned from, as given; null when not given.</param>
/// <param name="Fit">Size.</param>
/// <param name="Values">Values; inside the graph already.</param>
/// <param name="Parameters">Numbers learned, of the whole network.</param>
/// <param name="Layers">Where it can be cut, in the order they are computed.</param>
/// <param name="DefaultLayer">Layer used when the choice is neither given nor <c>auto</c>.</param>
/// <param name="Batches">False when the graph only takes one picture at a time.</param>
public sealed record ImageEncoderCard(
    string Kind, string Sha256, long Length, string Name, string Source, string SourceSha256, string? Licence, string? TrainedOn, PictureFit Fit,
    PictureValues Values, long Parameters, IReadOnlyList<EncoderLayer> Layers, string DefaultLayer, bool Batches);

/// <summary>What is known of a picture that was read.</summary>
/// <param name="Format">"jpeg", "png" or "webp": by its first bytes, whatever its name says.</param>
/// <param name="Width">Pixels, as a person sees it, after orientation.</param>
/// <param name="Height">Pixels, as a person sees it.</param>
/// <param name="Warnings">What a person should know, each a sentence that begins with its code: of several frames only the first is used.</param>
public sealed record PictureFacts(string Format, int Width, int Height, IReadOnlyList<string> Warnings);

/// <summary>Reads pictures: in this process, or in one that may die.</summary>
public interface IPictureReader
{
    /// <summary>Decodes a picture whole, turns it as its EXIF says, and fits it.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="fit">Size wanted.</param>
    /// <param name="pixels">[height, width, 3], RGB, written; <see cref="PictureFit.Bytes"/> long.</param>
    /// <param name="cancellation">Stops waiting.</param>
    /// <exception cref="Faults.InputRejectedException">It is not a whole, allowed picture (V001 …).</exception>
    ValueTask<PictureFacts> ReadAsync(ReadOnlyMemory<byte> bytes, PictureFit fit, Memory<byte> pixels, CancellationToken cancellation);
}

/// <param name="Name">"default", or <c>encoders/{sha256}</c> of an import.</param>
/// <param name="Layer">"auto" takes all offered layers, else the one layer.</param>
/// <param name="Pretrained">False: the same network with its weights shuffled, which has learned nothing: "from scratch".</param>
/// <param name="Seed">Of the shuffling.</param>
public sealed record PrepareEncoderInput(string Name, string Layer, bool Pretrained, int Seed);

/// <summary>A network cut at one or several layers.</summary>
/// <param name="Card">What is known of the network.</param>
/// <param name="Graph">ONNX: <c>pixels</c> uint8 [batch, height, width, 3] to <c>features_0</c>, <c>features_1</c> … float32 [batch, features], one a layer,
/// in the order of <paramref name="Layers"/>. Its digest keys the cached features.</param>
/// <param name="Layers">The layers, in the order they are computed.</param>
/// <param name="DefaultLayer">The layer to prefer when validation cannot tell; one of <paramref name="Layers"/>.</param>
/// <param name="Pretrained">False for the twin with shuffled weights.</param>
public sealed record ImageEncoderReady(ImageEncoderCard Card, ArtifactRef Graph, IReadOnlyList<EncoderLayer> Layers, string DefaultLayer, bool Pretrained);

/// <param name="Encoder">The cut network.</param>
/// <param name="Shard">The shard to read.</param>
public sealed record ExtractImageFeaturesInput(ImageEncoderReady Encoder, CuratedShard Shard);

/// <param name="Shard">Index into the data set's shards.</param>
/// <param name="Layers">Pooled activations of unit length, one set a layer, in the order of the encoder's layers.</param>
/// <param name="Computed">Pictures the network ran on; the others came from the cache.</param>
/// <param name="Device">"cpu", "cuda:0"; "cache" when nothing was computed.</param>
public sealed record ImageFeaturesExtracted(int Shard, IReadOnlyList<FeaturesExtracted> Layers, int Computed, string Device);

/// <param name="Shard">The shard to read.</param>
public sealed record ExtractPixelFeaturesInput(CuratedShard Shard);
