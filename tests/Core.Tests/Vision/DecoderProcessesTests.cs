using System.Diagnostics;
using System.Text;
using Scion.Faults;
using Scion.Vision;

namespace Scion.Tests.Vision;

/// <summary>Pictures read in other processes; those that fail are played by tests/FaultyDecoder.</summary>
public sealed class DecoderProcessesTests : IDisposable
{
    static readonly PictureFit Fit = new(1, 24, 32, PictureResize.Squash, 0);

    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("scion-decoder-");

    public void Dispose() => folder.Delete(recursive: true);

    static DecoderOptions Real(int processes = 1) => DecoderOptions.Beside(AppContext.BaseDirectory, processes);

    static DecoderOptions Faulty(int processes = 1) => new(Program("FaultyDecoder"), processes) { Timeout = TimeSpan.FromSeconds(2) };

    static string Program(string name) => Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? name + ".exe" : name);

    static ValueTask<PictureFacts> ReadAsync(DecoderProcesses pool, string order, CancellationToken cancellation = default) =>
        pool.ReadAsync(Encoding.UTF8.GetBytes(order), Fit, new byte[Fit.Bytes], cancellation);

    static async Task<InputRejectedException> RefusalAsync(DecoderProcesses pool, string order) => await Assert.ThrowsAsync<InputRejectedException>(async () => await ReadAsync(pool, order));

    [Fact]
    public async Task Read_PicturesOfEveryKind_AnswersAsInThisProcess()
    {
        await using DecoderProcesses pool = new(Real(2), TimeProvider.System);
        InProcessPictures here = new();
        byte[][] files = [.. new[] { "jpeg", "progressive", "cmyk", "png", "interlaced", "webp", "lossless", "animated" }.Select(kind => PictureRefusalsTests.Sample(kind)),
            [], "GIF89a"u8.ToArray(), PictureFiles.Jpeg(40, 30)[..300], PictureFiles.Oriented(PictureFiles.Jpeg(600, 400), 6), new byte[PictureDecoder.MaxBytes + 1]];

        for (int round = 0; round < 3; round++)
            await Task.WhenAll(files.Select(async file =>
            {
                byte[] expected = new byte[Fit.Bytes], got = new byte[Fit.Bytes];
                string answer = await AnswerAsync(here, file, expected);
                Assert.Equal(answer, await AnswerAsync(pool, file, got));
                if (answer[0] != 'V') Assert.Equal(expected, got);
            }));
        Assert.InRange(pool.Waiting.Count(), 1, 2);

        static async Task<string> AnswerAsync(IPictureReader reader, byte[] file, byte[] pixels)
        {
            try
            {
                PictureFacts facts = await reader.ReadAsync(file, Fit, pixels, default);
                return $"{facts.Format} {facts.Width} {facts.Height} {string.Join(' ', facts.Warnings)}";
            }
            catch (InputRejectedException refusal)
            {
                return $"{refusal.Message} ({refusal.Kind})";
            }
        }
    }

    [Fact]
    public async Task Read_PictureThatHangs_IsRefusedAfterTwoTriesAndTheNextIsRead()
    {
        await using DecoderProcesses pool = new(Faulty(), TimeProvider.System);
        int first = (await ReadAsync(pool, "fine")).Width;

        InputRejectedException refusal = await RefusalAsync(pool, "hang");

        Assert.Equal("V009: The picture was not decoded in 2 s, in two tries. Upload the original again, or leave it out.", refusal.Message);
        Assert.NotEqual(first, (await ReadAsync(pool, "fine")).Width);
        Assert.False(IsAlive(first));
    }

    [Theory]
    [InlineData("crash", "it ended with 137")]
    [InlineData("exit", "it ended with 3 after saying: out of luck")]
    [InlineData("babble", "it was ended")]
    public async Task Read_PictureThatKillsTheProcess_IsRefusedAndTheNextIsRead(string order, string how)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() && order == "crash", "Exit codes of killed processes are those of Unix.");
        await using DecoderProcesses pool = new(Faulty(), TimeProvider.System);

        InputRejectedException refusal = await RefusalAsync(pool, order);

        Assert.Equal($"V010: The process that decodes pictures died of it, in two tries: {how}. Upload the original again, or leave it out.", refusal.Message);
        Assert.Equal(4, (await ReadAsync(pool, "fine")).Height);
    }

    [Fact]
    public async Task Read_PictureThatTakesTooMuchMemory_IsRefused()
    {
        await using DecoderProcesses pool = new(Faulty() with { MemoryBytes = 300 << 20, Timeout = TimeSpan.FromSeconds(30) }, TimeProvider.System);

        InputRejectedException refusal = await RefusalAsync(pool, "eat");

        Assert.Equal("V011", refusal.Code);
        Assert.EndsWith("MiB, in two tries; 300 are allowed.", refusal.Fact, StringComparison.Ordinal);
        Assert.Equal(4, (await ReadAsync(pool, "fine")).Height);
    }

    [Fact]
    public async Task Read_ProcessThatDiesOnce_IsTriedAgain()
    {
        await using DecoderProcesses pool = new(Faulty(), TimeProvider.System);

        PictureFacts facts = await ReadAsync(pool, "crash-once " + Path.Combine(folder.FullName, "died"));

        Assert.Equal(Assert.Single(pool.Waiting), facts.Width);
    }

    [Fact]
    public async Task Read_ProcessKilledWhileItWaited_IsTriedInAFreshOne()
    {
        await using DecoderProcesses pool = new(Faulty(), TimeProvider.System);
        int first = (await ReadAsync(pool, "fine")).Width;
        using Process process = Process.GetProcessById(first);
        process.Kill();
        await process.WaitForExitAsync();

        Assert.NotEqual(first, (await ReadAsync(pool, "fine")).Width);
    }

    [Fact]
    public async Task Read_ProcessThatFloodsStderr_IsNotHeldUp()
    {
        await using DecoderProcesses pool = new(Faulty(), TimeProvider.System);

        Assert.Equal(5, (await ReadAsync(pool, "shout")).Height);
    }

    [Fact]
    public async Task Read_ManyWithSomeThatKill_HarmsNoOther()
    {
        await using DecoderProcesses pool = new(Faulty(2), TimeProvider.System);

        string[] answers = await Task.WhenAll(Enumerable.Range(0, 24).Select(async i =>
        {
            if (i % 6 == 5) return (await RefusalAsync(pool, "crash")).Code;
            return (await ReadAsync(pool, new string('a', i + 10))).Height == i + 10 ? "read" : "another's answer";
        }));

        Assert.Equal(Enumerable.Range(0, 24).Select(i => i % 6 == 5 ? "V010" : "read"), answers);
    }

    [Fact]
    public async Task Read_Cancelled_StopsWaitingAndTheNextIsRead()
    {
        await using DecoderProcesses pool = new(Faulty() with { Timeout = TimeSpan.FromMinutes(1) }, TimeProvider.System);
        await ReadAsync(pool, "fine");
        using CancellationTokenSource cancel = new();

        ValueTask<PictureFacts> hanging = ReadAsync(pool, "hang", cancel.Token);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await hanging);
        Assert.Equal(4, (await ReadAsync(pool, "fine")).Height);
    }

    [Fact]
    public async Task Read_InheritedEnvironment_HoldsNoSecret()
    {
        Environment.SetEnvironmentVariable("SCION_SECRET", "key");
        await using DecoderProcesses pool = new(Faulty(), TimeProvider.System);

        Assert.Equal("none", Assert.Single((await ReadAsync(pool, "fine")).Warnings));
    }

    [Fact]
    public async Task Start_ProgramMissing_SaysWhereItShouldBe()
    {
        string path = Path.Combine(folder.FullName, "Scion.Decoder");
        await using DecoderProcesses pool = new(new DecoderOptions(path, 1), TimeProvider.System);

        InvalidOperationException fault = await Assert.ThrowsAsync<InvalidOperationException>(async () => await ReadAsync(pool, "fine"));

        Assert.StartsWith($"V013: The program that decodes pictures does not start: {path} (", fault.Message, StringComparison.Ordinal);
        Assert.EndsWith("Build or install Scion again; it lies beside the host's own program.", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("dead", "it ended with 7 after saying: libSkiaSharp cannot be loaded")]
    [InlineData("silent", "it was not ready after 3 s")]
    public async Task Start_ProgramThatIsNotReady_SaysWhy(string name, string how)
    {
        string path = Program("FaultyDecoder-" + name);
        File.Copy(Program("FaultyDecoder"), path, overwrite: true);
        await using DecoderProcesses pool = new(new DecoderOptions(path, 1) { StartTimeout = TimeSpan.FromSeconds(3) }, TimeProvider.System);

        InvalidOperationException fault = await Assert.ThrowsAsync<InvalidOperationException>(async () => await ReadAsync(pool, "fine"));

        Assert.Contains($"({how})", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dispose_AfterManyProcesses_LeavesNoneAndNoDescriptor()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Descriptors are counted in /proc.");
        List<int> ids = [];
        int before = 0;
        for (int round = 0; round < 6; round++)
        {
            await using (DecoderProcesses pool = new(Faulty(2), TimeProvider.System))
            {
                ids.AddRange((await Task.WhenAll(ReadAsync(pool, "fine").AsTask(), ReadAsync(pool, "fine").AsTask())).Select(facts => facts.Width));
                await RefusalAsync(pool, "crash");
            }
            if (round == 1) before = Directory.GetFileSystemEntries("/proc/self/fd").Length;
        }

        Assert.InRange(Directory.GetFileSystemEntries("/proc/self/fd").Length, 0, before + 8);       // other tests run meanwhile
        Assert.All(ids, id => Assert.False(IsAlive(id)));
    }

    [Fact]
    public async Task Process_WhoseHostIsGone_Ends()
    {
        using Process process = System.Diagnostics.Process.Start(new ProcessStartInfo(Real().Executable) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        await PictureFrames.HearHelloAsync(process.StandardOutput.BaseStream, default);

        process.StandardInput.Close();

        await process.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token);
        Assert.Equal(0, process.ExitCode);
    }

    [Theory]
    [InlineData(0, 0x7FFFFFFF)]
    [InlineData(0x31517053, -1)]
    [InlineData(0x31517053, 0x7FFFFFFF)]
    public void Request_WithAHostileLength_IsNotReadFurther(int mark, int length)
    {
        MemoryStream request = new();
        foreach (int value in new[] { mark, 1, 16, 16, 0, 0, length }) request.Write(BitConverter.GetBytes(value));
        request.Position = 0;
        byte[] file = [];

        Assert.Throws<InvalidDataException>(() => PictureFrames.TryReadRequest(request, ref file, out _, out _));
        Assert.Empty(file);
    }

    static bool IsAlive(int id)
    {
        try
        {
            using Process process = Process.GetProcessById(id);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
