using System.CommandLine;
using System.Globalization;
using Scion.Local.Terminal;
using Scion.Text;

namespace Scion.Local.Commands;

/// <summary><c>scion encoders</c>: word vectors made elsewhere.</summary>
static class EncodersCommand
{
    public static Command Create()
    {
        Argument<string> file = new("FILE") { Description = "Word vectors: word2vec text or binary, or GloVe." };
        Command list = new("list", "Imported encoders.");
        Command import = new("import", "Checks a word vector file whole and keeps it; train with it by --set encoder=NAME.") { file };
        return new Command("encoders", "Lists and imports word vectors made elsewhere.")
        {
            list.Does(async call => Show(call, await WordVectorImport.ListAsync(call.Store, call.Cancellation))),
            import.Does(call => ImportAsync(call, call.Get(file))),
        };
    }

    static async Task<int> ImportAsync(Invocation call, string path)
    {
        if (!File.Exists(path)) throw LocalFaults.NoSuchPath(path);
        await using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        EncoderCard card = await WordVectorImport.AddAsync(call.Store, file, Path.GetFileName(path), call.Cancellation);
        call.Screen.Document(card);
        call.Screen.Line($"{N(card.Words)} words of {card.Dim} components");
        call.Screen.Line($"Train with it: scion train reviews PATH --model NAME --set encoder={card.Name}");
        return Exit.Done;
    }

    static int Show(Invocation call, IReadOnlyList<EncoderCard> encoders)
    {
        call.Screen.Document(new { encoders });
        if (encoders.Count == 0) call.Screen.Line("No encoders yet. Import word vectors: scion encoders import FILE");
        foreach (string line in TextTable.Lines(["encoder", "words", "dim", "from"],
            encoders.Select(card => new[] { card.Name, N(card.Words), card.Dim.ToString(CultureInfo.InvariantCulture), card.Source }), right: [1, 2]))
            call.Screen.Line(line.Escaped());
        return Exit.Done;
    }

    static string N(long number) => number.ToString("n0", CultureInfo.InvariantCulture);
}
