using System.Net;
using System.Net.Sockets;
using Failover.LocalHost.Dns;
using Failover.LocalHost.Engines;
using Failover.LocalHost.Route53;
using Microsoft.Extensions.Time.Testing;

namespace Failover.LocalHost.Tests;

/// <summary>The DNS server's answers, and its silence.</summary>
public sealed class DnsAuthorityTests : IDisposable
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    private const byte RecordA = 1;
    private const byte RecordTxt = 16;

    private readonly FakeTimeProvider _time = new();
    private readonly HostedZone _zone = new("Z1", "example.test.");
    private readonly int _port = Engine.FreePort();
    private readonly DnsAuthority _server;
    private readonly SemaphoreSlim _lost = new(0);
    private volatile bool _isSilent;

    public DnsAuthorityTests()
    {
        _zone.Apply([new ZoneChange("CREATE", new ZoneRecordSet("app.example.test.", "A", 60, ["192.0.2.1"]))]);
        _server = new DnsAuthority([new ServedZone(_zone.Name, () => _zone.Sets)], _port, IsSilent, _time);
    }

    public void Dispose()
    {
        _server.Dispose();
        _lost.Dispose();
    }

    [Fact]
    public async Task A_query_to_a_silent_server_is_lost_for_good_over_UDP()
    {
        using var udp = new UdpClient(AddressFamily.InterNetwork);
        udp.Connect(IPAddress.Loopback, _port);
        _isSilent = true;
        await udp.SendAsync(Query(1), Token);
        await _lost.WaitAsync(Token);
        _isSilent = false;
        _time.Advance(TimeSpan.FromMinutes(1));

        await udp.SendAsync(Query(2), Token);

        Assert.Equal(2, (await udp.ReceiveAsync(Token)).Buffer[1]);
        Assert.Equal(0, udp.Available);
    }

    [Fact]
    public async Task A_query_to_a_silent_server_is_lost_for_good_over_TCP()
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, _port, Token);
        _isSilent = true;
        await tcp.GetStream().WriteAsync((byte[])[0, (byte)Query(1).Length, .. Query(1)], Token);
        await _lost.WaitAsync(Token);
        _isSilent = false;
        _time.Advance(TimeSpan.FromMinutes(1));

        using var next = new TcpClient();
        await next.ConnectAsync(IPAddress.Loopback, _port, Token);
        await next.GetStream().WriteAsync((byte[])[0, (byte)Query(2).Length, .. Query(2)], Token);

        await next.GetStream().ReadExactlyAsync(new byte[12], Token);
        Assert.Equal(0, tcp.Available);
        Assert.True(tcp.Connected);
    }

    [Fact]
    public async Task A_TXT_value_of_several_strings_is_answered_as_several_character_strings()
    {
        Assert.Empty(
            _zone.Apply([new ZoneChange("CREATE", new ZoneRecordSet("app.example.test.", "TXT", 60, ["\"a\\101\" \"say \\\"hi\\\"\""]))]));

        var answer = await AskAsync(RecordTxt);

        // One record, whose data are the strings, each after its length.
        Assert.Equal([2, .. "aA"u8, 8, .. "say \"hi\""u8], answer[^12..]);
        Assert.Equal((0, 12), (answer[^14], answer[^13]));
    }

    [Theory]
    [InlineData("Failover", "SECONDARY", "PRIMARY", 2)]
    [InlineData("Failover", "PRIMARY", "SECONDARY", 1)]
    [InlineData("Weight", "0", "5", 2)]
    [InlineData("Weight", "5", "0", 1)]
    public async Task One_of_the_sets_with_an_identifier_is_answered(string policy, string first, string second, int expected)
    {
        _zone.Apply([new ZoneChange("DELETE", _zone.Find("app.example.test.", "A")!)]);
        Assert.Empty(_zone.Apply(
        [
            new ZoneChange("CREATE", Routed("one", policy, first, "192.0.2.1")),
            new ZoneChange("CREATE", Routed("two", policy, second, "192.0.2.2")),
        ]));

        var answer = await AskAsync(RecordA);

        Assert.Equal((1, expected), (answer[7], answer[^1]));
    }

    private static ZoneRecordSet Routed(string identifier, string policy, string value, string address) =>
        new("app.example.test.", "A", 60, [address]) { Routing = new ZoneRouting(identifier, policy, value) };

    private async Task<byte[]> AskAsync(byte type)
    {
        using var udp = new UdpClient(AddressFamily.InterNetwork);
        udp.Connect(IPAddress.Loopback, _port);
        await udp.SendAsync(Query(1, type), Token);
        return (await udp.ReceiveAsync(Token)).Buffer;
    }

    private bool IsSilent()
    {
        var isSilent = _isSilent;
        if (isSilent)
        {
            _lost.Release();
        }

        return isSilent;
    }

    /// <summary>A query for app.example.test, with an id of its own.</summary>
    private static byte[] Query(byte id, byte type = RecordA) =>
        [0, id, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, .. "app"u8, 7, .. "example"u8, 4, .. "test"u8, 0, 0, type, 0, 1];
}
