using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Scion.Functions.Http;

/// <summary>The HTTP API: a function for each address of <see cref="Web.ScionApi.Endpoints"/> that needs a key, which the host has checked before. What
/// an address does is <c>src/Web</c>'s; a function is named as its operation in <c>openapi.json</c>.</summary>
[ServedBy(FunctionRoles.Http)]
sealed class ApiFunctions(HttpDispatch api)
{
    [Function(nameof(Predict))]
    public Task Predict([HttpTrigger(AuthorizationLevel.Function, "post", Route = Routes.Predict)] HttpRequest request) => api.AnswerAsync(request, Routes.Predict);

    [Function(nameof(ListModels))]
    public Task ListModels([HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = Routes.Models)] HttpRequest request) => api.AnswerAsync(request, Routes.Models);

    [Function(nameof(ShowModel))]
    public Task ShowModel([HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = Routes.Model)] HttpRequest request) => api.AnswerAsync(request, Routes.Model);

    [Function(nameof(ListVersions))]
    public Task ListVersions([HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = Routes.Versions)] HttpRequest request) => api.AnswerAsync(request, Routes.Versions);

    [Function(nameof(ShowVersion))]
    public Task ShowVersion([HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = Routes.Version)] HttpRequest request) => api.AnswerAsync(request, Routes.Version);

    [Function(nameof(ShowVersionReport))]
    public Task ShowVersionReport([HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = Routes.VersionReport)] HttpRequest request) =>
        api.AnswerAsync(request, Routes.VersionReport);

    [Function(nameof(Example))]
    public Task Example([HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = Routes.Example)] HttpRequest request) => api.AnswerAsync(request, Routes.Example);

    [Function(nameof(ShowReport))]
    public Task ShowReport([HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = Routes.Report)] HttpRequest request) => api.AnswerAsync(request, Routes.Report);

    [Function(nameof(NearestWords))]
    public Task NearestWords([HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = Routes.NearestWords)] HttpRequest request) =>
        api.AnswerAsync(request, Routes.NearestWords);

    [Function(nameof(Promote))]
    public Task Promote([HttpTrigger(AuthorizationLevel.Function, "post", Route = Routes.Promote)] HttpRequest request) => api.AnswerAsync(request, Routes.Promote);

    [Function(nameof(RollBack))]
    public Task RollBack([HttpTrigger(AuthorizationLevel.Function, "post", Route = Routes.RollBack)] HttpRequest request) => api.AnswerAsync(request, Routes.RollBack);

    [Function(nameof(ListDatasets))]
    public Task ListDatasets([HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = Routes.Datasets)] HttpRequest request) => api.AnswerAsync(request, Routes.Datasets);

    [Function(nameof(ShowDataset))]
    public Task ShowDataset([HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = Routes.Dataset)] HttpRequest request) => api.AnswerAsync(request, Routes.Dataset);

    [Function(nameof(PutFile))]
    public Task PutFile([HttpTrigger(AuthorizationLevel.Function, "put", Route = Routes.File)] HttpRequest request) => api.AnswerAsync(request, Routes.File);

    [Function(nameof(StartTraining))]
    public Task StartTraining([HttpTrigger(AuthorizationLevel.Function, "post", Route = Routes.Train)] HttpRequest request) => api.AnswerAsync(request, Routes.Train);

    [Function(nameof(ListRuns))]
    public Task ListRuns([HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = Routes.Runs)] HttpRequest request) => api.AnswerAsync(request, Routes.Runs);

    [Function(nameof(ShowRun))]
    public Task ShowRun([HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = Routes.Run)] HttpRequest request) => api.AnswerAsync(request, Routes.Run);

    [Function(nameof(CancelRun))]
    public Task CancelRun([HttpTrigger(AuthorizationLevel.Function, "delete", Route = Routes.Run)] HttpRequest request) => api.AnswerAsync(request, Routes.Run);

    [Function(nameof(SuspendRun))]
    public Task SuspendRun([HttpTrigger(AuthorizationLevel.Function, "post", Route = Routes.Suspend)] HttpRequest request) => api.AnswerAsync(request, Routes.Suspend);

    [Function(nameof(ResumeRun))]
    public Task ResumeRun([HttpTrigger(AuthorizationLevel.Function, "post", Route = Routes.Resume)] HttpRequest request) => api.AnswerAsync(request, Routes.Resume);

    [Function(nameof(ShowRejects))]
    public Task ShowRejects([HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = Routes.Rejects)] HttpRequest request) => api.AnswerAsync(request, Routes.Rejects);
}
