using Scion.Registry;
using Scion.Storage;

namespace Scion.Datasets;

/// <summary>Uploads that no run can take up: they lie in no model's folder of <c>reviews</c> or <c>images</c>, or in one that no model can be called after.</summary>
public static class StrayUploads
{
    /// <summary>First segment of a name: the model's folder; "" for a file that lies in none.</summary>
    public static string FolderOf(string name) => name.IndexOf('/', StringComparison.Ordinal) is >= 0 and var slash ? name[..slash] : "";

    /// <summary>A sentence, with its code, for each file in no folder (D505) and for each folder with an unusable name (D506).</summary>
    public static IReadOnlyList<string> Among(DataKind kind, IEnumerable<BlobItem> items)
    {
        List<string> found = [];
        foreach (IGrouping<string, BlobItem> folder in items.GroupBy(item => FolderOf(item.Name)))
        {
            if (folder.Key.Length == 0) found.AddRange(folder.Select(item => DatasetFaults.InNoFolder(kind, item.Name)));
            else if (!ModelName.IsValid(folder.Key)) found.Add(DatasetFaults.FolderOfNoModel(kind, folder.Key, folder.Count()));
        }
        return found;
    }
}
