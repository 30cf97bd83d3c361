using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Scion.Datasets;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Storage;

namespace Scion.Web;

/// <param name="Container">Where it lies.</param>
/// <param name="Name">Name in it, with the model's folder.</param>
/// <param name="Length">Bytes.</param>
sealed record Uploaded(string Container, string Name, long Length);

/// <summary>Uploading files and starting a run, for people without storage tools.</summary>
sealed partial class DatasetEndpoints(ScionApiOptions options, IBlobStore store, ITrainingHost training)
{
    int underWay;

    /// <summary>Stores a file, whole or not at all: it is taken in completely before the store sees its first byte.</summary>
    public async Task PutAsync(HttpContext context, string kind, string model, string name)
    {
        ScionApi.RequireQuery(context.Request);
        DataKind data = RequireKind(kind);
        ModelName.Require(model);
        if (!IsFileName(data, name)) throw new ProblemException(HttpFaults.FileRefused(data, name));
        await ModelKind.RequireAsync(store, data, model, context.RequestAborted);
        BlobPath path = BlobPath.Of(data.Container, $"{model}/{name}");
        HttpRequest request = context.Request;
        if (request.Headers.ContentEncoding.Count > 0) throw new ProblemException(HttpFaults.Encoded(request.Headers.ContentEncoding.ToString()));
        if (request.ContentLength > options.MaxUpload) throw new ProblemException(HttpFaults.UploadTooLarge(data, model, options.MaxUpload));
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = options.MaxUpload + 1;
        if (Interlocked.Increment(ref underWay) > options.MaxConcurrentUploads)
        {
            Interlocked.Decrement(ref underWay);
            throw new ProblemException(HttpFaults.Busy("uploads", options.MaxConcurrentUploads));
        }
        try
        {
            await using FileStream whole = Spool();
            await ReadAsync(request, whole, data, model, context.RequestAborted);
            (BlobItem stored, bool created) = await StoreAsync(path, whole, context.RequestAborted);
            await ScionApi.WriteJsonAsync(context, new Uploaded(data.Container, stored.Name, stored.Length), created ? StatusCodes.Status201Created : StatusCodes.Status200OK);
        }
        finally
        {
            Interlocked.Decrement(ref underWay);
        }
    }

    public async Task TrainAsync(HttpContext context, string kind, string model)
    {
        ScionApi.RequireQuery(context.Request);
        DataKind data = RequireKind(kind);
        ModelName.Require(model);
        if (await context.Request.Body.ReadAsync(new byte[1], context.RequestAborted) > 0)
            throw new ProblemException(HttpFaults.UnexpectedJson("The request has a body; training takes none.", $"Put settings into dataset.json beside the {data.Item}s."));
        RunStatus status = await training.StartAsync(data, model, context.RequestAborted);
        context.Response.Headers.Location = $"/api/runs/{status.Run}";
        await ScionApi.WriteJsonAsync(context, status, status.IsFinished ? StatusCodes.Status200OK : StatusCodes.Status202Accepted);
    }

    static DataKind RequireKind(string kind) => DataKinds.Of(kind) ?? throw new ProblemException(HttpFaults.NoSuchKind(kind));

    /// <summary>A percent sign before two hex digits is a second encoding, or a slash that was hidden from routing.</summary>
    static bool IsFileName(DataKind kind, string name) => name.Length <= BlobPath.MaxNameLength && !Encoded().IsMatch(name) && (name == ReviewFormats.SettingsName || kind.IsRead(name));

    /// <summary>A file that no other process can read, and that no crash leaves behind: on Unix it has lost its name already.</summary>
    FileStream Spool()
    {
        string path = Path.Combine(options.UploadFolder ?? Path.GetTempPath(), $"scion-upload-{Path.GetRandomFileName()}");
        FileStreamOptions open = new()
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Delete,
            Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose,
            BufferSize = 0,                                                       // a full disk is found out by the write that meets it
        };
        if (!OperatingSystem.IsWindows()) open.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            FileStream file = new(path, open);
            if (!OperatingSystem.IsWindows()) File.Delete(path);
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(HttpFaults.NoRoom);
        }
    }

    async Task ReadAsync(HttpRequest request, FileStream whole, DataKind data, string model, CancellationToken cancellation)
    {
        byte[] part = new byte[1 << 16];
        for (int read; (read = await request.Body.ReadAsync(part, cancellation)) > 0;)
        {
            if (whole.Length + read > options.MaxUpload) throw new ProblemException(HttpFaults.UploadTooLarge(data, model, options.MaxUpload));
            try
            {
                await whole.WriteAsync(part.AsMemory(0, read), cancellation);
            }
            catch (IOException)                                                   // of the disk; reading has its own
            {
                throw new ProblemException(HttpFaults.NoRoom);
            }
        }
    }

    /// <summary>Creates or replaces; the last upload of a name wins, as with a copy into the folder.</summary>
    async Task<(BlobItem Stored, bool Created)> StoreAsync(BlobPath path, FileStream whole, CancellationToken cancellation)
    {
        while (true)
        {
            whole.Position = 0;
            if (await store.FindAsync(path, cancellation) is not { } there)
            {
                if (await store.CreateAsync(path, whole, cancellation) is { } created) return (created, true);
            }
            else if (await store.ReplaceAsync(path, whole, there.ETag, cancellation) is { } replaced) return (replaced, false);
        }
    }

    [GeneratedRegex("%[0-9a-fA-F]{2}")]
    private static partial Regex Encoded();
}
