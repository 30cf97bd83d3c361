using System.Globalization;
using Scion.Faults;

namespace Scion.Heads;

/// <summary>Refusals of head training.</summary>
static class HeadFaults
{
    public static InputRejectedException TooFewRows(string label, int rows) => new("H001",
        $"Class '{label}' has {(rows == 0 ? "no training row" : "1 training row")} and needs 2.",
        "Label more rows of it, merge it into another class, or remove it.");

    public static InputRejectedException NoTestRows() => new("H002",
        "The data set says that rows are held out, and holds out none.",
        "Mark rows as test in the split column, or remove that column; then start the run again.");

    public static InputRejectedException FeaturesDiffer(string fact) => new("H003",
        $"The features do not belong to the data set: {fact}", "Delete the run's folder in the container 'work' and start it again.");

    public static InputRejectedException UnknownHead(string head) => new("H004",
        $"head is '{head}'; 'auto', 'logistic' and 'nearest-mean' are known.", "Change head in dataset.json or with --set head=auto.");

    public static InputRejectedException TooManyFeatures(int rows, int dim) => new("H006",
        string.Create(CultureInfo.InvariantCulture, $"{rows:n0} labelled rows of {dim:n0} components are {(long)rows * dim:n0} numbers; at most {Array.MaxLength:n0} are learned from."),
        "Set a smaller embedding.dim, or leave some labels out: far fewer rows tell as much.");

    public static InputRejectedException OneClass(int classes) => new("H005",
        $"The data set has {classes} {(classes == 1 ? "class" : "classes")}; telling classes apart needs 2.", "Label rows of another class too.");
}
