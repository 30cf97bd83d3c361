namespace Scion.Datasets;

/// <summary>What a data set's rows are.</summary>
public enum DataKind
{
    Reviews,
    Images,
}

/// <summary>Names of the kinds of data sets.</summary>
public static class DataKinds
{
    /// <summary>Every kind.</summary>
    public static IReadOnlyList<DataKind> All { get; } = [DataKind.Reviews, DataKind.Images];

    /// <summary>The kind of a container, or null.</summary>
    public static DataKind? Of(string container) => container switch
    {
        "reviews" => DataKind.Reviews,
        "images" => DataKind.Images,
        _ => null,
    };

    extension(DataKind kind)
    {
        /// <summary>Container of its uploads, and its name everywhere: "reviews", "images".</summary>
        public string Container => kind == DataKind.Images ? "images" : "reviews";

        /// <summary>One of what is uploaded: "review", "picture".</summary>
        public string Item => kind == DataKind.Images ? "picture" : "review";

        /// <summary>One row of the data set: "row", "picture".</summary>
        public string Row => kind == DataKind.Images ? "picture" : "row";

        /// <summary>What copies have in common: "text", "picture".</summary>
        public string Content => kind == DataKind.Images ? "picture" : "text";

        /// <summary>What may be uploaded, for messages.</summary>
        public string Known => kind == DataKind.Images ? ImageFormats.Known : ReviewFormats.Known;

        /// <summary>True for a file that is read, by its name.</summary>
        public bool IsRead(string name) => kind == DataKind.Images ? ImageFormats.IsImageFile(name) : ReviewFormats.IsReviewFile(name);

        /// <summary>True for a file that is a whole data set, so that a run may start at once.</summary>
        public bool IsCompleteByItself(string name) => kind == DataKind.Images ? ImageFormats.IsCompleteByItself(name) : ReviewFormats.IsCompleteByItself(name);
    }
}
