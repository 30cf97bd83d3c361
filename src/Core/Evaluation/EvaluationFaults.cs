using Scion.Faults;

namespace Scion.Evaluation;

/// <summary>Refusals of evaluation.</summary>
static class EvaluationFaults
{
    const string Remedy = "Delete the run's folders in the container 'work' and start it again.";

    public static InputRejectedException Missing(string what) => new("E001", $"There is no {what} to evaluate.", Remedy);

    public static InputRejectedException OtherRows(string name, int rows, string than, int others) => new("E002",
        $"{name} was measured on {rows} rows that are not the {others} rows of {than}.", Remedy);
}
