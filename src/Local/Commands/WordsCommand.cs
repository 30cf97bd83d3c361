using System.CommandLine;
using System.Globalization;
using Scion.Serving;
using Scion.Text;

namespace Scion.Local.Commands;

/// <summary><c>scion words MODEL WORD</c>: the embedding, inspected.</summary>
static class WordsCommand
{
    public static Command Create()
    {
        Argument<string> model = new("MODEL") { Description = "Name of the model." };
        Argument<string> word = new("WORD") { Description = "A word, as people write it." };
        Option<int> count = new("--count") { Description = "Neighbours to print.", HelpName = "N", DefaultValueFactory = _ => 10 };
        count.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 1000) result.AddError("--count takes 1 to 1000.");
        });
        Option<string?> version = new("--version") { Description = "A version instead of the one that serves.", HelpName = "VERSION" };
        return new Command("words", "Lists the words whose vectors lie nearest to a word's, by cosine.") { model, word, count, version }
            .Does(call => RunAsync(call, call.Get(model), call.Get(word), call.Get(count), call.Get(version)));
    }

    static async Task<int> RunAsync(Invocation call, string model, string word, int count, string? version)
    {
        ModelWords words = await ModelWords.NearestAsync(call.Registry, model, version, word, count, call.Cancellation);
        call.Screen.Document(words);
        foreach (NearWord near in words.Nearest)
            call.Screen.Line($"{near.Similarity.ToString("0.000", CultureInfo.InvariantCulture),7}  {near.Word.Escaped()}");
        return Exit.Done;
    }
}
