using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Scion.Faults;
using Scion.Local.Running;

namespace Scion.Tests;

/// <summary>A server on this machine that answers each path with bytes given beforehand, then closes.</summary>
sealed class CannedServer : IDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource stop = new();

    public CannedServer()
    {
        listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>The whole answer, by path.</summary>
    public Dictionary<string, byte[]> Answers { get; } = [];

    public ConcurrentQueue<string> Asked { get; } = [];

    public string Url(string path) => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}{path}");

    public string Serve(string path, byte[] content, string status = "200 OK", string headers = "", long? length = null)
    {
        Answers[path] = [.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {status}\r\nContent-Length: {length ?? content.Length}\r\nConnection: close\r\n{headers}\r\n")), .. content];
        return Url(path);
    }

    async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                using TcpClient client = await listener.AcceptTcpClientAsync(stop.Token);
                NetworkStream stream = client.GetStream();
                StringBuilder request = new();
                byte[] buffer = new byte[4096];
                while (!request.ToString().Contains("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(buffer, stop.Token) is int count and > 0)
                    request.Append(Encoding.ASCII.GetString(buffer, 0, count));
                string path = request.ToString().Split(' ') is [_, string asked, ..] ? asked : "";
                Asked.Enqueue(path);
                if (Answers.TryGetValue(path, out byte[]? answer)) await stream.WriteAsync(answer, stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or IOException)
        {
            // The test is over.
        }
    }

    public void Dispose()
    {
        stop.Cancel();
        listener.Dispose();
        stop.Dispose();
    }
}

public sealed class EncoderDownloadTests : IDisposable
{
    static readonly byte[] File = [.. Enumerable.Range(0, 200_000).Select(i => (byte)(i * 7))];

    static readonly string Digest = Convert.ToHexStringLower(SHA256.HashData(File));

    readonly CannedServer server = new();

    public void Dispose() => server.Dispose();

    static async Task<string> RefusedAsync(string url, string? sha256 = null) =>
        (await Assert.ThrowsAsync<InputRejectedException>(() => EncoderDownload.FetchAsync(url, sha256, default))).Code;

    [Fact]
    public async Task Fetch_AFile_GivesItsBytes()
    {
        string url = server.Serve("/net.onnx", File);

        Assert.Equal(File, await EncoderDownload.FetchAsync(url, Digest, default));
        Assert.Equal(File, await EncoderDownload.FetchAsync(url, null, default));
    }

    [Fact]
    public async Task Fetch_AnotherFileThanStated_IsRefusedWithBothDigests()
    {
        string url = server.Serve("/net.onnx", File), other = new('0', 64);

        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => EncoderDownload.FetchAsync(url, other, default));

        Assert.Equal("V073", fault.Code);
        Assert.Contains($"has 200,000 bytes with SHA-256 {Digest}, not {other}. Nothing of it was read further.", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fetch_Redirects_AreFollowedOnThisMachineAndNotWithoutEnd()
    {
        server.Serve("/net.onnx", File);
        string near = server.Serve("/near", [], "302 Found", "Location: /net.onnx\r\n"), round = server.Serve("/round", [], "307 Temporary Redirect", "Location: /round\r\n");

        Assert.Equal(File, await EncoderDownload.FetchAsync(near, Digest, default));
        Assert.Equal("V070", await RefusedAsync(round));
        Assert.Equal(EncoderDownload.MaxRedirects + 1, server.Asked.Count(path => path == "/round"));
    }

    [Theory]
    [InlineData("http://example.com/net.onnx")]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    [InlineData("https://10.0.0.1/net.onnx")]
    [InlineData("https://[::1]/net.onnx")]
    [InlineData("https://127.0.0.1/net.onnx")]
    [InlineData("https://localhost/net.onnx")]
    [InlineData("https://2130706433/net.onnx")]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://127.0.0.1/net.onnx")]
    public async Task Fetch_PrivateOrOtherAddresses_AreRefused(string url)
    {
        string redirected = server.Serve("/away", [], "302 Found", $"Location: {url}\r\n");

        Assert.Equal("V070", await RefusedAsync(url));
        Assert.Equal("V070", await RefusedAsync(redirected));
    }

    [Fact]
    public async Task Fetch_AddressWithAPassword_IsRefusedWithoutRepeatingIt()
    {
        InputRejectedException fault = await Assert.ThrowsAsync<InputRejectedException>(() => EncoderDownload.FetchAsync("https://user:secret@example.com/net.onnx", null, default));

        Assert.Equal("V070", fault.Code);
        Assert.DoesNotContain("secret", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fetch_WhatTheServerDoesNotGive_IsNamedByItsKind()
    {
        Assert.Equal("V071", await RefusedAsync(server.Serve("/gone", [], "404 Not Found")));
        Assert.Equal("V051", await RefusedAsync(server.Serve("/huge", [], length: 1L << 40)));
        foreach (string url in new[] { server.Serve("/busy", [], "503 Service Unavailable"), server.Serve("/cut", File[..1000], length: 2000), server.Url("/nothing") })
            Assert.Equal("V072", (await Assert.ThrowsAsync<TransientStorageException>(() => EncoderDownload.FetchAsync(url, null, default))).Code);
    }

    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("2606:4700::1111", true)]
    [InlineData("0.0.0.0", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("127.9.9.9", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("172.31.0.1", false)]
    [InlineData("172.32.0.1", true)]
    [InlineData("192.168.1.1", false)]
    [InlineData("198.18.0.1", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::", false)]
    [InlineData("::1", false)]
    [InlineData("::ffff:10.0.0.1", false)]
    [InlineData("fc00::1", false)]
    [InlineData("fe80::1", false)]
    [InlineData("ff02::1", false)]
    [InlineData("64:ff9b::a00:1", false)]
    [InlineData("2001::1", false)]
    [InlineData("2001:db8::1", false)]
    [InlineData("2002:a00:1::1", false)]
    public void IsPublic_KnownRanges_AreToldApart(string address, bool expected) => Assert.Equal(expected, EncoderDownload.IsPublic(IPAddress.Parse(address)));
}
