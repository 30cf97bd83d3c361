using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Scion.Registry;
using Scion.Tests.Registry;
using Scion.Vision;
using Scion.Web;

namespace Scion.Tests;

/// <summary>Predictions of pictures over HTTP: every way of sending one, and every way of sending something else.</summary>
public sealed class PicturePredictTests : IAsyncLifetime
{
    static readonly byte[] Gold = TrainedPhotos.Photo(new Random(1), gold: true), Blue = TrainedPhotos.Photo(new Random(2), gold: false);

    readonly InMemoryBlobStore store = new();
    RunningApi api = null!;

    public async ValueTask InitializeAsync()
    {
        await TrainedModel.PublishAsync(store, await TrainedModel.MakeAsync(store));
        await TrainedPhotos.PublishAsync(store, await TrainedPhotos.MakeAsync(store));
        api = await RunningApi.StartAsync(store, new ScionApiOptions { Key = RunningApi.Key, MaxPictureBody = 1 << 20, MaxPictures = 4, MaxPictureMemory = 4 << 20, MaxBody = 1 << 16 });
    }

    public ValueTask DisposeAsync() => api.DisposeAsync();

    /// <remarks>The client waits with the body until the server wants it, so that a refusal never meets a body on its way.</remarks>
    async Task<HttpResponseMessage> SendAsync(HttpContent content, string model = "dresses", string query = "", bool chunked = false)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, new Uri($"/api/models/{model}/predict{query}", UriKind.Relative)) { Content = content };
        request.Headers.ExpectContinue = true;
        if (chunked) request.Headers.TransferEncodingChunked = true;
        return await api.Client.SendAsync(request);
    }

    static ByteArrayContent File(byte[] bytes, string type)
    {
        ByteArrayContent content = new(bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return content;
    }

    static StringContent Json(params byte[][] pictures) =>
        RunningApi.JsonBody(JsonSerializer.Serialize(new { inputs = pictures.Select(picture => new { image = Convert.ToBase64String(picture) }) }));

    static async Task<string[]> LabelsAsync(HttpResponseMessage response)
    {
        string body = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, body);
        using JsonDocument document = JsonDocument.Parse(body);
        return [.. document.RootElement.GetProperty("predictions").EnumerateArray().Select(prediction => prediction.GetProperty("label").GetString()!)];
    }

    static async Task<(int Status, string Code, string Detail)> ProblemAsync(HttpResponseMessage response)
    {
        using JsonDocument document = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return ((int)response.StatusCode, document.RootElement.GetProperty("code").GetString()!, document.RootElement.GetProperty("detail").GetString()!);
    }

    [Theory]
    [InlineData("image/png")]
    [InlineData("image/jpeg")]                                                     // its bytes decide
    [InlineData("image/webp")]
    [InlineData("application/octet-stream")]
    public async Task Predict_BytesOfAPicture_AnswersWithItsClass(string type) => Assert.Equal(["gold"], await LabelsAsync(await SendAsync(File(Gold, type))));

    [Fact]
    public async Task Predict_SeveralInJson_AnswersInTheirOrder() => Assert.Equal(["gold", "blue", "gold"], await LabelsAsync(await SendAsync(Json(Gold, Blue, Gold))));

    [Fact]
    public async Task Predict_SeveralInAForm_AnswersInTheirOrder()
    {
        using MultipartFormDataContent form = new() { { File(Blue, "image/png"), "a", "blue.png" }, { File(Gold, "image/png"), "b", "gold.png" } };

        Assert.Equal(["blue", "gold"], await LabelsAsync(await SendAsync(form)));
    }

    [Fact]
    public async Task Predict_APicture_NamesNeighboursWhosePicturesAreThere()
    {
        using JsonDocument document = JsonDocument.Parse(await (await SendAsync(File(Gold, "image/png"))).Content.ReadAsStringAsync());

        JsonElement near = document.RootElement.GetProperty("predictions")[0].GetProperty("neighbours")[0];
        Assert.Equal("gold", near.GetProperty("label").GetString());
        Assert.StartsWith("gold/", near.GetProperty("name").GetString(), StringComparison.Ordinal);
        Assert.False(near.TryGetProperty("text", out _));
        string address = near.GetProperty("picture").GetString()!;
        Assert.StartsWith("/api/models/dresses/versions/20260101-000000-00000001/examples/", address, StringComparison.Ordinal);
        HttpResponseMessage picture = await api.Client.GetAsync(new Uri(address, UriKind.Relative));
        Assert.Equal("image/jpeg", picture.Content.Headers.ContentType!.MediaType);
        byte[] pixels = new byte[PictureWriter.SmallFit.Bytes];
        Assert.Equal("jpeg", PictureDecoder.Decode(await picture.Content.ReadAsByteArrayAsync(), PictureWriter.SmallFit, pixels).Format);
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.Anonymous.GetAsync(new Uri(address, UriKind.Relative))).StatusCode);
    }

    [Theory]
    [InlineData("/api/models/dresses/versions/20260101-000000-00000001/examples/32", "R019")]
    [InlineData("/api/models/dresses/versions/20260101-000000-00000001/examples/x", "R019")]
    [InlineData("/api/models/films/versions/20260101-000000-00000001/examples/0", "R019")]
    [InlineData("/api/models/dresses/versions/20260101-000000-00000009/examples/0", "R003")]
    public async Task Example_ThatIsNotThere_IsNotFound(string address, string code)
    {
        (int status, string found, _) = await ProblemAsync(await api.Client.GetAsync(new Uri(address, UriKind.Relative)));

        Assert.Equal((404, code), (status, found));
    }

    [Fact]
    public async Task Predict_OneBadPictureOfThree_RefusesTheRequestAndSaysWhich()
    {
        (int status, string code, string detail) = await ProblemAsync(await SendAsync(Json(Gold, Gold[..(Gold.Length / 2)], Blue)));

        Assert.Equal(422, status);
        Assert.StartsWith("V0", code, StringComparison.Ordinal);
        Assert.StartsWith("inputs[1]: ", detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Predict_NoPictureAtAll_SaysWhatItIs()
    {
        (int status, string code, string detail) = await ProblemAsync(await SendAsync(File("%PDF-1.7 text"u8.ToArray(), "image/png")));

        Assert.Equal((415, "V001"), (status, code));
        Assert.Contains("PDF", detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Predict_TextToImages_IsRefusedWithTheKind() =>
        Assert.Equal((415, "P003", "Model 'dresses' is of images; text was sent."), await ProblemAsync(await SendAsync(RunningApi.JsonBody("{\"inputs\":[\"a gem\"]}"))));

    [Fact]
    public async Task Predict_APictureToReviews_IsRefusedWithTheKindBeforeItIsRead()
    {
        using MultipartFormDataContent form = new() { { File(Gold, "image/png"), "a", "a.png" } };

        foreach (HttpContent content in new HttpContent[] { File(Gold, "image/png"), form, Json(Gold) })
            Assert.Equal((415, "P002", "Model 'films' is of reviews; an image was sent."), await ProblemAsync(await SendAsync(content, "films")));
    }

    [Fact]
    public async Task Predict_ExplainedPicture_IsRefused() => Assert.Equal((422, "P004"), Head(await ProblemAsync(await SendAsync(File(Gold, "image/png"), query: "?explain=true"))));

    [Theory]
    [InlineData("{\"inputs\":[{\"image\":\"%%%\"}]}", "W011")]
    [InlineData("{\"inputs\":[{\"picture\":\"AAAA\"}]}", "W011")]
    [InlineData("{\"inputs\":[{\"image\":\"AAAA\",\"x\":1}]}", "W011")]
    [InlineData("{\"inputs\":[{\"image\":7}]}", "W011")]
    [InlineData("{\"inputs\":[{\"image\":\"AAAA\"},\"text\"]}", "W011")]
    [InlineData("{\"inputs\":[\"text\",{\"image\":\"AAAA\"}]}", "W011")]
    [InlineData("{\"inputs\":[{\"image\":\"AAAA\"", "W010")]
    public async Task Predict_JsonOfAnotherForm_IsRefused(string json, string code) => Assert.Equal((400, code), Head(await ProblemAsync(await SendAsync(RunningApi.JsonBody(json)))));

    [Fact]
    public async Task Predict_TooMuch_IsRefusedWithItsLimit()
    {
        Assert.Equal((413, "W012"), Head(await ProblemAsync(await SendAsync(Json(Gold, Gold, Gold, Gold, Gold)))));
        Assert.Equal((413, "W008"), Head(await ProblemAsync(await SendAsync(File(new byte[(1 << 20) + 1], "image/png")))));
        Assert.Equal((413, "W008"), Head(await ProblemAsync(await SendAsync(Json(new byte[1 << 20])))));
        using MultipartFormDataContent large = new() { { File(new byte[1 << 19], "image/png"), "a", "a.png" }, { File(new byte[1 << 19], "image/png"), "b", "b.png" } };
        Assert.Equal((413, "W008"), Head(await ProblemAsync(await SendAsync(large))));
        using StreamContent chunked = new(new MemoryStream(new byte[(1 << 20) + 1]), 1 << 16);
        chunked.Headers.ContentType = new MediaTypeHeaderValue("image/png");
        chunked.Headers.ContentLength = null;
        Assert.Equal((413, "W008"), Head(await ProblemAsync(await SendAsync(chunked, chunked: true))));
    }

    [Fact]
    public async Task Predict_AFormOfAnotherForm_IsRefused()
    {
        using MultipartFormDataContent field = new() { { new StringContent("gold"), "label" } }, empty = [];
        using ByteArrayContent cut = File("--x\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a.png\"\r\n\r\nabc"u8.ToArray(), "multipart/form-data");
        cut.Headers.ContentType!.Parameters.Add(new NameValueHeaderValue("boundary", "x"));

        Assert.Equal((400, "W021"), Head(await ProblemAsync(await SendAsync(field))));
        Assert.Equal((400, "W021"), Head(await ProblemAsync(await SendAsync(empty))));
        Assert.Equal((400, "W021"), Head(await ProblemAsync(await SendAsync(cut))));
        Assert.Equal((400, "W021"), Head(await ProblemAsync(await SendAsync(File([1], "multipart/form-data")))));
        Assert.Equal((415, "W009"), Head(await ProblemAsync(await SendAsync(File(Gold, "text/plain")))));
    }

    [Fact]
    public async Task Models_OfBothKinds_SayWhichTheyAre()
    {
        using JsonDocument list = JsonDocument.Parse(await api.Client.GetStringAsync(new Uri("/api/models", UriKind.Relative)));

        Assert.Equal([("dresses", "images"), ("films", "reviews")], list.RootElement.GetProperty("models").EnumerateArray()
            .Select(model => (model.GetProperty("model").GetString()!, model.GetProperty("kind").GetString()!)));
        Assert.Equal((422, "P004"), Head(await ProblemAsync(await api.Client.GetAsync(new Uri("/api/models/dresses/words/blue/nearest", UriKind.Relative)))));
    }

    [Fact]
    public async Task Predict_ManyAtOnce_AnswersEachItsOwn() => await Parallel.ForEachAsync(Enumerable.Range(0, 60), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
        Assert.Equal([i % 2 == 0 ? "gold" : "blue"], await LabelsAsync(await SendAsync(File(i % 2 == 0 ? Gold : Blue, "image/png")))));

    static (int, string) Head((int Status, string Code, string Detail) problem) => (problem.Status, problem.Code);
}
