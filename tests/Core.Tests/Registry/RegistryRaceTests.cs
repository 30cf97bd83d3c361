using Scion.Faults;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Serving;
using Scion.Storage;
using Scion.Vision;

namespace Scion.Tests.Registry;

/// <summary>Publishers, rollbacks and readers at once. Invariants I2 to I5: the pointer always names a complete version whose digests hold,
/// published bytes never change, one version an input, and the pointer never goes back without a record.</summary>
public sealed class RegistryRaceTests
{
    const int Publishers = 5, Rounds = 8;

    [Fact]
    public async Task Publish_AgainstRollbacksAndReaders_KeepsEveryInvariant()
    {
        InMemoryBlobStore prepared = new();
        List<PublishInput> inputs = [];
        for (int i = 1; i <= Publishers; i++)
        {
            inputs.Add(await TrainedModel.MakeAsync(prepared, version: $"2026010{i}-000000-0000000{i}", seed: i));
            await new BuildPackageStep(new StepMemo(prepared)).RunAsync(new BuildPackageInput(inputs[^1].DataDigest, inputs[^1].Data, inputs[^1].Encoder, inputs[^1].Embedding,
                inputs[^1].Features, inputs[^1].Evaluated, inputs[^1].Settings), default);
        }
        for (int round = 0; round < Rounds; round++) await RoundAsync(prepared, inputs, round);
    }

    static async Task RoundAsync(InMemoryBlobStore prepared, List<PublishInput> inputs, int round)
    {
        InMemoryBlobStore store = new();
        foreach ((string path, byte[] bytes) in prepared.Content) store.Tamper(path, bytes);
        ModelRegistry registry = new(store, StoppedClock.Instance);
        using CancellationTokenSource done = new();
        Random random = new(round);
        Dictionary<string, string> seen = [];

        Task[] publishing = [.. inputs.OrderBy(_ => random.Next()).Select(input => Task.Run(() => TrainedModel.PublishAsync(store, input)))];
        Task rolling = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                try
                {
                    await registry.RollbackAsync("films", null, "In a race.", default);
                }
                catch (InputRejectedException e) when (e.Code is "R002" or "R013" or "R016")
                {
                    await Task.Yield();
                }
            }
        });
        Task reading = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                if (await registry.FindLatestAsync("films", default) is not { } found) continue;
                ModelPackage package = await registry.ReadAsync("films", found.Pointer.Version, found.Pointer.Digest, null, default);    // I2
                if (!seen.TryAdd(found.Pointer.Version, package.Digest)) Assert.Equal(seen[found.Pointer.Version], package.Digest);         // I3
                using ReviewPredictor predictor = ReviewPredictor.Load(package);
                Assert.Equal("positive", predictor.LabelOf("a great and lovely film"));
            }
        });
        await Task.WhenAll(publishing);
        await done.CancelAsync();
        await Task.WhenAll(rolling, reading);

        Assert.Equal(inputs.Count, (await registry.ListVersionsAsync("films", default)).Count(version => version.Complete));               // I4
        IReadOnlyList<PointerMove> moves = (await registry.FindLatestAsync("films", default))!.Value.Pointer.Moves;
        Assert.Equal(Enumerable.Range(1, moves.Count).Select(i => (long)i), moves.Select(move => move.Sequence));
        foreach ((PointerMove before, PointerMove after) in moves.Zip(moves.Skip(1)))
            Assert.True(after.Action == PointerAction.Rollback || string.CompareOrdinal(after.Version, before.Version) > 0, $"{before} then {after}");     // I5
        Assert.True((await ModelVerification.VerifyAsync(registry, new InProcessPictures(), "films", null, null, default)).Passed);
    }
}
