using Scion.Datasets;
using Scion.Pipelines;

namespace Scion.Web;

/// <summary>What starts and stops training runs: each host has its own.</summary>
public interface ITrainingHost
{
    /// <summary>Pins what lies in <c>reviews/{model}/</c> or <c>images/{model}/</c> and starts its run, or finds the run that equal data and settings made.</summary>
    /// <returns>The run's status now; a finished one when there was nothing new to do.</returns>
    /// <exception cref="Faults.InputRejectedException">There is nothing to train on, the settings are wrong, or the model is of the other kind.</exception>
    Task<RunStatus> StartAsync(DataKind kind, string model, CancellationToken cancellation);

    /// <summary>Stops a run. One that has ended stays as it is.</summary>
    /// <returns>Its status now.</returns>
    /// <exception cref="Faults.InputRejectedException">There is no such run (L101).</exception>
    Task<RunStatus> CancelAsync(string run, CancellationToken cancellation);

    /// <summary>Stops a run for now; the step under way is given up and done again later. One that has ended stays as it is.</summary>
    /// <returns>Its status now.</returns>
    /// <exception cref="Faults.InputRejectedException">There is no such run (L101).</exception>
    Task<RunStatus> SuspendAsync(string run, CancellationToken cancellation);

    /// <summary>Lets a suspended run go on. Any other stays as it is.</summary>
    /// <returns>Its status now.</returns>
    /// <exception cref="Faults.InputRejectedException">There is no such run (L101).</exception>
    Task<RunStatus> ResumeAsync(string run, CancellationToken cancellation);
}
