using Scion.Vision;
using TorchSharp;
using static TorchSharp.torch;

namespace Scion.Torch;

/// <summary>Pretrains an image encoder: it learns to name the classes of labelled photos, and the forms and colours of formula images.</summary>
/// <remarks>Stochastic gradient descent with momentum; weights are averaged over late steps. Workers share the weights of a step and each
/// computes the gradient of its part of the batch on one core; the sum is one step (synchronous data parallelism), so that the pace does not fall apart
/// when other work takes a core. Every picture is drawn from its own random stream: on one machine the same options give the same weights on the CPU, and a training taken up
/// from its checkpoint goes on as if it had never stopped.</remarks>
public sealed class ImageEncoderTrainer : IDisposable
{
    const double Momentum = 0.9, Late = 0.98;

    /// <summary>Steps over which weights are averaged, at most.</summary>
    const double Averaged = 500;

    readonly ImageEncoderOptions options;
    readonly TrainingPhotos photos;
    readonly FormulaImages formulas;
    readonly Device device;
    readonly EncoderWeights weights;
    readonly TimeProvider clock;
    readonly string identity;
    readonly Worker[] workers;
    readonly double[] late = new double[5];

    /// <param name="options">What to do.</param>
    /// <param name="photos">Photos to learn from; <see cref="TrainingPhotos.None"/> for formula images alone.</param>
    /// <param name="identity">What the training is of: a checkpoint of another is not taken up.</param>
    /// <param name="clock">Tells the time trained.</param>
    public ImageEncoderTrainer(ImageEncoderOptions options, TrainingPhotos photos, string identity, TimeProvider clock)
    {
        if (options.Steps is null == options.Time is null) throw new ArgumentException("Either steps or a time is given.", nameof(options));
        if (options.Batch % (options.Workers * 8) != 0) throw new ArgumentException($"A batch of {options.Batch} is no multiple of 8 · {options.Workers} workers.", nameof(options));
        (this.options, this.photos, this.identity, this.clock) = (options, photos, identity, clock);
        device = options.Cuda ? new Device(DeviceType.CUDA, 0) : CPU;
        formulas = new FormulaImages(options.Seed, options.Shapes, options.Palettes, options.Side);
        weights = EncoderWeights.Start(options, photos.Classes.Count, device);
        workers = [.. Enumerable.Range(0, options.Workers).Select(_ => new Worker(this))];
    }

    /// <summary>Steps done, of all runs.</summary>
    public long Step => weights.Step;

    /// <summary>Averaged weights by name.</summary>
    internal IReadOnlyDictionary<string, Tensor> Average => weights.Average;

    /// <summary>Part of the training that is done, in [0, 1].</summary>
    public double Part => Math.Min(1, options.Steps is { } steps ? (double)weights.Step / steps : weights.Trained / options.Time!.Value);

    internal EncoderArchitecture Architecture => options.Architecture;

    /// <summary>Features by the averaged weights, in float32.</summary>
    /// <param name="pixels">uint8 [pictures, side, side, 3].</param>
    /// <param name="pictures">Number of pictures.</param>
    /// <param name="side">Pixels of their side.</param>
    /// <returns>[pictures, features].</returns>
    public float[] Features(byte[] pixels, int pictures, int side)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        Tensor features = EncoderNetwork.Forward(options.Architecture, tensor(pixels, [pictures, side, side, 3], ScalarType.Byte, device), weights.Average, training: false);
        return [.. features.cpu().data<float>()];
    }

    /// <summary>True where convolutions in bfloat16 take less time than in float32: on processors that compute in it.</summary>
    public static bool BFloat16IsFaster()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = rand(16, 24, 24, 32).permute(0, 3, 1, 2), w = rand(64, 32, 3, 3);
        double Time(ScalarType type)
        {
            using DisposeScope own = NewDisposeScope();
            Tensor weight = w.to(type, copy: true);
            weight.requires_grad = true;
            long started = System.Diagnostics.Stopwatch.GetTimestamp();
            nn.functional.conv2d(x.to(type), weight, padding: [1, 1]).sum().backward();
            return System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalSeconds;
        }
        double half = double.MaxValue, whole = double.MaxValue;
        for (int i = 0; i < 30; i++)        // in turns, and the best of many: other work on the cores must not decide
        {
            half = Math.Min(half, Time(ScalarType.BFloat16));
            whole = Math.Min(whole, Time(ScalarType.Float32));
        }
        return half < whole;
    }

    /// <summary>Takes up a checkpoint.</summary>
    /// <returns>False when it is of another training, or damaged.</returns>
    public bool TryResume(Stream checkpoint) => weights.TryLoad(checkpoint, identity);

    /// <summary>Writes a checkpoint.</summary>
    public void Save(Stream checkpoint) => weights.Save(checkpoint, identity);

    /// <summary>Trains to the end, or until <paramref name="until"/> says so after a step.</summary>
    /// <param name="progress">Called after every step.</param>
    /// <param name="until">True: stop here; the training can go on later.</param>
    /// <param name="cancellation">Stops the work within a step, which is lost.</param>
    /// <exception cref="Faults.InputRejectedException">The weights are no longer finite (V097).</exception>
    public void Train(Action<ImageEncoderProgress>? progress, Func<bool>? until, CancellationToken cancellation)
    {
        if (Part >= 1) return;
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        long started = clock.GetTimestamp(), first = weights.Step;
        TimeSpan before = weights.Trained;
        double partBefore = Part;
        bool done = false;
        Exception? fault = null;
        using Barrier barrier = new(workers.Length, _ =>
        {
            using DisposeScope scope = NewDisposeScope();
            using IDisposable noGradient = no_grad();
            Update();
            weights.Trained = before + clock.GetElapsedTime(started);
            double seconds = clock.GetElapsedTime(started).TotalSeconds, gone = Part - partBefore;
            progress?.Invoke(new ImageEncoderProgress(weights.Step, Part, (weights.Step - first) * options.Batch / Math.Max(1e-9, seconds),
                gone > 0 ? TimeSpan.FromSeconds(seconds * (1 - Part) / gone) : null, photos.Labels.Count == 0 ? double.NaN : Mean(0), Mean(1), Mean(2), Mean(3), Mean(4)));
            done = Part >= 1 || until?.Invoke() == true;
        });
        void Work(int index)
        {
            try
            {
                set_num_threads(1);
                while (!done)
                {
                    using (NewDisposeScope()) workers[index].Gradient(index);
                    barrier.SignalAndWait(stop.Token);
                }
            }
            catch (Exception error)
            {
                Interlocked.CompareExchange(ref fault, error, null);
                stop.Cancel();
            }
        }
        Thread[] threads = [.. workers.Select((_, index) => new Thread(() => Work(index)) { IsBackground = true })];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        if (fault is BarrierPostPhaseException { InnerException: { } inner }) fault = inner;
        if (fault is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(fault);
    }

    double Mean(int i) => late[i] / (1 - Math.Pow(Late, Math.Max(1, weights.Step - lateSince)));

    long lateSince = -1;

    /// <summary>One step of the weights along the sum of the workers' gradients.</summary>
    void Update()
    {
        double part = Part;
        double rate = options.Rate * (part < options.WarmUp ? (part / options.WarmUp) + 1e-3 : 0.5 * (1 + Math.Cos(Math.PI * (part - options.WarmUp) / (1 - options.WarmUp))));
        double kept = 1 - (1 / Math.Min(Averaged, 1 + (weights.Step / 10.0)));
        foreach ((string name, Tensor weight) in weights.Current)
        {
            if (!EncoderWeights.Learned(name))
            {
                Tensor mean = workers.Select(worker => worker.Leaves[name]).Aggregate((a, b) => a + b) / workers.Length;
                weight.copy_(mean);
            }
            else if (workers[0].Leaves[name].grad is not null)         // a head without pictures has none
            {
                Tensor gradient = workers.Select(worker => worker.Leaves[name].grad!.to(ScalarType.Float32)).Aggregate((a, b) => a + b) / workers.Length;
                if (name.EndsWith(".weight", StringComparison.Ordinal)) gradient.add_(weight, alpha: options.WeightDecay);
                Tensor momentum = weights.Momenta[name];
                momentum.mul_(Momentum).add_(gradient);
                weight.add_(gradient.add_(momentum, alpha: Momentum), alpha: -rate);
            }
            weights.Average[name].mul_(kept).add_(weight, alpha: 1 - kept);
        }
        if (lateSince < 0) lateSince = weights.Step;
        for (int i = 0; i < late.Length; i++)
        {
            double of = workers.Average(worker => worker.Measured[i]);
            late[i] = (Late * late[i]) + ((1 - Late) * of);
            if (!double.IsFinite(of)) throw TorchFaults.Diverged(weights.Step, options.Rate);
        }
        weights.Step++;
    }

    public void Dispose()
    {
        foreach (Worker worker in workers) worker.Dispose();
        weights.Dispose();
    }

    /// <summary>A thread's own copy of the weights, with gradients.</summary>
    sealed class Worker : IDisposable
    {
        readonly ImageEncoderTrainer trainer;
        readonly PretrainingBatch batch;

        public Worker(ImageEncoderTrainer trainer)
        {
            this.trainer = trainer;
            batch = new PretrainingBatch(trainer.options, trainer.photos, trainer.formulas);
            foreach ((string name, Tensor weight) in trainer.weights.Current)
            {
                bool convolution = weight.Dimensions == 4;
                Tensor leaf = (convolution && trainer.options.BFloat16 ? weight.to(ScalarType.BFloat16) : weight.clone()).DetachFromDisposeScope();
                if (EncoderWeights.Learned(name)) leaf.requires_grad = true;
                Leaves[name] = leaf;
            }
        }

        public Dictionary<string, Tensor> Leaves { get; } = [];

        /// <summary>Of the last step: loss of photos, forms, colours; share of forms and of colours right.</summary>
        public double[] Measured { get; } = new double[5];

        /// <summary>Computes the gradient of this worker's part of the next step.</summary>
        public void Gradient(int index)
        {
            ImageEncoderOptions options = trainer.options;
            Device device = trainer.device;
            using (no_grad())
                foreach ((string name, Tensor leaf) in Leaves)
                {
                    leaf.copy_(trainer.weights.Current[name]);
                    leaf.grad?.zero_();
                }
            batch.Draw(trainer.weights.Step, index);
            Tensor features = EncoderNetwork.Forward(options.Architecture, batch.Pixels(device), Leaves, training: true);
            Tensor loss = zeros(1, device: device);
            if (batch.Photos > 0)
            {
                Tensor logits = Head("photos", features.narrow(0, 0, batch.Photos));
                Tensor photoLoss = (logits.log_softmax(1) * batch.Targets(device)).sum(1).mean().neg();
                loss = loss + photoLoss;
                Measured[0] = photoLoss.item<float>();
            }
            Tensor drawn = features.narrow(0, batch.Photos, batch.Pictures - batch.Photos);
            if (batch.Photos < batch.Pictures)
            {
                (Tensor shapeLoss, Measured[3]) = Told("shapes", drawn, batch.Shapes(device));
                (Tensor paletteLoss, Measured[4]) = Told("palettes", drawn, batch.Palettes(device));
                loss = loss + (shapeLoss * options.ShapeLoss) + (paletteLoss * options.PaletteLoss);
                (Measured[1], Measured[2]) = (shapeLoss.item<float>(), paletteLoss.item<float>());
            }
            loss.backward();
        }

        Tensor Head(string name, Tensor features) => nn.functional.linear(features, Leaves[$"{name}.weight"], Leaves[$"{name}.bias"]);

        (Tensor Loss, double Right) Told(string head, Tensor features, Tensor labels)
        {
            Tensor logits = Head(head, features);
            double right = logits.argmax(1).eq(labels).to(ScalarType.Float32).mean().item<float>();
            return (nn.functional.cross_entropy(logits, labels), right);
        }

        public void Dispose()
        {
            foreach (Tensor leaf in Leaves.Values) leaf.Dispose();
        }
    }
}
