// Every figure in docs/experiments.md comes from one of these commands: dotnet run --project bench -c Release -- NAME [arguments].
namespace Scion.Bench;

static class Program
{
    /// <summary>Name, what it measures, and how to run it with the remaining arguments.</summary>
    static readonly (string Name, string Measures, Func<string[], Task<int>> Run)[] Commands =
    [
        ("kill", "scion killed at random moments of training: [trials] [FILE with columns text,label] [seed]", KillBench.Run),
        ("faults", "a small training run with every storage operation failing in turn, and the process dying after every write", FaultBench.Run),
        ("ingest", "MB/s, rows/s and peak memory of a large CSV: [rows=1000000] [words=95] [labelled=10] [runs=3] [FILE with words] [from=FILE to ingest]", IngestBench.Run),
        ("features", "accuracy of sentence features from few labels, by options: FILE [key=v1,v2 …]", FeatureChoices.Run),
        ("few-labels", "accuracy of bag of words, scratch and transfer from n labels per class, by head: FILE [n=4,8 draws=10 strengths=yes key=value …]", FewLabels.Run),
        ("labels", "accuracy from n labels per class as training and serving do it, by encoder and by the choice among them: FILE… [held=2000] [draws=10] [n=4,8,16,64,256,1000] [encoders=own,default,continued] [rows=0] [sets=yes] [head=auto]", LabelBench.Run),
        ("image-labels", "accuracy from n labelled pictures per class, by layer, beside pixels and the untrained network: FOLDER ENCODER.onnx [preset=bgr] [resize=pad] [n=4,10,25,50] [draws=5] [tasks=all;a,b] [sets=all] [baselines=no]", ImageLabels.Run),
        ("image-extract", "pictures a second of extraction beside decoding and ONNX Runtime alone; the second run; peak memory: FOLDER ENCODER.onnx [preset=bgr] [pictures=2000] [rounds=1] [alone=no] [decoder=PROGRAM]", ImageExtract.Run),
        ("heads", "time of choosing and fitting a head; optimum and time beside scikit-learn's; both steps on a file: [rounds=1] [FILE [ROWS]]", HeadsBench.Run),
        ("words", "words a second of the skip-gram trainer beside plain loops: FILE [THREADS, 2 if not given]", WordsBench.Run),
        ("peers", "what bench/peers.sh needs of ours: tokens FOLDER OUT, train TOKENS, quality LABELLED REFERENCE VECTORS …", PeersBench.Run),
        ("kernels", "BenchmarkDotNet on the trainer's step, the tokenizer and the sentence encoder, with bytes allocated: [BenchmarkDotNet's arguments]", KernelsBench.Run),
        ("limits", "multiply-adds a second and bytes a second from each cache and memory, on one core and all", LimitsBench.Run),
        ("shards", "accuracy of word vectors averaged over shards each round beside one machine's: FILE [shards=4] [rounds=N] [averages=product] [n=64,256] [draws=10] [seeds=3] [rows=0] [key=value …]", ShardsBench.Run),
        ("transfer", "the demo's experiment on its 72 reviews, by options: [key=v1,v2 …]", TransferBench.Run),
        ("storage", "the file store's writes, reads and listing beside plain files: [blobs] [listed] [FOLDER on the disk to measure]", StorageBench.Run),
        ("predict-parts", "where the time of one prediction goes", PredictParts.RunAsync),
        ("serve-load", "predictions a second over HTTP, beside a bare server [--connections N] [--seconds N] [--rounds N] [--words N] [--texts N] [--explain]", ServeLoad.RunAsync),
        ("pictures", "time of reading a photo: Skia alone, decode and fit, through processes: FOLDER [photos=300] [rounds=8]", PicturesBench.RunAsync),
        ("pictures-fuzz", "damaged pictures read or refused with a code, in processes of their own: [files a format=10000] [seed]", PicturesFuzz.RunAsync),
        ("near-copies", "copies of photos that are found, different photos taken for copies, time of 100,000: FOLDER [every=5] [SHEET.png of the closest pairs]", NearCopiesBench.Run),
        ("serve-pictures", "time of one photo over HTTP beside decode and ONNX Runtime alone, and photos a second under load: DATA MODEL PHOTOS [--decoder PATH] [--connections N] [--seconds N] [--photos N]", ServePictures.RunAsync),
        ("default-encoder", "the default image encoder beside pixels, the same network untrained and an ImageNet network, on photos it never saw: FOLDER [NETWORK.onnx] [key=value …]", DefaultEncoderBench.Run),
        ("package-fuzz", "changed packages read or refused with a code: FOLDER-OF-A-VERSION [seconds] [seed]", PackageFuzz.RunAsync),
        ("encoders-fuzz", "changed networks refused with a code or run: [files=10000] [seed] [FILE.onnx]", EncodersFuzz.RunAsync),
        ("dresses", "how alike the drawn dresses of two classes look; a contact sheet: [count=300] [sheet=FILE.png pairs=32 seed=1]", DressBench.Run),
        ("dress-transfer", "drawn dresses told apart from n pictures a class by pixels, a network from scratch, encoders: [n=10,20,40] [draws=5] [test=120] [encoder=FILE.onnx,…]", DressTransfer.Run),
    ];

    static async Task<int> Main(string[] arguments)
    {
        foreach ((string name, _, Func<string[], Task<int>> run) in Commands)
            if (arguments.Length > 0 && arguments[0] == name) return await run(arguments[1..]);
        Console.Error.WriteLine("Usage: dotnet run --project bench -c Release -- NAME [arguments]");
        foreach ((string name, string measures, _) in Commands) Console.Error.WriteLine($"  {name,-12} {measures}");
        return 2;
    }
}
