using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Scion.Datasets;
using Scion.Functions.Training;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Functions.Arrivals;

/// <summary>What a look at a folder came to.</summary>
/// <param name="Print">The folder as it was seen.</param>
/// <param name="IsSettled">True when it is taken in, or holds nothing to take in.</param>
/// <param name="Wait">How long until the next look; 0 for at once.</param>
/// <param name="Run">The run to start, just recorded; null when there is none.</param>
sealed record FolderLook(string Print, bool IsSettled, TimeSpan Wait, string? Run = null);

/// <summary>Looks at a model's folder, takes it in when it is whole, and starts its run.</summary>
[ServedBy(FunctionRoles.Cpu)]
sealed partial class ArrivalActivities(
    IBlobStore store, RunLedger runs, ArrivalLedger arrivals, Snapshots snapshots, RunStarter starter, IOptions<ScionSettings> settings, TimeProvider time,
    ILogger<ArrivalActivities> log)
{
    readonly Gathering gathering = new(store, runs, arrivals, snapshots.TakeAsync, time);

    /// <remarks>A folder is whole when its newest file, by the store's clock, has been there long enough. Deleting leaves no such trace: a folder that only lost
    /// files is whole when it is found twice as it is, a quiet period apart. No wait is longer than the period itself, however wrong a clock is.</remarks>
    [Function(nameof(Gather))]
    public async Task<FolderLook> Gather([ActivityTrigger] CollectOrder order, CancellationToken cancellation)
    {
        DroppedFolder folder = await DroppedFolder.FindAsync(store, order.Kind, order.Model, cancellation);
        if (!folder.HasUploads || await arrivals.IsTakenInAsync(folder, cancellation)) return new FolderLook(folder.Print, IsSettled: true, TimeSpan.Zero);

        ArrivalRecord? earlier = await arrivals.ReadableAsync(order.Kind, order.Model, cancellation);
        TimeSpan needed = folder.Stillness(item => item.Modified <= earlier?.Newest, settings.Value.Settle, settings.Value.Quiet);
        if (folder.Newest <= earlier?.Newest)
        {
            if (order.Seen != folder.Print) return new FolderLook(folder.Print, IsSettled: false, settings.Value.Quiet);
        }
        else if (needed - (time.GetUtcNow() - folder.Newest) is { Ticks: > 0 } left)
            return new FolderLook(folder.Print, IsSettled: false, left < needed ? left : needed);

        if (await gathering.GatherAsync(folder, cancellation) is not ({ } arrival, var status)) return new FolderLook(folder.Print, IsSettled: false, needed);
        Tell(arrival);
        return new FolderLook(folder.Print, IsSettled: false, TimeSpan.Zero, status is { IsActive: true } ? status.Run : null);
    }

    [Function(nameof(StartRun))]
    public Task StartRun([ActivityTrigger] string run, [DurableClient] DurableTaskClient client, CancellationToken cancellation) => starter.StartAsync(client, run, cancellation);

    /// <summary>Names of files stay in the record: logs go elsewhere and are kept longer.</summary>
    void Tell(ArrivalRecord arrival)
    {
        if (arrival.Warnings.Count > 0) LogWarned(arrival.Kind, arrival.Model, arrival.Warnings.Count);
        if (arrival.Refusal is { } refusal) LogRefused(arrival.Kind, arrival.Model, refusal.Code);
        else if (arrival.Outcome == ArrivalOutcome.EndedBefore) LogEndedBefore(arrival.Kind, arrival.Model, arrival.Run!);
        else if (arrival.Outcome == ArrivalOutcome.Known) LogKnown(arrival.Kind, arrival.Model, arrival.Run!);
        else LogFound(arrival.Kind, arrival.Model, arrival.Pinned, arrival.Run!);
    }

    [LoggerMessage(1, LogLevel.Information, "{Kind}/{Model} ({Files} files): run {Run}")]
    partial void LogFound(string kind, string model, int files, string run);

    [LoggerMessage(2, LogLevel.Information, "{Kind}/{Model}: this data was trained on before, by run {Run}")]
    partial void LogKnown(string kind, string model, string run);

    [LoggerMessage(3, LogLevel.Warning, "{Kind}/{Model} is not trained on: {Code}; runs/arrivals/{Kind}/{Model}.json says why")]
    partial void LogRefused(string kind, string model, string code);

    [LoggerMessage(4, LogLevel.Warning, "{Kind}/{Model}: run {Run} of this data failed or was cancelled before; change the files, or start it again")]
    partial void LogEndedBefore(string kind, string model, string run);

    [LoggerMessage(5, LogLevel.Warning, "{Kind}/{Model}: {Count} files were not read; runs/arrivals/{Kind}/{Model}.json names them")]
    partial void LogWarned(string kind, string model, int count);
}
