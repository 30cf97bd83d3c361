using System.Text.RegularExpressions;

namespace Scion.Tests;

/// <summary>Images, and azd's list of what is made of them.</summary>
public sealed partial class ImageTests
{
    const string Sdk = "mcr.microsoft.com/dotnet/sdk:10.0", Host = "mcr.microsoft.com/azure-functions/dotnet-isolated:4-dotnet-isolated10.0", Cuda = "nvidia/cuda:12.8.1-cudnn-runtime-ubuntu24.04";

    const string Publish = "dotnet publish src/Functions -c Release -r linux-x64 --self-contained false -p:PublishReadyToRun=true";

    public static TheoryData<string> Files => [.. Directory.EnumerateFiles(Path.Combine(Templates.Root, "infra/images")).Select(file => Path.GetFileName(file)!)];

    [Theory]
    [InlineData("cpu.Dockerfile", "", Sdk, Host)]
    [InlineData("gpu-pretrain.Dockerfile", " -p:Accelerator=torch-cuda", Sdk, Host)]
    [InlineData("gpu-extract.Dockerfile", " -p:Accelerator=onnx-cuda -p:Cuda=12", Sdk, Cuda, Host)]
    public void Image_OfEachKind_HoldsItsAcceleratorOnTheHostsImage(string file, string accelerator, params string[] from)
    {
        string text = Templates.Read($"infra/images/{file}");

        Assert.Equal(from, From().Matches(text).Select(match => match.Groups[1].Value));
        Assert.Equal($"{Publish}{accelerator} -o /app", Assert.Single(Run().Matches(text).Select(match => match.Groups[1].Value), line => line.StartsWith("dotnet publish", StringComparison.Ordinal)));
        Assert.Contains($"COPY --from=build /app {ScriptRoot().Match(text).Groups[1].Value}\n", text, StringComparison.Ordinal);
    }

    /// <summary>A registry's remote build has no BuildKit; a secret in a layer is there for good.</summary>
    [Theory]
    [MemberData(nameof(Files))]
    public void Image_WhateverItsKind_NeedsNoBuildKitAndHoldsNoSecret(string file)
    {
        string text = Templates.Read($"infra/images/{file}");

        Assert.DoesNotMatch(@"--mount|--link|<<|# syntax", text);
        Assert.DoesNotMatch(@"(?i)password|secret|AccountKey|ConnectionString|ENV AzureWebJobsStorage|ARG .*(KEY|TOKEN)", text);
        Assert.All(From().Matches(text), match => Assert.Matches(@":[\w.-]+$", match.Groups[1].Value));
        Assert.DoesNotContain(":latest", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Accelerators_OfTheImages_AreKnownToTheProjects()
    {
        string functions = Templates.Read("src/Functions/Functions.csproj"), core = Templates.Read("src/Core/Core.csproj"), packages = Templates.Read("Directory.Packages.props");

        Assert.Contains("'$(Accelerator)' != 'cpu' and '$(Accelerator)' != 'torch-cuda' and '$(Accelerator)' != 'onnx-cuda'\"", functions, StringComparison.Ordinal);
        Assert.Contains("'$(Accelerator)' == 'cuda' or '$(Accelerator)' == 'onnx-cuda'", core, StringComparison.Ordinal);
        Assert.Contains("""Include="Microsoft.ML.OnnxRuntime.Gpu.Linux" Version="1.26.0" Condition="'$(Cuda)' == '12'" """.TrimEnd(), packages, StringComparison.Ordinal);
    }

    [Fact]
    public void Context_OfTheImages_HoldsWhatTheyBuildAndNoMore()
    {
        string[] lines = [.. Templates.Read(".dockerignore").Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && !line.StartsWith('#'))];
        string[] kept = [.. lines.Where(line => line.StartsWith('!')).Select(line => line[1..])];

        Assert.Equal("*", lines[0]);
        Assert.Equal(["src", "host.json", "global.json", "Directory.Build.props", "Directory.Packages.props", ".editorconfig"], kept);
        Assert.All(kept, name => Assert.True(Path.Exists(Path.Combine(Templates.Root, name)), name));
        Assert.Contains("**/local.settings.json", lines);
    }

    [Fact]
    public void Services_OfAzd_AreTheTemplatesWithTheirImages()
    {
        string text = Templates.Read("azure.yaml");
        string services = text[text.IndexOf("\nservices:", StringComparison.Ordinal)..];
        (string Name, string Module, string Image)[] found = [.. Service().Matches(services).Select(match => (match.Groups["name"].Value, match.Groups["module"].Value, match.Groups["image"].Value))];

        Assert.Equal(
        [
            ("api", "api", "cpu"),
            ("cpu", "cpu", "cpu"),
            ("extract", "extract", "gpu-extract"),
            ("pretrain", "pretrain", "gpu-pretrain"),
        ], found.OrderBy(service => service.Name, StringComparer.Ordinal));
        Assert.All(found, service => Assert.True(File.Exists(Path.Combine(Templates.Root, $"infra/{service.Module}.bicepparam")) && File.Exists(Path.Combine(Templates.Root, $"infra/images/{service.Image}.Dockerfile"))));
        Assert.Equal(found.Select(service => $"SERVICE_{service.Name.ToUpperInvariant()}_IMAGE_NAME").Order(StringComparer.Ordinal),
            Templates.Sources().SelectMany(file => ImageSetting().Matches(file.Text)).Select(match => match.Value).Order(StringComparer.Ordinal));
    }

    [GeneratedRegex(@"^FROM (\S+)", RegexOptions.Multiline)]
    private static partial Regex From();

    [GeneratedRegex(@"AzureWebJobsScriptRoot=(/\S+)")]
    private static partial Regex ScriptRoot();

    [GeneratedRegex(@"^RUN (.*)$", RegexOptions.Multiline)]
    private static partial Regex Run();

    [GeneratedRegex(@"^  (?<name>\w+):\n(?:    .*\n)*?    host: containerapp\n    module: (?<module>\w+)\n    docker:\n      path: infra/images/(?<image>[\w-]+)\.Dockerfile$", RegexOptions.Multiline)]
    private static partial Regex Service();

    [GeneratedRegex("SERVICE_[A-Z]+_IMAGE_NAME")]
    private static partial Regex ImageSetting();
}
