using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Scion.Faults;
using Scion.Registry;
using Scion.Serving;
using Scion.Tests.Registry;
using Scion.Vision;

namespace Scion.Tests.Serving;

public sealed class PredictorCacheTests : IDisposable
{
    const string First = "20260101-000000-00000001", Second = "20260102-000000-00000002";

    readonly InMemoryBlobStore blobs = new();
    readonly GatedBlobStore store;
    readonly StoppedClock clock = new();
    readonly List<PredictorCache> caches = [];

    public PredictorCacheTests() => store = new GatedBlobStore(blobs);

    ModelRegistry Registry => new(blobs, clock);

    [Fact]
    public async Task Rent_FirstRequestsAtOnce_LoadTheModelOnce()
    {
        await PublishAsync("films", First);
        PredictorCache cache = Cache();
        TaskCompletionSource gate = new();
        store.Gate = gate.Task;

        Task<PredictorLease>[] rents = [.. Enumerable.Range(0, 50).Select(_ => cache.RentAsync("films", default).AsTask())];
        gate.SetResult();
        PredictorLease[] leases = await Task.WhenAll(rents);

        Assert.Equal(1, store.Asked.Count(asked => asked == $"open models/films/versions/{First}/encoder.onnx"));
        Assert.Equal(1, cache.Resident);
        Assert.All(leases, lease => Assert.Equal(First, lease.Version));
    }

    [Fact]
    public async Task Rent_CallerGivesUpDuringTheLoad_DoesNotStopTheOthers()
    {
        await PublishAsync("films", First);
        PredictorCache cache = Cache();
        TaskCompletionSource gate = new();
        store.Gate = gate.Task;
        using CancellationTokenSource impatient = new();
        Task<PredictorLease> first = cache.RentAsync("films", impatient.Token).AsTask(), second = cache.RentAsync("films", default).AsTask();

        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        gate.SetResult();

        using PredictorLease lease = await second;
        Assert.Equal(First, lease.Version);
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("A")]
    [InlineData("")]
    [InlineData("films/")]
    [InlineData("a\0b")]
    public async Task Rent_NameNotAllowed_IsRefusedWithoutAskingTheStore(string name)
    {
        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => Cache().RentAsync(name, default).AsTask());

        Assert.Equal("R001", fault.Code);
        Assert.Empty(store.Asked);
    }

    [Fact]
    public async Task Rent_UnknownModelAskedForOftenWithinASecond_AsksTheStoreOnce()
    {
        PredictorCache cache = Cache();

        for (int i = 0; i < 20; i++) Assert.Equal("R002", (await Assert.ThrowsAsync<InputRejectedException>(() => cache.RentAsync("none", default).AsTask())).Code);

        Assert.Single(store.Asked);
    }

    [Fact]
    public async Task Rent_UnknownModelPublishedLater_ServesAfterTheNextLook()
    {
        PredictorCache cache = Cache();
        await Assert.ThrowsAsync<InputRejectedException>(() => cache.RentAsync("films", default).AsTask());
        await PublishAsync("films", First);

        clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(First, await VersionAsync(cache, "films"));
    }

    [Fact]
    public async Task Rent_ManyInventedNames_AreNotAllRemembered()
    {
        PredictorCache cache = Cache();

        for (int i = 0; i < 400; i++) await Assert.ThrowsAsync<InputRejectedException>(() => cache.RentAsync($"none{i}", default).AsTask());

        Assert.InRange(cache.Models.Count, 1, 258);
    }

    [Fact]
    public async Task Rent_ManyRequestsInASecond_LookAtThePointerOnce()
    {
        await PublishAsync("films", First);
        PredictorCache cache = Cache();
        await VersionAsync(cache, "films");
        int before = Looks();

        clock.Advance(TimeSpan.FromSeconds(1));
        for (int i = 0; i < 1000; i++) await VersionAsync(cache, "films");
        await UntilAsync(() => Looks() > before);
        for (int i = 0; i < 1000; i++) await VersionAsync(cache, "films");

        Assert.Equal(before + 1, Looks());
    }

    [Fact]
    public async Task Rent_PointerMoved_ServesTheNewVersionAndDisposesTheOldAfterItsLastPrediction()
    {
        await PublishAsync("films", First);
        PredictorCache cache = Cache();
        PredictorLease old = await cache.RentAsync("films", default);
        await PublishAsync("films", Second, seed: 2);

        clock.Advance(TimeSpan.FromSeconds(1));
        (await cache.RentAsync("films", default)).Dispose();
        await UntilAsync(() => cache.Models.Single().Version == Second);

        Assert.Equal(2, cache.Resident);
        Assert.Equal("positive", ((ReviewPredictor)old.Predictor).Predict("a great film").Label);
        old.Dispose();
        old.Dispose();
        Assert.Equal(1, cache.Resident);
        Assert.Throws<ObjectDisposedException>(() => old.Predictor);
    }

    [Fact]
    public async Task Rent_ModelNobodyAskedForMeanwhile_AnswersByTheNewVersionAtOnce()
    {
        await PublishAsync("films", First);
        PredictorCache cache = Cache();
        await VersionAsync(cache, "films");
        await PublishAsync("films", Second, seed: 2);

        clock.Advance(TimeSpan.FromHours(1));

        Assert.Equal(Second, await VersionAsync(cache, "films"));
    }

    [Fact]
    public async Task Rent_StoreHangsWhenTheLookIsOld_AnswersByTheLoadedVersion()
    {
        await PublishAsync("films", First);
        PredictorCache cache = Cache(new PredictorCacheOptions { StaleWait = TimeSpan.FromMilliseconds(20) });
        await VersionAsync(cache, "films");
        TaskCompletionSource gate = new();
        store.Gate = gate.Task;

        clock.Advance(TimeSpan.FromHours(1));

        Assert.Equal(First, await VersionAsync(cache, "films"));
        gate.SetResult();
    }

    [Fact]
    public async Task Refresh_AfterAPromotion_IsSeenByTheNextRequest()
    {
        await PublishAsync("films", First);
        PredictorCache cache = Cache();
        await VersionAsync(cache, "films");
        await PublishAsync("films", Second, seed: 2);

        await cache.RefreshAsync("films", default);

        Assert.Equal(Second, await VersionAsync(cache, "films"));
    }

    [Theory]
    [InlineData("models/films/latest.json", "R009")]
    [InlineData($"models/films/versions/{Second}/model.json", "R010")]
    [InlineData($"models/films/versions/{Second}/encoder.onnx", "R007")]
    [InlineData($"models/films/versions/{Second}/vocabulary.txt", "R007")]
    [InlineData($"models/films/versions/{Second}/examples.jsonl", "R007")]
    public async Task Refresh_WhatIsNewIsDamaged_KeepsTheLastGoodVersionAndTellsWhy(string damaged, string code)
    {
        await PublishAsync("films", First);
        PredictorCache cache = Cache();
        await VersionAsync(cache, "films");
        await PublishAsync("films", Second, seed: 2);
        blobs.Tamper(damaged, "{\"damaged\":true}"u8.ToArray());

        await cache.RefreshAsync("films", default);

        Assert.Equal(First, await VersionAsync(cache, "films"));
        Assert.Equal(code, Assert.IsType<InputRejectedException>(cache.Models.Single().Fault).Code);
        Assert.Equal(1, cache.Resident);
    }

    [Fact]
    public async Task Refresh_DamagedVersionStaysDamaged_IsReadAgainEverMoreRarely()
    {
        await PublishAsync("films", First);
        PredictorCache cache = Cache();
        await VersionAsync(cache, "films");
        await PublishAsync("films", Second, seed: 2);
        blobs.Tamper($"models/films/versions/{Second}/encoder.onnx", [1]);

        for (int second = 0; second < 300; second++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await cache.RefreshAsync("films", default);
        }

        Assert.InRange(store.Asked.Count(asked => asked == $"open models/films/versions/{Second}/encoder.onnx"), 7, 12);
    }

    [Fact]
    public async Task Refresh_DamagedVersionReplacedByAGoodOne_Recovers()
    {
        await PublishAsync("films", First);
        PredictorCache cache = Cache();
        await VersionAsync(cache, "films");
        blobs.Tamper("models/films/latest.json", "{}"u8.ToArray());
        await cache.RefreshAsync("films", default);

        await Registry.PromoteAsync("films", First, "repair", default);
        await cache.RefreshAsync("films", default);

        Assert.Null(cache.Models.Single().Fault);
        Assert.Equal(First, await VersionAsync(cache, "films"));
    }

    [Fact]
    public async Task Refresh_PointerDeleted_KeepsServingAndTells()
    {
        await PublishAsync("films", First);
        PredictorCache cache = Cache();
        await VersionAsync(cache, "films");

        blobs.Remove("models/films/latest.json");
        await cache.RefreshAsync("films", default);

        Assert.Equal(First, await VersionAsync(cache, "films"));
        Assert.Equal("R002", Assert.IsType<InputRejectedException>(cache.Models.Single().Fault).Code);
    }

    [Fact]
    public async Task Rent_StorageSilentThenBack_ServesThroughoutAndForgetsTheFault()
    {
        await PublishAsync("films", First);
        PredictorCache cache = Cache();
        await VersionAsync(cache, "films");

        store.Silent = true;
        await cache.RefreshAsync("films", default);
        Assert.IsType<TransientStorageException>(cache.Models.Single().Fault);
        Assert.Equal(First, await VersionAsync(cache, "films"));
        await Assert.ThrowsAsync<TransientStorageException>(() => cache.RentAsync("other", default).AsTask());
        store.Silent = false;
        clock.Advance(TimeSpan.FromSeconds(1));
        await cache.RefreshAsync("films", default);

        Assert.Null(cache.Models.Single(model => model.Model == "films").Fault);
    }

    [Fact]
    public async Task Rent_MoreModelsThanFit_LetsTheLongestUnusedGo()
    {
        foreach (string model in new[] { "one", "two", "three" }) await PublishAsync(model, First);
        PredictorCache cache = Cache(new PredictorCacheOptions { MaxModels = 2 });
        using PredictorLease held = await cache.RentAsync("one", default);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await VersionAsync(cache, "two");
        clock.Advance(TimeSpan.FromMilliseconds(1));

        await VersionAsync(cache, "three");

        Assert.Equal(["three", "two"], cache.Models.Where(model => model.Version is not null).Select(model => model.Model));
        Assert.Equal(3, cache.Resident);                                          // "one" is in use
        ((ReviewPredictor)held.Predictor).Predict("great");
        held.Dispose();
        Assert.Equal(2, cache.Resident);
        Assert.Equal(First, await VersionAsync(cache, "one"));
    }

    [Fact]
    public async Task Rent_BytesDoNotFit_ServesOneModelAtATime()
    {
        foreach (string model in new[] { "one", "two" }) await PublishAsync(model, First);
        PredictorCache cache = Cache(new PredictorCacheOptions { MaxBytes = 1 });

        for (int i = 0; i < 3; i++)
        {
            clock.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal(First, await VersionAsync(cache, "one"));
            clock.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal(First, await VersionAsync(cache, "two"));
        }

        Assert.Equal(1, cache.Resident);
    }

    [Fact]
    public async Task Dispose_WhileInUse_WaitsForTheLastPredictionAndRefusesNewOnes()
    {
        await PublishAsync("films", First);
        PredictorCache cache = Cache();
        PredictorLease lease = await cache.RentAsync("films", default);

        cache.Dispose();

        ((ReviewPredictor)lease.Predictor).Predict("great");
        lease.Dispose();
        Assert.Equal(0, cache.Resident);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => cache.RentAsync("films", default).AsTask());
    }

    [Fact]
    public async Task Rent_ManyThreadsWhileThePointerMoves_EachAnswerIsOfTheVersionItNames()
    {
        await PublishAsync("films", First);
        await PublishAsync("films", Second, seed: 2);
        PredictorCacheOptions often = new() { PollInterval = TimeSpan.FromMilliseconds(1) };
        using PredictorCache cache = new(new ModelRegistry(blobs, TimeProvider.System), new InProcessPictures(), often, TimeProvider.System, NullLogger<PredictorCache>.Instance);
        Dictionary<string, float> expected = [];
        foreach (string version in new[] { First, Second })
        {
            using ReviewPredictor offline = ReviewPredictor.Load(await Registry.ReadAsync("films", version, null, null, default));
            expected[version] = offline.Predict("a great film").Score;
        }
        Assert.NotEqual(expected[First], expected[Second]);
        Stopwatch running = Stopwatch.StartNew();
        System.Collections.Concurrent.ConcurrentDictionary<string, int> seen = new();

        Task[] clients = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (running.ElapsedMilliseconds < 1500)
            {
                using PredictorLease lease = await cache.RentAsync("films", default);
                Assert.Equal(expected[lease.Version], ((ReviewPredictor)lease.Predictor).Predict("a great film").Score);
                seen.AddOrUpdate(lease.Version, 1, (_, n) => n + 1);
                await Task.Yield();                                               // as a server does between requests
            }
        }))];
        for (int move = 0; running.ElapsedMilliseconds < 1500; move++)
        {
            await Registry.PromoteAsync("films", move % 2 == 0 ? First : Second, "swap", default);
            await Task.Yield();
        }
        await Task.WhenAll(clients);

        Assert.Equal(2, seen.Count);
        await UntilAsync(() => cache.Resident == 1);
    }

    PredictorCache Cache(PredictorCacheOptions? options = null)
    {
        PredictorCache cache = new(new ModelRegistry(store, clock), new InProcessPictures(), options ?? new(), clock, NullLogger<PredictorCache>.Instance);
        caches.Add(cache);
        return cache;
    }

    async Task PublishAsync(string model, string version, int seed = 1) =>
        Assert.True((await TrainedModel.PublishAsync(blobs, await TrainedModel.MakeAsync(blobs, model, version, seed))).Promoted);

    static async Task<string> VersionAsync(PredictorCache cache, string model)
    {
        using PredictorLease lease = await cache.RentAsync(model, default);
        return lease.Version;
    }

    int Looks() => store.Asked.Count(asked => asked == "find models/films/latest.json");

    static async Task UntilAsync(Func<bool> condition)
    {
        for (int i = 0; i < 500 && !condition(); i++) await Task.Delay(10);
        Assert.True(condition());
    }

    public void Dispose()
    {
        foreach (PredictorCache cache in caches) cache.Dispose();
    }
}
