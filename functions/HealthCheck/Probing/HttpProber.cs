using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Failover.ControlPlane;
using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Topologies;

namespace Failover.HealthCheck.Probing;

/// <summary>What a probe saw. A failure is data, not an exception.</summary>
/// <param name="Ok">Whether it answered as an endpoint that serves does.</param>
/// <param name="Detail">For people.</param>
public sealed record ProbeResult(bool Ok, string Detail)
{
    /// <summary>Whether anything answered, whatever it said.</summary>
    public bool Answered { get; init; }

    /// <summary>Until when the certificate is valid that was shown; null without one.</summary>
    public DateTimeOffset? CertificateUntil { get; init; }
}

/// <summary>The deadlines of a probe, each from its beginning on.</summary>
/// <param name="Connect">Until a connection stands, TLS included.</param>
/// <param name="FirstByte">Until the headers are there.</param>
/// <param name="Total">Until the body, or 4 KB of it, is there.</param>
public sealed record ProbeDeadlines(TimeSpan Connect, TimeSpan FirstByte, TimeSpan Total)
{
    /// <summary>Those of a topology.</summary>
    public static ProbeDeadlines Of(Timing timing) => new(
        TimeSpan.FromMilliseconds(timing.ConnectTimeoutMilliseconds), TimeSpan.FromMilliseconds(timing.FirstByteTimeoutMilliseconds), timing.ProbeTimeout);
}

/// <summary>
/// Fetches an address under deadlines: no redirects, no proxy, no cookies, a new connection each time, at most 4 KB of the answer.
/// A name is resolved once, all that it resolves to must be allowed (<see cref="PublicAddress"/>), and the address that was looked at is the one that is connected to.
/// </summary>
/// <param name="resolve">How names are resolved; null: as the system does.</param>
/// <param name="trusted">Roots that certificates may come from; null: the system's.</param>
public sealed class HttpProber(
    ProbeDeadlines deadlines,
    IReadOnlyList<IPNetwork> allowed,
    TimeProvider time,
    Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null,
    X509Certificate2Collection? trusted = null)
{
    private const int BodyMax = 4096;

    /// <summary>A load balancer may have a dozen addresses. With more than these each would have too little time for a handshake across an ocean.</summary>
    private const int AddressesMax = 4;

    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve = resolve ?? System.Net.Dns.GetHostAddressesAsync;

    /// <summary>Whether <paramref name="url"/> answers as <paramref name="expect"/> says.</summary>
    /// <param name="address">Connect there instead of resolving the host.</param>
    public async Task<ProbeResult> ProbeAsync(Uri url, ProbeExpectation expect, IPAddress? address, CancellationToken cancellationToken)
    {
        using var total = cancellationToken.Within(deadlines.Total);
        using var firstByte = total.Token.Within(deadlines.FirstByte);
        var start = time.GetTimestamp();
        var phase = "connection";
        var connections = 0;
        DateTimeOffset? certificateUntil = null;
        try
        {
            using var handler = new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseProxy = false,
                UseCookies = false,
                PooledConnectionLifetime = TimeSpan.Zero,
                MaxResponseHeadersLength = 16,
                ConnectTimeout = deadlines.Connect,
                // The handler would send again what was hung up on: a probe is one connection.
                ConnectCallback = async (context, token) => connections++ == 0
                    ? await ConnectAsync(address, context.DnsEndPoint, token)
                    : throw new IOException("the connection was closed before an answer"),
                SslOptions =
                {
                    CertificateChainPolicy = ChainPolicy(),
                    RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                    {
                        certificateUntil = certificate is X509Certificate2 shown ? shown.NotAfter : null;
                        return errors == SslPolicyErrors.None;
                    },
                },
                PlaintextStreamFilter = (context, _) =>
                {
                    phase = "answer";
                    return ValueTask.FromResult(context.PlaintextStream);
                },
            };
            using var http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
            using var request = new HttpRequestMessage(HttpMethod.Get, url) { Headers = { ConnectionClose = true } };
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, firstByte.Token);
            phase = "whole answer";
            await using var stream = await response.Content.ReadAsStreamAsync(total.Token);
            var body = new byte[BodyMax + 1];
            var length = await stream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, total.Token);
            var took = time.GetElapsedTime(start).TotalMilliseconds;
            var wrong = (int)response.StatusCode != expect.StatusCode ? $"{(int)response.StatusCode}, not {expect.StatusCode}"
                : took > expect.LatencyMilliseconds ? $"{took:0} ms, more than {expect.LatencyMilliseconds}"
                : expect.Json.Count > 0 && length > BodyMax ? $"the body is longer than {BodyMax} bytes"
                : BodyConditions.Unmet(body.AsMemory(0, length), expect.Json, time.GetUtcNow());
            return new ProbeResult(wrong is null, wrong ?? $"{(int)response.StatusCode} in {took:0} ms") { Answered = true, CertificateUntil = certificateUntil };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Failed($"no {phase} within {phase switch { "connection" => deadlines.Connect, "answer" => deadlines.FirstByte, _ => deadlines.Total }:s\\.fff} s");
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            // Of whatever kind: what an endpoint answers must end no observer's tick.
            return Failed(error.InnerException switch
            {
                RefusedAddressException refused => refused.Message,
                SocketException socket => socket.SocketErrorCode.ToString(),
                AuthenticationException => "the certificate is not valid for this name, now, from a trusted root",
                _ => error is SocketException socket ? socket.SocketErrorCode.ToString() : error.Message,
            });
        }

        // A broken answer is quoted in the message, whole.
        ProbeResult Failed(string detail) => new(Ok: false, Printable.Of(detail, EndpointBallot.DetailMax)) { CertificateUntil = certificateUntil };
    }

    /// <summary>Which anchors answer, anything at all: if none does, the observer itself is cut off.</summary>
    public async Task<IReadOnlyList<(Anchor Anchor, bool Answers)>> AskAsync(IReadOnlyList<Anchor> anchors, CancellationToken cancellationToken) =>
        await Task.WhenAll(anchors.Select(async anchor => (anchor, (await ProbeAsync(anchor.Url, ProbeExpectation.Default, null, cancellationToken)).Answered)));

    private async ValueTask<Stream> ConnectAsync(IPAddress? address, DnsEndPoint target, CancellationToken cancellationToken)
    {
        var addresses = address is not null ? [address] : IPAddress.TryParse(target.Host, out var literal) ? [literal] : await _resolve(target.Host, cancellationToken);
        foreach (var one in addresses)
        {
            if (!PublicAddress.MayBeProbed(one, allowed))
            {
                throw new RefusedAddressException($"{one} is no public address, and the topology's allowedNetworks do not name it");
            }
        }

        // Each address has its share of the time that is left: one that swallows every packet must not hide the next.
        var tried = addresses.Take(AddressesMax).ToList();
        var start = time.GetTimestamp();
        SocketException? last = null;
        for (var i = 0; i < tried.Count; i++)
        {
            var one = tried[i];
            using var deadline = cancellationToken.Within(ShareOf(deadlines.Connect - time.GetElapsedTime(start), tried.Count - i));
            var socket = new Socket(one.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(one, target.Port, deadline.Token);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException error)
            {
                socket.Dispose();
                last = error;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                socket.Dispose();
                last = new SocketException((int)SocketError.TimedOut);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        throw last ?? new SocketException((int)SocketError.HostNotFound);
    }

    private static TimeSpan ShareOf(TimeSpan left, int addresses) => (left > TimeSpan.Zero ? left : TimeSpan.Zero) / addresses;

    /// <summary>A certificate names addresses for its issuers and revocations: they would be fetched past every rule of this class.</summary>
    private X509ChainPolicy ChainPolicy()
    {
        var policy = new X509ChainPolicy { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck };
        if (trusted is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(trusted);
        }

        return policy;
    }

    private sealed class RefusedAddressException(string message) : Exception(message);
}
