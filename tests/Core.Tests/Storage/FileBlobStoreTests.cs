using System.Diagnostics;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;
using Scion.Faults;
using Scion.Storage;

namespace Scion.Tests.Storage;

public sealed class FileBlobStoreTests : BlobStoreConformance, IDisposable
{
    readonly DirectoryInfo root = Directory.CreateTempSubdirectory("scion-store-");

    public FileBlobStoreTests() => Store = new FileBlobStore(root.FullName);

    public void Dispose() => root.Delete(recursive: true);

    protected override IBlobStore Store { get; }

    protected override int ModelRounds => 100;

    protected override async Task<bool> TryWriteHostileAsync(string name, byte[] bytes)
    {
        if (OperatingSystem.IsWindows()) return false;
        await File.WriteAllBytesAsync(Path.Combine(root.CreateSubdirectory(Container).FullName, name), bytes);
        return true;
    }

    // What follows is of files alone: what a person does to the folder without the store.

    string FileOf(string name) => Path.Combine(root.FullName, Container, name);

    string PutFile(string name, string text)
    {
        string file = FileOf(name);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
        return file;
    }

    Task<BlobItem?> FindAsync(string name) => Store.FindAsync(BlobPath.Of(Container, name), default);

    async Task<string> CodeOfAsync(Func<Task> call) => (await Assert.ThrowsAsync<InputRejectedException>(call)).Code;

    [Fact]
    public async Task UserFile_CopiedIn_IsListedAndReadWithAStableVersion()
    {
        PutFile("films/reviews.csv", "good");

        BlobItem item = Assert.Single(await ListAsync("films/"));

        Assert.Equal(("films/reviews.csv", 4L), (item.Name, item.Length));
        Assert.Equal(item, await new FileBlobStore(root.FullName).FindAsync(item.Path, default));
        Assert.Equal("good", await TextAsync("films/reviews.csv"));
        Assert.Null(await CreateAsync("films/reviews.csv", "other"));
        Assert.NotNull(await Store.ReplaceAsync(item.Path, Bytes("other"), item.ETag, default));
    }

    [Fact]
    public async Task UserFile_OverwrittenInPlaceWithEqualLengthAndTime_HasAnotherVersion()
    {
        string file = PutFile("a", "good");
        DateTime time = File.GetLastWriteTimeUtc(file);
        BlobItem before = (await FindAsync("a"))!;

        await using (FileStream stream = File.OpenWrite(file)) stream.Write("fine"u8);
        File.SetLastWriteTimeUtc(file, time);                                // as cp -p does

        BlobItem after = (await FindAsync("a"))!;
        if (OperatingSystem.IsLinux()) Assert.NotEqual(before.ETag, after.ETag);
        if (OperatingSystem.IsLinux()) Assert.Null(await Store.ReplaceAsync(before.Path, Bytes("x"), before.ETag, default));
    }

    [Theory]
    [InlineData("overwrite")]
    [InlineData("truncate")]
    [InlineData("append")]
    public async Task UserFile_WrittenIntoWhileRead_IsRefusedAndNeverMixed(string how)
    {
        string file = PutFile("a", new string('a', 1_000_000));
        await using BlobContent content = (await Store.OpenAsync(BlobPath.Of(Container, "a"), null, default))!;
        byte[] read = new byte[1_000_000];
        await content.Stream.ReadExactlyAsync(read.AsMemory(0, 10_000));

        await using (FileStream stream = new(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            if (how == "truncate") stream.SetLength(20_000);
            else
            {
                stream.Position = how == "append" ? stream.Length : 500_000;
                stream.Write(new byte[1000]);
            }
        }
        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => content.Stream.ReadExactlyAsync(read.AsMemory(10_000)).AsTask());

        Assert.Equal($"S002: '{Container}/a' changed while it was read: version {content.Item.ETag} was overwritten at or before byte {(how == "truncate" ? "20000" : "1000000")}. "
            + "Read the new version from its start. A file that is still being copied is read when the copy has ended.", fault.Message);
    }

    [Fact]
    public async Task Open_Jumps_ReadsFromThere()
    {
        await CreateAsync("a", "0123456789");
        await using BlobContent content = (await Store.OpenAsync(BlobPath.Of(Container, "a"), null, default))!;
        byte[] read = new byte[4];

        content.Stream.Seek(-3, SeekOrigin.End);
        Assert.Equal(3, await content.Stream.ReadAtLeastAsync(read, 4, throwOnEndOfStream: false));
        content.Stream.Position = 2;
        content.Stream.Seek(1, SeekOrigin.Current);
        Assert.Equal(3, content.Stream.ReadByte() - '0');
        content.Stream.Position = 11;
        Assert.Equal(0, await content.Stream.ReadAsync(read));
        Assert.Equal("789"u8, read.AsSpan(0, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => content.Stream.Position = -1);
    }

    [Fact]
    public async Task UserFile_ReplacedByRenameWhileRead_IsReadToItsEnd()
    {
        string file = PutFile("a", new string('a', 1_000_000)), other = PutFile("b", "other");
        await using BlobContent content = (await Store.OpenAsync(BlobPath.Of(Container, "a"), null, default))!;
        File.Move(other, file, overwrite: true);

        string read = await new StreamReader(content.Stream).ReadToEndAsync();

        Assert.Equal(1_000_000, read.Length);
        Assert.Equal("other", await TextAsync("a"));
    }

    [Fact]
    public async Task Link_ToFileOrFolder_IsListedAndNotFollowed()
    {
        if (OperatingSystem.IsWindows()) return;                             // links need a privilege there
        string outside = Path.Combine(root.FullName, "secret");
        Directory.CreateDirectory(outside);
        await File.WriteAllTextAsync(Path.Combine(outside, "key.csv"), "secret");
        Directory.CreateDirectory(FileOf("films"));
        File.CreateSymbolicLink(FileOf("films/link.csv"), Path.Combine(outside, "key.csv"));
        Directory.CreateSymbolicLink(FileOf("films/folder"), outside);
        File.CreateSymbolicLink(FileOf("films/nowhere"), "/nowhere");

        Assert.Equal("films/folder films/link.csv films/nowhere", await NamesAsync(""));
        Assert.Equal("", await NamesAsync("films/folder/"));
        foreach (string name in new[] { "films/link.csv", "films/folder", "films/nowhere", "films/folder/key.csv" })
        {
            BlobPath path = BlobPath.Of(Container, name);
            Assert.Equal("S010", await CodeOfAsync(() => Store.OpenAsync(path, null, default)));
            Assert.Equal("S010", await CodeOfAsync(() => Store.FindAsync(path, default)));
            Assert.Equal("S010", await CodeOfAsync(() => Store.CreateAsync(path, Bytes("x"), default)));
            Assert.Equal("S010", await CodeOfAsync(() => Store.DeleteAsync(path, null, default)));
        }
        Directory.CreateSymbolicLink(Path.Combine(root.FullName, "linked"), outside);
        Assert.Equal("S010", await CodeOfAsync(async () => await Store.ListAsync("linked", "", default).ToListAsync()));
        Assert.Equal("secret", await File.ReadAllTextAsync(Path.Combine(outside, "key.csv")));
    }

    [Fact]
    [SupportedOSPlatform("linux")]
    public async Task Pipe_InTheFolder_IsListedAndNotOpened()
    {
        if (!OperatingSystem.IsLinux()) return;
        Directory.CreateDirectory(FileOf(""));
        await Process.Start("mkfifo", FileOf("pipe"))!.WaitForExitAsync();

        Assert.Equal("pipe", await NamesAsync(""));
        Assert.Equal("S010", await CodeOfAsync(() => Store.OpenAsync(BlobPath.Of(Container, "pipe"), null, default)));
    }

    [Fact]
    public async Task Name_NotUnicodeOnDisk_IsListedAsRefused()
    {
        if (!OperatingSystem.IsLinux()) return;
        Directory.CreateDirectory(FileOf(""));
        await Process.Start(new ProcessStartInfo("sh", ["-c", "printf x > \"$(printf 'caf\\351.csv')\""]) { WorkingDirectory = FileOf("") })!.WaitForExitAsync();

        List<BlobItem> items = await ListAsync("");
        await Process.Start(new ProcessStartInfo("sh", ["-c", "rm caf*"]) { WorkingDirectory = FileOf("") })!.WaitForExitAsync();    // .NET cannot

        BlobItem item = Assert.Single(items);
        Assert.Equal(("caf\uFFFD.csv", true), (item.Name, item.NameRefused));
    }

    [Fact]
    public async Task Name_FileWhereAFolderIsNeeded_IsRefusedBothWays()
    {
        await CreateAsync("a", "x");
        await CreateAsync("b/c", "x");

        InputRejectedException below = await Assert.ThrowsAsync<InputRejectedException>(() => CreateAsync("a/b", "y"));
        InputRejectedException above = await Assert.ThrowsAsync<InputRejectedException>(() => CreateAsync("b", "y"));

        Assert.Equal($"S009: '{Container}/a/b' cannot be stored: '{FileOf("a")}' is a file, not a folder. "
            + "In the file store a name is either a file or a folder. Rename one of the two.", below.Message);
        Assert.Equal($"S009: '{Container}/b' cannot be a blob: '{FileOf("b")}' is a folder. "
            + "In the file store a name is either a file or a folder. Rename one of the two.", above.Message);
        Assert.Null(await FindAsync("a/b"));
        Assert.Null(await FindAsync("b"));
        Assert.Null(await Store.OpenAsync(BlobPath.Of(Container, "b"), null, default));
        Assert.False(await Store.DeleteAsync(BlobPath.Of(Container, "b"), null, default));
    }

    [Fact]
    public async Task Start_LeftoverTemporaries_OldOnesGoYoungOnesStay()
    {
        await CreateAsync("a", "x");
        string temporary = Path.Combine(root.FullName, ".scion", "tmp");
        await File.WriteAllTextAsync(Path.Combine(temporary, "old"), "x");
        File.SetLastWriteTimeUtc(Path.Combine(temporary, "old"), DateTime.UtcNow - FileBlobStore.TemporaryGrace - TimeSpan.FromMinutes(1));
        await File.WriteAllTextAsync(Path.Combine(temporary, "young"), "x");

        _ = new FileBlobStore(root.FullName);

        Assert.Equal(["young"], Directory.GetFiles(temporary).Select(Path.GetFileName));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(temporary));
        Assert.Equal("a", await NamesAsync(""));
    }

    [Fact]
    public async Task Replace_ClockWentBack_IsStillALaterVersion()
    {
        Clock clock = new(DateTimeOffset.UtcNow.AddYears(5));
        FileBlobStore store = new(root.FullName, clock);
        BlobPath path = BlobPath.Of(Container, "a");
        BlobItem first = (await store.CreateAsync(path, Bytes("1"), default))!;
        clock.Now = DateTimeOffset.UnixEpoch;

        BlobItem second = (await store.ReplaceAsync(path, Bytes("2"), first.ETag, default))!;

        Assert.True(second.Modified > first.Modified);
        Assert.NotEqual(first.ETag, second.ETag);
    }

    [Fact]
    public async Task Write_LockHeldElsewhere_GivesUpWithItsCodeAndLeavesNothing()
    {
        await CreateAsync("a", "x");
        string file = Path.Combine(root.FullName, ".scion", "locks", Container);
        FileBlobStore impatient = new(root.FullName, TimeProvider.System, new FileCalls(), TimeSpan.FromMilliseconds(50));
        TransientStorageException fault;
        using (SafeFileHandle? held = FileLock.TryTake(file))
        {
            Assert.NotNull(held);
            Assert.Null(FileLock.TryTake(file));
            fault = await Assert.ThrowsAsync<TransientStorageException>(() => impatient.CreateAsync(BlobPath.Of(Container, "b"), Bytes("x"), default));
        }

        Assert.Equal($"S014: Container '{Container}' stayed locked by another process for 0 s ('{file}'). "
            + "A process that was stopped while it wrote may hold the lock; let it go on or end it, then repeat.", fault.Message);
        Assert.Empty(Directory.GetFiles(Path.Combine(root.FullName, ".scion", "tmp")));
        Assert.NotNull(await CreateAsync("b", "x"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void MoveNew_NameTakenOrFree_MovesOnlyToTheFreeOne(bool byLink)
    {
        if (byLink && OperatingSystem.IsWindows()) return;
        string from = PutFile("from", "new"), taken = PutFile("taken", "old"), free = FileOf("free");
        bool Move(string to) => byLink ? FileCalls.MoveNewByLink(from, to) : new FileCalls().MoveNew(from, to);

        Assert.False(Move(taken));
        Assert.Equal(("new", "old"), (File.ReadAllText(from), File.ReadAllText(taken)));
        Assert.True(Move(free));
        Assert.Equal((false, "new"), (File.Exists(from), File.ReadAllText(free)));
    }

    sealed class Clock(DateTimeOffset now) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
