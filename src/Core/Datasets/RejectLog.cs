using System.Text;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Datasets;

/// <summary>What was refused, as CSV with columns file,line,code,reason. Bounded: what is beyond the bound is counted in a last line.</summary>
sealed class RejectLog
{
    /// <summary>Most lines.</summary>
    public const int MaxLines = 100_000;

    readonly StringBuilder csv = new("file,line,code,reason\n");
    readonly SortedDictionary<string, long> unlisted = new(StringComparer.Ordinal);

    /// <summary>Everything refused, listed or not.</summary>
    public long Count { get; private set; }

    /// <summary>The first refusal as people read it: file, line, code and reason.</summary>
    public string? First { get; private set; }

    /// <param name="file">File, and entry after a '/'.</param>
    /// <param name="line">From 1; 0 when it is the whole file or entry.</param>
    /// <param name="code">As in docs/errors.md.</param>
    /// <param name="reason">Fact and remedy.</param>
    public void Add(string file, long line, string code, string reason)
    {
        First ??= $"{DatasetFaults.Printable(file)}{(line == 0 ? "" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $", line {line}"))}: {code}: {reason}";
        if (++Count > MaxLines)
        {
            unlisted[code] = unlisted.GetValueOrDefault(code) + 1;
            return;
        }
        ExportCsv.Append(csv, file, line == 0 ? "" : line.ToString(System.Globalization.CultureInfo.InvariantCulture), code, reason);
    }

    /// <summary>Stores the list, or nothing when nothing was refused.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="name">Blob name.</param>
    /// <param name="file">What the last line, if any, is about.</param>
    /// <param name="cancellation">Stops the write.</param>
    public async Task<ArtifactRef?> StoreAsync(StepWriter writer, string name, string file, CancellationToken cancellation)
    {
        if (Count == 0) return null;
        if (unlisted.Count > 0)
        {
            RowFault more = DatasetFaults.MoreRefused(unlisted.Values.Sum());
            ExportCsv.Append(csv, file, "", more.Code, $"{more.Reason} By code: {string.Join(", ", unlisted.Select(code => $"{code.Key} {code.Value}"))}.");
        }
        return await writer.AddAsync(name, Encoding.UTF8.GetBytes(csv.ToString()), cancellation);
    }
}
