namespace Scion.Functions.Http;

/// <summary>Routes of the HTTP functions: the patterns of <see cref="Web.ScionApi.Endpoints"/> without their first slash, as attributes need them; a test
/// compares the two.</summary>
static class Routes
{
    public const string Predict = "api/models/{model}/predict";
    public const string Models = "api/models";
    public const string Model = "api/models/{model}";
    public const string Versions = "api/models/{model}/versions";
    public const string Version = "api/models/{model}/versions/{version}";
    public const string VersionReport = "api/models/{model}/versions/{version}/report";
    public const string Example = "api/models/{model}/versions/{version}/examples/{number}";
    public const string Report = "api/models/{model}/report";
    public const string NearestWords = "api/models/{model}/words/{word}/nearest";
    public const string Promote = "api/models/{model}/promote";
    public const string RollBack = "api/models/{model}/rollback";
    public const string Datasets = "api/datasets";
    public const string Dataset = "api/datasets/{kind}/{model}";
    public const string File = "api/datasets/{kind}/{model}/files/{**name}";
    public const string Train = "api/datasets/{kind}/{model}/train";
    public const string Runs = "api/runs";
    public const string Run = "api/runs/{run}";
    public const string Suspend = "api/runs/{run}/suspend";
    public const string Resume = "api/runs/{run}/resume";
    public const string Rejects = "api/runs/{run}/rejects.csv";
    public const string Health = "healthz";
    public const string OpenApi = "openapi.json";
    public const string Script = "app.js";
    public const string Style = "app.css";
    public const string Icon = "icon.svg";
    public const string ReportPage = "report";
    public const string ReportScript = "report.js";
    public const string ReportStyle = "report.css";

    /// <summary>The address "/". The host takes an empty route for the function's name, so the route is a parameter that can hold nothing.</summary>
    public const string Page = "{nothing:maxlength(0)?}";

    /// <summary>Whatever is not an address, or an address by another method.</summary>
    public const string Other = "{**path}";
}
