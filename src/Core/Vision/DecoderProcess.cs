using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Scion.Vision;

/// <summary>One process that reads pictures for this one.</summary>
sealed class DecoderProcess : IAsyncDisposable
{
    const int KeptErrors = 500;

    /// <summary>All that the process inherits: it decodes strangers' bytes, so it gets no secret.</summary>
    static readonly string[] Inherited = ["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SystemRoot", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

    readonly Process process;
    readonly Stream requests, answers;
    readonly byte[] scratch = PictureFrames.NewScratch();
    readonly StringBuilder errors = new();
    readonly Task draining;

    DecoderProcess(Process process)
    {
        this.process = process;
        (requests, answers) = (process.StandardInput.BaseStream, process.StandardOutput.BaseStream);
        draining = DrainAsync();
    }

    /// <summary>The number by which the system knows it.</summary>
    public int Id => process.Id;

    /// <exception cref="InvalidOperationException">It cannot be started, or ends before it can read pictures (V013).</exception>
    public static async Task<DecoderProcess> StartAsync(DecoderOptions options, TimeProvider time, CancellationToken cancellation)
    {
        ProcessStartInfo start = new(options.Executable)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        foreach (string name in start.Environment.Keys.Except(Inherited, StringComparer.OrdinalIgnoreCase).ToArray()) start.Environment.Remove(name);
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment["DOTNET_TieredPGO"] = "0";
        DecoderProcess started;
        try
        {
            started = new DecoderProcess(Process.Start(start)!);
        }
        catch (Win32Exception e)
        {
            throw PictureFaults.NoDecoder(options.Executable, e.Message);
        }
        try
        {
            await PictureFrames.HearHelloAsync(started.answers, cancellation).AsTask().WaitAsync(options.StartTimeout, time, cancellation);
            return started;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or TimeoutException)
        {
            string how = e is TimeoutException ? $"it was not ready after {options.StartTimeout.TotalSeconds:0} s" : await started.EndAsync();
            await started.DisposeAsync();
            throw PictureFaults.NoDecoder(options.Executable, how);
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    /// <exception cref="Faults.InputRejectedException">As the process refused it.</exception>
    /// <exception cref="IOException">The process died (<see cref="EndAsync"/> says how).</exception>
    /// <exception cref="InvalidDataException">It answers something else.</exception>
    public async Task<PictureFacts> ReadAsync(ReadOnlyMemory<byte> bytes, PictureFit fit, Memory<byte> pixels)
    {
        await PictureFrames.WriteRequestAsync(requests, bytes, fit, scratch, CancellationToken.None);
        return await PictureFrames.ReadAnswerAsync(answers, pixels, scratch, CancellationToken.None);
    }

    /// <summary>Memory it holds now, bytes; 0 when it is gone.</summary>
    public long WorkingSet()
    {
        try
        {
            process.Refresh();
            return process.WorkingSet64;
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            return 0;
        }
    }

    /// <summary>Kills it, waits until it is gone, and says how it ended.</summary>
    public async Task<string> EndAsync()
    {
        bool alive = !process.WaitForExit(TimeSpan.FromMilliseconds(50));        // one that ended by itself shall say how
        if (alive) process.Kill();
        await process.WaitForExitAsync();
        await draining;
        string said = errors.ToString().Trim();
        return (alive ? "it was ended" : $"it ended with {process.ExitCode}") + (said.Length == 0 ? "" : $" after saying: {said}");
    }

    async Task DrainAsync()
    {
        char[] buffer = new char[1024];
        while (await process.StandardError.ReadAsync(buffer) is > 0 and var read)
            if (errors.Length < KeptErrors) errors.Append(buffer, 0, Math.Min(read, KeptErrors - errors.Length));
    }

    /// <summary>Ends it: by the end of its input when it waits for one, by force when it is slow to.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await requests.DisposeAsync();
        }
        catch (IOException)
        {
            // It is gone already.
        }
        try
        {
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(2));
        }
        catch (TimeoutException)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
        await draining;
        await answers.DisposeAsync();
        process.StandardError.Dispose();
        process.Dispose();
    }
}
