using Microsoft.AspNetCore.Http;
using Scion.Web;

namespace Scion.Functions.Http;

/// <summary>From a function's route to the endpoint of <c>src/Web</c>.</summary>
sealed class HttpDispatch(ScionApi api)
{
    readonly Dictionary<(string Method, string Pattern), ScionEndpoint> endpoints =
        api.Endpoints.SelectMany(endpoint => endpoint.Methods.Select(method => (method, endpoint))).ToDictionary(known => (known.method, known.endpoint.Pattern), known => known.endpoint);

    /// <summary>Writes the endpoint's answer, or the problem, to the response.</summary>
    /// <param name="request">The request; the worker has read the route's values.</param>
    /// <param name="route">Route of the function, one of <see cref="Routes"/>.</param>
    public Task AnswerAsync(HttpRequest request, string route) => api.RunAsync(request.HttpContext, endpoints[(request.Method, $"/{route}")]);

    /// <summary>Says that there is nothing at this address, or which methods it takes.</summary>
    public Task AnswerOtherAsync(HttpRequest request) => api.RunAsync(request.HttpContext, api.Other);
}
