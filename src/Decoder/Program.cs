// Reads pictures for the process that started it: requests on stdin, answers on stdout, until stdin ends. See Scion.Vision.PictureFrames.
using System.Diagnostics;
using Scion.Faults;
using Scion.Vision;

using Stream input = Console.OpenStandardInput();
using Stream output = Console.OpenStandardOutput();
using Process self = Process.GetCurrentProcess();
// The host kills sooner. This is for a host that died itself, when no one is left to.
using Timer overdue = new(_ => self.Kill());

// Made before saying hello, so that a decoder that cannot be loaded is told apart from a picture that cannot be read.
PictureDecoder.Decode(PictureFrames.Sample, new PictureFit(PictureFit.CurrentVersion, 16, 16, PictureResize.Squash, 0), new byte[16 * 16 * 3]);
PictureFrames.SayHello(output);

byte[] file = [], pixels = [];
while (PictureFrames.TryReadRequest(input, ref file, out int length, out PictureFit? fit))
{
    overdue.Change(PictureFrames.Overdue, Timeout.InfiniteTimeSpan);
    try
    {
        int size = Math.Clamp(fit!.Bytes, 0, PictureFrames.MaxPixelBytes);
        if (pixels.Length < size) pixels = new byte[size];
        PictureFacts facts = PictureDecoder.Decode(file.AsSpan(0, length), fit, pixels.AsSpan(0, size));
        PictureFrames.WriteFacts(output, facts, pixels.AsSpan(0, size));
    }
    catch (InputRejectedException refused)
    {
        PictureFrames.WriteRefusal(output, refused);
    }
    overdue.Change(Timeout.Infinite, Timeout.Infinite);
}
return 0;
