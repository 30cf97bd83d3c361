using System.Globalization;
using Microsoft.AspNetCore.Http;
using Scion.Datasets;

namespace Scion.Web;

/// <summary>Refusals of HTTP itself; listed in docs/errors.md.</summary>
static class HttpFaults
{
    public static Problem NoKey { get; } = new(401, "W001", "The request has no key.",
        "Send the header x-functions-key; 'scion serve' prints where the key is kept.");

    public static Problem WrongKey { get; } = new(401, "W002", "The key in x-functions-key is not this server's.", "Copy it again from where 'scion serve' says it is kept.");

    public static Problem HostRefused(string host) => new(403, "W003", $"The request is for host '{Shown(host)}'; this server answers only for localhost.",
        "Use http://localhost or http://127.0.0.1 with the server's port.");

    public static Problem OriginRefused(string origin) => new(403, "W004", $"A page of '{Shown(origin)}' made the request; only pages of this server may.",
        "Call the API from a program, or from the page this server shows.");

    public static Problem NoSuchAddress(string path) => new(404, "W005", $"There is nothing at '{Shown(path)}'.", "GET /openapi.json lists every address.");

    public static Problem MethodRefused(string method, string allow) => new(405, "W006", $"This address does not take {Shown(method)}.", $"It takes {allow}.") { Allow = allow };

    public static Problem QueryRefused(string name, string allowed) => new(400, "W007", $"The query has '{Shown(name)}', which is not known here.", allowed);

    public static Problem KeyInQuery { get; } = new(400, "W007", "The query has 'code': a key in an address ends up in logs and histories.", "Send the key in the header x-functions-key.");

    public static Problem BodyTooLarge(long most) => new(413, "W008", Numbers($"The body is larger than {most:n0} bytes."), "Send fewer or shorter texts at a time.");

    public static Problem PicturesTooLarge(long most) => new(413, "W008", Numbers($"The body is larger than {most:n0} bytes."), "Send smaller pictures, or fewer at a time.");

    public static Problem UploadTooLarge(DataKind kind, string model, long most) => new(413, "W008", Numbers($"The file is larger than {most:n0} bytes."),
        $"Cut it into several files, compress it, or copy it into {kind.Container}/{model}/ of the storage itself, which takes larger ones.");

    public static Problem NotJson(string? type) => new(415, "W009", type is null ? "The request has no content type." : $"The content type is '{Shown(type)}'.", "Send application/json in UTF-8.");

    public static Problem NotJudged(string? type) => new(415, "W009", type is null ? "The request has no content type." : $"The content type is '{Shown(type)}'.",
        "Send application/json in UTF-8; for a model of images also image/jpeg, image/png, image/webp or multipart/form-data.");

    public static Problem Encoded(string encoding) => new(415, "W009", $"The body is encoded as '{Shown(encoding)}'.", "Send it without Content-Encoding.");

    public static Problem MalformedJson(string fact) => new(400, "W010", $"The body is not valid JSON: {fact}", "Send an object such as {\"inputs\":[\"a review\"]} in UTF-8.");

    public static Problem UnexpectedJson(string fact, string remedy) => new(400, "W011", fact, remedy);

    public static Problem TooManyInputs(int most) => new(413, "W012", Numbers($"There are more than {most:n0} inputs."), "Send them in several requests.");

    public static Problem TextTooLong(int index, int length, int most) => new(413, "W013", Numbers($"inputs[{index}] has {length:n0} characters; at most {most:n0} are judged."), "Cut it into parts.");

    public static Problem FormRefused(string fact) => new(400, "W021", $"The form is not what this address takes: {fact}.", "Send multipart/form-data in which every part is a picture file.");

    public static Problem Busy(string what, long most) => new(503, "W014", $"{most.ToString(CultureInfo.InvariantCulture)} {what} are under way already.", "Try again in a moment.") { RetryAfter = 1 };

    public static Problem Incomplete { get; } = new(400, "W015", "The body ended before its announced length, or its framing is wrong.", "Send it again.");

    public static Problem TooSlow { get; } = new(408, "W015", "The body came too slowly.", "Send it again over a faster connection.");

    public static Problem FileRefused(DataKind kind, string name) => new(422, "W016", $"'{Shown(name)}' is not the name of a file of {kind.Item}s.",
        $"Read are {kind.Known}; and {ReviewFormats.SettingsName}.");

    public static Problem NoSuchKind(string kind) => new(404, "W017", $"There are no datasets of kind '{Shown(kind)}'.", "Use 'reviews' or 'images'.");

    public static Problem NothingThere(DataKind kind, string model) => new(404, "W022", $"Nothing lies in {kind.Container}/{model}/.",
        $"Put files there: PUT /api/datasets/{kind.Container}/{model}/files/NAME, or by a storage tool.");

    public static Problem Unexpected(string trace) => new(500, "W018", "The server failed in a way it did not foresee.", "Report it with the trace; the server's log says more under it.") { Trace = trace };

    public static Problem Protocol(int status) => new(status, "W019", "The request is not well-formed HTTP.", "Check its headers.");

    public static Problem NoRoom { get; } = new(507, "W020", "The server has no room for the upload: its folder for temporary files is full or cannot be written.",
        "Free some disk space there, or copy the file into reviews/MODEL/ or images/MODEL/ of the data folder.");

    /// <summary>What a caller sent, fit to be shown: at most 80 characters, printable ASCII.</summary>
    public static string Shown(string text) => string.Concat(text.Take(80).Select(c => c is >= ' ' and < '\x7f' and not '\'' ? c : '?'));

    static string Numbers(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
