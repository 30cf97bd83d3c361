using System.CommandLine;
using Scion.Local.Server;

namespace Scion.Local.Commands;

/// <summary><c>scion serve</c>: the one-process server.</summary>
static class ServeCommand
{
    public const string DefaultUrl = "http://127.0.0.1:7071";

    public static Command Create()
    {
        Option<string[]> urls = new("--urls")
        {
            Description = $"Addresses to listen on (default {DefaultUrl}). Port 0 takes a free one.",
            HelpName = "URL",
            AllowMultipleArgumentsPerToken = true,
        };
        Option<bool> remote = new("--allow-remote") { Description = "Also listen on addresses that other machines reach. Put TLS in front: the key travels in the clear." };
        Option<double> quiet = new("--quiet-period")
        {
            Description = "Seconds that loose .txt files wait for their companions. Complete files (.csv .tsv .jsonl .zip) start at once.",
            HelpName = "SECONDS",
            DefaultValueFactory = _ => new WatchOptions().Quiet.TotalSeconds,
        };
        quiet.Validators.Add(result =>
        {
            if (!(result.GetValueOrDefault<double>() is >= 0 and <= 86_400)) result.AddError("--quiet-period takes 0 to 86400 seconds.");
        });
        return new Command("serve", "Watches the data folder, trains when reviews are dropped into it, and serves API and page.") { urls, remote, quiet }
            .Does(call => ScionServer.RunAsync(call,
                call.Get(urls) is { Length: > 0 } given ? [.. given.SelectMany(url => url.Split(';', StringSplitOptions.RemoveEmptyEntries))] : [DefaultUrl],
                call.Get(remote), new WatchOptions { Quiet = TimeSpan.FromSeconds(call.Get(quiet)) }));
    }
}
