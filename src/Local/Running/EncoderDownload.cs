using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Scion.Faults;
using Scion.Onnx;

namespace Scion.Local.Running;

/// <summary>Fetches a network's file by its publisher's address, for the person who typed it. No server endpoint calls this.</summary>
/// <remarks>Only https, or http to this machine itself. The name is resolved once, every address checked, and that address connected to, at each of at
/// most <see cref="MaxRedirects"/> redirects: private networks are never reached, whatever a name or a redirect says. No proxy, no cookies, no
/// credentials. Nothing is parsed before the digest fits.</remarks>
static class EncoderDownload
{
    public const int MaxRedirects = 5;

    static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(15), Silence = TimeSpan.FromSeconds(30), Whole = TimeSpan.FromMinutes(30);

    public static bool IsUrl(string text) => text.Contains("://", StringComparison.Ordinal);

    /// <param name="url">Where it is published.</param>
    /// <param name="sha256">What it must be, 64 hex digits; null to take what comes.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The whole file.</returns>
    /// <exception cref="InputRejectedException">The address is refused (V070), the server has no such file (V071), it is too large (V051), or another (V073).</exception>
    /// <exception cref="TransientStorageException">The server does not answer (V072).</exception>
    public static async Task<byte[]> FetchAsync(string url, string? sha256, CancellationToken cancellation)
    {
        using CancellationTokenSource whole = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        whole.CancelAfter(Whole);
        try
        {
            byte[] bytes = await FollowAsync(Checked(url), whole);
            string found = Convert.ToHexStringLower(SHA256.HashData(bytes));
            return sha256 is null || found == sha256 ? bytes : throw EncoderFaults.WrongDigest(url, bytes.Length, found, sha256);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw EncoderFaults.NoAnswer(url, $"nothing came for {Silence.TotalSeconds:0} s, or it took over {Whole.TotalMinutes:0} min", null);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException)
        {
            if (e is { InnerException: InputRejectedException refused }) throw refused;
            throw EncoderFaults.NoAnswer(url, e.Message.TrimEnd('.'), e);
        }
    }

    static async Task<byte[]> FollowAsync(Uri address, CancellationTokenSource whole)
    {
        bool own = address.Scheme == Uri.UriSchemeHttp;
        using SocketsHttpHandler handler = new()
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = ConnectTimeout,
            ResponseDrainTimeout = TimeSpan.Zero,
            MaxResponseHeadersLength = 64,
            ConnectCallback = ConnectAsync,
        };
        using HttpClient client = new(handler) { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("scion");
        for (int hops = 0; hops <= MaxRedirects; hops++)
        {
            using HttpRequestMessage request = new(HttpMethod.Get, address);
            using CancellationTokenSource silence = CancellationTokenSource.CreateLinkedTokenSource(whole.Token);
            silence.CancelAfter(Silence);
            using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, silence.Token);
            if ((int)response.StatusCode is 301 or 302 or 303 or 307 or 308 && response.Headers.Location is { } location)
            {
                Uri next = Checked(new Uri(address, location).ToString());
                if (!own && next.Scheme != Uri.UriSchemeHttps) throw EncoderFaults.UrlRefused(next.ToString(), "it is a redirect away from https");
                (address, own) = (next, own && next.Scheme == Uri.UriSchemeHttp);
                continue;
            }
            if ((int)response.StatusCode is 408 or 429 or >= 500) throw EncoderFaults.NoAnswer(address.ToString(), $"the server answers {(int)response.StatusCode}", null);
            if (response.StatusCode != HttpStatusCode.OK) throw EncoderFaults.NotThere(address.ToString(), (int)response.StatusCode);
            return await ReadAsync(response, address, silence);
        }
        throw EncoderFaults.UrlRefused(address.ToString(), $"it is redirected more than {MaxRedirects} times");
    }

    static async Task<byte[]> ReadAsync(HttpResponseMessage response, Uri address, CancellationTokenSource silence)
    {
        long? claimed = response.Content.Headers.ContentLength;
        if (claimed > ForeignGraph.MaxBytes) throw EncoderFaults.TooLarge($"'{address}'", $"it has {claimed:n0} bytes; at most {ForeignGraph.MaxBytes:n0} are read");
        await using Stream content = await response.Content.ReadAsStreamAsync(silence.Token);
        using MemoryStream all = new();
        byte[] buffer = new byte[1 << 16];
        while (await content.ReadAsync(buffer, silence.Token) is int count and > 0)
        {
            silence.CancelAfter(Silence);
            if (all.Length + count > ForeignGraph.MaxBytes) throw EncoderFaults.TooLarge($"'{address}'", $"it has over {ForeignGraph.MaxBytes:n0} bytes");
            all.Write(buffer, 0, count);
        }
        return claimed is null || claimed == all.Length ? all.ToArray() : throw EncoderFaults.NoAnswer(address.ToString(), $"{all.Length:n0} of {claimed:n0} bytes came", null);
    }

    static Uri Checked(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? address) || address.Host.Length == 0) throw EncoderFaults.UrlRefused(url, "it is not an address");
        if (address.UserInfo.Length > 0) throw EncoderFaults.UrlRefused(address.Host, "it holds a name or a password");
        bool own = address.Scheme == Uri.UriSchemeHttp && IPAddress.TryParse(address.Host.Trim('[', ']'), out IPAddress? ip) && IPAddress.IsLoopback(ip);
        return address.Scheme == Uri.UriSchemeHttps || own ? address : throw EncoderFaults.UrlRefused(url, "only https is fetched, or http from 127.0.0.1");
    }

    static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        bool own = context.InitialRequestMessage.RequestUri!.Scheme == Uri.UriSchemeHttp;
        IPAddress[] addresses = await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, cancellation);
        foreach (IPAddress address in addresses)
            if (own ? !IPAddress.IsLoopback(address) : !IsPublic(address)) throw EncoderFaults.UrlRefused(context.DnsEndPoint.Host, $"it is {address}, which is not a public address");
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, context.DnsEndPoint.Port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>True for addresses of the public internet (IANA special-purpose registries of 2025).</summary>
    internal static bool IsPublic(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        byte[] b = address.GetAddressBytes();
        if (b.Length == 4)
            return !(b[0] is 0 or 10 or 127 or >= 224 || (b[0] == 100 && b[1] is >= 64 and < 128) || (b[0] == 169 && b[1] == 254) || (b[0] == 172 && b[1] is >= 16 and < 32)
                || (b[0] == 192 && b[1] == 168) || (b[0] == 192 && b[1] == 0 && b[2] is 0 or 2) || (b[0] == 198 && b[1] is 18 or 19) || (b[0] == 198 && b[1] == 51 && b[2] == 100)
                || (b[0] == 203 && b[1] == 0 && b[2] == 113));
        // 2000::/3 is all that is given out; of it not documentation, Teredo and 6to4, which lead to IPv4 addresses.
        return (b[0] & 0xe0) == 0x20 && !(b[0] == 0x20 && b[1] == 0x01 && b[2] is 0 or 1) && !(b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0d && b[3] == 0xb8) && !(b[0] == 0x20 && b[1] == 0x02);
    }
}
