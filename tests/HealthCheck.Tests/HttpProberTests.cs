using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Probing;

namespace Failover.HealthCheck.Tests;

/// <summary>A probe against servers that misbehave, byte by byte over real sockets.</summary>
public sealed class HttpProberTests
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;
    private static readonly ProbeDeadlines Patient = new(TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(20));
    private static readonly ProbeDeadlines Hasty = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(400));

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", true, "200 in ")]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", false, "204, not 200")]
    [InlineData("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", false, "503, not 200")]
    [InlineData("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", false, "302, not 200")]
    [InlineData("", false, "closed before an answer")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", false, "")]
    public async Task The_status_must_be_the_one(string answer, bool ok, string detail)
    {
        var result = await ProbeAsync(answer, ProbeExpectation.Default);

        Assert.Equal(ok, result.Ok);
        Assert.Contains(detail, result.Detail, StringComparison.Ordinal);
        Assert.Equal(answer.StartsWith("HTTP", StringComparison.Ordinal), result.Answered);
    }

    [Fact]
    public async Task Another_status_may_be_expected() =>
        Assert.True((await ProbeAsync("HTTP/1.1 204 No Content\r\n\r\n", new ProbeExpectation(StatusCode: 204))).Ok);

    [Theory]
    [InlineData("""{"region":"east","at":"2026-11-23T08:00:00Z"}""", null)]
    [InlineData("""{"region":"west","at":"2026-11-23T08:00:00Z"}""", "/region is not 'east'")]
    [InlineData("""{"region":"east","at":"2026-11-23T07:59:29Z"}""", "/at is no time of the last 30 s")]
    [InlineData("""{"region":"east","at":"2026-11-23T08:00:31Z"}""", "/at is no time of the last 30 s")]
    [InlineData("""{"region":"east","at":"today"}""", "/at is no time")]
    [InlineData("""{"region":"east"}""", "has no /at")]
    [InlineData("""{"region":{"name":"east"},"at":"2026-11-23T08:00:00Z"}""", "/region is not 'east'")]
    [InlineData("""["east"]""", "has no /region")]
    [InlineData("<html>east</html>", "not JSON")]
    [InlineData("", "not JSON")]
    [InlineData("""{"region":"\ud800"}""", "not JSON")]
    [InlineData("""{"\ud800":1}""", "has no /region")]
    public void The_body_must_say_what_it_must(string body, string? unmet)
    {
        var said = BodyConditions.Unmet(Encoding.UTF8.GetBytes(body), [new JsonCondition("/region", Is: "east"), new JsonCondition("/at", FreshWithinSeconds: 30)], Decision.World.Now);

        if (unmet is null)
        {
            Assert.Null(said);
        }
        else
        {
            Assert.Contains(unmet, said, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("/a~1b/0/m~0n", "7")]
    [InlineData("/a~1b/1", "true")]
    public void Paths_are_JSON_pointers(string path, string value) =>
        Assert.Null(BodyConditions.Unmet("""{"a/b":[{"m~n":7},true]}"""u8.ToArray(), [new JsonCondition(path, Is: value)], Decision.World.Now));

    [Theory]
    [InlineData("/a~1b/2")]
    [InlineData("/a~1b/-1")]
    [InlineData("/a~1b/00000000000000")]
    public void A_path_that_leads_nowhere_is_not_met(string path) =>
        Assert.NotNull(BodyConditions.Unmet("""{"a/b":[{"m~n":7},true]}"""u8.ToArray(), [new JsonCondition(path, Is: "7")], Decision.World.Now));

    [Fact]
    public async Task A_body_that_never_ends_costs_four_kilobytes()
    {
        var sent = 0L;
        var result = await ProbeAsync(
            async stream =>
            {
                await stream.WriteAsync("HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n"u8.ToArray(), Token);
                var piece = new byte[64 * 1024];
                for (; sent < 1_000_000_000; sent += piece.Length)
                {
                    await stream.WriteAsync(piece, Token);
                }
            },
            ProbeExpectation.Default,
            Patient);
        var judged = await ProbeAsync($"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{new string(' ', 5000)}", new ProbeExpectation(Json: [new JsonCondition("/x", Is: "1")]));

        Assert.True(result.Ok);
        Assert.True(sent < 50_000_000);
        Assert.Contains("longer than 4096", judged.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_compressed_is_not_inflated()
    {
        var result = await ProbeAsync(
            "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nok", new ProbeExpectation(Json: [new JsonCondition("/x", Is: "1")]));

        Assert.Contains("not JSON", result.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "no answer within")]
    [InlineData(1, "no answer within")]
    [InlineData(2, "no whole answer within")]
    public async Task Each_phase_has_its_deadline(int phase, string detail)
    {
        var result = await ProbeAsync(
            async stream =>
            {
                string[] pieces = ["", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok"];
                await stream.WriteAsync(Encoding.ASCII.GetBytes(pieces[phase]), Token);
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, Token);
            },
            ProbeExpectation.Default,
            Hasty);

        Assert.False(result.Ok);
        Assert.Contains(detail, result.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_that_is_refused_is_data() =>
        Assert.Equal("ConnectionRefused", (await Prober(Patient).ProbeAsync(new Uri($"http://127.0.0.1:{FreePort()}/"), ProbeExpectation.Default, null, Token)).Detail);

    /// <summary>F11: the first of two addresses swallowed every packet, and the second was never tried.</summary>
    [Fact]
    public async Task An_address_that_swallows_every_packet_does_not_hide_the_next()
    {
        using var swallows = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        swallows.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0));
        swallows.Listen(0);
        var port = ((IPEndPoint)swallows.LocalEndPoint!).Port;
        var full = Enumerable.Range(0, 4).Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false }).ToList();
        full.ForEach(socket => _ = socket.ConnectAsync(swallows.LocalEndPoint!, Token).AsTask());
        using var serves = new TcpListener(IPAddress.Parse("127.0.0.3"), port);
        serves.Start();
        var serving = Task.Run(
            async () =>
            {
                using var client = await serves.AcceptTcpClientAsync(Token);
                await client.GetStream().ReadExactlyAsync(new byte[1], Token);
                await client.GetStream().WriteAsync("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"u8.ToArray(), Token);
            },
            Token);
        var prober = new HttpProber(
            new ProbeDeadlines(TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(20)), [IPNetwork.Parse("127.0.0.0/8")], TimeProvider.System,
            (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse("127.0.0.2"), IPAddress.Parse("127.0.0.3")]));

        var result = await prober.ProbeAsync(new Uri($"http://two.example.test:{port}/"), ProbeExpectation.Default, null, Token);

        Assert.True(result.Ok, result.Detail);
        await serving;
        full.ForEach(socket => socket.Dispose());
    }

    /// <summary>F8: a status line of 16 KB was stored whole.</summary>
    [Fact]
    public async Task A_broken_answer_is_told_in_a_hundred_printable_bytes()
    {
        var result = await ProbeAsync("HTTP/1.1 2\u001b[2J" + new string('<', 15_000) + "\r\n\r\n", ProbeExpectation.Default);

        Assert.False(result.Ok);
        Assert.InRange(result.Detail.Length, 1, 100);
        Assert.DoesNotContain(result.Detail, character => character is < ' ' or > '~');
    }

    [Fact]
    public async Task A_handshake_that_hangs_ends_with_the_connection_deadline()
    {
        var result = await ProbeAsync(async _ => await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, Token), ProbeExpectation.Default, Hasty, "https");

        Assert.Contains("no connection within", result.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_that_is_valid_is_told_with_its_end()
    {
        var until = TimeProvider.System.GetUtcNow().AddDays(10);
        using var root = Certificate("CN=root", null, until);
        using var leaf = Certificate("CN=app.example.test", root, until);

        var result = await ProbeTlsAsync(leaf, root);

        Assert.True(result.Ok, result.Detail);
        Assert.Equal(until.ToUnixTimeSeconds(), result.CertificateUntil!.Value.ToUnixTimeSeconds());
    }

    [Theory]
    [InlineData("CN=other.example.test", 10, true)]
    [InlineData("CN=app.example.test", -1, true)]
    [InlineData("CN=app.example.test", 10, false)]
    public async Task A_certificate_of_another_name_or_time_or_root_is_a_failure(string name, int days, bool trusted)
    {
        using var root = Certificate("CN=root", null, TimeProvider.System.GetUtcNow().AddDays(20));
        using var other = Certificate("CN=other root", null, TimeProvider.System.GetUtcNow().AddDays(20));
        using var leaf = Certificate(name, root, TimeProvider.System.GetUtcNow().AddDays(days));

        var result = await ProbeTlsAsync(leaf, trusted ? root : other);

        Assert.False(result.Ok);
        Assert.False(result.Answered);
        Assert.Contains("certificate is not valid", result.Detail, StringComparison.Ordinal);
        Assert.NotNull(result.CertificateUntil);
    }

    private static Task<ProbeResult> ProbeAsync(string answer, ProbeExpectation expect) =>
        ProbeAsync(async stream => await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), Token), expect, Patient);

    private static async Task<ProbeResult> ProbeAsync(Func<Stream, Task> answer, ProbeExpectation expect, ProbeDeadlines deadlines, string scheme = "http")
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var serving = ServeAsync(listener, async stream =>
        {
            if (scheme == "http")
            {
                await stream.ReadAtLeastAsync(new byte[4096], 1, cancellationToken: ended.Token);
            }

            await answer(stream).WaitAsync(ended.Token);
        });
        var result = await Prober(deadlines).ProbeAsync(new Uri($"{scheme}://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/"), expect, null, Token);
        await ended.CancelAsync();
        await serving;
        return result;
    }

    private static async Task<ProbeResult> ProbeTlsAsync(X509Certificate2 certificate, X509Certificate2 root)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = ServeAsync(listener, async plain =>
        {
            await using var stream = new SslStream(plain);
            await stream.AuthenticateAsServerAsync(certificate);
            await stream.ReadAtLeastAsync(new byte[4096], 1, cancellationToken: Token);
            await stream.WriteAsync("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"u8.ToArray(), Token);
        });
        var prober = new HttpProber(
            Patient, [IPNetwork.Parse("127.0.0.0/8")], TimeProvider.System, (_, _) => Task.FromResult(new[] { IPAddress.Loopback }), new X509Certificate2Collection(root));
        var result = await prober.ProbeAsync(new Uri($"https://app.example.test:{((IPEndPoint)listener.LocalEndpoint).Port}/"), ProbeExpectation.Default, null, Token);
        await serving;
        return result;
    }

    private static async Task ServeAsync(TcpListener listener, Func<Stream, Task> serve)
    {
        using var client = await listener.AcceptTcpClientAsync(Token);
        await using var stream = client.GetStream();
        try
        {
            await serve(stream);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
        {
            // The probe has hung up: that is its right.
        }
    }

    private static HttpProber Prober(ProbeDeadlines deadlines) => new(deadlines, [IPNetwork.Parse("127.0.0.0/8")], TimeProvider.System);

    private static X509Certificate2 Certificate(string name, X509Certificate2? issuer, DateTimeOffset until)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(issuer is null, false, 0, true));
        var from = until.AddDays(-30);
        if (issuer is null)
        {
            return request.CreateSelfSigned(from.AddDays(-30), until.AddDays(30));
        }

        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name[3..]);
        request.CertificateExtensions.Add(names.Build());
        using var signed = request.Create(issuer, from, until, RandomNumberGenerator.GetBytes(8));
        using var withKey = signed.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
