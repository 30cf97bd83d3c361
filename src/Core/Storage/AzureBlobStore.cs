using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Xml;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Identity;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Scion.Faults;
using AzureBlob = Azure.Storage.Blobs.Models.BlobItem;

namespace Scion.Storage;

/// <summary>Blobs in an Azure storage account, or in Azurite. Containers are made, private, by the first write.</summary>
/// <remarks>Every write carries If-None-Match or If-Match, and a token of its own in the blob's metadata. The client repeats a request whose
/// answer is lost, at most <see cref="MaxTries"/> times in all; when a repeated write is refused for its condition, the token tells whether the
/// blob that stands in the way is the write itself. Blocks of a large blob have names of one write alone, so two writers never mix.
/// Reads are resumed with If-Match only. Errors of the service's side are transient; those of rights and settings are not.</remarks>
public sealed class AzureBlobStore : IBlobStore
{
    /// <summary>Requests for one operation, the first included.</summary>
    public const int MaxTries = 5;

    /// <summary>Metadata key of a write's token.</summary>
    public const string TokenKey = "scion_write";

    internal const int BlockBytes = 8 << 20;

    readonly BlobServiceClient service;

    /// <param name="service">Made with <see cref="Options"/>.</param>
    internal AzureBlobStore(BlobServiceClient service) => this.service = service;

    /// <summary>Opens a store. Connects to nothing yet.</summary>
    /// <param name="connection">A connection string (<c>UseDevelopmentStorage=true</c> for Azurite), an account's address
    /// <c>https://account.blob.core.windows.net</c>, which is used with the identity found on this machine, or such an address with a SAS.</param>
    /// <exception cref="InputRejectedException">It is neither (S020).</exception>
    public static AzureBlobStore Open(string connection)
    {
        try
        {
            if (connection.Contains("://", StringComparison.Ordinal) && !connection.Contains(';', StringComparison.Ordinal))
            {
                Uri address = new(connection, UriKind.Absolute);
                bool local = address.IsLoopback;
                if (address.Scheme != Uri.UriSchemeHttps && !(local && address.Scheme == Uri.UriSchemeHttp)) throw new FormatException("Only https is used.");
                return new(address.Query.Contains("sig=", StringComparison.Ordinal)
                    ? new BlobServiceClient(address, Options())
                    : new BlobServiceClient(address, new DefaultAzureCredential(), Options()));
            }
            return new(new BlobServiceClient(connection, Options()));
        }
        catch (Exception e) when (e is FormatException or ArgumentException or InvalidOperationException)
        {
            throw StorageFaults.ConnectionUnusable();                        // never its text: it may hold a key
        }
    }

    /// <summary>Settings of the client: bounded retries, a mark on conditional writes that were sent more than once, and a version of the
    /// service that Azurite 3.37 knows too; nothing later is needed.</summary>
    internal static BlobClientOptions Options()
    {
        BlobClientOptions options = new(BlobClientOptions.ServiceVersion.V2025_11_05)
        {
            Retry =
            {
                Mode = RetryMode.Exponential,
                MaxRetries = MaxTries - 1,
                Delay = TimeSpan.FromMilliseconds(200),
                MaxDelay = TimeSpan.FromSeconds(10),
                NetworkTimeout = TimeSpan.FromSeconds(60),
            },
        };
        options.AddPolicy(new MarkRepeatedWrites(), HttpPipelinePosition.PerRetry);
        return options;
    }

    public async IAsyncEnumerable<BlobItem> ListAsync(string container, string prefix, [EnumeratorCancellation] CancellationToken cancellation)
    {
        BlobPath.RequireContainer(container);
        GetBlobsOptions options = new() { Prefix = prefix, Traits = BlobTraits.Metadata };
        await using IAsyncEnumerator<AzureBlob> found =
            ContainerOf(container).GetBlobsAsync(options, cancellation).GetAsyncEnumerator(cancellation);
        OrdinalOrder order = new();
        while (await NextAsync())
        {
            AzureBlob blob = found.Current;
            if (blob.Metadata?.ContainsKey("hdi_isfolder") == true) continue;       // a folder of an account with a hierarchical namespace
            BlobItem item = new(container, blob.Name, blob.Properties.ContentLength ?? 0, TagOf(blob.Properties.ETag ?? default),
                blob.Properties.LastModified ?? DateTimeOffset.UnixEpoch);
            foreach (BlobItem next in order.Add(item)) yield return next;
        }
        foreach (BlobItem next in order.Rest()) yield return next;

        async Task<bool> NextAsync()
        {
            try
            {
                return await found.MoveNextAsync();
            }
            catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.ContainerNotFound)
            {
                return false;
            }
            catch (XmlException e)
            {
                throw StorageFaults.ListUnreadable($"{container}/{prefix}", e);
            }
            catch (Exception e) when (IsOfService(e, cancellation))
            {
                throw FaultOf($"{container}/{prefix}*", e);
            }
        }
    }

    public Task<BlobItem?> FindAsync(BlobPath path, CancellationToken cancellation) => CallAsync(path, async () =>
        await PropertiesAsync(path, cancellation) is { } found
            ? new BlobItem(path.Container, path.Name, found.ContentLength, TagOf(found.ETag), found.LastModified)
            : null, cancellation);

    public Task<BlobContent?> OpenAsync(BlobPath path, string? etag, CancellationToken cancellation) => CallAsync(path, async () =>
    {
        BlobDownloadOptions options = new() { Conditions = etag is null ? null : new BlobRequestConditions { IfMatch = new ETag(etag) } };
        try
        {
            BlobDownloadStreamingResult download = await BlobOf(path).DownloadStreamingAsync(options, cancellation);
            BlobItem item = new(path.Container, path.Name, download.Details.ContentLength, TagOf(download.Details.ETag), download.Details.LastModified);
            return new BlobContent(item, new AzureBlobStream(download.Content, path, item));
        }
        catch (RequestFailedException e) when (IsAbsent(e))
        {
            return null;
        }
        catch (RequestFailedException e) when (IsConditionUnmet(e))          // also of an absent blob
        {
            return await PropertiesAsync(path, cancellation) is { } now ? throw StorageFaults.Changed(path, etag!, TagOf(now.ETag)) : null;
        }
    }, cancellation);

    public Task<BlobItem?> CreateAsync(BlobPath path, Stream content, CancellationToken cancellation) =>
        WriteAsync(path, content, new BlobRequestConditions { IfNoneMatch = ETag.All }, cancellation);

    public Task<BlobItem?> ReplaceAsync(BlobPath path, Stream content, string etag, CancellationToken cancellation) =>
        WriteAsync(path, content, new BlobRequestConditions { IfMatch = new ETag(etag) }, cancellation);

    public Task<bool> DeleteAsync(BlobPath path, string? etag, CancellationToken cancellation) => CallAsync(path, async () =>
    {
        WriteMark mark = new();
        try
        {
            using IDisposable scope = mark.Scope();
            await BlobOf(path).DeleteAsync(DeleteSnapshotsOption.IncludeSnapshots,
                etag is null ? null : new BlobRequestConditions { IfMatch = new ETag(etag) }, cancellation);
            return true;
        }
        catch (RequestFailedException e) when (IsAbsent(e))
        {
            return mark.Repeated;                                            // absent after our own lost attempt is what was asked for
        }
        catch (RequestFailedException e) when (IsConditionUnmet(e))
        {
            if (!mark.Repeated) return false;
            return await PropertiesAsync(path, cancellation) is null ? true : throw StorageFaults.OutcomeUnknown(path, e);
        }
    }, cancellation);

    /// <summary>Creates or replaces, as the conditions say. What the content throws passes unchanged.</summary>
    async Task<BlobItem?> WriteAsync(BlobPath path, Stream content, BlobRequestConditions conditions, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        BlockBlobClient blob = BlobOf(path);
        string token = RandomNumberGenerator.GetHexString(32, lowercase: true);         // tells this write from every other; in no key or result
        Dictionary<string, string> metadata = new() { [TokenKey] = token };
        byte[] block = new byte[content.CanSeek ? Math.Clamp(content.Length - content.Position, 1, BlockBytes) : BlockBytes];
        int count = await content.ReadAtLeastAsync(block, block.Length, throwOnEndOfStream: false, cancellation);
        if (count < block.Length || (content.CanSeek && content.Position >= content.Length))
            return await DecideAsync(path, conditions, token, count, async () =>
            {
                BlobUploadOptions options = new() { Conditions = conditions, Metadata = metadata, TransferOptions = new() { InitialTransferSize = BlockBytes } };
                return await blob.UploadAsync(new MemoryStream(block, 0, count, writable: false), options, cancellation);
            }, cancellation);

        if (!await CanSucceedAsync(path, conditions, cancellation)) return null;
        List<string> blocks = [];
        long length = 0;
        for (; count > 0; count = await content.ReadAtLeastAsync(block, block.Length, throwOnEndOfStream: false, cancellation))
        {
            string id = Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes($"{token}{blocks.Count:d6}"));
            await CallAsync(path, () => InContainerAsync(path.Container, async () =>
            {
                BlockInfo staged = await blob.StageBlockAsync(id, new MemoryStream(block, 0, count, writable: false), cancellationToken: cancellation);
                return staged;
            }, cancellation), cancellation);
            blocks.Add(id);
            length += count;
        }
        return await DecideAsync(path, conditions, token, length, async () =>
            await blob.CommitBlockListAsync(blocks, new CommitBlockListOptions { Conditions = conditions, Metadata = metadata }, cancellation), cancellation);
    }

    /// <summary>Whether a large write is worth its upload: the condition holds now.</summary>
    async Task<bool> CanSucceedAsync(BlobPath path, BlobRequestConditions conditions, CancellationToken cancellation)
    {
        BlobItem? now = await FindAsync(path, cancellation);
        return conditions.IfMatch is { } wanted ? now?.ETag == TagOf(wanted) : now is null;
    }

    /// <summary>Sends the one request that decides a write, and finds out what became of it when its answer does not say.</summary>
    async Task<BlobItem?> DecideAsync(
        BlobPath path, BlobRequestConditions conditions, string token, long length, Func<Task<BlobContentInfo>> send, CancellationToken cancellation)
    {
        WriteMark mark = new();
        Exception lost;
        try
        {
            using IDisposable scope = mark.Scope();
            BlobContentInfo written = await InContainerAsync(path.Container, send, cancellation);
            return new BlobItem(path.Container, path.Name, length, TagOf(written.ETag), written.LastModified);
        }
        catch (RequestFailedException e) when (conditions.IfMatch is not null && IsAbsent(e) && !mark.Repeated)
        {
            return null;
        }
        catch (RequestFailedException e) when (IsConditionUnmet(e) && !mark.Repeated)
        {
            return null;
        }
        catch (RequestFailedException e) when (e.Status is >= 400 and < 500 && !mark.Repeated && e.ErrorCode != BlobErrorCode.InvalidBlockList)
        {
            throw FaultOf(path.ToString(), e);
        }
        catch (Exception e) when (IsOfService(e, cancellation))
        {
            lost = e;
        }

        // Unknown: the answer was lost, or a repeated request met a blob that may be its own earlier attempt, or another write's commit
        // discarded the blocks. What is there now decides.
        BlobProperties? now = await CallAsync(path, () => PropertiesAsync(path, cancellation), cancellation);
        if (now?.Metadata.TryGetValue(TokenKey, out string? found) == true && found == token)
            return new BlobItem(path.Container, path.Name, length, TagOf(now.ETag), now.LastModified);
        if (lost is RequestFailedException { ErrorCode: var code } && code == BlobErrorCode.InvalidBlockList
            && (conditions.IfMatch is { } wanted ? now is null || TagOf(now.ETag) != TagOf(wanted) : now is not null)) return null;
        throw mark.Repeated && lost is RequestFailedException { Status: >= 400 and < 500 } ? StorageFaults.OutcomeUnknown(path, lost) : FaultOf(path.ToString(), lost);
    }

    /// <summary>Makes the container when a write finds none, and repeats the write.</summary>
    async Task<T> InContainerAsync<T>(string container, Func<Task<T>> write, CancellationToken cancellation)
    {
        try
        {
            return await write();
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.ContainerNotFound)
        {
            await ContainerOf(container).CreateIfNotExistsAsync(cancellationToken: cancellation);
            return await write();
        }
    }

    async Task<BlobProperties?> PropertiesAsync(BlobPath path, CancellationToken cancellation)
    {
        try
        {
            return await BlobOf(path).GetPropertiesAsync(cancellationToken: cancellation);
        }
        catch (RequestFailedException e) when (IsAbsent(e))
        {
            return null;
        }
    }

    BlobContainerClient ContainerOf(string container) => service.GetBlobContainerClient(container);

    /// <summary>The client of a blob, checked after its address is built: the address folds dot segments, and would reach into another container.</summary>
    BlockBlobClient BlobOf(BlobPath path)
    {
        BlobContainerClient container = ContainerOf(path.Container);
        BlockBlobClient blob = container.GetBlockBlobClient(path.Name);
        return blob.Name == path.Name && blob.BlobContainerName == path.Container
            && blob.Uri.AbsolutePath.StartsWith($"{container.Uri.AbsolutePath}/", StringComparison.Ordinal)
            ? blob
            : throw StorageFaults.AddressFolded(path);
    }

    static string TagOf(ETag tag) => tag.ToString("H");

    static bool IsAbsent(RequestFailedException e) => e.Status == 404;

    static bool IsConditionUnmet(RequestFailedException e) => e.Status is 409 or 412
        && (e.ErrorCode == BlobErrorCode.ConditionNotMet || e.ErrorCode == BlobErrorCode.BlobAlreadyExists || e.ErrorCode == BlobErrorCode.TargetConditionNotMet);

    static async Task<T> CallAsync<T>(BlobPath path, Func<Task<T>> call, CancellationToken cancellation)
    {
        try
        {
            return await call();
        }
        catch (Exception e) when (IsOfService(e, cancellation))
        {
            throw FaultOf(path.ToString(), e);
        }
    }

    /// <summary>True for what the client throws when the service refuses or cannot be reached; false for a cancellation that the caller asked for.</summary>
    internal static bool IsOfService(Exception e, CancellationToken cancellation) => e switch
    {
        OperationCanceledException => !cancellation.IsCancellationRequested,
        RequestFailedException or AggregateException or IOException or AuthenticationFailedException => true,
        _ => false,
    };

    internal static Exception FaultOf(string what, Exception e) => e switch
    {
        AuthenticationFailedException => StorageFaults.NotAuthorized(what, FirstLine(e.Message)),
        RequestFailedException { Status: 401 or 403 } refused => StorageFaults.NotAuthorized(what, $"{refused.Status} {refused.ErrorCode}"),
        RequestFailedException { Status: >= 400 and < 500 and not (408 or 429) } refused when !IsBusy(refused) =>
            StorageFaults.ServiceRefused(what, refused.Status, refused.ErrorCode, FirstLine(refused.Message)),
        RequestFailedException { Status: > 0 } failed => StorageFaults.NoAnswer(what, $"{failed.Status} {failed.ErrorCode}".TrimEnd(), e),
        AggregateException many => StorageFaults.NoAnswer(what, FirstLine(many.InnerExceptions[^1].Message), e),
        _ => StorageFaults.NoAnswer(what, FirstLine(e.Message), e),
    };

    // Held by a lease, or a container of that name is still being deleted: it passes.
    static bool IsBusy(RequestFailedException e) => e.ErrorCode == BlobErrorCode.LeaseIdMissing || e.ErrorCode == BlobErrorCode.ContainerBeingDeleted;

    static string FirstLine(string message) => message.AsSpan().TrimStart().ToString().Split('\n')[0].TrimEnd();

    /// <summary>Tells whether the deciding request of a write was sent more than once.</summary>
    sealed class WriteMark
    {
        const string Key = "scion-write-mark";

        public bool Repeated { get; set; }

        /// <summary>Requests made while it is open carry this mark.</summary>
        public IDisposable Scope() => HttpPipeline.CreateHttpMessagePropertiesScope(new Dictionary<string, object?> { [Key] = this });

        public static WriteMark? Of(HttpMessage message) => message.TryGetProperty(Key, out object? mark) ? (WriteMark?)mark : null;
    }

    sealed class MarkRepeatedWrites : HttpPipelineSynchronousPolicy
    {
        public override void OnSendingRequest(HttpMessage message)
        {
            if (message.ProcessingContext.RetryNumber > 0 && WriteMark.Of(message) is { } mark) mark.Repeated = true;
        }
    }
}
