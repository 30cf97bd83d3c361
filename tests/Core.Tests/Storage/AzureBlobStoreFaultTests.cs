using System.Diagnostics.CodeAnalysis;
using System.Text;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Scion.Faults;
using Scion.Storage;

namespace Scion.Tests.Storage;

/// <summary>Every request of every operation fails once, undone or done; and what the service may answer is turned into codes.</summary>
[Collection(nameof(Azurite))]
public sealed class AzureBlobStoreFaultTests(Azurite azurite)
{
    readonly BlobPath path = BlobPath.Of($"t{Guid.NewGuid():n}", "films/a.csv");

    AzureBlobStore Sound => AzureBlobStore.Open(azurite.ConnectionString);

    AzureBlobStore Open(HttpPipelinePolicy policy, string? connection = null)
    {
        BlobClientOptions options = AzureBlobStore.Options();
        options.Retry.Delay = options.Retry.MaxDelay = TimeSpan.FromMilliseconds(1);
        options.AddPolicy(policy, HttpPipelinePosition.BeforeTransport);
        return new(new BlobServiceClient(connection ?? azurite.ConnectionString, options));
    }

    static MemoryStream Bytes(string text) => new(Encoding.UTF8.GetBytes(text));

    async Task<string?> TextAsync() => await Sound.FindBytesAsync(path, default) is { } bytes ? Encoding.UTF8.GetString(bytes.AsSpan(0, Math.Min(3, bytes.Length))) : null;

    [Theory]
    [InlineData("create", false)]
    [InlineData("create", true)]
    [InlineData("create large", false)]
    [InlineData("create large", true)]
    [InlineData("create existing", false)]
    [InlineData("create existing", true)]
    [InlineData("replace", false)]
    [InlineData("replace", true)]
    [InlineData("replace large", true)]
    [InlineData("replace stale", false)]
    [InlineData("replace stale", true)]
    [InlineData("delete", false)]
    [InlineData("delete", true)]
    public async Task Write_AnyRequestFailsOnce_AnswersAsIfNoneHad(string kind, bool done)
    {
        MemoryStream Content() => kind.EndsWith("large", StringComparison.Ordinal) ? Bytes($"new{new string('x', AzureBlobStore.BlockBytes + 10)}") : Bytes("new");
        for (int failing = 1; ; failing++)
        {
            string? etag = null;
            await Sound.DeleteAsync(path, null, default);
            if (!kind.StartsWith("create", StringComparison.Ordinal) || kind == "create existing") etag = (await Sound.CreateAsync(path, Bytes("old"), default))!.ETag;
            if (kind == "replace stale") await Sound.ReplaceAsync(path, Bytes("old"), etag!, default);
            int requests = 0;
            AzureBlobStore store = Open(new Fault(async (message, next) =>
            {
                bool fail = Interlocked.Increment(ref requests) == failing;
                if (!fail || done) await next();
                if (fail) throw new IOException("the answer was lost");
            }));

            bool answer, wanted = kind is not ("create existing" or "replace stale");
            try
            {
                answer = await WriteAsync(store, etag);
            }
            catch (TransientStorageException e) when (e.Code == "S023" && !wanted && failing <= requests)
            {
                answer = await WriteAsync(store, etag);                            // it could not tell; repeated it can
            }

            Assert.Equal((failing, wanted, wanted ? kind == "delete" ? null : "new" : "old"), (failing, answer, await TextAsync()));
            if (requests >= failing) continue;
            Assert.InRange(failing, 2, 20);
            return;
        }

        async Task<bool> WriteAsync(AzureBlobStore store, string? etag) => kind switch
        {
            "delete" => await store.DeleteAsync(path, etag, default),
            "create" or "create large" or "create existing" => await SameAsFoundAsync(await store.CreateAsync(path, Content(), default)),
            _ => await SameAsFoundAsync(await store.ReplaceAsync(path, Content(), etag!, default)),
        };

        async Task<bool> SameAsFoundAsync(BlobItem? written)
        {
            if (written is null) return false;
            Assert.Equal(await Sound.FindAsync(path, default), written);
            return true;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Create_FirstInItsContainerAndRequestsFail_MakesContainerAndBlob(bool done)
    {
        for (int failing = 1; failing <= 4; failing++)
        {
            BlobPath first = BlobPath.Of($"t{Guid.NewGuid():n}", "a");
            int requests = 0;
            AzureBlobStore store = Open(new Fault(async (message, next) =>
            {
                bool fail = Interlocked.Increment(ref requests) == failing;
                if (!fail || done) await next();
                if (fail) throw new IOException("the answer was lost");
            }));

            Assert.NotNull(await store.CreateAsync(first, Bytes("x"), default));
        }
    }

    [Fact]
    public async Task Write_EveryAnswerIsLost_IsFoundByReadingAgain()
    {
        await Sound.CreateAsync(BlobPath.Of(path.Container, "other"), Bytes("x"), default);
        AzureBlobStore store = Open(new Fault(async (message, next) =>
        {
            await next();
            if (message.Request.Method == RequestMethod.Put) throw new IOException("the answer was lost");
        }));

        BlobItem? created = await store.CreateAsync(path, Bytes("1"), default);
        BlobItem? replaced = await store.ReplaceAsync(path, Bytes("2"), created!.ETag, default);

        Assert.Equal(await Sound.FindAsync(path, default), replaced);
    }

    [Fact]
    public async Task Replace_AnswerIsLostAndAnotherWrites_SaysThatItCannotTell()
    {
        string etag = (await Sound.CreateAsync(path, Bytes("old"), default))!.ETag;
        bool first = true;
        AzureBlobStore store = Open(new Fault(async (message, next) =>
        {
            await next();
            if (!first || message.Request.Method != RequestMethod.Put) return;
            first = false;
            BlobItem mine = (await Sound.FindAsync(path, default))!;
            await Sound.ReplaceAsync(path, Bytes("another's"), mine.ETag, default);
            throw new IOException("the answer was lost");
        }));

        TransientStorageException fault = await Assert.ThrowsAsync<TransientStorageException>(() => store.ReplaceAsync(path, Bytes("new"), etag, default));

        Assert.Equal($"S023: A write of '{path}' was sent again because its answer was lost, and another write has come since: "
            + "whether it was done cannot be told. Read the blob and decide anew.", fault.Message);
    }

    [Fact]
    public async Task Service_StaysBusy_IsTransientAfterFiveTries()
    {
        int requests = 0;
        AzureBlobStore store = Open(new Fault((message, next) =>
        {
            requests++;
            message.Response = new Answer(503);
            return ValueTask.CompletedTask;
        }));

        TransientStorageException fault = await Assert.ThrowsAsync<TransientStorageException>(() => store.FindAsync(path, default));

        Assert.Equal(5, requests);
        Assert.Equal($"S022: Storage did not answer for '{path}' in 5 tries: 503. Repeat the call. If it stays, check the account's name, "
            + "the network and the service's status.", fault.Message);
    }

    [Fact]
    public async Task Service_NobodyListens_IsTransient()
    {
        AzureBlobStore store = Open(new Fault((message, next) => next()),
            System.Text.RegularExpressions.Regex.Replace(azurite.ConnectionString, @"127\.0\.0\.1:\d+", "127.0.0.1:1"));

        Assert.Equal("S022", (await Assert.ThrowsAsync<TransientStorageException>(() => store.CreateAsync(path, Bytes("x"), default))).Code);
        Assert.Equal("S022", (await Assert.ThrowsAsync<TransientStorageException>(() => store.DeleteAsync(path, null, default))).Code);
        Assert.Equal("S022", (await Assert.ThrowsAsync<TransientStorageException>(async () => await store.ListAsync(path.Container, "", default).ToListAsync())).Code);
    }

    [Fact]
    public async Task Service_KeyIsWrong_IsRefusedWithARemedyAndWithoutTheKey()
    {
        string wrong = Convert.ToBase64String(new byte[32]);
        AzureBlobStore store = AzureBlobStore.Open(System.Text.RegularExpressions.Regex.Replace(azurite.ConnectionString, "AccountKey=[^;]*", $"AccountKey={wrong}"));

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => store.CreateAsync(path, Bytes("x"), default));

        Assert.Equal("S021", fault.Code);
        Assert.Contains("Storage Blob Data Contributor", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(wrong, fault.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("AccountName=films;SharedKey=c2VjcmV0")]
    [InlineData("DefaultEndpointsProtocol=https;AccountName=films;AccountKey=not base 64 secret;")]
    [InlineData("http://films.blob.core.windows.net")]
    [InlineData("ftp://films")]
    public void Open_NoConnection_IsRefusedWithoutRepeatingIt(string connection)
    {
        InputRejectedException fault = Assert.Throws<InputRejectedException>(() => AzureBlobStore.Open(connection));

        Assert.Equal("S020", fault.Code);
        Assert.DoesNotContain("secret", fault.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("c2VjcmV0", fault.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://films.blob.core.windows.net")]
    [InlineData("UseDevelopmentStorage=true")]
    [InlineData("http://127.0.0.1:10000/devstoreaccount1?sig=abc")]
    [InlineData("https://films.blob.core.windows.net/?sv=2025-11-05&sig=abc%3D")]
    public void Open_AddressOrConnectionString_Opens(string connection) => Assert.NotNull(AzureBlobStore.Open(connection));

    [Fact]
    public async Task Read_ConnectionBreaksInTheMiddle_ResumesAtTheSameVersion()
    {
        byte[] bytes = new byte[3_000_000];
        new Random(1).NextBytes(bytes);
        await Sound.CreateAsync(path, new MemoryStream(bytes), default);

        byte[] read = (await Open(new Fault(CutBodies())).FindBytesAsync(path, default))!;

        Assert.Equal(bytes, read);
    }

    [Fact]
    public async Task Read_ConnectionBreaksAndBlobIsReplaced_IsRefused()
    {
        BlobItem first = (await Sound.CreateAsync(path, new MemoryStream(new byte[3_000_000]), default))!;
        await using BlobContent content = (await Open(new Fault(CutBodies())).OpenAsync(path, null, default))!;
        byte[] read = new byte[3_000_000];
        await content.Stream.ReadExactlyAsync(read.AsMemory(0, 1000));
        await Sound.ReplaceAsync(path, new MemoryStream(new byte[3_000_000]), first.ETag, default);

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => content.Stream.ReadExactlyAsync(read.AsMemory(1000)).AsTask());

        Assert.Equal("S002", fault.Code);
    }

    [Fact]
    public async Task List_NameWithNul_IsToldNotHidden()
    {
        await Sound.CreateAsync(path, Bytes("x"), default);
        BlobContainerClient container = new(azurite.ConnectionString, path.Container, AzureBlobStore.Options());
        await container.GetBlobClient("bad/a\0b").UploadAsync(new MemoryStream([1]));

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(async () => await Sound.ListAsync(path.Container, "", default).ToListAsync());

        Assert.Equal("S026", fault.Code);
        Assert.Equal("films/a.csv", Assert.Single(await Sound.ListAsync(path.Container, "films/", default).ToListAsync()).Name);
    }

    [Fact]
    public async Task Blob_HeldByALease_IsTransient()
    {
        BlobItem item = (await Sound.CreateAsync(path, Bytes("x"), default))!;
        BlobContainerClient container = new(azurite.ConnectionString, path.Container, AzureBlobStore.Options());
        await Azure.Storage.Blobs.Specialized.SpecializedBlobExtensions.GetBlobLeaseClient(container.GetBlobClient(path.Name)).AcquireAsync(TimeSpan.FromSeconds(15));

        Assert.Equal("S022", (await Assert.ThrowsAsync<TransientStorageException>(() => Sound.ReplaceAsync(path, Bytes("y"), item.ETag, default))).Code);
    }

    /// <summary>Cuts the body of the first download after a million bytes.</summary>
    static Func<HttpMessage, Func<ValueTask>, ValueTask> CutBodies()
    {
        bool cut = false;
        return async (message, next) =>
        {
            await next();
            if (cut || message.Request.Method != RequestMethod.Get || message.Response.ContentStream is not { } body) return;
            cut = true;
            message.Response.ContentStream = new CutStream(body, 1_000_000);
        };
    }

    sealed class Fault(Func<HttpMessage, Func<ValueTask>, ValueTask> handle) : HttpPipelinePolicy
    {
        public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) => throw new NotSupportedException();

        public override ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) =>
            handle(message, () => ProcessNextAsync(message, pipeline));
    }

    sealed class CutStream(Stream inner, int after) : Stream
    {
        int read;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => read; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (read >= after) throw new IOException("the connection broke");
            int count = await inner.ReadAsync(buffer[..Math.Min(buffer.Length, after - read)], cancellationToken);
            read += count;
            return count;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }

    /// <summary>An answer of the service without headers or a body.</summary>
    sealed class Answer(int status) : Response
    {
        public override int Status => status;

        public override bool IsError => true;

        public override string ReasonPhrase => "";

        public override Stream? ContentStream { get; set; }

        public override string ClientRequestId { get; set; } = "";

        public override void Dispose()
        {
        }

        protected override bool ContainsHeader(string name) => false;

        protected override IEnumerable<HttpHeader> EnumerateHeaders() => [];

        protected override bool TryGetHeader(string name, [NotNullWhen(true)] out string? value)
        {
            value = null;
            return false;
        }

        protected override bool TryGetHeaderValues(string name, [NotNullWhen(true)] out IEnumerable<string>? values)
        {
            values = null;
            return false;
        }
    }
}
