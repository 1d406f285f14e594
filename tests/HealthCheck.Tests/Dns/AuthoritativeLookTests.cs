using System.Net;
using Failover.ControlPlane.Registers;
using Failover.HealthCheck.Dns;
using Failover.HealthCheck.Probing;
using Failover.HealthCheck.Tests.Decision;
using Failover.LocalHost.Dns;
using Failover.LocalHost.Engines;
using Failover.LocalHost.Network;
using Failover.LocalHost.Route53;

namespace Failover.HealthCheck.Tests.Dns;

/// <summary>A look at LocalHost's DNS server over UDP, and at a page behind what it answers.</summary>
public sealed class AuthoritativeLookTests : IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    private readonly HostedZone _zone = new("Z1", "example.test.");
    private readonly int _port = Engine.FreePort();
    private DnsAuthority _dns = null!;
    private Door _page = null!;

    public async ValueTask InitializeAsync()
    {
        _dns = new DnsAuthority([new ServedZone(_zone.Name, () => _zone.Sets)], _port, () => false);
        _page = new Door(new IPEndPoint(IPAddress.Loopback, 0), context => Task.CompletedTask);
        await _page.SetOpenAsync(true);
    }

    public async ValueTask DisposeAsync()
    {
        _dns.Dispose();
        await _page.DisposeAsync();
    }

    [Theory]
    [InlineData("A", "127.0.0.1")]
    [InlineData("CNAME", "localhost")]
    public async Task What_the_servers_answer_is_compared_with_the_plan_and_fetched(string type, string value)
    {
        var plan = Plan.Of(World.Service, "a", [new RecordSet(World.Name, type, 60, [value])], 4, World.Now, "o1", "First");
        _zone.Apply([
            new ZoneChange("CREATE", new ZoneRecordSet(World.Name + ".", type, 60, [value])),
            new ZoneChange("CREATE", new ZoneRecordSet(World.Service.StateName + ".", "TXT", 60, [$"\"{plan.Txt.Values[0]}\""])),
        ]);

        var look = await LookAsync();

        Assert.True(look.AllShow(plan, hasTxt: true));
        Assert.True(look.ServesThrough(plan, hasTxt: true));
        Assert.False(look.MostShow(World.Plan("b", 5), hasTxt: true));
        Assert.True(look.HttpOk, look.HttpDetail);
    }

    [Fact]
    public async Task A_name_without_a_state_is_an_answer_and_a_server_that_is_silent_is_none()
    {
        _zone.Apply([new ZoneChange("CREATE", new ZoneRecordSet(World.Name + ".", "A", 60, ["127.0.0.1"]))]);

        var (one, both) = (await LookAsync(), await LookAsync($"127.0.0.1:{Engine.FreePort()}"));

        Assert.Null(Assert.Single(one.Servers)!.Txt);
        Assert.Null(both.Servers[1]);
        Assert.Equal(1, both.Answering);
    }

    private Task<HealthCheck.Decision.Look> LookAsync(params string[] others)
    {
        var timeout = TimeSpan.FromSeconds(2);
        var look = new AuthoritativeLook(new HttpProber(new ProbeDeadlines(timeout, timeout, timeout), [IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("::1/128")], TimeProvider.System), timeout);
        return look.LookAsync(
            World.Service with { AuthoritativeServers = [$"127.0.0.1:{_port}", .. others], LookUrl = new Uri($"http://{World.Name}:{_page.Port}/") }, Token);
    }
}
