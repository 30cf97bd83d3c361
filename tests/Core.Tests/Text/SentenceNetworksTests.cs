using System.Text;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Scion.Faults;
using Scion.Onnx;
using Scion.Storage;
using Scion.Text;

namespace Scion.Tests.Text;

public sealed class SentenceNetworksTests
{
    static readonly byte[] Tokenizer = TokenizerFile.OfWordPiece("vocab.txt", SentenceFiles.VocabTxt, null);

    static readonly byte[] Bert = SentenceFiles.Bert(SentenceFiles.WordPieces.Length);

    static readonly string[] Texts = ["The film was unwatchable!", "funny", "the story was slow and dull and the scene was charming, number 12x", ""];

    static SentenceOrigin Origin(SentencePooling? pooling = SentencePooling.Mean) => new("model.onnx") { Pooling = pooling, TokenizerSource = "vocab.txt" };

    /// <summary>The network as it came, a text at a time without padding, pooled here: the slow oracle.</summary>
    static float[] Plain(byte[] network, int[] ids, SentencePooling pooling, bool types)
    {
        using InferenceSession session = new(network);
        List<NamedOnnxValue> inputs = [Of("input_ids", id => id), Of("attention_mask", _ => 1)];
        if (types) inputs.Add(Of("token_type_ids", _ => 0));
        using IDisposableReadOnlyCollection<DisposableNamedOnnxValue> outputs = session.Run(inputs);
        float[] hidden = [.. outputs[0].AsEnumerable<float>()];
        double[] pooled = [.. Enumerable.Range(0, SentenceFiles.Dim).Select(k =>
        {
            IEnumerable<double> column = Enumerable.Range(0, ids.Length).Select(i => (double)hidden[(i * SentenceFiles.Dim) + k]);
            return pooling switch { SentencePooling.Mean => column.Average(), SentencePooling.Max => column.Max(), _ => column.First() };
        })];
        double norm = Math.Sqrt(pooled.Sum(value => value * value));
        return [.. pooled.Select(value => (float)(value / norm))];

        NamedOnnxValue Of(string name, Func<int, long> value) => NamedOnnxValue.CreateFromTensor(name, new DenseTensor<long>(ids.Select(value).ToArray(), [1, ids.Length]));
    }

    [Theory]
    [InlineData(SentencePooling.Mean)]
    [InlineData(SentencePooling.Cls)]
    [InlineData(SentencePooling.Max)]
    public void Make_ANetworkLikeBert_GivesThePooledFeaturesOfTheNetworkAsItCame(SentencePooling pooling)
    {
        (SentenceNetwork network, _) = SentenceNetworks.Make(Bert, Tokenizer, Origin(pooling));
        using SentenceSession session = network.Open(1, gpu: false);
        int[][] ids = [.. Texts.Select(text => network.Tokenizer.Encode(text).Ids)];
        float[] features = new float[Texts.Length * SentenceFiles.Dim];

        session.Run(ids, features, null, default);

        for (int i = 0; i < ids.Length; i++)
            foreach ((float expected, float found) in Plain(Bert, ids[i], pooling, types: true).Zip(features.Skip(i * SentenceFiles.Dim))) Assert.Equal(expected, found, 1e-5);
        SentenceNetworkCard card = network.Card;
        Assert.Equal(("sentence-network", "model", "last_hidden_state", SentenceFiles.Dim, SentenceFiles.Positions), (card.Kind, card.Name, card.Output, card.Dim, card.MaxLength));
        Assert.Equal(["input_ids", "attention_mask", "token_type_ids"], card.Inputs);
    }

    [Fact]
    public void Make_ANetworkLikeRobertaWithBytePairs_GivesItsFeaturesWhateverStandsBeside()
    {
        (Dictionary<string, int> vocabulary, string[] merges) = SentenceFiles.BytePairs();
        byte[] roberta = SentenceFiles.Roberta(vocabulary.Count), tokenizer = TokenizerFile.OfBytePairs("vocab.json", SentenceFiles.VocabJson(vocabulary), SentenceFiles.MergesTxt(merges));
        (SentenceNetwork network, _) = SentenceNetworks.Make(roberta, tokenizer, Origin());
        using SentenceSession session = network.Open(1, gpu: false);
        int[][] ids = [.. new[] { "film was good", "bad", "a rather long text about a film that was bad" }.Select(text => network.Tokenizer.Encode(text).Ids)];
        float[] features = new float[3 * SentenceFiles.Dim];

        session.Run(ids, features, null, default);

        for (int i = 0; i < 3; i++)
            foreach ((float expected, float found) in Plain(roberta, ids[i], SentencePooling.Mean, types: false).Zip(features.Skip(i * SentenceFiles.Dim))) Assert.Equal(expected, found, 1e-5);
        Assert.Equal((SubwordKind.BytePair, 1, SentenceFiles.Positions), (network.Card.Tokenizer.Kind, network.Card.Tokenizer.Padding, network.Card.MaxLength));
    }

    [Fact]
    public async Task Import_ReadAndFind_KeepTheFilesAndTellDamage()
    {
        InMemoryBlobStore store = new();

        ImportedSentenceNetwork imported = await SentenceNetworks.ImportAsync(store, Bert, Tokenizer, Origin() with { Licence = "MIT" }, default);
        ImportedSentenceNetwork again = await SentenceNetworks.ImportAsync(store, Bert, Tokenizer, Origin() with { Name = "other", Licence = "MIT" }, default);
        string folder = $"encoders/{imported.Card.Sha256}";
        SentenceNetworkCard found = (await SentenceNetworks.FindAsync(store, folder, default))!;
        (SentenceNetwork network, _, byte[] tokenizer) = await SentenceNetworks.ReadAsync(store, found, default);

        Assert.Equal("T102: This sentence network is in the store already, as 'model'; its card was left as it is.", Assert.Single(again.Warnings));
        Assert.Equal(Tokenizer, tokenizer);
        Assert.Equal([2, 9, 3], network.Tokenizer.Encode("film").Ids);
        Assert.Null(await SentenceNetworks.FindAsync(store, "encoders/" + new string('0', 64), default));
        Assert.Single(await SentenceNetworks.ListAsync(store, default));
        store.Tamper($"{folder}/tokenizer.json", [.. Tokenizer, (byte)' ']);
        Assert.Equal("T029", (await Assert.ThrowsAsync<InputRejectedException>(() => SentenceNetworks.ReadAsync(store, found, default))).Code);
    }

    static InputRejectedException Refused(byte[] network, SentenceOrigin? origin = null, byte[]? tokenizer = null) =>
        Assert.Throws<InputRejectedException>(() => SentenceNetworks.Make(network, tokenizer ?? Tokenizer, origin ?? Origin()));

    static byte[] Changed(Action<GraphProto> change) => SentenceFiles.Bert(SentenceFiles.WordPieces.Length, model => change(model.Graph));

    [Fact]
    public void Make_NetworksThatCannotServe_AreRefusedEachWithItsCode()
    {
        int tokens = SentenceFiles.WordPieces.Length;

        Assert.Equal($"T025: The tokenizer gives ids up to {tokens - 1}, and 'model.onnx' has {tokens - 1} rows of vectors for them. Give the tokenizer that was published with this network.", Refused(SentenceFiles.Bert(tokens - 1)).Message);
        Assert.Equal("V054", Refused(Changed(graph => graph.Node[0].OpType = "Loop")).Code);
        Assert.Contains("it has no input 'attention_mask'", Refused(Changed(graph =>
        {
            graph.Input.RemoveAt(1);
            graph.Initializer.Add(new TensorProto { Name = "attention_mask", DataType = 7, Dims = { 1, 1 }, Int64Data = { 1 } });
        })).Message, StringComparison.Ordinal);
        Assert.Contains("it has the input 'segment_ids'", Refused(Changed(graph =>
        {
            graph.Input[2].Name = "segment_ids";
            graph.Node.First(node => node.Output[0] == "types").Input[1] = "segment_ids";
        })).Message, StringComparison.Ordinal);
        Assert.Equal("V052", Refused(Changed(graph => graph.Initializer[0].DataLocation = TensorProto.Types.DataLocation.External)).Code);
        Assert.Equal("T028", Refused(Bert, Origin(null)).Code);
        Assert.Contains("pooling none takes [batch, dim]", Refused(Bert, Origin(SentencePooling.None)).Message, StringComparison.Ordinal);
        Assert.Contains("it has no output 'pooler_output', but 'last_hidden_state'", Refused(Bert, Origin() with { Output = "pooler_output" }).Message, StringComparison.Ordinal);
        Assert.Equal("T027", Refused(Bert, Origin() with { MaxLength = 5000 }).Code);
        Assert.Equal("V058", Refused(Bert, Origin() with { MaxLength = SentenceFiles.Positions + 1 }).Code);
        Assert.Contains("whole numbers [batch, length], both open, are expected", Refused(Changed(graph => graph.Input[0].Type.TensorType.Shape.Dim[1] = new TensorShapeProto.Types.Dimension { DimValue = 16 })).Message, StringComparison.Ordinal);
        Assert.Equal("V051", Refused(new byte[ForeignGraph.MaxBytes + 1]).Code);
    }

    [Fact]
    public void Make_ANetworkThatDoesNotHeedTheMask_IsRefused()
    {
        byte[] careless = Changed(graph => graph.Node.First(node => node.Output[0] == "masked").Input[1] = "whole");

        InputRejectedException fault = Refused(careless);

        Assert.Equal("T026", fault.Code);
        Assert.Contains("so it does not heed attention_mask", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_AnotherGraphThanStored_IsRefused()
    {
        (_, byte[] file) = SentenceNetworks.Make(Bert, Tokenizer, Origin());
        ModelProto other = ModelProto.Parser.ParseFrom(file);
        other.Graph.Node[0].OpType = "Loop";

        Assert.Equal("R020", Assert.Throws<InputRejectedException>(() => SentenceGraph.Read("encoder.onnx", other.ToByteArray())).Code);
        Assert.Equal("R020", Assert.Throws<InputRejectedException>(() => SentenceGraph.Read("encoder.onnx", Bert)).Code);
        Assert.Equal(SentenceFiles.Dim, SentenceGraph.Read("encoder.onnx", file).Dim);
    }

    [Fact]
    public void Lengths_ThatTextsArePaddedTo_GrowToTheLongest()
    {
        Assert.Equal([8, 16, 24, 32, 48, 64, 96, 100], SentenceGraph.Lengths(100));
        Assert.Equal([8], SentenceGraph.Lengths(8));
        Assert.Equal(64, SentenceGraph.Lengths(64)[^1]);
    }
}
