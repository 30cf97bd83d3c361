using Scion.Datasets;
using Scion.Evaluation;
using Scion.Heads;
using Scion.Storage;
using Scion.Text;
using Scion.Vision;

namespace Scion.Registry;

/// <param name="Model">Model name.</param>
/// <param name="Version">Version to write.</param>
/// <param name="Run">The run that made it.</param>
/// <param name="DataDigest">SHA-256 over the names and digests of the run's files.</param>
/// <param name="Data">The data set.</param>
/// <param name="Encoder">The encoder.</param>
/// <param name="Embedding">Options the encoder was trained with.</param>
/// <param name="Features">Features of the labelled rows, for nearest examples.</param>
/// <param name="Evaluated">What was measured.</param>
/// <param name="Settings">All settings of the run.</param>
public sealed record PublishInput(
    string Model, string Version, string Run, string DataDigest, CuratedRows Data, EncoderTrained Encoder, EmbeddingOptions Embedding,
    IReadOnlyList<FeaturesExtracted> Features, Evaluated Evaluated, ReviewSettings Settings);

/// <param name="Model">Model name.</param>
/// <param name="Version">Version to write.</param>
/// <param name="Run">The run that made it.</param>
/// <param name="DataDigest">SHA-256 over the names and digests of the run's files.</param>
/// <param name="Data">The data set.</param>
/// <param name="Encoder">The network, cut at the layers that were tried.</param>
/// <param name="Sets">Raw features of the labelled pictures, one set a layer.</param>
/// <param name="Transfer">The head, its layer, and what each layer reached.</param>
/// <param name="Evaluated">What was measured.</param>
/// <param name="Settings">All settings of the run.</param>
public sealed record PublishImagesInput(
    string Model, string Version, string Run, string DataDigest, CuratedRows Data, ImageEncoderReady Encoder, IReadOnlyList<FeatureSet> Sets,
    HeadsTrained Transfer, Evaluated Evaluated, ImageSettings Settings);

/// <param name="Model">Model name.</param>
/// <param name="Version">The version written.</param>
/// <param name="Digest">SHA-256 of model.json, which holds the digest of every other file: the version's identity. Holds no clock or version name.</param>
/// <param name="Promoted">True when <c>latest</c> names this version.</param>
/// <param name="Gate">Why it was or was not promoted, one sentence with numbers.</param>
/// <param name="ParityError">Largest |Δ logit| between training and the package as loaded for serving.</param>
public sealed record Published(string Model, string Version, string Digest, bool Promoted, string Gate, double ParityError);
