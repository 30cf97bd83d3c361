// A decoder that does what the file's text says instead of reading a picture: "hang", "crash", "exit", "eat", "babble", "shout", "crash-once PATH"; anything else it answers
// with its own process id as width. It is copied under several names: "…silent" says no hello, "…dead" ends at once.
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Scion.Vision;

string name = Path.GetFileNameWithoutExtension(Environment.ProcessPath!);
using Stream input = Console.OpenStandardInput();
using Stream output = Console.OpenStandardOutput();
if (name.EndsWith("dead", StringComparison.Ordinal))
{
    Console.Error.WriteLine("libSkiaSharp cannot be loaded");
    return 7;
}
if (name.EndsWith("silent", StringComparison.Ordinal)) Thread.Sleep(Timeout.Infinite);
PictureFrames.SayHello(output);
byte[] file = [];
List<byte[]> eaten = [];
while (PictureFrames.TryReadRequest(input, ref file, out int length, out PictureFit? fit))
{
    string[] order = Encoding.UTF8.GetString(file, 0, length).Split(' ', 2);
    switch (order[0])
    {
        case "hang":
            Thread.Sleep(Timeout.Infinite);
            break;
        case "crash":
            Process.GetCurrentProcess().Kill();
            Thread.Sleep(Timeout.Infinite);
            break;
        case "crash-once":
            if (!File.Exists(order[1]))
            {
                await File.WriteAllTextAsync(order[1], "");
                Process.GetCurrentProcess().Kill();
                Thread.Sleep(Timeout.Infinite);
            }
            break;
        case "exit":
            Console.Error.WriteLine("out of luck");
            return 3;
        case "eat":
            while (true)
            {
                byte[] bite = GC.AllocateUninitializedArray<byte>(16 << 20);
                for (int i = 0; i < bite.Length; i += 4096) bite[i] = 1;
                eaten.Add(bite);
            }
        case "babble":
            output.Write(Encoding.UTF8.GetBytes(new string('x', 100_000)));
            output.Flush();
            break;
        case "shout":
            for (int i = 0; i < 5000; i++) Console.Error.WriteLine(new string('!', 200));
            break;
    }
    PictureFrames.WriteFacts(output, new PictureFacts("jpeg", Environment.ProcessId, length, [Environment.GetEnvironmentVariable("SCION_SECRET") ?? "none"]), new byte[fit!.Bytes]);
}
return 0;
