namespace Scion.Pipelines;

/// <summary>Fan-out in replayed code: the window of calls that <see cref="ITrainingSteps.FanOut"/> keeps.</summary>
public static class StepWindow
{
    /// <summary>Calls of one step under way at once. Bounds a host's queue and Durable's fan-in.</summary>
    public const int Size = 32;

    /// <summary>Memory one call may need besides its data: buffers of a file being read, a shard, a table of rows.</summary>
    const long BytesPerCall = 512L << 20;

    /// <summary>Calls at once on this machine: one a core, fewer when memory is short.</summary>
    public static int CallsAtOnce => (int)Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / BytesPerCall, 1, Environment.ProcessorCount);

    /// <summary>Calls a step for each input, at most <see cref="Size"/> at once; answers in the order of the inputs.</summary>
    public static async Task<TOutput[]> FanOut<TInput, TOutput>(
        ITrainingSteps steps, string step, IReadOnlyList<TInput> inputs, Func<TInput, Task<TOutput>> call)
    {
        await steps.Report(new RunStage(step, 0, inputs.Count));
        Task<TOutput>[] calls = new Task<TOutput>[inputs.Count];
        List<Task> underWay = new(Size);
        int started = 0, done = 0;
        while (done < inputs.Count)
        {
            while (started < inputs.Count && underWay.Count < Size) underWay.Add(calls[started] = call(inputs[started++]));
            Task finished = await Task.WhenAny(underWay);
            await finished;
            underWay.Remove(finished);
            await steps.Report(new RunStage(step, ++done, inputs.Count));
        }
        return [.. calls.Select(call => call.Result)];
    }
}
