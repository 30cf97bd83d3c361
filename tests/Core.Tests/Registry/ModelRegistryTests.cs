using System.Text;
using Scion.Datasets;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Serving;
using Scion.Storage;
using Scion.Vision;

namespace Scion.Tests.Registry;

public sealed class ModelRegistryTests
{
    const string First = "20260101-000000-00000001", Second = "20260102-000000-00000002", Third = "20260103-000000-00000003";
    const string Folder = $"models/films/versions/{First}/";

    readonly InMemoryBlobStore store = new();

    ModelRegistry Registry => new(store, StoppedClock.Instance);

    async Task PublishAsync(params string[] versions)
    {
        for (int i = 0; i < versions.Length; i++) await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store, version: versions[i], seed: i + 1));
    }

    async Task<string> ServingAsync() => (await Registry.FindLatestAsync("films", default))!.Value.Pointer.Version;

    [Fact]
    public async Task Promote_AnEarlierVersion_ServesItAndKeepsTheHistory()
    {
        await PublishAsync(First, Second);

        LatestPointer pointer = await Registry.PromoteAsync("films", First, "I like it better.", default);

        Assert.Equal(First, await ServingAsync());
        Assert.Equal((3, PointerAction.Promote, "I like it better."), (pointer.Moves[^1].Sequence, pointer.Moves[^1].Action, pointer.Moves[^1].Reason));
    }

    [Fact]
    public async Task Promote_TheServingVersionAgain_WritesNothing()
    {
        await PublishAsync(First);
        string? before = await Registry.FindLatestTagAsync("films", default);

        await Registry.PromoteAsync("films", First, "Again.", default);

        Assert.Equal(before, await Registry.FindLatestTagAsync("films", default));
    }

    [Fact]
    public async Task Rollback_Twice_GoesBackTwiceAndThenSaysThereIsNoMore()
    {
        await PublishAsync(First, Second, Third);

        Assert.Equal(Second, (await Registry.RollbackAsync("films", null, "Bad.", default)).Version);
        Assert.Equal(First, (await Registry.RollbackAsync("films", null, "Bad too.", default)).Version);
        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => Registry.RollbackAsync("films", null, "Worse.", default));

        Assert.Equal($"R013: 'films' serves {First}, and no version served before it. Name one: 'scion models promote films VERSION'.", fault.Message);
    }

    [Fact]
    public async Task Rollback_RepeatedFromTheSameVersion_GoesBackOnce()
    {
        await PublishAsync(First, Second, Third);

        await Registry.RollbackAsync("films", Third, "Bad.", default);
        LatestPointer again = await Registry.RollbackAsync("films", Third, "Bad.", default);

        Assert.Equal((Second, 4), (again.Version, again.Moves.Count));
        Assert.Equal("R016", (await Assert.ThrowsAsync<InputRejectedException>(() => Registry.RollbackAsync("films", First, "Which?", default))).Code);
    }

    [Theory]
    [InlineData("promote")]
    [InlineData("rollback")]
    public async Task Move_AnyOperationFailsAndItIsRepeated_EndsAsUndisturbed(string move)
    {
        await PublishAsync(First, Second);
        FailingBlobStore counting = new(Copy(), 0, false);
        LatestPointer expected = await MoveAsync(counting);

        foreach (bool done in new[] { false, true })
            for (int k = 1; k <= counting.Count; k++)
            {
                InMemoryBlobStore disturbed = Copy();
                await Assert.ThrowsAsync<TransientStorageException>(() => MoveAsync(new FailingBlobStore(disturbed, k, done)));
                LatestPointer between = (await new ModelRegistry(disturbed, StoppedClock.Instance).FindLatestAsync("films", default))!.Value.Pointer;
                await new ModelRegistry(disturbed, StoppedClock.Instance).ReadAsync("films", between.Version, between.Digest, null, default);

                LatestPointer repeated = await MoveAsync(disturbed);

                Assert.Equal(expected.ToBytes(), repeated.ToBytes());
            }
        Assert.InRange(counting.Count, 10, 60);

        Task<LatestPointer> MoveAsync(IBlobStore on) => move == "promote"
            ? new ModelRegistry(on, StoppedClock.Instance).PromoteAsync("films", First, "A reason.", default)
            : new ModelRegistry(on, StoppedClock.Instance).RollbackAsync("films", Second, "A reason.", default);

        InMemoryBlobStore Copy()
        {
            InMemoryBlobStore copy = new();
            foreach ((string path, byte[] bytes) in store.Content) copy.Tamper(path, bytes);
            return copy;
        }
    }

    [Fact]
    public async Task Pointer_Malformed_IsRefusedListedAndRepairedByPromoting()
    {
        await PublishAsync(First);
        store.Tamper("models/films/latest.json", Encoding.UTF8.GetBytes("{\"version\":\"mine\"}"));

        Assert.Equal("R009", (await Assert.ThrowsAsync<InputRejectedException>(() => Registry.FindLatestAsync("films", default))).Code);
        ModelEntry listed = Assert.Single(await Registry.ListAsync(default));
        Assert.StartsWith("R009: models/films/latest.json is not valid:", listed.Fault, StringComparison.Ordinal);
        Assert.Equal("R009", (await Assert.ThrowsAsync<InputRejectedException>(() => Registry.RollbackAsync("films", null, "", default))).Code);
        await Registry.PromoteAsync("films", First, "Repair.", default);

        Assert.Equal(First, await ServingAsync());
    }

    [Fact]
    public async Task Publish_WhileThePointerIsMalformed_KeepsTheVersionAndSaysWhy()
    {
        await PublishAsync(First);
        store.Tamper("models/films/latest.json", "not json"u8.ToArray());

        Published published = await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store, version: Second, seed: 2));

        Assert.False(published.Promoted);
        Assert.StartsWith("Not promoted: R009: models/films/latest.json is not valid:", published.Gate, StringComparison.Ordinal);
        Assert.Equal(2, (await Registry.ListVersionsAsync("films", default)).Count(version => version.Complete));
    }

    [Fact]
    public async Task Pointer_NamesAnotherDigest_IsNotServed()
    {
        await PublishAsync(First);
        LatestPointer foreign = LatestPointer.Moved(null, PointerAction.Promote, First, new string('a', 64), DateTimeOffset.UnixEpoch, "By hand.");
        store.Tamper("models/films/latest.json", foreign.ToBytes());

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => Registry.ReadChosenAsync("films", null, null, default));

        Assert.Equal(("R010", Refusal.Conflict), (fault.Code, fault.Kind));
    }

    [Fact]
    public async Task Pointer_NamesAMissingVersion_IsNotFound()
    {
        await PublishAsync(First);
        store.Tamper("models/films/latest.json", LatestPointer.Moved(null, PointerAction.Promote, Third, new string('a', 64), DateTimeOffset.UnixEpoch, "").ToBytes());

        Assert.Equal("R003", (await Assert.ThrowsAsync<InputRejectedException>(() => Registry.ReadChosenAsync("films", null, null, default))).Code);
        Assert.Equal(["R003"], (await ModelVerification.VerifyAsync(Registry, new InProcessPictures(), "films", null, null, default)).Checks.Where(check => !check.Passed).Select(check => check.Detail[..4]));
    }

    [Theory]
    [InlineData("head.onnx", "flip", "R007")]
    [InlineData("head.onnx", "append", "R007")]
    [InlineData("encoder.onnx", "remove", "R008")]
    [InlineData("examples.safetensors", "empty", "R007")]
    [InlineData("report.html", "flip", "R007")]
    [InlineData("model.json", "remove", "R004")]
    [InlineData("model.json", "empty", "R005")]
    public async Task Version_AFileWasChanged_IsRefusedAndTheRestStands(string file, string how, string code)
    {
        await PublishAsync(First, Second);
        byte[] bytes = store.Content.Single(blob => blob.Path == Folder + file).Bytes;
        if (how == "remove") store.Remove(Folder + file);
        else store.Tamper(Folder + file, how switch { "empty" => [], "append" => [.. bytes, 0], _ => [.. bytes[..^1], (byte)(bytes[^1] ^ 1)] });

        Assert.Equal(code, (await Assert.ThrowsAsync<InputRejectedException>(() => Registry.ReadAsync("films", First, null, null, default))).Code);
        Assert.Equal(code, (await Assert.ThrowsAsync<InputRejectedException>(() => Registry.PromoteAsync("films", First, "", default))).Code);
        ModelVerified verified = await ModelVerification.VerifyAsync(Registry, new InProcessPictures(), "films", null, null, default);

        Assert.False(verified.Passed);
        VerifiedCheck failed = Assert.Single(verified.Checks, check => !check.Passed);
        Assert.Equal((First, code), (failed.Version, failed.Detail[..4]));
        Assert.Equal(Second, await ServingAsync());
    }

    [Fact]
    public async Task Version_OfALaterSchema_SaysToUpdate()
    {
        await PublishAsync(First);
        byte[] bytes = store.Content.Single(blob => blob.Path == Folder + "model.json").Bytes;
        store.Tamper(Folder + "model.json", Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes).Replace("\"schemaVersion\": 1", "\"schemaVersion\": 4", StringComparison.Ordinal)));

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => Registry.ReadAsync("films", First, null, null, default));

        Assert.Equal($"R006: '{Folder}model.json' has schema version 4; this program reads up to 3. Update Scion, or promote an older version.", fault.Message);
    }

    [Theory]
    [InlineData("../prod")]
    [InlineData("a")]
    [InlineData("A-model")]
    [InlineData("films/x")]
    [InlineData("films\n")]
    [InlineData("-films")]
    [InlineData("")]
    public async Task Model_HostileName_IsRefusedBeforeStorage(string name)
    {
        ModelRegistry registry = new(new FailingBlobStore(store, 1, false), StoppedClock.Instance);

        Assert.Equal("R001", (await Assert.ThrowsAsync<InputRejectedException>(() => registry.FindLatestAsync(name, default))).Code);
        Assert.Equal("R001", (await Assert.ThrowsAsync<InputRejectedException>(() => registry.ListVersionsAsync(name, default))).Code);
        Assert.Equal("R001", (await Assert.ThrowsAsync<InputRejectedException>(() => registry.PromoteAsync(name, First, "", default))).Code);
    }

    [Theory]
    [InlineData("../../other/versions/20260101-000000-00000001")]
    [InlineData("latest")]
    [InlineData("20260101-000000-0000000G")]
    [InlineData("20260101-000000-00000001\n")]
    public async Task Version_HostileName_IsNotFound(string version) =>
        Assert.Equal("R003", (await Assert.ThrowsAsync<InputRejectedException>(() => Registry.ReadAsync("films", version, null, null, default))).Code);

    [Fact]
    public async Task List_ForeignBlobsInTheContainer_AreIgnored()
    {
        await PublishAsync(First, Second);
        foreach (string foreign in new[] { "models/UPPER/latest.json", "models/films/versions/mine/model.json", "models/readme.txt", "models/films/notes.txt", $"models/films/versions/{Third}/head.onnx" })
            store.Tamper(foreign, [1]);

        ModelEntry listed = Assert.Single(await Registry.ListAsync(default));
        IReadOnlyList<VersionEntry> versions = await Registry.ListVersionsAsync("films", default);

        Assert.Equal(new ModelEntry("films", Second, 2, null), listed);
        Assert.Equal([new(Third, false, false), new(Second, true, true), new(First, true, false)], versions);
        Assert.Equal("R004", (await Assert.ThrowsAsync<InputRejectedException>(() => Registry.ReadAsync("films", Third, null, null, default))).Code);
    }

    [Fact]
    public async Task Verify_UntouchedModel_PassesEveryCheckOfEveryVersion()
    {
        await PublishAsync(First, Second);

        ModelVerified verified = await ModelVerification.VerifyAsync(Registry, new InProcessPictures(), "films", null, null, default);

        Assert.True(verified.Passed);
        Assert.Equal([(null, "pointer"), (Second, "digests"), (Second, "loads"), (Second, "parity"), (First, "digests"), (First, "loads"), (First, "parity")],
            verified.Checks.Select(check => (check.Version, check.Check)));
        Assert.Equal("R003", (await Assert.ThrowsAsync<InputRejectedException>(() => ModelVerification.VerifyAsync(Registry, new InProcessPictures(), "films", Third, null, default))).Code);
        Assert.Equal("R002", (await Assert.ThrowsAsync<InputRejectedException>(() => ModelVerification.VerifyAsync(Registry, new InProcessPictures(), "books", null, null, default))).Code);
    }

    [Fact]
    public async Task Publish_TheChampionIsDamaged_TakesItsPlace()
    {
        await PublishAsync(First);
        store.Tamper(Folder + "head.onnx", [1, 2, 3]);

        Published published = await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store, version: Second, seed: 2));

        Assert.Equal((true, $"Promoted: {First} cannot be loaded any more (R007)."), (published.Promoted, published.Gate));
    }

    [Fact]
    public async Task Publish_ChampionWasCrossValidated_ComparesIntervalsBecauseItSawTheTestRows()
    {
        await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store, protocol: Protocol.CrossValidation));

        Published published = await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store, version: Second, seed: 2, wrong: true));

        Assert.True(published.Promoted);
        Assert.EndsWith("the intervals overlap, so the two cannot be told apart.", published.Gate, StringComparison.Ordinal);
    }
}
