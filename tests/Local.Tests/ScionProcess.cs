using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Scion.Tests;

/// <summary>The built command line as people run it: a child process with its own data folder.</summary>
sealed class ScionProcess : IAsyncDisposable
{
    static readonly string Program = Path.Combine(AppContext.BaseDirectory, "scion.dll");

    readonly Process process;
    readonly StringBuilder output = new(), error = new();
    readonly Task reading;

    ScionProcess(Process process)
    {
        this.process = process;
        reading = Task.WhenAll(ReadAsync(process.StandardOutput, output), ReadAsync(process.StandardError, error));
    }

    public static ScionProcess Start(string folder, params string[] arguments)
    {
        ProcessStartInfo start = new(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        start.Environment.Remove("SCION_DATA");
        start.Environment.Remove("SCION_STORAGE");
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.ArgumentList.Add(Program);
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        return new ScionProcess(Process.Start(start)!);
    }

    /// <summary>Runs a command to its end.</summary>
    public static async Task<Ended> RunAsync(string folder, params string[] arguments)
    {
        await using ScionProcess scion = Start(folder, arguments);
        return await scion.EndAsync();
    }

    public string Output
    {
        get
        {
            lock (output) return output.ToString();
        }
    }

    public string Error
    {
        get
        {
            lock (error) return error.ToString();
        }
    }

    public async Task<Ended> EndAsync()
    {
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(90));
        await reading;
        return new Ended(process.ExitCode, Output, Error);
    }

    public void Kill() => process.Kill();

    /// <summary>Ctrl-C, as a terminal sends it.</summary>
    public void Interrupt() => Process.Start("kill", $"-INT {process.Id}").WaitForExit();

    /// <summary>Waits until something holds, at most a minute.</summary>
    public async Task<T> UntilAsync<T>(Func<Task<T?>> look, string what) where T : class
    {
        long started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60))
        {
            if (await look() is { } found) return found;
            if (process.HasExited) break;
            await Task.Delay(50);
        }
        throw new TimeoutException($"Not seen: {what}. Exited: {process.HasExited}. stdout: {Output} stderr: {Error}");
    }

    static async Task ReadAsync(StreamReader from, StringBuilder to)
    {
        char[] buffer = new char[4096];
        while (await from.ReadAsync(buffer) is int count and > 0)
            lock (to) to.Append(buffer, 0, count);
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        await reading;
        process.Dispose();
    }
}

/// <param name="Code">Exit code.</param>
/// <param name="Output">All of stdout.</param>
/// <param name="Error">All of stderr.</param>
sealed record Ended(int Code, string Output, string Error)
{
    /// <summary>Stdout as the one JSON document it must be.</summary>
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    public override string ToString() => $"exit {Code}\nstdout: {Output}\nstderr: {Error}";
}

/// <summary>A folder of its own for a test.</summary>
sealed class TestFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("scion-test-").FullName;

    public string Data => System.IO.Path.Combine(Path, "scion-data");

    /// <summary>Writes a file, and its folders.</summary>
    public string Write(string name, string content) => Write(name, System.Text.Encoding.UTF8.GetBytes(content));

    /// <summary>Writes a file, and its folders.</summary>
    public string Write(string name, byte[] content)
    {
        string path = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
