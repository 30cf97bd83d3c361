using System.Text;
using Scion.Text;

namespace Scion.Serving;

/// <summary>A text again and again, each time without one of its words: what shows what the word does to a model that reads whole texts.</summary>
static class LeftOutWords
{
    /// <summary>The words of a text, most frequent first, then in its order, each with the text without it.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="most">Most words.</param>
    public static IReadOnlyList<(string Word, string Text)> Of(string text, int most)
    {
        string composed = Tokenizer.Composed(text);
        List<(string Word, int Start, int End)> places = [];
        Tokenizer.WordReader words = new(composed, stackalloc char[Tokenizer.MaxWord]);
        while (words.MoveNext()) places.Add((words.Current.ToString(), words.Start, words.End));
        return [.. places.GroupBy(place => place.Word, StringComparer.Ordinal).OrderByDescending(group => group.Count()).Take(most)
            .Select(group => (group.Key, Without(composed, [.. group.Select(place => (place.Start, place.End))])))];
    }

    static string Without(string text, IReadOnlyList<(int Start, int End)> places)
    {
        StringBuilder rest = new(text.Length);
        int at = 0;
        foreach ((int start, int end) in places)
        {
            rest.Append(text, at, start - at);
            at = end;
        }
        return rest.Append(text, at, text.Length - at).ToString();
    }
}
