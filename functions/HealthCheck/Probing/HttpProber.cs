using System.Net;
using System.Net.Sockets;
using Failover.ControlPlane;
using Failover.ControlPlane.Topologies;

namespace Failover.HealthCheck.Probing;

/// <summary>What a probe saw. A failure is data, not an exception.</summary>
/// <param name="StatusCode">Null if there was no answer.</param>
/// <param name="Detail">For people.</param>
public sealed record ProbeResult(HttpStatusCode? StatusCode, string Detail)
{
    /// <summary>Whether it answered as an endpoint that serves does.</summary>
    public bool Ok => StatusCode == HttpStatusCode.OK;
}

/// <summary>Fetches an address under a deadline: no redirects, no proxy, a new connection each time, at most 4 KB of the answer.</summary>
public sealed class HttpProber(TimeSpan timeout, TimeProvider time)
{
    private const int BodyMax = 4096;

    /// <summary>Whether <paramref name="url"/> answers 200 in time.</summary>
    /// <param name="address">Connect there instead of resolving the host.</param>
    public async Task<ProbeResult> ProbeAsync(Uri url, IPAddress? address, CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(timeout);
        var start = time.GetTimestamp();
        try
        {
            using var handler = new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseProxy = false,
                UseCookies = false,
                PooledConnectionLifetime = TimeSpan.Zero,
                MaxResponseHeadersLength = 16,
                ConnectCallback = address is null ? null : (context, token) => ConnectAsync(address, context.DnsEndPoint.Port, token),
            };
            using var http = new HttpClient(handler);
            using var request = new HttpRequestMessage(HttpMethod.Get, url) { Headers = { ConnectionClose = true } };
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token);
            await using var body = await response.Content.ReadAsStreamAsync(deadline.Token);
            await body.ReadAtLeastAsync(new byte[BodyMax], BodyMax, throwOnEndOfStream: false, deadline.Token);
            return new ProbeResult(
                response.StatusCode,
                $"{(int)response.StatusCode} in {time.GetElapsedTime(start).TotalMilliseconds:0} ms");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new ProbeResult(null, $"no answer within {timeout.TotalMilliseconds:0} ms");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException)
        {
            return new ProbeResult(null, error.InnerException is SocketException socket ? socket.SocketErrorCode.ToString() : error.Message);
        }
    }

    /// <summary>Whether any anchor answers, anything at all: if none does, the observer itself is cut off.</summary>
    public async Task<bool> AnyAnswersAsync(IReadOnlyList<Anchor> anchors, CancellationToken cancellationToken) =>
        (await Task.WhenAll(anchors.Select(anchor => ProbeAsync(anchor.Url, null, cancellationToken)))).Any(result => result.StatusCode is not null);

    private static async ValueTask<Stream> ConnectAsync(IPAddress address, int port, CancellationToken cancellationToken)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address, port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
