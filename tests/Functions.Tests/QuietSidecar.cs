using System.Runtime.CompilerServices;

namespace Scion.Tests;

/// <summary>The test host's sidecar logs every request to the console and takes no logger; it does read the environment.</summary>
static class QuietSidecar
{
    [ModuleInitializer]
    public static void Initialize() => Environment.SetEnvironmentVariable("Logging__LogLevel__Default", "None");
}
