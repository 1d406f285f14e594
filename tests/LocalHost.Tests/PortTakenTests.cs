using System.Net;
using System.Net.Sockets;
using Failover.LocalHost.Dns;
using Failover.LocalHost.Network;

namespace Failover.LocalHost.Tests;

/// <summary>A port that another program took after LocalHost had found it free.</summary>
public sealed class PortTakenTests : IDisposable
{
    private readonly TcpListener _other = new(IPAddress.Loopback, 0);
    private readonly IPEndPoint _address;

    public PortTakenTests()
    {
        _other.Start();
        _address = (IPEndPoint)_other.LocalEndpoint;
    }

    public void Dispose() => _other.Dispose();

    [Fact]
    public async Task A_door_names_the_port_and_says_what_to_do()
    {
        await using var door = new Door(_address, _ => Task.CompletedTask);

        AssertClear(await Assert.ThrowsAsync<InvalidOperationException>(() => door.SetOpenAsync(true)));
    }

    [Fact]
    public async Task A_door_opens_once_the_port_is_free_again()
    {
        await using var door = new Door(_address, _ => Task.CompletedTask);
        await Assert.ThrowsAsync<InvalidOperationException>(() => door.SetOpenAsync(true));
        _other.Stop();

        await door.SetOpenAsync(true);

        Assert.Equal(_address.Port, door.Port);
    }

    [Fact]
    public void A_DNS_server_names_the_port_and_says_what_to_do()
    {
        AssertClear(Assert.Throws<InvalidOperationException>(Start));

        // UDP was free, and is again.
        using var udp = new UdpClient(_address);

        void Start()
        {
            using var server = new DnsAuthority([], _address.Port, () => false);
        }
    }

    private void AssertClear(InvalidOperationException error)
    {
        Assert.Contains($"cannot listen on {_address}:", error.Message, StringComparison.Ordinal);
        Assert.Contains("--port-base", error.Message, StringComparison.Ordinal);
    }
}
