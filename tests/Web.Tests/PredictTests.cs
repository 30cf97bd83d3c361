using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Scion.Registry;
using Scion.Serving;
using Scion.Tests.Registry;

namespace Scion.Tests;

public sealed class PredictTests
{
    [Fact]
    public async Task Predict_SeveralTexts_AnswersAsTheStoredVersionScores()
    {
        await using RunningApi api = await RunningApi.StartWithFilmsAsync();
        string[] texts = ["a great and lovely film", "awful, dull plot", "", "zzz", "the film was \"warm\" 🎬 <b>"];

        using HttpResponseMessage response = await api.PredictAsync(JsonSerializer.Serialize(new { inputs = texts }));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using JsonDocument answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.Equal("films", answer.RootElement.GetProperty("model").GetString());
        Assert.Equal("20260101-000000-00000001", answer.RootElement.GetProperty("version").GetString());
        using ReviewPredictor offline = ReviewPredictor.Load(await api.Registry.ReadAsync("films", "20260101-000000-00000001", null, null, default));
        Assert.Equal(JsonSerializer.Serialize(offline.Predict(texts), ScionJson.Strict), answer.RootElement.GetProperty("predictions").GetRawText());
    }
}
