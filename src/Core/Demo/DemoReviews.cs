using System.Text;

namespace Scion.Demo;

/// <summary>One of the demo's reviews.</summary>
/// <param name="Text">The review.</param>
/// <param name="Truth">"positive" or "negative"; known of every review, shown to training only where the role says so.</param>
/// <param name="Role">"unlabelled", "train" or "test".</param>
public sealed record DemoReview(string Text, string Truth, string Role);

/// <summary>The 72 reviews written for this project: 62 unlabelled, 8 to train on, 2 to test.</summary>
public static class DemoReviews
{
    /// <summary>Reads them, in the order of the file.</summary>
    public static IReadOnlyList<DemoReview> Read()
    {
        using Stream stream = typeof(DemoReviews).Assembly.GetManifestResourceStream("Scion.Demo.reviews.csv")!;
        using StreamReader lines = new(stream, Encoding.UTF8);
        List<DemoReview> reviews = [];
        lines.ReadLine();                                                   // the header
        while (lines.ReadLine() is { Length: > 0 } line)
        {
            int role = line.LastIndexOf(','), truth = line.LastIndexOf(',', role - 1);
            string text = line[..truth];
            if (text.StartsWith('"')) text = text[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal);
            reviews.Add(new DemoReview(text, line[(truth + 1)..role], line[(role + 1)..]));
        }
        return reviews;
    }
}
