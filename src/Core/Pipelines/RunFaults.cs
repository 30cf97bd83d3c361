using Scion.Faults;

namespace Scion.Pipelines;

/// <summary>Refusals about runs.</summary>
public static class RunFaults
{
    public static InputRejectedException NotFound(string run) => new("L101", $"There is no run '{run}'.",
        "List the runs with 'scion runs list' or GET /api/runs.", Refusal.NotFound);
}
