// The test command: dotnet run tests/All.cs. Sets up what the tests need, builds everything, runs every test project, and ends with
// a line "N passed, N failed". Needs the .NET SDK and Node, nothing else.
#:property OutputType=Exe
#:property PublishAot=false
#:property UseMicrosoftTestingPlatformRunner=false
#:property IsTestProject=false
#:property NoWarn=$(NoWarn);CA1303;CA1515
#:property ManagePackageVersionsCentrally=false

using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

string root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, ".."));
Directory.SetCurrentDirectory(root);
int passed = 0, failed = 0, skipped = 0;

if (File.Exists("tests/azurite/package.json") && !Directory.Exists("tests/azurite/node_modules/azurite"))
{
    Say("Installing the storage emulator (npm ci in tests/azurite)");
    if (Run(OperatingSystem.IsWindows() ? "cmd" : "npm", OperatingSystem.IsWindows() ? "/c npm ci --prefix tests/azurite" : "ci --no-audit --no-fund --prefix tests/azurite") != 0)
        return Stop("The storage emulator could not be installed; its tests would not run. Install Node 20 or later with npm.");
}

string? torchUnusable = PrepareTorch();
string? functionsMissing = PrepareFunctions();
if (functionsMissing is not null) Environment.SetEnvironmentVariable("SCION_FUNCTIONS", "none");
string compared = functionsMissing is null ? "compared with the code" : "not compared with the code of the Functions host, which was not built";
string bicep = PrepareBicep(compared);
string[] left = functionsMissing is null ? [] : ["Functions.Tests"];

Say("Building");
string solution = functionsMissing is null ? "Serverless.sln" : WithoutFunctions();
if (Run("dotnet", $"build {solution} -c Release -nologo -v quiet -warnaserror -warnNotAsError:NU1603") != 0) return Stop("The build failed.");

foreach (string project in Directory.GetDirectories("tests").Select(folder => Path.GetFileName(folder)!).Where(name => name.EndsWith(".Tests", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
{
    if (left.Contains(project)) continue;
    if (project == "Torch.Tests" && torchUnusable is not null)
    {
        Say($"Torch.Tests cannot run here: {torchUnusable}");
        failed++;
        continue;
    }
    Say(project);
    (int exit, string output) = Capture("dotnet", $"run --project tests/{project} -c Release --no-build --progress off --no-ansi");
    Match total = Regex.Match(output, @"total:\s*(\d+)\s+failed:\s*(\d+)\s+succeeded:\s*(\d+)\s+skipped:\s*(\d+)");
    if (!total.Success)
    {
        Say($"{project} did not report its results (exit code {exit}).");
        failed++;
        continue;
    }
    int Number(int group) => int.Parse(total.Groups[group].ValueSpan, CultureInfo.InvariantCulture);
    failed += Number(2);
    passed += Number(3);
    skipped += Number(4);
    if (exit != 0 && total.Groups[2].Value == "0" && total.Groups[1].Value != "0") failed++;
}
Say(bicep);
Say(Functions());
Console.WriteLine(skipped == 0 ? $"{passed} passed, {failed} failed" : $"{passed} passed, {failed} failed, {skipped} skipped");
return failed == 0 && passed > 0 ? 0 : 1;

// The Functions host is built where its packages restore; they are not in every registry. Returns null when they do, else the first reason.
static string? PrepareFunctions()
{
    (int exit, string output) = Capture("dotnet", "restore tests/Functions.Tests -v quiet -nologo", show: false);
    if (exit == 0) return null;
    Match reason = Regex.Match(output, @"error (NU\d+: [^\[\r\n]*)");
    return reason.Success ? reason.Groups[1].Value.Trim() : $"restore ended with exit code {exit}";
}

// The solution without what needs the packages of the Functions host.
static string WithoutFunctions()
{
    string[] needing = ["src/Functions/", "tests/Functions.Tests/"];
    string[] projects = [.. Regex.Matches(File.ReadAllText("Serverless.sln"), @"""([^""]+\.csproj)""").Select(match => match.Groups[1].Value.Replace('\\', '/'))
        .Where(path => !needing.Any(folder => path.StartsWith(folder, StringComparison.Ordinal)))];
    Directory.CreateDirectory("artifacts");
    string filter = $"{{\"solution\":{{\"path\":\"../Serverless.sln\",\"projects\":[{string.Join(',', projects.Select(path => $"\"{path.Replace("/", "\\\\", StringComparison.Ordinal)}\""))}]}}}}";
    File.WriteAllText("artifacts/without-functions.slnf", filter);
    return "artifacts/without-functions.slnf";
}

// What the Functions host was built of, in one line.
string Functions()
{
    if (functionsMissing is not null) return $"Functions host: not built and not tested here, as its packages do not restore ({functionsMissing}); the pipeline and its steps are tested without it.";
    IEnumerable<string> versions = Regex.Matches(File.ReadAllText("src/Functions/obj/project.assets.json"),
            @"""Microsoft\.Azure\.Functions\.(Worker(?:\.Sdk|\.Extensions\.(?:DurableTask|Http\.AspNetCore|Storage\.Blobs|Storage\.Queues|Timer))?)/([^""]+)"": \{")
        .Select(match => $"{match.Groups[1].Value} {match.Groups[2].Value}").Distinct().Order(StringComparer.Ordinal);
    return $"Functions host: built and tested with {string.Join(", ", versions)}.";
}

// The Bicep CLI comes from NuGet, one package for each platform. Where there is none, what it would check is skipped.
static string PrepareBicep(string compared)
{
    const string Restore = "restore tests/Infra.Tests -v quiet -nologo";
    if (RuntimeInformation.OSArchitecture != Architecture.X64) return "Bicep: there is no package Azure.Bicep.CommandLine for this platform; infra/ was not compiled.";
    if (Capture("dotnet", Restore).Exit == 0) return $"Bicep: infra/ was compiled and linted by the CLI of NuGet package Azure.Bicep.CommandLine, and {compared}.";
    Environment.SetEnvironmentVariable("SCION_BICEP", "none");
    return Capture("dotnet", Restore).Exit == 0
        ? "Bicep: the package Azure.Bicep.CommandLine of this platform does not restore here; infra/ was not compiled."
        : "Bicep: tests/Infra.Tests does not restore; infra/ was not compiled.";
}

static void Say(string line) => Console.WriteLine($"== {line}");

int Stop(string reason)
{
    Say(reason);
    Console.WriteLine($"{passed} passed, {failed + 1} failed");
    return 1;
}

static string ThisFile([CallerFilePath] string path = "") => path;

static int Run(string command, string arguments)
{
    using Process process = Process.Start(new ProcessStartInfo(command, arguments))!;
    process.WaitForExit();
    return process.ExitCode;
}

static (int Exit, string Output) Capture(string command, string arguments, bool show = true)
{
    using Process process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true })!;
    System.Text.StringBuilder output = new();
    while (process.StandardOutput.ReadLine() is { } line)
    {
        if (show) Console.WriteLine(line);
        output.AppendLine(Regex.Replace(line, "\e\\[[0-9;]*m", ""));         // colours, which a CI may force on
    }
    process.WaitForExit();
    return (process.ExitCode, output.ToString());
}

// libtorch 2.10 needs GLIBCXX_3.4.32 (GCC 13). Returns null when it is there now, else what to do.
static string? PrepareTorch()
{
    const string Symbol = "GLIBCXX_3.4.32";
    if (!OperatingSystem.IsLinux() || HasSymbol()) return null;
    bool debian = File.Exists("/etc/debian_version") && File.Exists("/usr/bin/apt-get");
    if (!debian || Environment.UserName != "root")
        return $"libtorch needs a libstdc++ with {Symbol} (GCC 13 or later). Install libstdc++6 13 or later; on Debian 12: from trixie, as root.";

    Say($"Installing libstdc++6 with {Symbol} from Debian trixie, pinned low so that nothing else comes from there");
    string? mirror = Directory.GetFiles("/etc/apt", "*", SearchOption.AllDirectories)
        .Where(file => file.EndsWith(".list", StringComparison.Ordinal) || file.EndsWith(".sources", StringComparison.Ordinal))
        .SelectMany(File.ReadLines)
        .Select(line => Regex.Match(line, @"^(?:deb\s+(?:\[[^\]]*\]\s+)?|URIs:\s*)(\S+/debian)/?(?:\s|$)"))
        .FirstOrDefault(match => match.Success)?.Groups[1].Value;
    if (mirror is null) return $"libtorch needs a libstdc++ with {Symbol} and no Debian mirror was found in /etc/apt. Install libstdc++6 13 or later.";
    File.WriteAllText("/etc/apt/sources.list.d/scion-trixie.list", $"deb {mirror} trixie main\n");
    File.WriteAllText("/etc/apt/preferences.d/scion-trixie", "Package: *\nPin: release n=trixie\nPin-Priority: 100\n");
    int exit = Run("apt-get", "update -qq");
    if (exit == 0) exit = Run("apt-get", "install -y -qq -t trixie --no-install-recommends libstdc++6");
    return exit == 0 && HasSymbol() ? null : $"installing libstdc++6 from Debian trixie failed (exit code {exit}); libtorch needs {Symbol}.";

    static bool HasSymbol() => new[] { "/usr/lib", "/usr/lib64", "/lib" }
        .SelectMany(folder => new[] { folder, $"{folder}/{RuntimeInformation.ProcessArchitecture switch { Architecture.Arm64 => "aarch64", _ => "x86_64" }}-linux-gnu" })
        .Select(folder => $"{folder}/libstdc++.so.6")
        .Any(file => File.Exists(file) && System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(file)).Contains(Symbol, StringComparison.Ordinal));
}
