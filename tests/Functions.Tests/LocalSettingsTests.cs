using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Scion.Functions;
using Scion.Functions.Gpu;
using Xunit;

namespace Scion.Tests;

/// <summary>What a function app is told, and what it tells, on a developer's machine.</summary>
public sealed class LocalSettingsTests
{
    [Fact]
    public void Example_AsSettings_NamesEveryConnectionAndOnlyKnownSettings()
    {
        JsonNode example = JsonNode.Parse(File.ReadAllText(Path.Combine(Repository(), "local.settings.json.example")))!;
        Dictionary<string, string?> values = example["Values"]!.AsObject().ToDictionary(value => value.Key.Replace("__", ":", StringComparison.Ordinal), value => (string?)value.Value);
        IConfigurationRoot configuration = new ConfigurationBuilder().AddInMemoryCollection(values).Build();

        ScionSettings settings = configuration.GetSection("Scion").Get<ScionSettings>(binder => binder.ErrorOnUnknownConfiguration = true) ?? new ScionSettings();

        Assert.False((bool)example["IsEncrypted"]!);                        // Core Tools take a missing one for true
        Assert.Equal("dotnet-isolated", configuration["FUNCTIONS_WORKER_RUNTIME"]);
        Assert.Empty(settings.Validate(new ValidationContext(settings)));
        Assert.All(["AzureWebJobsStorage", FunctionsServices.StorageConnection, GpuQueues.Connection], name => Assert.NotEmpty(configuration[name]!));
    }

    /// <summary>Requests name uploads, and may hold a caller's key.</summary>
    [Theory]
    [InlineData("Azure.Core", LogLevel.Warning, false)]
    [InlineData("Azure.Core", LogLevel.Error, true)]
    [InlineData("Azure.Identity", LogLevel.Information, false)]
    [InlineData("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Information, false)]
    [InlineData("Microsoft.AspNetCore.Server.Kestrel", LogLevel.Warning, true)]
    [InlineData("Scion.Functions.Training.StepRunner", LogLevel.Information, true)]
    public void Log_ByCategory_LeavesOutRequests(string category, LogLevel level, bool told)
    {
        using ServiceProvider services = new ServiceCollection().AddLogging(log => log.AddProvider(new AllLevels())).AddQuietLog().BuildServiceProvider();

        ILogger log = services.GetRequiredService<ILoggerFactory>().CreateLogger(category);

        Assert.Equal(told, log.IsEnabled(level));
    }

    static string Repository()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Serverless.sln"))) return folder.FullName;
        throw new InvalidOperationException($"{AppContext.BaseDirectory} lies in no checkout of the repository.");
    }

    sealed class AllLevels : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
        }

        public void Dispose()
        {
        }
    }
}
