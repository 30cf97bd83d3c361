using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml;
using CsCheck;
using Scion.Datasets;
using Scion.Evaluation;
using Scion.Pipelines;
using Scion.Registry;

namespace Scion.Tests.Registry;

/// <summary>The report and the model card, as published and on odd manifests.</summary>
public sealed partial class ReviewReportTests : IAsyncLifetime
{
    readonly InMemoryBlobStore store = new();
    ModelPackage package = null!;

    public async ValueTask InitializeAsync()
    {
        await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store));
        (_, package) = await new ModelRegistry(store, StoppedClock.Instance).ReadChosenAsync("films", null, null, default);
    }

    public ValueTask DisposeAsync() => default;

    string Report => Encoding.UTF8.GetString(package[ModelPackage.ReportName].Span);

    string Card => Encoding.UTF8.GetString(package[ModelPackage.CardName].Span);

    /// <summary>A manifest of so many classes with the figures of a real shape.</summary>
    ModelManifest Classes(params string[] labels)
    {
        int n = labels.Length;
        Figure figure = new(0.7, 0.6, 0.8);
        int[][] confusion = [.. Enumerable.Range(0, n).Select(t => Enumerable.Range(0, n)
            .Select(p => t == n - 1 ? (p == t ? 1 : 0) : t == p ? 20 : (t + p) % 3).ToArray())];
        ModelMetrics own = new("transfer", 100, figure, figure, 0.5, 0.04,
            [.. labels.Select((label, t) => new ClassMetrics(label, confusion[t].Sum(), figure, figure, figure))], confusion);
        return package.Manifest with
        {
            Labels = labels,
            Data = package.Manifest.Data with
            {
                Train = [.. labels.Select(label => new LabelCount(label, 20))],
                Test = [.. labels.Select(label => new LabelCount(label, 5))],
            },
            Measured = package.Manifest.Measured with
            {
                Models = [own with { Name = "majority" }, own],
                Suspects = [new(labels[0], 3, labels[0], labels[^1], 0.9)],
            },
        };
    }

    [Fact]
    public async Task Report_TrainedOnAGpu_NamesTheDeviceAndThatItIsNotRepeatable()
    {
        PublishInput input = await TrainedModel.MakeAsync(store, version: "20260102-000000-00000002");
        await TrainedModel.PublishAsync(store, input with { Encoder = input.Encoder with { Device = "cuda:0", Reproducible = false } });
        (_, ModelPackage trained) = await new ModelRegistry(store, StoppedClock.Instance).ReadChosenAsync("films", input.Version, null, default);

        string report = Text(Encoding.UTF8.GetString(trained[ModelPackage.ReportName].Span));

        Assert.Equal("cuda:0", trained.Manifest.Encoder.Device);
        Assert.Contains("no labels needed; trained on cuda:0, not repeatable to the bit", report, StringComparison.Ordinal);
        Assert.Contains("no labels needed; trained on cpu, exactly repeatable", Text(Report), StringComparison.Ordinal);
    }

    [Fact]
    public void Report_Published_SaysFirstWhatItDoesAndHowWell()
    {
        string text = Text(Report);

        Assert.StartsWith("Sorts a review into negative or positive 90.0 % right on 12 reviews it was not fitted on. The true figure lies between 80.0 % and 98.0 % with 95 % confidence.", text, StringComparison.Ordinal);
        Assert.Contains("On the same reviews: most common class 50.0 %, bag of words 70.0 %, from scratch 60.0 %.", text, StringComparison.Ordinal);
        Assert.True(text.IndexOf("What to do next", StringComparison.Ordinal) < 700, "what to do next is not on the first screen");
        Assert.Contains("Cannot tell whether “This model” or “Bag of words” is better: a difference of this size is what chance brings.", text, StringComparison.Ordinal);
        Assert.Contains("Head (logistic): (8 + 1) · 2", text, StringComparison.Ordinal);
        Assert.Contains("18 parameters", text, StringComparison.Ordinal);
        Assert.Contains("a&b.csv", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Report_AnyModel_IsOneWellFormedFileThatReachesForNothing()
    {
        string[] many = [.. Enumerable.Range(0, 80).Select(i => $"topic {i}")];
        foreach (string html in new[] { Report, ReviewReport.Html(Classes(many[..25]), []), ReviewReport.Html(Classes(many), []) })
        {
            RequireWellFormed(html);
            Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotMatch("(?i)(src|href|action|data|poster|srcset)=|url\\(|@import|://|<(link|img|iframe|object|embed|form|base)", html);
            Assert.DoesNotMatch("(?i)\\son[a-z]+=", html);
            Assert.Contains("default-src 'none'", html, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Report_EverySvg_HasATitleAndADescription()
    {
        foreach (Match svg in Svg().Matches(Report))
        {
            Match ids = LabelledBy().Match(svg.Value);
            foreach (string id in ids.Groups[1].Value.Split(' ')) Assert.Contains($"id=\"{id}\">", svg.Value, StringComparison.Ordinal);
        }
        Assert.Equal(4, Svg().Count(Report));
        Assert.Equal(Ids().Count(Report), Ids().Matches(Report).Select(match => match.Value).Distinct().Count());
    }

    [Fact]
    public void Report_HostileTexts_AreShownAndNeverMarkup()
    {
        const string evil = "</title></svg></main><script>alert(1)</script><img src=x onerror=alert(1)>\"' &amp; \u202e\u0000\ud800";
        string html = ReviewReport.Html(Classes([evil, "fine", evil + "2"]) with { Warnings = [evil] }, [new(evil, evil, "fine", 0.9)]);

        RequireWellFormed(html);
        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<img", html, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;", html, StringComparison.Ordinal);
        Assert.DoesNotContain('\u202e', html);
        Assert.DoesNotContain('\0', html);
    }

    [Fact]
    public void Report_AnyLabelsAndTexts_IsWellFormedAndHoldsThem() => Gen.Select(Gen.String.Array[2, 6], Gen.String).Sample((names, text) =>
    {
        string[] labels = [.. names.Select((name, i) => $"{name}{i}")];

        string html = ReviewReport.Html(Classes(labels), [new(text, labels[0], labels[1], 0.5)]);

        RequireWellFormed(html);
        Assert.Contains(ReportText.Html(text), html, StringComparison.Ordinal);
    }, iter: 200);

    [Fact]
    public void Report_UnderAnotherCulture_HasTheSameBytes()
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        string plain = ReviewReport.Html(package.Manifest, []), card = ModelCard.Markdown(package.Manifest);
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("ar-EG");
            Assert.Equal(plain, ReviewReport.Html(package.Manifest, []));
            CultureInfo.CurrentCulture = new CultureInfo("de-DE");
            Assert.Equal(card, ModelCard.Markdown(package.Manifest));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public async Task Report_OtherModelVersionAndRun_HasTheSameBytes()
    {
        InMemoryBlobStore elsewhere = new();
        PublishInput other = await TrainedModel.MakeAsync(elsewhere, model: "books", version: "20270909-101112-0000000a");

        await TrainedModel.PublishAsync(elsewhere, other, new StoppedClock());
        (_, ModelPackage theirs) = await new ModelRegistry(elsewhere, StoppedClock.Instance).ReadChosenAsync("books", null, null, default);

        Assert.Equal(Report, Encoding.UTF8.GetString(theirs[ModelPackage.ReportName].Span));
        Assert.Equal(Card, Encoding.UTF8.GetString(theirs[ModelPackage.CardName].Span));
        Assert.DoesNotMatch("books|films|2027|2026|scion-data", Text(Report) + Card);
    }

    [Fact]
    public void Report_LongLabels_AreCutInPicturesAndWholeInTables()
    {
        string label = string.Concat(Enumerable.Repeat("👩‍👩‍👧 sehr lang ", 20)).Trim();

        string html = ReviewReport.Html(Classes([label, "b", "c", "d", "e", "f"]), []);

        Assert.Contains($"<th scope=\"row\"><bdi>{ReportText.Html(label)}</bdi></th>", html, StringComparison.Ordinal);
        foreach (Match text in SvgText().Matches(html)) Assert.InRange(new StringInfo(text.Groups[1].Value).LengthInTextElements, 0, 60);
    }

    [Theory]
    [InlineData("abc", 3, "abc")]
    [InlineData("abcd", 3, "ab…")]
    [InlineData("WWWW", 3, "W…")]
    [InlineData("漢字漢字", 5, "漢字…")]
    [InlineData("👩‍👩‍👧👩‍👩‍👧", 3, "👩‍👩‍👧…")]
    [InlineData("", 3, "")]
    public void Cut_TooWide_EndsBetweenCharactersAsPeopleSeeThem(string text, int most, string cut) => Assert.Equal(cut, ReportText.Cut(text, most));

    [Fact]
    public void Report_TinyModel_SaysWhatIsMissing()
    {
        ModelManifest manifest = Classes(["bad", "good"]);
        manifest = manifest with
        {
            Data = manifest.Data with { Protocol = Protocol.CrossValidation },
            Measured = manifest.Measured with { LearningCurve = [], Calibration = [], Suspects = [], Comparisons = [new("transfer", "majority", 2, 1, 1, "cannot tell")] },
        };

        string text = Text(ReviewReport.Html(manifest, []));

        Assert.Contains("Do not use this model yet: it is not shown to be better than always giving the most common answer.", text, StringComparison.Ordinal);
        Assert.Contains("Measured by repeated cross-validation, because 40 labels are too few to hold any out", text, StringComparison.Ordinal);
        Assert.Contains("There are too few labels to draw a learning curve.", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Card_Published_GivesTheExactShapesToRunTheFiles()
    {
        Assert.Contains("`encoder.onnx` (ONNX, operator set 17): input `ids`, int64 [batch, length]; output `features`, float32 [batch, 8].", Card, StringComparison.Ordinal);
        Assert.Contains("`head.onnx`: input `features`, float32 [batch, 8]; outputs `logits` and `probabilities`, float32 [batch, 2]", Card, StringComparison.Ordinal);
        Assert.Contains("(22 lines: word, tab, count)", Card, StringComparison.Ordinal);
        Assert.Contains("18 parameters, (8 + 1) · 2", Card, StringComparison.Ordinal);
        Assert.Contains("| This model | 12 | 90.0 (80.0 to 98.0) |", Card, StringComparison.Ordinal);
    }

    [Fact]
    public void Card_HostileLabels_StayInTheirCells()
    {
        string card = ModelCard.Markdown(Classes(["a|b\n# c", "<script>", "[x](javascript:y)"]));

        Assert.Contains("| a\\|b \\# c | 20 | 5 |", card, StringComparison.Ordinal);
        Assert.DoesNotContain("<script>", card, StringComparison.Ordinal);
        Assert.DoesNotContain("[x](", card, StringComparison.Ordinal);
    }

    /// <summary>What a person reads: no tags, no style, spaces run together.</summary>
    static string Text(string html)
    {
        string body = Svg().Replace(html[html.IndexOf("<main>", StringComparison.Ordinal)..], " ");
        return Spaces().Replace(System.Net.WebUtility.HtmlDecode(Tags().Replace(body, " ")), " ")
            .Replace(" ,", ",", StringComparison.Ordinal).Replace(" .", ".", StringComparison.Ordinal).Trim();
    }

    /// <summary>The page is written so that its body is XML, too: every tag closed, every attribute quoted, every text escaped.</summary>
    static void RequireWellFormed(string html)
    {
        string body = html[html.IndexOf("<main>", StringComparison.Ordinal)..(html.IndexOf("</main>", StringComparison.Ordinal) + "</main>".Length)];
        new XmlDocument { XmlResolver = null }.LoadXml(body);
        Assert.EndsWith("</main>\n</body>\n</html>\n", html, StringComparison.Ordinal);
    }

    [GeneratedRegex("<svg.*?</svg>", RegexOptions.Singleline)]
    private static partial Regex Svg();

    [GeneratedRegex("aria-labelledby=\"([^\"]+)\"")]
    private static partial Regex LabelledBy();

    [GeneratedRegex(" id=\"([^\"]+)\"")]
    private static partial Regex Ids();

    [GeneratedRegex("<text[^>]*>(?:<title>.*?</title>)?([^<]*)</text>")]
    private static partial Regex SvgText();

    [GeneratedRegex("<[^>]+>")]
    private static partial Regex Tags();

    [GeneratedRegex("\\s+")]
    private static partial Regex Spaces();
}
