using System.Diagnostics;
using System.Text.RegularExpressions;
using Xunit;

namespace Scion.Tests;

/// <summary>Azurite, the storage emulator, on a free port of its own with nothing on disk. Test classes share one by
/// <c>[Collection(nameof(Azurite))]</c>; it ends with them, and with this process however that ends.</summary>
public sealed class Azurite : StorageEmulator
{
    public Azurite() : base(queues: false)
    {
    }
}

/// <summary>As <see cref="Azurite"/>, with its queues too: <c>[Collection(nameof(AzuriteWithQueues))]</c>.</summary>
public sealed class AzuriteWithQueues : StorageEmulator
{
    public AzuriteWithQueues() : base(queues: true)
    {
    }
}

/// <summary>A process of the emulator.</summary>
/// <param name="queues">True starts queues and tables too, which takes longer.</param>
public abstract class StorageEmulator(bool queues) : IAsyncLifetime
{
    // The emulator's published account and key; no secret.
    const string Account = "devstoreaccount1", Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    Process? process;

    public string ConnectionString { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        string folder = Path.Combine(Repository(), "tests", "azurite");
        if (!Directory.Exists(Path.Combine(folder, "node_modules", "azurite")))
            throw new InvalidOperationException($"The storage emulator is not installed in {folder}: run 'dotnet run tests/All.cs', which installs it.");
        string[] ports = queues ? ["--blobPort", "0", "--queuePort", "0", "--tablePort", "0"] : ["--blobPort", "0"];
        ProcessStartInfo start = new("node", ["start.js", .. ports, "--inMemoryPersistence", "--disableTelemetry", "--silent"])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        process = Process.Start(start)!;
        string said = "";
        process.ErrorDataReceived += (_, line) => said += $"{line.Data}\n";
        process.BeginErrorReadLine();
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));
        Dictionary<string, string> addresses = [];
        while (await process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
        {
            said += $"{line}\n";
            if (Regex.Match(line, @"(Blob|Queue|Table) service (?:is )?successfully listen(?:s on|ing at) (http://127\.0\.0\.1:\d+)") is not { Success: true } address) continue;
            addresses[address.Groups[1].Value] = $"{address.Groups[1].Value}Endpoint={address.Groups[2].Value}/{Account};";
            if (addresses.Count < (queues ? 3 : 1)) continue;
            ConnectionString = $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};{string.Concat(addresses.Values)}";
            _ = process.StandardOutput.ReadToEndAsync();                     // keeps the pipe from filling
            return;
        }
        throw new InvalidOperationException($"The storage emulator did not start: {said}");
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (process is null) return;
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        GC.SuppressFinalize(this);
    }

    static string Repository()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Serverless.sln"))) return folder.FullName;
        throw new InvalidOperationException($"{AppContext.BaseDirectory} lies in no checkout of the repository.");
    }
}

/// <summary>One emulator for all classes of the collection, which run one after another.</summary>
[CollectionDefinition(nameof(Azurite))]
public sealed class AzuriteTests : ICollectionFixture<Azurite>;

/// <summary>As <see cref="AzuriteTests"/>, with queues.</summary>
[CollectionDefinition(nameof(AzuriteWithQueues))]
public sealed class AzuriteWithQueuesTests : ICollectionFixture<AzuriteWithQueues>;
