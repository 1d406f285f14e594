using Failover.ControlPlane.Topologies;

namespace Failover.LocalHost.Tests;

/// <summary>The ports are a contract with people and with scripts.</summary>
public class PortsTests
{
    private static readonly Ports Contract = new(7000);

    [Fact]
    public void The_first_DNS_server_keeps_its_ports_and_the_second_has_its_own()
    {
        Assert.Equal((7053, 7054), (Contract.Dns(1), Contract.Dns(2)));
        Assert.Equal([7041, 7042, 7043], Enumerable.Range(1, 3).Select(observer => Contract.DnsRoad(observer)));
        Assert.Equal([7045, 7046, 7047], Enumerable.Range(1, 3).Select(observer => Contract.DnsRoad(observer, 2)));
    }

    [Fact]
    public void No_port_has_two_uses()
    {
        var all = Contract.All(3, 2);

        Assert.Equal(all.Count, all.Distinct().Count());
        Assert.Equal(
            [7041, 7042, 7043, 7045, 7046, 7047, 7053, 7054, 7060, 7061, 7062, 7063, 7070, 7071, 7072, 7081, 7082, 7083, 7090, 7091],
            all.Order());
    }

    [Theory]
    [InlineData(1, "127.0.0.1:7041", "127.0.0.1:7045")]
    [InlineData(3, "127.0.0.1:7043", "127.0.0.1:7047")]
    public void Each_observer_reaches_both_DNS_servers_of_every_service_on_its_own_ways(int observer, string first, string second)
    {
        var options = new WorldOptions(
            Contract, TimeSpan.FromSeconds(10), TimeSpan.Zero, 1, null, Lever.Records, TimeSpan.FromMinutes(1), "ActiveActive", 3);
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, LocalTopology.For(observer, options, World.RegionNames, 5));

            Assert.All(TopologyFile.Load(file).Services, service => Assert.Equal([first, second], service.AuthoritativeServers));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
