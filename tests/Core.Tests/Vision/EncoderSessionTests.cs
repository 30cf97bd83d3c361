using Google.Protobuf;
using Scion.Faults;
using Scion.Onnx;
using Scion.Vision;
using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Tests.Vision;

public sealed class EncoderSessionTests
{
    static readonly PictureFit Fit = new(PictureFit.CurrentVersion, 16, 20, PictureResize.Squash, 0);

    [Theory]
    [InlineData(1, true)]
    [InlineData(3, true)]
    [InlineData(11, true)]
    [InlineData(5, false)]
    public void Run_AnyNumberOfPictures_GivesEachItsOwnFeatures(int pictures, bool batches)
    {
        byte[] pixels = Pixels(pictures);
        float[] means = new float[pictures * 3], doubled = new float[pictures * 3];
        using EncoderSession session = new(Means(batches), Fit, [3, 3], batches, gpu: false);

        session.Run(pixels, pictures, [means, doubled]);

        for (int i = 0; i < pictures * 3; i++)
        {
            double mean = Enumerable.Range(0, Fit.Height * Fit.Width).Average(p => (double)pixels[((i / 3) * Fit.Bytes) + (p * 3) + (i % 3)]);
            Assert.Equal(mean, means[i], 1e-3);
            Assert.Equal(2 * mean, doubled[i], 2e-3);
        }
        Assert.Equal("cpu", session.Device);
    }

    [Fact]
    public void Run_FromManyThreads_AnswersAsFromOne()
    {
        const int calls = 64;
        byte[] pixels = Pixels(7);
        float[] expected = new float[21], scratch = new float[21];
        using EncoderSession session = new(Means(true), Fit, [3, 3], true, gpu: false);
        session.Run(pixels, 7, [expected, scratch]);
        float[][] answers = [.. Enumerable.Range(0, calls).Select(_ => new float[21])];

        Parallel.For(0, calls, call => session.Run(pixels, 7, [answers[call], new float[21]]));

        Assert.All(answers, answer => Assert.Equal(expected, answer));
    }

    [Fact]
    public void Run_MemoryFailsOnce_GoesOnWithHalfTheBatch()
    {
        List<int> batches = [];
        float[] means = new float[33], expected = new float[33];
        byte[] pixels = Pixels(11);
        using EncoderSession whole = new(Means(true), Fit, [3, 3], true, gpu: false);
        whole.Run(pixels, 11, [expected, new float[33]]);
        using EncoderSession session = new(Means(true), Fit, [3, 3], true, gpu: false)
        {
            BeforeRun = (_, batch) =>
            {
                batches.Add(batch);
                if (batches.Count == 2) throw new OutOfMemoryException();
            },
        };

        session.Run(pixels, 11, [means, new float[33]]);

        Assert.Equal(expected, means);
        Assert.Equal([4, 4, 2, 2, 2, 1], batches);
        Assert.Equal(2, session.Batch);
    }

    [Fact]
    public void Run_MemoryNeverSuffices_IsRefusedAfterOneHalving()
    {
        List<int> batches = [];
        using EncoderSession session = new(Means(true), Fit, [3, 3], true, gpu: false)
        {
            BeforeRun = (_, batch) =>
            {
                batches.Add(batch);
                throw new OutOfMemoryException();
            },
        };

        InputRejectedException refusal = Assert.Throws<InputRejectedException>(() => session.Run(Pixels(4), 4, [new float[12], new float[12]]));

        Assert.Equal("V102: There is not enough memory to run 2 pictures through the network on the CPU. "
            + "Run it on a machine with more memory, or choose a smaller network or an earlier layer.", refusal.Message);
        Assert.Equal([4, 2], batches);
    }

    [Fact]
    public void Run_AGraphThatAsksForAPebibyte_IsOutOfMemoryAndNoCrash()
    {
        using EncoderSession session = new(Greedy(), Fit, [1], batches: true, gpu: false);

        InputRejectedException refusal = Assert.Throws<InputRejectedException>(() => session.Run(Pixels(1), 1, [new float[1]]));

        Assert.Equal("V102", refusal.Code);
    }

    [Fact]
    public void Open_OtherOutputsThanTheCardSays_IsRefused()
    {
        InputRejectedException refusal = Assert.Throws<InputRejectedException>(() => new EncoderSession(Means(true), Fit, [3], true, gpu: false));

        Assert.Equal("V101: The cut network cannot be used: it has 1 inputs and 2 outputs; 1 and 1 are expected. "
            + "Choose another layer with encoder.layer, or another network; 'scion encoders inspect' lists the layers.", refusal.Message);
    }

    [Fact]
    public void Open_BytesThatAreNoGraph_AreRefused() =>
        Assert.Equal("V101", Assert.Throws<InputRejectedException>(() => new EncoderSession(new byte[] { 1, 2, 3 }, Fit, [3], true, gpu: false)).Code);

    /// <summary>Mean of each channel, and twice that.</summary>
    public static byte[] Means(bool batches)
    {
        OnnxGraphWriter graph = new("means");
        string batch = batches ? "batch" : "1";
        graph.Input("pixels", DataType.Uint8, batch, $"{Fit.Height}", $"{Fit.Width}", "3");
        graph.Output("features_0", DataType.Float, batch, "3");
        graph.Output("features_1", DataType.Float, batch, "3");
        string wide = graph.Node("Cast", "wide", ["pixels"], OnnxGraphWriter.Int("to", (int)DataType.Float));
        string mean = graph.Node("ReduceMean", "features_0", [wide], OnnxGraphWriter.Ints("axes", 1, 2), OnnxGraphWriter.Int("keepdims", 0));
        graph.Node("Add", "features_1", [mean, mean]);
        return graph.ToModel().ToByteArray();
    }

    static byte[] Greedy()
    {
        OnnxGraphWriter graph = new("greedy");
        graph.Input("pixels", DataType.Uint8, "batch", $"{Fit.Height}", $"{Fit.Width}", "3");
        graph.Output("features_0", DataType.Float, "batch", "1");
        string wide = graph.Node("Cast", "wide", ["pixels"], OnnxGraphWriter.Int("to", (int)DataType.Float));
        string mean = graph.Node("ReduceMean", "mean", [wide], OnnxGraphWriter.Ints("axes", 1, 2, 3), OnnxGraphWriter.Int("keepdims", 0));
        string row = graph.Node("Reshape", "row", [mean, graph.Constant("shape", [-1L, 1], 2)]);
        string huge = graph.Node("Expand", "huge", [row, graph.Constant("size", [1L, 1L << 48], 2)]);
        graph.Node("ReduceMax", "features_0", [huge], OnnxGraphWriter.Ints("axes", 1), OnnxGraphWriter.Int("keepdims", 1));
        return graph.ToModel().ToByteArray();
    }

    static byte[] Pixels(int pictures)
    {
        byte[] pixels = new byte[pictures * Fit.Bytes];
        new Random(5).NextBytes(pixels);
        return pixels;
    }
}
