using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Scion.Functions.Http;

/// <summary>Addresses that need no key, since they show nothing of models, data or runs: health, the API's description, the page, and the answer to
/// every other address.</summary>
[ServedBy(FunctionRoles.Http)]
sealed class OpenFunctions(HttpDispatch api)
{
    [Function(nameof(Health))]
    public Task Health([HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = Routes.Health)] HttpRequest request) => api.AnswerAsync(request, Routes.Health);

    [Function(nameof(Describe))]
    public Task Describe([HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = Routes.OpenApi)] HttpRequest request) => api.AnswerAsync(request, Routes.OpenApi);

    [Function(nameof(Page))]
    public Task Page([HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = Routes.Page)] HttpRequest request) => api.AnswerAsync(request, "");

    [Function(nameof(PageScript))]
    public Task PageScript([HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = Routes.Script)] HttpRequest request) => api.AnswerAsync(request, Routes.Script);

    [Function(nameof(PageStyle))]
    public Task PageStyle([HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = Routes.Style)] HttpRequest request) => api.AnswerAsync(request, Routes.Style);

    [Function(nameof(Icon))]
    public Task Icon([HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = Routes.Icon)] HttpRequest request) => api.AnswerAsync(request, Routes.Icon);

    [Function(nameof(ReportPage))]
    public Task ReportPage([HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = Routes.ReportPage)] HttpRequest request) => api.AnswerAsync(request, Routes.ReportPage);

    [Function(nameof(ReportScript))]
    public Task ReportScript([HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = Routes.ReportScript)] HttpRequest request) =>
        api.AnswerAsync(request, Routes.ReportScript);

    [Function(nameof(ReportStyle))]
    public Task ReportStyle([HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = Routes.ReportStyle)] HttpRequest request) =>
        api.AnswerAsync(request, Routes.ReportStyle);

    /// <summary>404 and 405 as problems. The host tries routes in the order of their functions' names and takes the first that fits, so this one's name must
    /// come last.</summary>
    [Function(nameof(Unknown))]
    public Task Unknown([HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", "post", "put", "delete", "patch", "options", Route = Routes.Other)] HttpRequest request) =>
        api.AnswerOtherAsync(request);
}
