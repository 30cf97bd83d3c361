using System.Text;

namespace Scion.Text;

/// <summary>Cuts text into words, the same in training and serving. Deterministic, linear time, no culture.</summary>
public static class Tokenizer
{
    /// <summary>The words of a text, lower-case, in order.</summary>
    public static List<string> Words(string text)
    {
        List<string> words = [];
        StringBuilder word = new();
        foreach (char c in text)
        {
            if (char.IsLetterOrDigit(c) || (c == '\'' && word.Length > 0)) word.Append(char.ToLowerInvariant(c));
            else if (word.Length > 0)
            {
                words.Add(word.ToString());
                word.Clear();
            }
        }
        if (word.Length > 0) words.Add(word.ToString());
        return words;
    }
}
