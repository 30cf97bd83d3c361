using System.Security.Cryptography;
using System.Text;
using CsCheck;
using Scion.Faults;
using Scion.Storage;

namespace Scion.Tests.Storage;

/// <summary>Every clause of <see cref="IBlobStore"/>, run on each implementation.</summary>
public abstract class BlobStoreConformance
{
    /// <summary>The store under test, empty in <see cref="Container"/>.</summary>
    protected abstract IBlobStore Store { get; }

    /// <summary>A container that no other test uses.</summary>
    protected string Container { get; } = $"t{Guid.NewGuid():n}";

    /// <summary>Writes past <see cref="BlobPath"/>, as a user with other tools can.</summary>
    protected abstract Task<bool> TryWriteHostileAsync(string name, byte[] bytes);

    BlobPath At(string name) => BlobPath.Of(Container, name);

    protected Task<BlobItem?> CreateAsync(string name, string text) => Store.CreateAsync(At(name), Bytes(text), default);

    protected static MemoryStream Bytes(string text) => new(Encoding.UTF8.GetBytes(text), writable: false);

    protected async Task<string?> TextAsync(string name) => await Store.FindBytesAsync(At(name), default) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;

    protected async Task<List<BlobItem>> ListAsync(string prefix) => await Store.ListAsync(Container, prefix, default).ToListAsync();

    protected async Task<string> NamesAsync(string prefix) => string.Join(' ', (await ListAsync(prefix)).Select(item => item.Name));

    [Fact]
    public async Task Create_Absent_CanBeFoundListedAndRead()
    {
        BlobItem created = (await CreateAsync("films/reviews.csv", "good"))!;

        Assert.Equal((Container, "films/reviews.csv", 4L, false), (created.Container, created.Name, created.Length, created.NameRefused));
        Assert.Equal(created, await Store.FindAsync(At("films/reviews.csv"), default));
        Assert.Equal([created], await ListAsync(""));
        await using BlobContent content = (await Store.OpenAsync(At("films/reviews.csv"), created.ETag, default))!;
        Assert.Equal(created, content.Item);
        Assert.Equal("good", await new StreamReader(content.Stream).ReadToEndAsync());
    }

    [Fact]
    public async Task Create_Exists_WritesNothing()
    {
        BlobItem first = (await CreateAsync("a", "first"))!;

        BlobItem? second = await CreateAsync("a", "second");

        Assert.Null(second);
        Assert.Equal("first", await TextAsync("a"));
        Assert.Equal(first, await Store.FindAsync(At("a"), default));
    }

    [Fact]
    public async Task Create_Empty_IsABlobOfNoBytes()
    {
        BlobItem created = (await CreateAsync("empty", ""))!;

        Assert.Equal(0, created.Length);
        Assert.Equal("", await TextAsync("empty"));
    }

    [Fact]
    public async Task Create_ContentNotAtItsStart_WritesFromWhereItStands()
    {
        MemoryStream content = Bytes("skipped kept");
        content.Position = 8;

        await Store.CreateAsync(At("a"), content, default);

        Assert.Equal("kept", await TextAsync("a"));
    }

    [Fact]
    public async Task Create_ContentFails_ThrowsItAndLeavesNothing()
    {
        InvalidDataException thrown = await Assert.ThrowsAsync<InvalidDataException>(() =>
            Store.CreateAsync(At("a"), new BrokenStream(20 << 20, 15 << 20), default));

        Assert.Equal("broken at 15728640", thrown.Message);
        Assert.Null(await Store.FindAsync(At("a"), default));
        Assert.Empty(await ListAsync(""));
    }

    [Fact]
    public async Task Create_Cancelled_LeavesNothing()
    {
        using CancellationTokenSource stop = new();
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.CreateAsync(At("a"), Bytes("x"), stop.Token));

        Assert.Null(await Store.FindAsync(At("a"), default));
    }

    [Fact]
    public async Task Replace_AtItsVersion_IsANewVersionAlsoOfEqualBytes()
    {
        List<string> tags = [(await CreateAsync("a", "same"))!.ETag];

        for (int i = 0; i < 20; i++)
        {
            BlobItem replaced = (await Store.ReplaceAsync(At("a"), Bytes("same"), tags[^1], default))!;
            Assert.Equal(replaced, await Store.FindAsync(At("a"), default));
            tags.Add(replaced.ETag);
        }

        Assert.Equal(21, tags.Distinct().Count());
    }

    [Fact]
    public async Task Replace_AtAnotherVersion_WritesNothing()
    {
        BlobItem first = (await CreateAsync("a", "first"))!;
        BlobItem second = (await Store.ReplaceAsync(At("a"), Bytes("second"), first.ETag, default))!;

        BlobItem? third = await Store.ReplaceAsync(At("a"), Bytes("third"), first.ETag, default);

        Assert.Null(third);
        Assert.Equal("second", await TextAsync("a"));
        Assert.Equal(second, await Store.FindAsync(At("a"), default));
    }

    [Fact]
    public async Task Replace_Absent_WritesNothing()
    {
        BlobItem gone = (await CreateAsync("a", "first"))!;
        await Store.DeleteAsync(At("a"), null, default);

        Assert.Null(await Store.ReplaceAsync(At("a"), Bytes("x"), gone.ETag, default));
        Assert.Null(await Store.ReplaceAsync(At("never"), Bytes("x"), gone.ETag, default));
        Assert.Null(await Store.ReplaceAsync(BlobPath.Of(Container[..20], "never"), Bytes("x"), gone.ETag, default));
        Assert.Empty(await ListAsync(""));
    }

    [Fact]
    public async Task Create_DeletedAndCreatedAgain_HasAnotherVersionEachTime()
    {
        HashSet<string> tags = [];

        for (int i = 0; i < 20; i++)
        {
            Assert.True(tags.Add((await CreateAsync("a", "same"))!.ETag));
            Assert.True(await Store.DeleteAsync(At("a"), null, default));
        }
    }

    [Fact]
    public async Task Delete_WithAndWithoutVersion_DeletesOnlyThatVersion()
    {
        BlobItem first = (await CreateAsync("a", "1"))!;
        BlobItem second = (await Store.ReplaceAsync(At("a"), Bytes("2"), first.ETag, default))!;

        Assert.False(await Store.DeleteAsync(At("a"), first.ETag, default));
        Assert.Equal("2", await TextAsync("a"));
        Assert.True(await Store.DeleteAsync(At("a"), second.ETag, default));
        Assert.Null(await Store.FindAsync(At("a"), default));
        Assert.False(await Store.DeleteAsync(At("a"), second.ETag, default));
        Assert.False(await Store.DeleteAsync(At("a"), null, default));
        Assert.False(await Store.DeleteAsync(BlobPath.Of(Container[..20], "never"), null, default));
    }

    [Fact]
    public async Task Open_Absent_IsNull()
    {
        Assert.Null(await Store.OpenAsync(At("a"), null, default));
        await CreateAsync("b", "x");
        Assert.Null(await Store.OpenAsync(At("a"), null, default));
        Assert.Null(await Store.OpenAsync(At("a"), "any", default));
        Assert.Null(await Store.FindAsync(At("a"), default));
    }

    [Fact]
    public async Task Open_AtAnotherVersion_IsRefused()
    {
        BlobItem first = (await CreateAsync("a", "1"))!;
        await Store.ReplaceAsync(At("a"), Bytes("2"), first.ETag, default);

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => Store.OpenAsync(At("a"), first.ETag, default));

        Assert.Equal(("S002", Refusal.Conflict), (fault.Code, fault.Kind));
        Assert.Contains($"'{Container}/a'", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Open_ReplacedOrDeletedWhileRead_NeverMixesTwoVersions(bool delete)
    {
        byte[] old = Noise(24 << 20, seed: 1), later = Noise(24 << 20, seed: 2);
        BlobItem first = (await Store.CreateAsync(At("a"), new MemoryStream(old), default))!;
        await using BlobContent content = (await Store.OpenAsync(At("a"), null, default))!;
        byte[] read = new byte[old.Length];
        await content.Stream.ReadExactlyAsync(read.AsMemory(0, 1000));
        if (delete) await Store.DeleteAsync(At("a"), null, default);
        else Assert.NotNull(await Store.ReplaceAsync(At("a"), new MemoryStream(later), first.ETag, default));

        try
        {
            await content.Stream.ReadExactlyAsync(read.AsMemory(1000));

            Assert.Equal(-1, FirstDifference(old, read));
        }
        catch (InputRejectedException e)
        {
            Assert.Equal("S002", e.Code);
        }
    }

    [Fact]
    public async Task List_ByPrefix_IsOrdinalAndComparesCharactersNotFolders()
    {
        foreach (string name in new[] { "b", "a/b", "a/b.c", "a-b", "a.b/c", "ab", "A", "a/c/d", "aa/x", "é", "z", "～", "😀", "a 1", "a#?%25+&=.csv", "ﬀ/x" })
            Assert.NotNull(await CreateAsync(name, "x"));

        Assert.Equal("A a 1 a#?%25+&=.csv a-b a.b/c a/b a/b.c a/c/d aa/x ab b z é 😀 ﬀ/x ～", await NamesAsync(""));
        Assert.Equal("a/b a/b.c a/c/d", await NamesAsync("a/"));
        Assert.Equal("a/b a/b.c", await NamesAsync("a/b"));
        Assert.Equal("a/c/d", await NamesAsync("a/c/d"));
        Assert.Equal("a#?%25+&=.csv", await NamesAsync("a#?%"));
        Assert.Equal("", await NamesAsync("a/c/d/"));
        Assert.Equal("", await NamesAsync("q"));
        Assert.Equal("", await NamesAsync("../"));
        Assert.Equal("", await NamesAsync("/"));
        Assert.Equal("", await NamesAsync("a//"));
    }

    [Fact]
    public async Task List_AbsentContainer_IsEmpty() => Assert.Empty(await ListAsync(""));

    [Theory]
    [InlineData("..")]
    [InlineData("A")]
    [InlineData("a/b")]
    [InlineData("")]
    public async Task List_ContainerNameNotAllowed_IsRefused(string container)
    {
        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(async () => await Store.ListAsync(container, "", default).ToListAsync());

        Assert.Equal("S001", fault.Code);
    }

    [Fact]
    public async Task List_HundredsOfBlobs_YieldsEachOnceInOrder()
    {
        string[] names = [.. Enumerable.Range(0, 300).Select(i => $"m{i % 7}/{i:d4}.json")];
        await Task.WhenAll(names.Select(name => CreateAsync(name, name)));

        List<BlobItem> items = await ListAsync("");

        Assert.Equal(names.Order(StringComparer.Ordinal), items.Select(item => item.Name));
        foreach (BlobItem item in items.Take(10)) Assert.Equal(item, await Store.FindAsync(item.Path, default));
    }

    [Theory]
    [InlineData("a\\..\\b")]
    [InlineData("line\nbreak.csv")]
    [InlineData("dot.")]
    [InlineData("bidi\u202Egpj.csv")]
    public async Task List_NameRefused_IsYieldedNotSkipped(string name)
    {
        await CreateAsync("good.csv", "x");
        if (!await TryWriteHostileAsync(name, [1, 2, 3])) return;

        List<BlobItem> items = await ListAsync("");

        BlobItem refused = Assert.Single(items, item => item.NameRefused);
        Assert.Equal((2, 3L), (items.Count, refused.Length));
        Assert.Equal("S001", Assert.Throws<InputRejectedException>(() => refused.Path).Code);
    }

    [Fact]
    public async Task Names_ComposedAndDecomposed_AreTwoBlobs()
    {
        await CreateAsync("\u00E9.csv", "composed");
        await CreateAsync("e\u0301.csv", "decomposed");

        Assert.Equal(("composed", "decomposed"), (await TextAsync("\u00E9.csv"), await TextAsync("e\u0301.csv")));
        Assert.Equal(2, (await ListAsync("")).Count);
    }

    [Fact]
    public async Task Names_LongestAllowed_CanBeWrittenAndListed()
    {
        string name = $"{new string('a', 255)}/{new string('b', 255)}/{new string('c', 255)}/{new string('d', 255)}/";
        name = name[..1022] + "/e";

        Assert.NotNull(await CreateAsync(name, "x"));

        Assert.Equal((1024, "x"), (name.Length, await TextAsync(name)));
        Assert.Equal(name, await NamesAsync(""));
    }

    [Fact]
    public async Task Names_LongSegmentOfManyBytes_IsWrittenOrRefusedWithItsCode()
    {
        string name = $"films/{new string('映', 255)}";

        try
        {
            await CreateAsync(name, "x");
            Assert.Equal("x", await TextAsync(name));
        }
        catch (InputRejectedException e)
        {
            Assert.Equal("S008", e.Code);
            Assert.Contains("its longest segment has 765 bytes", e.Message, StringComparison.Ordinal);
            Assert.Null(await TextAsync(name));
            Assert.False(await Store.DeleteAsync(At(name), null, default));
            Assert.Equal("", await NamesAsync(name));
            Assert.Equal("", await NamesAsync($"{name}/"));
        }
        await CreateAsync("films/b", "x");
        Assert.Equal("films/b", (await NamesAsync("films/b")));
    }

    [Fact]
    public async Task Large_FortyMebibytes_ComeBackWhole()
    {
        byte[] bytes = Noise((40 << 20) + 12_345, seed: 3);

        BlobItem created = (await Store.CreateAsync(At("large.bin"), new MemoryStream(bytes), default))!;

        await using BlobContent content = (await Store.OpenAsync(At("large.bin"), created.ETag, default))!;
        Assert.Equal((bytes.Length, bytes.Length), (created.Length, content.Item.Length));
        Assert.Equal(SHA256.HashData(bytes), await SHA256.HashDataAsync(content.Stream));
        Assert.Equal(0, await content.Stream.ReadAsync(new byte[1]));
    }

    [Fact]
    public async Task Race_ManyCreators_ExactlyOneWins()
    {
        for (int round = 0; round < 10; round++)
        {
            string name = $"race/{round}";
            using Barrier start = new(8);

            BlobItem?[] answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Factory.StartNew(() =>
            {
                start.SignalAndWait();
                return CreateAsync(name, $"writer {writer}");
            }, TaskCreationOptions.LongRunning).Unwrap()));

            int winner = Array.FindIndex(answers, answer => answer is not null);
            Assert.Single(answers, answer => answer is not null);
            Assert.Equal($"writer {winner}", await TextAsync(name));
            Assert.Equal(answers[winner], await Store.FindAsync(At(name), default));
        }
    }

    [Fact]
    public async Task Race_ManyLargeCreators_OneWinsAndItsBytesAreItsOwn()
    {
        byte[][] contents = [.. Enumerable.Range(0, 3).Select(writer => Noise(20 << 20, seed: writer))];

        BlobItem?[] answers = await Task.WhenAll(contents.Select(content => Store.CreateAsync(At("large"), new MemoryStream(content), default)));

        int winner = Array.FindIndex(answers, answer => answer is not null);
        Assert.Single(answers, answer => answer is not null);
        Assert.Equal(-1, FirstDifference(contents[winner], (await Store.FindBytesAsync(At("large"), default))!));
    }

    [Fact]
    public async Task Race_IncrementsByCompareAndSwap_AreAllCounted()
    {
        await CreateAsync("count", "0");

        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(async () =>
        {
            for (int done = 0; done < 15;)
            {
                await using BlobContent content = (await Store.OpenAsync(At("count"), null, default))!;
                int count = int.Parse(await new StreamReader(content.Stream).ReadToEndAsync(), System.Globalization.CultureInfo.InvariantCulture);
                if (await Store.ReplaceAsync(At("count"), Bytes($"{count + 1}"), content.Item.ETag, default) is not null) done++;
            }
        })));

        Assert.Equal("90", await TextAsync("count"));
    }

    [Fact]
    public async Task Race_DeletersOfOneVersion_ExactlyOneDeletes()
    {
        for (int round = 0; round < 10; round++)
        {
            string etag = (await CreateAsync("a", "x"))!.ETag;

            bool[] answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Store.DeleteAsync(At("a"), etag, default))));

            Assert.Single(answers, deleted => deleted);
        }
    }

    [Fact]
    public async Task Race_ReadersDuringReplacement_SeeWholeVersionsOnly()
    {
        string etag = (await Store.CreateAsync(At("a"), new MemoryStream(Version(0)), default))!.ETag;
        using CancellationTokenSource stop = new();
        int begun = 0;
        Task<int>[] readers = [.. Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            int read = 0;
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    byte[] bytes = (await Store.FindBytesAsync(At("a"), default))!;
                    Assert.Equal((200_000, -1), (bytes.Length, bytes.AsSpan().IndexOfAnyExcept(bytes[0])));
                    if (read++ == 0) Interlocked.Increment(ref begun);
                }
                catch (InputRejectedException e) when (e.Code == "S002")
                {
                    // The store may refuse rather than hold an old version open.
                }
            }
            return read;
        }))];

        for (int i = 1; i <= 60 || (Volatile.Read(ref begun) < readers.Length && !readers.Any(reader => reader.IsCompleted)); i++)
            etag = (await Store.ReplaceAsync(At("a"), new MemoryStream(Version(i)), etag, default))!.ETag;
        await stop.CancelAsync();

        Assert.All(await Task.WhenAll(readers), read => Assert.True(read > 0));

        static byte[] Version(int i)
        {
            byte[] bytes = new byte[200_000];
            Array.Fill(bytes, (byte)i);
            return bytes;
        }
    }

    /// <summary>How many random lists of operations are compared with the reference.</summary>
    protected abstract int ModelRounds { get; }

    [Fact]
    public void Model_RandomOperations_AnswerAsTheReferenceDoes()
    {
        int round = 0;
        Gen<(int Kind, int Name, byte[] Bytes, int Tag)> operation = Gen.Select(Gen.Int[0, 5], Gen.Int[0, 4], Gen.Byte.Array[0, 40], Gen.Int[0, 3]);
        operation.Array[1, 40].Sample(operations =>
        {
            string container = $"{Container[..20]}-{Interlocked.Increment(ref round)}";
            string[] names = ["a", "b/a", "b/b", "b-", "b/c/d"];
            InMemoryBlobStore reference = new();
            Dictionary<string, (string Real, string Reference)> tags = [];
            foreach ((int kind, int nameIndex, byte[] bytes, int tag) in operations)
            {
                BlobPath path = BlobPath.Of(container, names[nameIndex]);
                (string real, string expected)? chosen = tags.Count == 0 ? null : tags.Values.ElementAt(tags.Count - 1 - Math.Min(tag, tags.Count - 1));
                switch (kind)
                {
                    case 0 or 1:
                        Same(Do(s => s.CreateAsync(path, new MemoryStream(bytes), default)));
                        break;
                    case 2 when chosen is var (real, expected):
                        Same((Store.ReplaceAsync(path, new MemoryStream(bytes), real, default).Result, reference.ReplaceAsync(path, new MemoryStream(bytes), expected, default).Result));
                        break;
                    case 3 when chosen is var (real, expected):
                        bool any = tag == 3;
                        Assert.Equal(reference.DeleteAsync(path, any ? null : expected, default).Result, Store.DeleteAsync(path, any ? null : real, default).Result);
                        break;
                    case 4:
                        Same(Do(s => s.FindAsync(path, default)));
                        Assert.Equal(reference.FindBytesAsync(path, default).Result, Store.FindBytesAsync(path, default).Result);
                        break;
                    default:
                        string prefix = path.Name[..Math.Min(tag, path.Name.Length)];
                        List<BlobItem> real2 = Store.ListAsync(container, prefix, default).ToListAsync().AsTask().Result;
                        List<BlobItem> expected2 = reference.ListAsync(container, prefix, default).ToListAsync().AsTask().Result;
                        Assert.Equal(expected2.Select(item => item.Name), real2.Select(item => item.Name));
                        foreach ((BlobItem? a, BlobItem? b) in real2.Zip(expected2)) Same((a, b));
                        break;
                }
            }

            (BlobItem?, BlobItem?) Do(Func<IBlobStore, Task<BlobItem?>> call) => (call(Store).Result, call(reference).Result);

            // The same answer; and the same version tag whenever the reference gives the same.
            void Same((BlobItem? Real, BlobItem? Expected) answers)
            {
                Assert.Equal(answers.Expected is null, answers.Real is null);
                if (answers.Real is not { } real || answers.Expected is not { } expected) return;
                Assert.Equal((expected.Name, expected.Length), (real.Name, real.Length));
                if (tags.TryGetValue(expected.ETag, out (string Real, string Reference) known)) Assert.Equal(known.Real, real.ETag);
                else
                {
                    Assert.DoesNotContain(tags.Values, earlier => earlier.Real == real.ETag);
                    tags[expected.ETag] = (real.ETag, expected.ETag);
                }
            }
        }, iter: ModelRounds, threads: 1);
    }

    protected static byte[] Noise(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    static int FirstDifference(byte[] expected, byte[] found) => expected.AsSpan().SequenceEqual(found) ? -1 : expected.AsSpan().CommonPrefixLength(found);

    /// <summary>Fails after some bytes, as a client does that goes away while it uploads.</summary>
    sealed class BrokenStream(long length, long breaksAt) : Stream
    {
        long position;

        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => length;

        public override long Position { get => position; set => position = value; }

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (position >= breaksAt) throw new InvalidDataException($"broken at {position}");
            count = (int)Math.Min(count, breaksAt - position);
            position += count;
            return count;
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
