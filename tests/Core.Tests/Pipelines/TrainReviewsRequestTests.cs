using System.Globalization;
using Scion.Datasets;
using Scion.Pipelines;

namespace Scion.Tests.Pipelines;

public sealed class TrainReviewsRequestTests
{
    static TrainReviewsRequest Request(string model, params string[] names) => TrainReviewsRequest.Of(model,
        [.. names.Select(name => new PinnedFile("reviews", $"{model}/{name}", "e", 1, new string('a', 64)))], new ReviewSettings(), DateTimeOffset.UnixEpoch);

    [Theory]
    [InlineData("th-TH")]
    [InlineData("ar-SA")]
    [InlineData("fa-IR")]
    public void Version_UnderAnotherCalendar_IsNamedByTheGregorianOne(string culture)
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(culture);

            Assert.StartsWith("19700101-000000-", Request("films", "a.csv").Version, StringComparison.Ordinal);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void DataDigest_EqualFilesUnderTwoModels_IsOneAndTheRunsAreTwo()
    {
        TrainReviewsRequest films = Request("films", "a.csv", "folder/b.csv"), books = Request("books", "folder/b.csv", "a.csv");

        Assert.Equal(films.DataDigest, books.DataDigest);
        Assert.NotEqual(films.Run[^16..], books.Run[^16..]);
        Assert.NotEqual(films.DataDigest, Request("films", "a.csv", "b.csv").DataDigest);
    }
}
