using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Scion.Datasets;
using Scion.Faults;
using Scion.Pipelines;
using Scion.Registry;
using Scion.Serving;
using Scion.Storage;

namespace Scion.Web;

/// <summary>Uploads for people without storage tools: what became of them, putting files, and starting a run.</summary>
sealed partial class DatasetEndpoints(ScionApiOptions options, IBlobStore store, ArrivalLedger arrivals, ITrainingHost training)
{
    int underWay;

    /// <summary>What became of the last drop into each folder, and what lies in none. Reads records only, no folder.</summary>
    public async Task ListAsync(HttpContext context)
    {
        ScionApi.RequireQuery(context.Request);
        List<DatasetSummary> datasets = [];
        List<Strays> strays = [];
        foreach (DataKind kind in DataKinds.All)
            datasets.AddRange((await arrivals.ListAsync(kind, context.RequestAborted)).Select(record => new DatasetSummary(record.Kind, record.Model, Arrival.Of(record))));
        foreach (string container in DataKinds.All.Select(kind => kind.Container).Append(DropScoring.Inbox))
            if (await StraysAsync(container, context.RequestAborted) is { Total: > 0 } found) strays.Add(new Strays(container, found.Uploads, found.Total, found.At));
        await ScionApi.WriteJsonAsync(context, new DatasetList(datasets, strays));
    }

    /// <summary>What lies in one folder, and what became of it when it was last looked at.</summary>
    public async Task ShowAsync(HttpContext context, string kind, string model)
    {
        ScionApi.RequireQuery(context.Request);
        DataKind data = RequireKind(kind);
        DroppedFolder folder = await DroppedFolder.FindAsync(store, data, ModelName.Require(model), context.RequestAborted);
        ArrivalRecord? last = await arrivals.ReadableAsync(data, model, context.RequestAborted);
        if (folder.Items.Count == 0 && last is null) throw new ProblemException(HttpFaults.NothingThere(data, model));
        await ScionApi.WriteJsonAsync(context, new Dataset(data.Container, model, folder.Items.Count, folder.Items.Sum(item => item.Length), folder.Items.Count == 0 ? null : folder.Newest,
            last?.Print == folder.Print, last is null ? null : Arrival.Of(last)));
    }

    async Task<StrayRecord?> StraysAsync(string container, CancellationToken cancellation)
    {
        try
        {
            return await arrivals.FindStraysAsync(container, cancellation);
        }
        catch (InputRejectedException e) when (e.Code == "S005")
        {
            return null;                                                          // damaged: the next look writes it anew
        }
    }

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
