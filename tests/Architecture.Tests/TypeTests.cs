using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Scion.Pipelines;

namespace Scion.Tests;

/// <summary>Rules that every type of the product keeps.</summary>
public sealed partial class TypeTests
{
    static readonly Assembly Core = typeof(IReviewSteps).Assembly;

    /// <summary>Core and what is loaded beside it: the assemblies of the product that this test project has.</summary>
    static IEnumerable<Assembly> Product => Directory.EnumerateFiles(AppContext.BaseDirectory, "Scion*.dll").Append(Path.Combine(AppContext.BaseDirectory, "scion.dll"))
        .Where(File.Exists).Select(path => Path.GetFileNameWithoutExtension(path)!).Distinct(StringComparer.OrdinalIgnoreCase).Select(name => Assembly.Load(name));

    static IEnumerable<Type> OwnTypes => Product.SelectMany(assembly => assembly.GetTypes()).Where(type =>
        type.Namespace?.StartsWith("Scion", StringComparison.Ordinal) == true && type.Namespace != "Scion.Onnx" && !IsGenerated(type));

    [Fact]
    public void Records_Public_AreSealedAndImmutable()
    {
        Type[] records = [.. OwnTypes.Where(type => type.IsVisible && IsRecord(type))];

        SourceTree.RequireNone(records.Where(type => !type.IsSealed && !type.IsAbstract).Select(type => $"{type} is not sealed"));
        SourceTree.RequireNone(records.SelectMany(type => type.GetProperties()).Where(IsMutable).Select(property => $"{property.DeclaringType}.{property.Name} can be set"));
        SourceTree.RequireNone(records.SelectMany(type => type.GetFields(BindingFlags.Public | BindingFlags.Instance)).Where(field => !field.IsInitOnly)
            .Select(field => $"{field.DeclaringType}.{field.Name} can be set"));
        Assert.True(records.Length > 60, $"only {records.Length} records were found");
    }

    [Fact]
    public void Classes_OfTheProduct_AreSealedStaticOrFaults() => SourceTree.RequireNone(OwnTypes
        .Where(type => type.IsClass && !type.IsSealed && !type.IsAbstract)
        .Where(type => !type.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Any(method => method is { IsVirtual: true, IsFinal: false } && method.GetBaseDefinition() == method))
        .Select(type => $"{type} can be inherited from; nothing does"));

    [Fact]
    public void Names_OfTypes_SayWhatTheTypeIs() => SourceTree.RequireNone(OwnTypes.Select(type => type.Name.Split('`')[0])
        .Where(name => Vague().IsMatch(name)).Distinct().Select(name => $"{name} says nothing"));

    [Fact]
    public void Core_Compiled_ReferencesNoHostAndNoTorch()
    {
        string[] referenced = [.. Closure(Core)];

        Assert.Contains("Microsoft.ML.OnnxRuntime", referenced);
        SourceTree.RequireNone(referenced.Where(name => name.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal)
            || name.StartsWith("Microsoft.Azure.Functions", StringComparison.Ordinal) || name.StartsWith("Microsoft.DurableTask", StringComparison.Ordinal)
            || name.StartsWith("TorchSharp", StringComparison.Ordinal)));
    }

    [Fact]
    public void TheCommandLine_AsBuilt_CarriesNoTorch()
    {
        SourceTree.RequireNone(Product.SelectMany(assembly => assembly.GetReferencedAssemblies()).Where(name => name.Name!.Contains("Torch", StringComparison.Ordinal)).Select(name => name.Name!));
        SourceTree.RequireNone(Directory.EnumerateFiles(AppContext.BaseDirectory, "*torch*", SearchOption.AllDirectories).Select(Path.GetFileName));
    }

    [Fact]
    public void Steps_OfThePipeline_EachHaveAClassThatSaysWhatItTouches()
    {
        string[] ledger = [nameof(ITrainingSteps.RecordFindings), nameof(ITrainingSteps.Report), nameof(ITrainingSteps.FanOut)];       // the ledger's and the window, not memoised
        Dictionary<string, Type> steps = OwnTypes.Where(type => type.Assembly == Core && type.Name.EndsWith("Step", StringComparison.Ordinal)).ToDictionary(type => type.Name);
        foreach (MethodInfo method in new[] { typeof(ITrainingSteps), typeof(IReviewSteps), typeof(IImageSteps) }.SelectMany(steps => steps.GetMethods())
            .Where(method => !ledger.Contains(method.Name)))
        {
            Assert.True(steps.TryGetValue($"{method.Name}Step", out Type? step), $"{method.Name} has no class {method.Name}Step");
            MethodInfo run = step.GetMethod("RunAsync")!;
            Assert.Equal(method.ReturnType, run.ReturnType);
            Assert.Equal(method.GetParameters()[0].ParameterType, run.GetParameters()[0].ParameterType);
            string source = SourceTree.Files("src/Core", $"/{method.Name}Step.cs", $"{method.Name}Step.cs").First(file => file.Path.EndsWith($"/{method.Name}Step.cs", StringComparison.Ordinal)).Text;
            string remarks = source[..source.IndexOf($"class {method.Name}Step", StringComparison.Ordinal)];
            foreach (string what in new[] { "Reads", "Writes", "Randomness", "lock" })
                Assert.True(remarks.Contains(what, StringComparison.Ordinal), $"the remarks of {method.Name}Step do not say: {what}");
        }
    }

    static HashSet<string> Closure(Assembly from)
    {
        HashSet<string> seen = [];
        Queue<AssemblyName> queue = new(from.GetReferencedAssemblies());
        while (queue.TryDequeue(out AssemblyName? name))
        {
            if (!seen.Add(name.Name!) || name.Name!.StartsWith("System", StringComparison.Ordinal)) continue;
            string path = Path.Combine(AppContext.BaseDirectory, name.Name + ".dll");
            if (File.Exists(path)) foreach (AssemblyName next in Assembly.Load(name).GetReferencedAssemblies()) queue.Enqueue(next);
        }
        return seen;
    }

    static bool IsRecord(Type type) => type.IsClass
        ? type.GetMethod("<Clone>$") is not null
        : type.IsValueType && !type.IsEnum && type.GetMethod("PrintMembers", BindingFlags.Instance | BindingFlags.NonPublic) is not null;

    static bool IsMutable(PropertyInfo property) => property.SetMethod is { IsPublic: true } set
        && !set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit));

    static bool IsGenerated(Type type) => type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false) || type.Name.Contains('<', StringComparison.Ordinal)
        || (type.DeclaringType is { } outer && IsGenerated(outer)) || type.IsDefined(typeof(System.CodeDom.Compiler.GeneratedCodeAttribute), inherit: false);

    [GeneratedRegex("(Helper|Helpers|Util|Utils|Utility|Utilities|Manager|Managers|Service|Services|Wrapper|Processor|Impl|Info|Data|Base|Common)$")]
    private static partial Regex Vague();
}
