using Scion.Functions.Training;

namespace Scion.Functions.Gpu;

/// <summary>Queues of the GPU apps and of their answers, on connection <see cref="Connection"/>.</summary>
static class GpuQueues
{
    /// <summary>Connection of the queues that only Scion writes.</summary>
    public const string Connection = "ScionQueues";

    public const string Pretrain = "gpu-pretrain";

    public const string Extract = "gpu-extract";

    /// <summary>What became of the steps that GPUs took.</summary>
    public const string Results = "step-results";

    /// <summary>Added by the host to the name of a queue whose message it gave up.</summary>
    public const string Poison = "-poison";
}

/// <summary>A step to be done by a GPU app.</summary>
/// <param name="Queue">Where it goes.</param>
/// <param name="Instance">Orchestration that waits.</param>
/// <param name="Event">Event it waits for.</param>
/// <param name="Step">Name of the step.</param>
/// <param name="Call">The step's call.</param>
sealed record GpuOrder(string Queue, string Instance, string Event, string Step, StepCall Call);

/// <summary>The message in a GPU queue; the call itself lies in a blob, as messages hold 48 KB.</summary>
/// <param name="Instance">Orchestration that waits.</param>
/// <param name="Event">Event it waits for.</param>
/// <param name="Step">Name of the step.</param>
/// <param name="Call">Path of the blob with the <see cref="StepCall"/>.</param>
/// <param name="SentAt">When it was sent.</param>
sealed record GpuWork(string Instance, string Event, string Step, string Call, DateTimeOffset SentAt);

/// <summary>What takes a message back while nobody has taken it.</summary>
sealed record GpuTicket(string Queue, string MessageId, string PopReceipt);

/// <summary>A GPU app's answer, in queue <see cref="GpuQueues.Results"/> and as the event: the step's output is kept under its memo.</summary>
/// <param name="Instance">Orchestration that waits.</param>
/// <param name="Event">Event it waits for.</param>
/// <param name="Fault">Why the step was not done; null when its answer is kept.</param>
sealed record GpuDone(string Instance, string Event, StepFault? Fault);
