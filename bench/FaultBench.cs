using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Scion.Bench;

/// <summary>Does a training run end as undisturbed whichever storage operation fails, and after whichever write the process dies?</summary>
/// <remarks>The tests of this name disturb every fifth operation; here every one is disturbed. They run as a child, with what they print.</remarks>
static class FaultBench
{
    static readonly string Program = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../tests/Local.Tests/bin/Release/net10.0/Local.Tests.dll"));

    public static async Task<int> Run(string[] arguments)
    {
        if (!File.Exists(Program))
        {
            Console.Error.WriteLine($"Needs '{Program}' (dotnet build Serverless.sln -c Release).");
            return 3;
        }
        ProcessStartInfo start = new("dotnet", [Program, "--progress", "off", "--output", "detailed", "--filter-class", "*RunFaultTests"]);
        start.Environment["SCION_FAULTS"] = "all";
        using Process tests = Process.Start(start)!;
        await tests.WaitForExitAsync();
        return tests.ExitCode;
    }

    static string ThisFile([CallerFilePath] string path = "") => path;
}
