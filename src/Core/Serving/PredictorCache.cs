using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;
using Scion.Faults;
using Scion.Registry;
using Scion.Vision;

namespace Scion.Serving;

/// <summary>How many models stay loaded, and how soon a moved pointer is seen.</summary>
public sealed record PredictorCacheOptions
{
    /// <summary>Models loaded at once; the one used longest ago makes room. At least 1. Default 16.</summary>
    public int MaxModels { get; init; } = 16;

    /// <summary>Bytes of packages loaded at once. A single larger model is still served, alone. Default 2 GiB.</summary>
    public long MaxBytes { get; init; } = 2L << 30;

    /// <summary>Least time between two looks at one model's pointer. Default 1 s.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A look older than this is no longer trusted: the next request waits for a new one. Default 5 s: only a model that
    /// nobody asked for meanwhile has so old a look.</summary>
    public TimeSpan StaleAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest such a wait; after it the loaded version answers. Default 0.5 s.</summary>
    public TimeSpan StaleWait { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>The longest pause between attempts to load a version that cannot be loaded; they begin one poll apart and double. Default 60 s.</summary>
    public TimeSpan MaxRetryInterval { get; init; } = TimeSpan.FromSeconds(60);
}

/// <summary>A predictor in use. It stays loaded until this is disposed, whatever is published meanwhile.</summary>
public sealed class PredictorLease : IDisposable
{
    ServedVersion? served;

    internal PredictorLease(ServedVersion served) => this.served = served;

    ServedVersion Served => served ?? throw new ObjectDisposedException(nameof(PredictorLease));

    public Predictor Predictor => Served.Predictor;

    /// <summary>The version that answers.</summary>
    public string Version => Served.Version;

    /// <summary>SHA-256 of its <c>model.json</c>.</summary>
    public string Digest => Served.Digest;

    public void Dispose() => Interlocked.Exchange(ref served, null)?.Release();
}

/// <summary>A model as this process serves it.</summary>
/// <param name="Model">Name.</param>
/// <param name="Version">Version that answers; null when none could be loaded.</param>
/// <param name="Fault">Why the newest pointer or package is not served, or could not be looked at; null when all is well.</param>
public sealed record ServedModel(string Model, string? Version, Exception? Fault);

/// <summary>The models a process serves: each loaded once, swapped when its pointer moves, kept when what is new cannot be loaded.</summary>
/// <remarks>Reads: <c>models/{model}/latest.json</c> and the files of the version it names. Writes nothing. A request never waits for a swap:
/// it takes the version that is loaded and starts a look at the pointer's ETag when the last one is old. A replaced predictor is
/// disposed after its last prediction. A new pointer or package that is damaged leaves the last good version serving and its fault in
/// <see cref="Models"/>; so does a deleted pointer, until this process ends. Threads: any number.</remarks>
/// <param name="registry">Where models are.</param>
/// <param name="pictures">Reads pictures, for models of images.</param>
/// <param name="options">Limits.</param>
/// <param name="time">Clock of the looks.</param>
/// <param name="logger">Told of swaps.</param>
public sealed partial class PredictorCache(
    ModelRegistry registry, IPictureReader pictures, PredictorCacheOptions options, TimeProvider time, ILogger<PredictorCache> logger) : IDisposable
{
    /// <summary>Names remembered that could not be loaded: bounds what requests for invented names can fill.</summary>
    const int MaxUnloaded = 256;

    readonly ConcurrentDictionary<string, Slot> slots = new(StringComparer.Ordinal);
    readonly CancellationTokenSource closing = new();
    int resident;

    /// <summary>Every model asked for lately, by name.</summary>
    public IReadOnlyList<ServedModel> Models =>
        [.. slots.Values.Select(slot => new ServedModel(slot.Model, slot.Current?.Version, slot.Fault)).OrderBy(model => model.Model, StringComparer.Ordinal)];

    /// <summary>Predictors in memory, also replaced ones that still answer their last requests.</summary>
    public int Resident => Volatile.Read(ref resident);

    /// <summary>Takes the serving version of a model, loading it first when it is not loaded.</summary>
    /// <param name="model">Model name.</param>
    /// <param name="cancellation">Stops waiting; a load that others wait for too goes on.</param>
    /// <exception cref="InputRejectedException">The name is not allowed (R001, without a look at the store), nothing serves under it (R002), or
    /// its version cannot be loaded and no earlier one is (R003 to R010, R014, R020, S006, S007, T001).</exception>
    /// <exception cref="TransientStorageException">It is not loaded and storage did not answer.</exception>
    public ValueTask<PredictorLease> RentAsync(string model, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(closing.IsCancellationRequested, this);
        if (!slots.TryGetValue(model, out Slot? slot) || slot.TryRent() is not { } lease) return LoadAsync(model, cancellation);
        long now = time.GetTimestamp();
        slot.LastUsed = now;
        TimeSpan age = time.GetElapsedTime(slot.CheckedAt, now);
        if (age < options.PollInterval) return new(lease);
        Task refresh = Refresh(slot);
        return age < options.StaleAfter ? new(lease) : NewerAsync(slot, lease, refresh, cancellation);
    }

    /// <summary>Looks at a model's pointer now, so that requests after this are answered by what it says now. A model that is not loaded stays so.</summary>
    public async Task RefreshAsync(string model, CancellationToken cancellation)
    {
        if (!slots.TryGetValue(model, out Slot? slot)) return;
        if (slot.Refreshing is { IsCompleted: false } earlier) await earlier.WaitAsync(cancellation);   // it may have looked before the move
        await Refresh(slot).WaitAsync(cancellation);
    }

    async ValueTask<PredictorLease> LoadAsync(string model, CancellationToken cancellation)
    {
        ModelName.Require(model);
        while (true)
        {
            ObjectDisposedException.ThrowIf(closing.IsCancellationRequested, this);
            Slot slot = slots.GetOrAdd(model, static name => new Slot(name));
            slot.LastUsed = time.GetTimestamp();
            if (slot.TryRent() is { } ready) return ready;
            bool justFailed = slot.Fault is not null && time.GetElapsedTime(slot.CheckedAt) < options.PollInterval;
            if (!justFailed)
            {
                Trim(slot);
                await Refresh(slot).WaitAsync(cancellation);
            }
            if (slot.TryRent() is { } loaded) return loaded;
            if (slot.Fault is { } fault && !slot.IsEvicted) ExceptionDispatchInfo.Throw(fault);
        }
    }

    /// <summary>Gives back the leased version when a newer one comes in time.</summary>
    async ValueTask<PredictorLease> NewerAsync(Slot slot, PredictorLease lease, Task refresh, CancellationToken cancellation)
    {
        try
        {
            await refresh.WaitAsync(options.StaleWait, time, cancellation);
        }
        catch (TimeoutException)
        {
            return lease;
        }
        catch
        {
            lease.Dispose();
            throw;
        }
        if (slot.TryRent() is not { } newer) return lease;
        lease.Dispose();
        return newer;
    }

    /// <summary>Starts a look at the pointer unless one is under way. The task never fails.</summary>
    Task Refresh(Slot slot)
    {
        lock (slot)
        {
            if (slot.Refreshing is { IsCompleted: false } underWay) return underWay;
            return slot.Refreshing = Task.Run(() => RefreshOnceAsync(slot));
        }
    }

    async Task RefreshOnceAsync(Slot slot)
    {
        string? tag = slot.Tag;
        try
        {
            tag = await registry.FindLatestTagAsync(slot.Model, closing.Token) ?? throw RegistryFaults.ModelNotFound(slot.Model);
            if (tag == slot.Tag && (slot.Fault is null ? slot.Current is not null : time.GetElapsedTime(slot.FailedAt) < slot.RetryAfter)) return;
            (LatestPointer pointer, tag) = await registry.FindLatestAsync(slot.Model, closing.Token) ?? throw RegistryFaults.ModelNotFound(slot.Model);
            if (slot.Current is not { } current || current.Version != pointer.Version || current.Digest != pointer.Digest)
            {
                ModelPackage package = await registry.ReadServedAsync(slot.Model, pointer.Version, pointer.Digest, closing.Token);
                Serve(slot, package, pointer);
            }
            (slot.Tag, slot.Fault, slot.RetryAfter) = (tag, null, TimeSpan.Zero);
        }
        catch (OperationCanceledException) when (closing.IsCancellationRequested)
        {
            slot.Fault ??= new ObjectDisposedException(nameof(PredictorCache));
        }
        catch (Exception fault)                                                   // whatever it is, the last good version goes on serving
        {
            TimeSpan doubled = tag == slot.Tag && fault is not TransientStorageException ? 2 * slot.RetryAfter : TimeSpan.Zero;
            slot.RetryAfter = TimeSpan.FromTicks(Math.Clamp(doubled.Ticks, options.PollInterval.Ticks, options.MaxRetryInterval.Ticks));
            slot.FailedAt = time.GetTimestamp();
            bool unknownName = slot.Current is null && fault is InputRejectedException { Code: "R002" };
            if (slot.Fault?.Message != fault.Message && !unknownName) NotLoaded(logger, slot.Model, slot.Current?.Version ?? "none", fault);
            if (!unknownName) ServingMetrics.Swapped(slot.Model, "refused");
            (slot.Tag, slot.Fault) = (tag, fault);
        }
        finally
        {
            slot.CheckedAt = time.GetTimestamp();
        }
    }

    void Serve(Slot slot, ModelPackage package, LatestPointer pointer)
    {
        Predictor predictor = Predictor.Load(package, pictures);
        try
        {
            predictor.WarmUp();                                                   // a graph that cannot run must not replace one that can
        }
        catch
        {
            predictor.Dispose();
            throw;
        }
        Interlocked.Increment(ref resident);
        ServedVersion next = new(predictor, pointer.Version, pointer.Digest, package.Names.Sum(name => (long)package[name].Length), () => Interlocked.Decrement(ref resident));
        string? before = slot.Current?.Version;
        if (!slot.Swap(next)) return;                                             // evicted while it was loaded
        Swapped(logger, slot.Model, before ?? "none", pointer.Version);
        ServingMetrics.Swapped(slot.Model, before is null ? "loaded" : "swapped");
        Trim(slot);
    }

    void Trim(Slot keep)
    {
        lock (slots)
        {
            Slot[] others = [.. slots.Values.Where(slot => slot != keep).OrderBy(slot => slot.LastUsed)];
            Slot[] loaded = [.. others.Where(slot => slot.Current is not null)];
            Slot[] unloaded = [.. others.Where(slot => slot.Current is null && slot.Refreshing is null or { IsCompleted: true })];
            (int count, long bytes) = (loaded.Length + 1, loaded.Sum(slot => slot.Bytes) + keep.Bytes);
            for (int i = 0; i < loaded.Length && (count > options.MaxModels || bytes > options.MaxBytes); i++)
            {
                count--;
                bytes -= loaded[i].Bytes;
                Evict(loaded[i]);
            }
            foreach (Slot slot in unloaded.Take(unloaded.Length - MaxUnloaded)) Evict(slot);
        }
    }

    void Evict(Slot slot)
    {
        slots.TryRemove(new KeyValuePair<string, Slot>(slot.Model, slot));
        if (slot.Evict() is { } version) Evicted(logger, slot.Model, version);
    }

    /// <summary>Refuses new requests and lets go of all models; each is disposed after its last prediction.</summary>
    public void Dispose()
    {
        if (closing.IsCancellationRequested) return;
        closing.Cancel();
        lock (slots)
            foreach (Slot slot in slots.Values) Evict(slot);
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "Model {Model} serves {Version} (before: {Before})")]
    static partial void Swapped(ILogger logger, string model, string before, string version);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "What latest.json of model {Model} names cannot be served; {Version} goes on serving")]
    static partial void NotLoaded(ILogger logger, string model, string version, Exception fault);

    [LoggerMessage(EventId = 3, Level = LogLevel.Information, Message = "Model {Model} {Version} makes room for others")]
    static partial void Evicted(ILogger logger, string model, string version);

    /// <summary>One model's place. Fields are written by the one refresh under way; the current version is swapped under the slot's lock.</summary>
    sealed class Slot(string model)
    {
        volatile ServedVersion? current;
        volatile Exception? fault;
        long checkedAt, lastUsed;

        public string Model { get; } = model;

        public ServedVersion? Current => current;

        public long Bytes => current?.Bytes ?? 0;

        public bool IsEvicted { get; private set; }

        public Task? Refreshing { get; set; }

        /// <summary>ETag of the pointer last loaded, or last refused.</summary>
        public string? Tag { get; set; }

        public Exception? Fault
        {
            get => fault;
            set => fault = value;
        }

        public long FailedAt { get; set; }

        public TimeSpan RetryAfter { get; set; }

        public long CheckedAt
        {
            get => Volatile.Read(ref checkedAt);
            set => Volatile.Write(ref checkedAt, value);
        }

        public long LastUsed
        {
            get => Volatile.Read(ref lastUsed);
            set => Volatile.Write(ref lastUsed, value);
        }

        public PredictorLease? TryRent()
        {
            while (current is { } served)
                if (served.TryAcquire()) return new PredictorLease(served);       // else it was swapped out this instant: take its successor
            return null;
        }

        public bool Swap(ServedVersion next)
        {
            ServedVersion? before;
            lock (this)
            {
                before = IsEvicted ? next : current;
                if (!IsEvicted) current = next;
            }
            before?.Release();
            return before != next;
        }

        /// <returns>The version it served, or null.</returns>
        public string? Evict()
        {
            ServedVersion? before;
            lock (this) (before, current, IsEvicted) = (current, null, true);
            before?.Release();
            return before?.Version;
        }
    }
}

/// <summary>A loaded version with the count of those who use it: the cache, and each lease.</summary>
sealed class ServedVersion(Predictor predictor, string version, string digest, long bytes, Action disposed)
{
    int users = 1;

    public Predictor Predictor => predictor;

    public string Version => version;

    public string Digest => digest;

    public long Bytes => bytes;

    /// <returns>False when its last user has left.</returns>
    public bool TryAcquire()
    {
        while (true)
        {
            int seen = Volatile.Read(ref users);
            if (seen == 0) return false;
            if (Interlocked.CompareExchange(ref users, seen + 1, seen) == seen) return true;
        }
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref users) != 0) return;
        predictor.Dispose();
        disposed();
    }
}
