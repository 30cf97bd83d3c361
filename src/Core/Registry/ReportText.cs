using System.Globalization;
using System.Text;
using Scion.Evaluation;

namespace Scion.Registry;

/// <summary>How figures and names are written for people in the report and the model card: one way, no culture, every name escaped.</summary>
static class ReportText
{
    /// <summary>"78.3 %".</summary>
    public static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.0} %");

    /// <summary>"80 %".</summary>
    public static string Whole(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0} %");

    /// <summary>"78.3 % (75.0 to 81.3)".</summary>
    public static string Interval(Figure figure) =>
        string.Create(CultureInfo.InvariantCulture, $"{100 * figure.Value:0.0} % ({100 * figure.Low:0.0} to {100 * figure.High:0.0})");

    /// <summary>"75.0 to 81.3".</summary>
    public static string Range(Figure figure) => string.Create(CultureInfo.InvariantCulture, $"{100 * figure.Low:0.0} to {100 * figure.High:0.0}");

    /// <summary>"1,037".</summary>
    public static string Number(long count) => count.ToString("n0", CultureInfo.InvariantCulture);

    /// <summary>Three significant digits.</summary>
    public static string Value(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    /// <summary>"1 row", "2 rows".</summary>
    public static string Count(long count, string one, string many) => $"{Number(count)} {(count == 1 ? one : many)}";

    /// <summary>What a measured model is called where people read.</summary>
    public static string Model(string name) => name switch
    {
        "majority" => "Most common class",
        "bag-of-words" => "Bag of words",
        "pixels" => "Colours and edges",
        "scratch" => "From scratch",
        "transfer" => "This model",
        _ => name,
    };

    /// <summary>The first characters as people see them, with "…" when cut.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="most">Widths of a small letter that there is room for.</param>
    public static string Cut(string text, int most)
    {
        double width = 0;
        int fits = 0;                                                      // characters that leave room for the "…"
        TextElementEnumerator elements = StringInfo.GetTextElementEnumerator(text);
        while (elements.MoveNext())
        {
            string element = elements.GetTextElement();
            width += element[0] >= 0x1100 ? 2 : char.IsUpper(element[0]) ? 1.5 : 1;
            if (width > most) return $"{text.AsSpan(0, fits)}…";
            if (width <= most - 1) fits = elements.ElementIndex + element.Length;
        }
        return text;
    }

    /// <summary>Text for HTML content and quoted attributes; characters that no document may hold become U+FFFD.</summary>
    public static string Html(string text)
    {
        StringBuilder html = new(text.Length + 16);
        foreach (Rune rune in text.EnumerateRunes())                       // lone surrogates come as U+FFFD
            _ = rune.Value switch
            {
                '&' => html.Append("&amp;"),
                '<' => html.Append("&lt;"),
                '>' => html.Append("&gt;"),
                '"' => html.Append("&quot;"),
                '\'' => html.Append("&#39;"),
                '\n' or '\t' => html.Append(' '),
                < ' ' or (>= 0x7f and < 0xa0) or (>= 0x202a and <= 0x202e) or (>= 0x2066 and <= 0x2069) or 0xfffe or 0xffff => html.Append('\ufffd'),
                _ => html.Append(rune),
            };
        return html.ToString();
    }

    /// <summary>A name in running HTML, kept apart from the direction of the text around it.</summary>
    public static string Name(string text) => $"<bdi>{Html(text)}</bdi>";

    /// <summary>Names joined for a sentence: "a, b and c"; the rest counted when there are more than eight.</summary>
    public static string Names(IReadOnlyList<string> names, Func<string, string> write)
    {
        const int most = 8;
        if (names.Count > most) return $"{string.Join(", ", names.Take(most - 1).Select(write))} and {names.Count - most + 1} more";
        return names.Count == 1 ? write(names[0]) : $"{string.Join(", ", names.Take(names.Count - 1).Select(write))} and {write(names[^1])}";
    }
}
