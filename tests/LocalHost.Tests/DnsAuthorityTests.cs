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

    private bool IsSilent()
    {
        var isSilent = _isSilent;
        if (isSilent)
        {
            _lost.Release();
        }

        return isSilent;
    }

    /// <summary>A query for the address of app.example.test, with an id of its own.</summary>
    private static byte[] Query(byte id) => [0, id, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, .. "app"u8, 7, .. "example"u8, 4, .. "test"u8, 0, 0, 1, 0, 1];
}
