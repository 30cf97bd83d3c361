using System.Collections.Frozen;
using Type = Scion.Onnx.AttributeProto.Types.AttributeType;

namespace Scion.Onnx;

/// <summary>An operator that foreign networks may use: how many inputs and outputs, and which attributes.</summary>
/// <param name="Least">Fewest inputs.</param>
/// <param name="Most">Most inputs.</param>
/// <param name="Attributes">Name and type of each attribute of any version from 7 to 23.</param>
sealed record OperatorRule(int Least, int Most, FrozenDictionary<string, Type> Attributes)
{
    /// <summary>All operators, by name: what feed-forward image networks are made of. Each has its shape rule in <see cref="ShapeRules"/>.</summary>
    public static FrozenDictionary<string, OperatorRule> Known { get; } = Make(
        // name, fewest and most inputs, attributes
        "Conv 2 3 kernel_shape:Ints strides:Ints pads:Ints dilations:Ints group:Int auto_pad:String",
        "MaxPool 1 1 kernel_shape:Ints strides:Ints pads:Ints dilations:Ints ceil_mode:Int storage_order:Int auto_pad:String",
        "AveragePool 1 1 kernel_shape:Ints strides:Ints pads:Ints dilations:Ints ceil_mode:Int count_include_pad:Int auto_pad:String",
        "GlobalAveragePool 1 1", "GlobalMaxPool 1 1",
        "BatchNormalization 5 5 epsilon:Float momentum:Float spatial:Int training_mode:Int",
        "InstanceNormalization 3 3 epsilon:Float", "LayerNormalization 2 3 axis:Int epsilon:Float stash_type:Int",
        "GroupNormalization 3 3 epsilon:Float num_groups:Int stash_type:Int", "LRN 1 1 alpha:Float beta:Float bias:Float size:Int",
        "Relu 1 1", "LeakyRelu 1 1 alpha:Float", "PRelu 2 2", "Elu 1 1 alpha:Float", "Selu 1 1 alpha:Float gamma:Float", "Celu 1 1 alpha:Float",
        "Sigmoid 1 1", "HardSigmoid 1 1 alpha:Float beta:Float", "HardSwish 1 1", "Mish 1 1", "Softplus 1 1", "Softsign 1 1", "Tanh 1 1", "Erf 1 1",
        "Gelu 1 1 approximate:String", "Clip 1 3 min:Float max:Float", "Softmax 1 1 axis:Int", "LogSoftmax 1 1 axis:Int",
        "Sqrt 1 1", "Exp 1 1", "Log 1 1", "Abs 1 1", "Neg 1 1", "Floor 1 1", "Ceil 1 1", "Reciprocal 1 1", "Identity 1 1", "Dropout 1 3 ratio:Float seed:Int",
        "Add 2 2", "Sub 2 2", "Mul 2 2", "Div 2 2", "Pow 2 2", "Sum 1 64", "Max 1 64", "Min 1 64", "Equal 2 2", "Greater 2 2", "Less 2 2", "Where 3 3",
        "Concat 1 4096 axis:Int", "Split 1 2 axis:Int split:Ints num_outputs:Int",
        "ReduceMean 1 2 axes:Ints keepdims:Int noop_with_empty_axes:Int", "ReduceSum 1 2 axes:Ints keepdims:Int noop_with_empty_axes:Int",
        "ReduceMax 1 2 axes:Ints keepdims:Int noop_with_empty_axes:Int", "ReduceL2 1 2 axes:Ints keepdims:Int noop_with_empty_axes:Int",
        "Gemm 2 3 alpha:Float beta:Float transA:Int transB:Int", "MatMul 2 2",
        "Flatten 1 1 axis:Int", "Reshape 2 2 allowzero:Int", "Transpose 1 1 perm:Ints", "Squeeze 1 2 axes:Ints", "Unsqueeze 1 2 axes:Ints",
        "Shape 1 1 start:Int end:Int", "Gather 2 2 axis:Int", "Slice 1 5 axes:Ints starts:Ints ends:Ints", "ConstantOfShape 1 1 value:Tensor",
        "Constant 0 0 value:Tensor value_int:Int value_ints:Ints value_float:Float value_floats:Floats",
        "Expand 2 2", "Pad 1 4 mode:String pads:Ints value:Float", "Cast 1 1 to:Int saturate:Int",
        "DepthToSpace 1 1 blocksize:Int mode:String", "SpaceToDepth 1 1 blocksize:Int");

    /// <summary>Operators of sentence networks: <see cref="Known"/>, and those that make positions and masks of attention.</summary>
    public static FrozenDictionary<string, OperatorRule> KnownOfText { get; } = Known.Concat(Make(
        "And 2 2", "Or 2 2", "Not 1 1", "LessOrEqual 2 2", "GreaterOrEqual 2 2", "IsNaN 1 1", "Sign 1 1", "CumSum 2 2 exclusive:Int reverse:Int", "Range 3 3", "Trilu 1 2 upper:Int",
        "Tile 2 2", "ReduceMin 1 2 axes:Ints keepdims:Int noop_with_empty_axes:Int")).ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Operators that came after operator set 7, and the set they came with.</summary>
    static readonly FrozenDictionary<string, int> Since = new Dictionary<string, int>
    {
        ["Expand"] = 8, ["IsNaN"] = 9, ["Sign"] = 9, ["CumSum"] = 11, ["Range"] = 11, ["LessOrEqual"] = 12, ["GreaterOrEqual"] = 12, ["Trilu"] = 14,
         ["ConstantOfShape"] = 9, ["Erf"] = 9, ["Where"] = 9, ["Celu"] = 12, ["HardSwish"] = 14, ["LayerNormalization"] = 17, ["GroupNormalization"] = 18, ["Mish"] = 18, ["Gelu"] = 20,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>True when an operator set has an operator of <see cref="Known"/>.</summary>
    public static bool IsIn(int opset, string op) => opset >= Since.GetValueOrDefault(op);

    static FrozenDictionary<string, OperatorRule> Make(params ReadOnlySpan<string> rules)
    {
        Dictionary<string, OperatorRule> known = new(StringComparer.Ordinal);
        foreach (string rule in rules)
        {
            string[] parts = rule.Split(' ');
            known.Add(parts[0], new OperatorRule(parts[1][0] - '0', int.Parse(parts[2], System.Globalization.CultureInfo.InvariantCulture),
                parts[3..].Select(part => part.Split(':')).ToFrozenDictionary(part => part[0], part => Enum.Parse<Type>(part[1]), StringComparer.Ordinal)));
        }
        return known.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
