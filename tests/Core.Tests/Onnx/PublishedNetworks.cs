using System.Globalization;
using Google.Protobuf;
using Scion.Onnx;
using DataType = Scion.Onnx.TensorProto.Types.DataType;

namespace Scion.Tests.Onnx;

/// <summary>Networks as their publishers export them, in operators and patterns, with random weights.</summary>
static class PublishedNetworks
{
    /// <summary>By name: small ones, all but the two that are named in full.</summary>
    public static IReadOnlyDictionary<string, Func<ModelProto>> Small { get; } = new Dictionary<string, Func<ModelProto>>
    {
        ["squeezenet, float16, one picture, opset 7"] = () => SqueezeNet(),
        ["squeezenet, float32, opset 9"] = () => SqueezeNet(DataType.Float, opset: 9),
        ["densenet, opset 8"] = DenseNet,
        ["shufflenet, one picture, opset 11"] = () => ShuffleNet("1"),
        ["shufflenet, any batch, opset 11"] = () => ShuffleNet("batch"),
        ["efficientnet, opset 13"] = () => EfficientNet(13),
        ["efficientnet, opset 18"] = () => EfficientNet(18),
        ["mobilenet v3, opset 14"] = MobileNetV3,
        ["convnext, opset 17"] = () => ConvNext(17),
        ["convnext, opset 20"] = () => ConvNext(20),
        ["vit, opset 14"] = () => Vit(14),
        ["vit, opset 18"] = () => Vit(18),
        ["vit, one picture, opset 17"] = VitOfOne,
        ["vgg, opset 12"] = Vgg,
        ["channels last, opset 15"] = ChannelsLast,
        ["pools and pads, opset 12"] = () => PoolsAndPads(12),
        ["pools and pads, opset 19"] = () => PoolsAndPads(19),
    };

    /// <summary>ResNet-50 v1.5 as the model zoo has it: opset 7, constants among the inputs, unfolded batch normalisation. 25,557,032 parameters.</summary>
    public static ModelProto ResNet50(int size)
    {
        NetworkBuilder b = new(7) { ConstantsAreInputs = true };
        string text = size.ToString(CultureInfo.InvariantCulture), x = b.Input("data", "N", "3", text, text);
        x = b.MaxPool(b.Relu(b.BatchNorm(b.Conv(x, 3, 64, 7, 2), 64)), 3, 2, 1);
        long channels = 64;
        foreach ((int blocks, long width, int first) in new[] { (3, 64L, 1), (4, 128L, 2), (6, 256L, 2), (3, 512L, 2) })
        {
            for (int i = 0; i < blocks; i++)
            {
                int stride = i == 0 ? first : 1;
                string y = b.Relu(b.BatchNorm(b.Conv(x, channels, width, 1), width));
                y = b.Relu(b.BatchNorm(b.Conv(y, width, width, 3, stride), width));
                y = b.BatchNorm(b.Conv(y, width, 4 * width, 1), 4 * width);
                if (i == 0) x = b.BatchNorm(b.Conv(x, channels, 4 * width, 1, stride), 4 * width);
                x = b.Relu(b.Node("Add", [y, x]));
                channels = 4 * width;
            }
        }
        return b.Build(b.Gemm(b.Node("Flatten", [b.Node("GlobalAveragePool", [x])], OnnxGraphWriter.Int("axis", 1)), channels, 1000));
    }

    /// <summary>MobileNetV2 as PyTorch exports it: batch normalisation folded, ReLU6 as Clip with constants, and x.view(x.size(0), -1) as a chain of nodes.
    /// 3,487,816 parameters: 17,056 fewer than the unfolded network's 3,504,872, whose scales are in the weights now.</summary>
    public static ModelProto MobileNetV2(int size)
    {
        NetworkBuilder b = new(12);
        string text = size.ToString(CultureInfo.InvariantCulture), x = b.Input("input", "batch_size", "3", text, text);
        string Relu6(string of) => b.Node("Clip", [of, b.Constant([0f]), b.Constant([6f])]);
        x = Relu6(b.Conv(x, 3, 32, 3, 2, bias: true));
        long channels = 32;
        foreach ((int expand, long to, int blocks, int first) in new[] { (1, 16L, 1, 1), (6, 24L, 2, 2), (6, 32L, 3, 2), (6, 64L, 4, 2), (6, 96L, 3, 1), (6, 160L, 3, 2), (6, 320L, 1, 1) })
        {
            for (int i = 0; i < blocks; i++)
            {
                (int stride, long hidden) = (i == 0 ? first : 1, channels * expand);
                string y = expand == 1 ? x : Relu6(b.Conv(x, channels, hidden, 1, bias: true));
                y = b.Conv(Relu6(b.Conv(y, hidden, hidden, 3, stride, hidden, bias: true)), hidden, to, 1, bias: true);
                x = stride == 1 && channels == to ? b.Node("Add", [x, y]) : y;
                channels = to;
            }
        }
        x = b.Node("GlobalAveragePool", [Relu6(b.Conv(x, 320, 1280, 1, bias: true))]);
        x = b.Node("Reshape", [x, b.Concat(0, b.SizeOf(x, 0), b.Held(-1))]);
        return b.Build(b.Gemm(x, 1280, 1000));
    }

    /// <summary>SqueezeNet's first modules, as Caffe2 exports it: fixed to one picture, Dropout with its mask, Softmax over everything.</summary>
    public static ModelProto SqueezeNet(DataType type = DataType.Float16, int opset = 7)
    {
        NetworkBuilder b = new(opset) { Type = type, ConstantsAreInputs = true };
        string x = b.Input("data_0", "1", "3", "48", "48");
        x = b.MaxPool(b.Relu(b.Conv(x, 3, 16, 3, 2, bias: true, pad: 0)), 3, 2);
        x = Fire(x, 16, 8, 16);
        x = b.MaxPool(Fire(x, 32, 8, 16), 3, 2);
        x = Fire(x, 32, 12, 24);
        x = b.Node("Dropout", [x], 2, NetworkBuilder.Float("ratio", 0.5f))[0];
        x = b.Node("GlobalAveragePool", [b.Relu(b.Conv(x, 48, 30, 1, bias: true))]);
        return b.Build(b.Node("Softmax", [x]));

        string Fire(string of, long from, long squeeze, long expand)
        {
            string s = b.Relu(b.Conv(of, from, squeeze, 1, bias: true));
            return b.Concat(1, b.Relu(b.Conv(s, squeeze, expand, 1, bias: true)), b.Relu(b.Conv(s, squeeze, expand, 3, bias: true)));
        }
    }

    static ModelProto DenseNet()
    {
        NetworkBuilder b = new(8) { ConstantsAreInputs = true };
        string x = b.Relu(Scaled(b.Conv(b.Input("data_0", "1", "3", "32", "32"), 3, 8, 3, 2), 8));
        for (int i = 0; i < 3; i++) x = b.Concat(1, x, b.Conv(b.Relu(Scaled(x, 8 + 4 * i)), 8 + 4 * i, 4, 3));
        x = b.Node("AveragePool", [b.Conv(x, 20, 10, 1)], OnnxGraphWriter.Ints("kernel_shape", 2, 2), OnnxGraphWriter.Ints("strides", 2, 2));
        return b.Build(b.Node("GlobalAveragePool", [b.Conv(b.Relu(Scaled(x, 10)), 10, 1000, 1, bias: true)]));

        // Caffe's Scale layer: two vectors, unsqueezed.
        string Scaled(string of, long channels) => b.Node("Add", [b.Node("Mul", [b.BatchNorm(of, channels), Column(1.1f, channels)]), Column(0.1f, channels)]);

        string Column(float value, long channels) => b.Node("Unsqueeze", [b.Fill(value, channels)], OnnxGraphWriter.Ints("axes", 1, 2));
    }

    static ModelProto ShuffleNet(string batch)
    {
        NetworkBuilder b = new(11);
        string x = b.Relu(b.Conv(b.Input("gpu_0/data_0", batch, "3", "32", "32"), 3, 16, 3, 2, bias: true));
        for (int i = 0; i < 2; i++)
        {
            string[] halves = b.Node("Split", [x], 2, OnnxGraphWriter.Int("axis", 1), OnnxGraphWriter.Ints("split", 8, 8));
            string y = b.Relu(b.Conv(b.Conv(b.Relu(b.Conv(halves[1], 8, 8, 1, bias: true)), 8, 8, 3, group: 8, bias: true), 8, 8, 1, bias: true));
            x = b.Concat(1, halves[0], y);
            if (batch == "1") x = b.Reshape(b.Transpose(b.Reshape(x, 1, 2, 8, 16, 16), 0, 2, 1, 3, 4), 1, 16, 16, 16);
            else
            {
                string size = b.SizeOf(x, 0), groups = b.Node("Div", [b.SizeOf(x, 1), b.Held(2)]), height = b.SizeOf(x, 2), width = b.SizeOf(x, 3);
                x = b.Transpose(b.Node("Reshape", [x, b.Concat(0, size, b.Held(2), b.Node("Cast", [groups], OnnxGraphWriter.Int("to", 7)), height, width)]), 0, 2, 1, 3, 4);
                x = b.Node("Reshape", [x, b.Concat(0, size, b.Held(-1), height, width)]);
            }
        }
        x = b.Node("ReduceMean", [x], OnnxGraphWriter.Ints("axes", 2, 3), OnnxGraphWriter.Int("keepdims", 0));
        return b.Build(b.Gemm(batch == "1" ? b.Reshape(x, 1, -1) : x, 16, 20));
    }

    static ModelProto EfficientNet(int opset)
    {
        NetworkBuilder b = new(opset);
        string x = Swish(b.BatchNorm(b.Conv(b.Input("images", "N", "3", "32", "32"), 3, 8, 3, 2), 8));
        foreach ((long from, long to, int stride) in new[] { (8L, 12L, 1), (12L, 12L, 1), (12L, 16L, 2) })
        {
            string y = Swish(b.BatchNorm(b.Conv(x, from, 24, 1), 24));
            y = Swish(b.BatchNorm(b.Conv(y, 24, 24, 3, stride, 24), 24));
            string mean = opset < 18 ? b.Node("ReduceMean", [y], OnnxGraphWriter.Ints("axes", 2, 3), OnnxGraphWriter.Int("keepdims", 1))
                : b.Node("ReduceMean", [y, b.Held(2, 3)], OnnxGraphWriter.Int("keepdims", 1));
            y = b.Node("Mul", [b.Node("Sigmoid", [b.Conv(Swish(b.Conv(mean, 24, 6, 1, bias: true)), 6, 24, 1, bias: true)]), y]);
            y = b.BatchNorm(b.Conv(y, 24, to, 1), to);
            x = from == to && stride == 1 ? b.Node("Add", [y, x]) : y;
        }
        x = b.Node("Flatten", [b.Node("GlobalAveragePool", [Swish(b.BatchNorm(b.Conv(x, 16, 40, 1), 40))])], OnnxGraphWriter.Int("axis", 1));
        return b.Build(b.Node("Softmax", [b.Gemm(x, 40, 25)], OnnxGraphWriter.Int("axis", -1)));

        string Swish(string of) => b.Node("Mul", [of, b.Node("Sigmoid", [of])]);
    }

    static ModelProto MobileNetV3()
    {
        NetworkBuilder b = new(14);
        string x = b.Node("HardSwish", [b.BatchNorm(b.Conv(b.Input("x", "batch", "3", "32", "32"), 3, 16, 3, 2), 16)]);
        string gate = b.Node("HardSigmoid", [b.Conv(b.Relu(b.Conv(b.Node("GlobalAveragePool", [x]), 16, 8, 1, bias: true)), 8, 16, 1, bias: true)],
            NetworkBuilder.Float("alpha", 1 / 6f), NetworkBuilder.Float("beta", 0.5f));
        x = b.Node("Mul", [b.Node("Mul", [x, gate]), b.Node("Identity", [b.Fill(1, 1, 16, 1, 1)])]);
        x = b.Node("PRelu", [b.BatchNorm(b.Conv(x, 16, 24, 5, 2, group: 8), 24), b.Fill(0.25f, 24, 1, 1)]);
        x = b.Node("Flatten", [b.Node("GlobalAveragePool", [x])], OnnxGraphWriter.Int("axis", 1));
        x = b.Node("Dropout", [b.Node("HardSwish", [b.Gemm(x, 24, 32)]), b.Constant([0.2f])], 1)[0];
        return b.Build(b.Gemm(x, 32, 12));
    }

    static ModelProto ConvNext(int opset)
    {
        NetworkBuilder b = new(opset);
        string x = b.Conv(b.Input("pixel_values", "batch", "3", "32", "32"), 3, 16, 4, 4, bias: true, pad: 0);
        for (int i = 0; i < 2; i++)
        {
            string y = b.LayerNorm(b.Transpose(b.Conv(x, 16, 16, 7, group: 16, bias: true), 0, 2, 3, 1), 16);
            y = b.Linear(Gelu(b.Linear(y, 16, 64)), 64, 16);
            x = b.Node("Add", [b.Transpose(b.Node("Mul", [y, b.Fill(0.5f, 16)]), 0, 3, 1, 2), x]);
        }
        string mean = opset < 18 ? b.Node("ReduceMean", [x], OnnxGraphWriter.Ints("axes", -2, -1), OnnxGraphWriter.Int("keepdims", 0))
            : b.Node("ReduceMean", [x, b.Held(-2, -1)], OnnxGraphWriter.Int("keepdims", 0));
        return b.Build(b.Gemm(b.LayerNorm(mean, 16), 16, 12));

        string Gelu(string of) => opset >= 20 ? b.Node("Gelu", [of])
            : b.Node("Mul", [b.Node("Mul", [of, b.Node("Add", [b.Node("Erf", [b.Node("Div", [of, b.Constant([1.4142135f])])]), b.Constant([1f])])]), b.Constant([0.5f])]);
    }

    /// <summary>A transformer as Hugging Face exports it: the class token expanded to the batch by ConstantOfShape, Equal and Where.</summary>
    static ModelProto Vit(int opset)
    {
        const long Dim = 24, Heads = 3, Tokens = 17;
        NetworkBuilder b = new(opset);
        string input = b.Input("pixel_values", "batch_size", "3", "32", "32"), x = b.Conv(input, 3, Dim, 8, 8, bias: true, pad: 0);
        string shape = b.Node("Shape", [x]), slice = b.Node("Slice", [shape, b.Held(0), b.Held(2), b.Held(0)]);
        x = b.Transpose(b.Node("Reshape", [x, b.Concat(0, slice, b.Held(-1))]), 0, 2, 1);
        string wanted = b.Concat(0, b.SizeOf(input, 0), b.Held(-1), b.Held(-1)), ones = b.Node("ConstantOfShape", [b.Node("Shape", [wanted])],
            new AttributeProto { Name = "value", Type = AttributeProto.Types.AttributeType.Tensor, T = new TensorProto { DataType = (int)DataType.Int64, Dims = { 1 }, Int64Data = { 1 } } });
        string expand = b.Node("Where", [b.Node("Equal", [wanted, b.Node("Mul", [ones, b.Held(-1)])]), ones, wanted]);
        x = b.Node("Add", [b.Concat(1, b.Node("Expand", [b.Weights(1, 1, Dim), expand]), x), b.Weights(1, Tokens, Dim)]);
        for (int i = 0; i < 2; i++)
        {
            string y = b.LayerNorm(x, Dim), q = Split(b.Linear(y, Dim, Dim)), k = Split(b.Linear(y, Dim, Dim)), v = Split(b.Linear(y, Dim, Dim));
            string scores = b.Node("Div", [b.Node("MatMul", [q, b.Transpose(k, 0, 1, 3, 2)]), b.Constant([MathF.Sqrt(Dim / Heads)])]);
            string mixed = b.Transpose(b.Node("MatMul", [b.Node("Softmax", [scores], OnnxGraphWriter.Int("axis", -1)), v]), 0, 2, 1, 3);
            x = b.Node("Add", [b.Linear(b.Node("Reshape", [mixed, b.Concat(0, b.SizeOf(mixed, 0), b.SizeOf(mixed, 1), b.Held(Dim))]), Dim, Dim), x]);
            x = b.Node("Add", [b.Linear(b.Node("Tanh", [b.Linear(b.LayerNorm(x, Dim), Dim, 2 * Dim)]), 2 * Dim, Dim), x]);
        }
        return b.Build(b.Gemm(b.Node("Gather", [b.LayerNorm(x, Dim), b.Scalar(0)], OnnxGraphWriter.Int("axis", 1)), Dim, 10));

        string Split(string of) => b.Transpose(b.Node("Reshape", [of, b.Concat(0, b.SizeOf(of, 0), b.SizeOf(of, 1), b.Held(Heads), b.Held(Dim / Heads))]), 0, 2, 1, 3);
    }

    /// <summary>A transformer of timm traced with one picture: constants everywhere, q, k and v in one product.</summary>
    static ModelProto VitOfOne()
    {
        const long Dim = 24, Heads = 3, Tokens = 17;
        NetworkBuilder b = new(17);
        string x = b.Conv(b.Input("input.1", "1", "3", "32", "32"), 3, Dim, 8, 8, bias: true, pad: 0);
        x = b.Transpose(b.Reshape(x, 1, Dim, 16), 0, 2, 1);
        x = b.Node("Add", [b.Concat(1, b.Weights(1, 1, Dim), x), b.Weights(1, Tokens, Dim)]);
        string qkv = b.Transpose(b.Reshape(b.Linear(b.LayerNorm(x, Dim), Dim, 3 * Dim), 1, Tokens, 3, Heads, Dim / Heads), 2, 0, 3, 1, 4);
        string[] parts = [.. b.Node("Split", [qkv, b.Ints(1, 1, 1)], 3, OnnxGraphWriter.Int("axis", 0)).Select(part => b.Node("Squeeze", [part, b.Ints(0)]))];
        string mixed = b.Node("MatMul", [b.Node("Softmax", [b.Node("MatMul", [parts[0], b.Transpose(parts[1], 0, 1, 3, 2)])], OnnxGraphWriter.Int("axis", -1)), parts[2]]);
        x = b.Node("Add", [x, b.Linear(b.Reshape(b.Transpose(mixed, 0, 2, 1, 3), 1, Tokens, Dim), Dim, Dim)]);
        x = b.Node("Add", [b.Linear(b.Node("Relu", [b.Linear(b.LayerNorm(x, Dim), Dim, 2 * Dim)]), 2 * Dim, Dim), x]);
        string first = b.Node("Slice", [b.LayerNorm(x, Dim), b.Held(0), b.Held(1), b.Held(1)]);
        return b.Build(b.Gemm(b.Reshape(first, 1, Dim), Dim, 10));
    }

    /// <summary>Attention of torch.nn traced with one picture: tokens first, then [tokens · batch, dim], in which the batch lies within.</summary>
    public static ModelProto AttentionOfOne()
    {
        const long Dim = 24, Heads = 3, Tokens = 16;
        NetworkBuilder b = new(17);
        string x = b.Conv(b.Input("input.1", "1", "3", "32", "32"), 3, Dim, 8, 8, bias: true, pad: 0);
        string y = b.Transpose(b.Reshape(x, 1, Dim, Tokens), 2, 0, 1), q = Split(b.Linear(y, Dim, Dim)), k = Split(b.Linear(y, Dim, Dim)), v = Split(b.Linear(y, Dim, Dim));
        string mixed = b.Node("MatMul", [b.Node("Softmax", [b.Node("MatMul", [q, b.Transpose(k, 0, 2, 1)])], OnnxGraphWriter.Int("axis", -1)), v]);
        string joined = b.Transpose(b.Reshape(b.Linear(b.Reshape(b.Transpose(mixed, 1, 0, 2), Tokens, Dim), Dim, Dim), Tokens, 1, Dim), 1, 0, 2);
        return b.Build(b.Gemm(b.Node("ReduceMean", [joined], OnnxGraphWriter.Ints("axes", 1), OnnxGraphWriter.Int("keepdims", 0)), Dim, 10));

        string Split(string of) => b.Transpose(b.Reshape(of, Tokens, Heads, Dim / Heads), 1, 0, 2);
    }

    static ModelProto Vgg()
    {
        NetworkBuilder b = new(12);
        string x = b.Input("data", "N", "3", "32", "32");
        x = b.MaxPool(b.Relu(b.Conv(b.Relu(b.Conv(x, 3, 8, 3, bias: true)), 8, 8, 3, bias: true)), 2, 2);
        x = b.MaxPool(b.Node("LRN", [b.Relu(b.Conv(x, 8, 16, 3, bias: true))], OnnxGraphWriter.Int("size", 5), NetworkBuilder.Float("alpha", 1e-4f)), 2, 2);
        x = b.Node("Flatten", [x]);
        x = b.Node("Dropout", [b.Relu(b.Gemm(x, 16 * 64, 32))]);
        return b.Build(b.Node("LogSoftmax", [b.Gemm(b.Node("Dropout", [b.Relu(b.Gemm(x, 32, 32))]), 32, 10)], OnnxGraphWriter.Int("axis", 1)));
    }

    /// <summary>As tf2onnx writes Keras: the input channels last, transposed once, padding on one side.</summary>
    static ModelProto ChannelsLast()
    {
        NetworkBuilder b = new(15);
        string x = b.Transpose(b.Input("input_1:0", "unk__1", "33", "32", "3"), 0, 3, 1, 2);
        x = b.Node("Pad", [x, b.Held(0, 0, 0, 0, 0, 0, 1, 1), b.Constant([0f])]);
        x = b.Node("Conv", [x, b.Weights(8, 3, 3, 3)], OnnxGraphWriter.Ints("strides", 2, 2), new AttributeProto { Name = "auto_pad", Type = AttributeProto.Types.AttributeType.String, S = ByteString.CopyFromUtf8("SAME_UPPER") });
        x = b.Node("Elu", [b.BatchNorm(x, 8)], NetworkBuilder.Float("alpha", 1));
        x = b.Node("Squeeze", [b.Node("GlobalAveragePool", [x]), b.Held(2, 3)]);
        return b.Build(b.Node("Softmax", [b.Linear(x, 8, 5)], OnnxGraphWriter.Int("axis", 1)));
    }

    static ModelProto PoolsAndPads(int opset)
    {
        NetworkBuilder b = new(opset);
        string x = b.Conv(b.Input("x", "N", "3", "37", "41"), 3, 8, 3, 2);
        string a = b.MaxPool(x, 3, 2, 1, ceiling: 1), c = b.MaxPool(x, 2, 2, 0, ceiling: 1), d = b.MaxPool(x, 3, 3, 1, ceiling: 1);
        string e = b.Node("AveragePool", [x], OnnxGraphWriter.Ints("kernel_shape", 3, 2), OnnxGraphWriter.Ints("strides", 2, 3), OnnxGraphWriter.Ints("pads", 1, 0, 1, 1),
            OnnxGraphWriter.Int("ceil_mode", 1), OnnxGraphWriter.Int("count_include_pad", 0));
        string f = b.Node("SpaceToDepth", [b.Node("Pad", [x, b.Held(0, 0, 1, 2, 0, 0, 0, 1)], new AttributeProto { Name = "mode", Type = AttributeProto.Types.AttributeType.String, S = ByteString.CopyFromUtf8("reflect") })],
            OnnxGraphWriter.Int("blocksize", 4));
        string g = b.Node("DepthToSpace", [b.Node("Slice", [x, b.Held(-1, 15), b.Held(-1000, 0), b.Held(2, 3), b.Held(-2, -3)])], OnnxGraphWriter.Int("blocksize", 2));
        string[] all = [a, c, d, e, f, g, b.Node("Max", [x, b.Node("Abs", [b.Node("Neg", [x])])]), b.Node("InstanceNormalization", [x, b.Fill(1, 8), b.Fill(0, 8)])];
        return b.Build([.. all.Select(part => b.Node("Flatten", [b.Node("GlobalMaxPool", [b.Relu(part)])]))]);
    }
}
