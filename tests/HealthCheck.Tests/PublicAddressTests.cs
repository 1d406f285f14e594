using System.Net;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Probing;

namespace Failover.HealthCheck.Tests;

/// <summary>What a probe may connect to, in every spelling that a URL, a name or a DNS answer can give an address.</summary>
public class PublicAddressTests
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    [Theory]
    // This machine.
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.53")]
    [InlineData("127.255.255.254")]
    [InlineData("2130706433")]
    [InlineData("017700000001")]
    [InlineData("0x7f000001")]
    [InlineData("0x7f.0.0.1")]
    [InlineData("0177.0.0.1")]
    [InlineData("127.1")]
    [InlineData("127.0.1")]
    [InlineData("0")]
    [InlineData("0.0.0.0")]
    [InlineData("0.1.2.3")]
    [InlineData("[::1]")]
    [InlineData("[::]")]
    [InlineData("[0:0:0:0:0:0:0:1]")]
    [InlineData("[::ffff:127.0.0.1]")]
    [InlineData("[::ffff:7f00:1]")]
    [InlineData("[0:0:0:0:0:ffff:127.0.0.1]")]
    [InlineData("[::127.0.0.1]")]
    // The metadata service, and what else is on the link.
    [InlineData("169.254.169.254")]
    [InlineData("2852039166")]
    [InlineData("0xa9fea9fe")]
    [InlineData("0xa9.0xfe.0xa9.0xfe")]
    [InlineData("0251.0376.0251.0376")]
    [InlineData("169.254.43518")]
    [InlineData("169.16689662")]
    [InlineData("169.254.170.2")]
    [InlineData("169.254.0.1")]
    [InlineData("[::ffff:169.254.169.254]")]
    [InlineData("[::ffff:a9fe:a9fe]")]
    [InlineData("[fd00:ec2::254]")]
    [InlineData("[fe80::1]")]
    [InlineData("[fe80::a9fe:a9fe]")]
    [InlineData("[febf::1]")]
    // Neighbours.
    [InlineData("10.0.0.1")]
    [InlineData("10.255.255.255")]
    [InlineData("167772161")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.168.1.1")]
    [InlineData("0300.0250.1.1")]
    [InlineData("192.168.257")]
    [InlineData("100.64.0.1")]
    [InlineData("100.127.255.255")]
    [InlineData("[fc00::1]")]
    [InlineData("[fdff:ffff::1]")]
    [InlineData("[fec0::1]")]
    [InlineData("[::ffff:10.0.0.1]")]
    [InlineData("[::ffff:192.168.0.1]")]
    // Addresses in addresses.
    [InlineData("[64:ff9b::7f00:1]")]
    [InlineData("[64:ff9b::169.254.169.254]")]
    [InlineData("[64:ff9b:1::a00:1]")]
    [InlineData("[2002:7f00:1::]")]
    [InlineData("[2002:a9fe:a9fe::1]")]
    [InlineData("[2001:0:53aa:64c::1]")]
    [InlineData("[::10.0.0.1]")]
    // Nobody's.
    [InlineData("192.0.0.8")]
    [InlineData("192.0.2.1")]
    [InlineData("198.51.100.7")]
    [InlineData("203.0.113.9")]
    [InlineData("198.18.0.1")]
    [InlineData("198.19.255.255")]
    [InlineData("192.88.99.1")]
    [InlineData("224.0.0.1")]
    [InlineData("239.255.255.250")]
    [InlineData("240.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("[ff02::1]")]
    [InlineData("[100::1]")]
    [InlineData("[2001:db8::1]")]
    [InlineData("[2001:2::1]")]
    [InlineData("[2001:10::1]")]
    [InlineData("[3fff::1]")]
    [InlineData("[4000::1]")]
    public async Task An_address_that_is_not_public_is_refused_however_it_is_written(string host)
    {
        foreach (var url in new[] { $"http://{host}:9/", $"https://{host}:9/", $"http://{host}:9/?x=http://example.com/" })
        {
            var result = await Prober().ProbeAsync(new Uri(url), ProbeExpectation.Default, null, Token);

            Assert.False(result.Ok);
            Assert.Contains("is no public address", result.Detail, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("::ffff:10.1.2.3")]
    [InlineData("169.254.169.254")]
    [InlineData("fd00::1")]
    public async Task A_name_that_resolves_to_one_is_refused(string address)
    {
        foreach (var host in new[] { "evil.example.com", "evil.example.com.", "EVIL.example.com", "xn--bcher-kva.example", "bücher.example" })
        {
            var result = await Prober(address).ProbeAsync(new Uri($"http://{host}/"), ProbeExpectation.Default, null, Token);

            Assert.Contains("is no public address", result.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_name_that_also_resolves_to_one_is_refused() =>
        Assert.Contains(
            "10.0.0.1 is no public address",
            (await Prober("93.184.216.34", "10.0.0.1").ProbeAsync(new Uri("http://half.example.com/"), ProbeExpectation.Default, null, Token)).Detail,
            StringComparison.Ordinal);

    [Fact]
    public async Task An_address_that_DNS_answers_for_the_name_is_looked_at_too() =>
        Assert.Contains(
            "is no public address",
            (await Prober().ProbeAsync(new Uri("http://app.example.com/"), ProbeExpectation.Default, IPAddress.Parse("169.254.169.254"), Token)).Detail,
            StringComparison.Ordinal);

    /// <summary>Rebinding: the second answer of a name's owner is never asked for.</summary>
    [Fact]
    public async Task A_name_is_resolved_once()
    {
        var asked = 0;
        var prober = new HttpProber(Deadlines, [IPNetwork.Parse("127.0.0.2/32")], TimeProvider.System, (_, _) => Task.FromResult(new[] { IPAddress.Parse(++asked == 1 ? "127.0.0.2" : "127.0.0.1") }));

        await prober.ProbeAsync(new Uri("http://rebind.example.com:9/"), ProbeExpectation.Default, null, Token);

        Assert.Equal(1, asked);
    }

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("93.184.216.34")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.1")]
    [InlineData("100.63.255.255")]
    [InlineData("100.128.0.1")]
    [InlineData("169.253.255.255")]
    [InlineData("198.17.255.255")]
    [InlineData("223.255.255.255")]
    [InlineData("2606:4700:4700::1111")]
    [InlineData("2001:4860:4860::8888")]
    [InlineData("::ffff:1.1.1.1")]
    public void A_public_address_is_not(string address) => Assert.True(PublicAddress.MayBeProbed(IPAddress.Parse(address), []));

    [Fact]
    public void What_the_topology_allows_is_allowed_and_nothing_beside_it()
    {
        IReadOnlyList<IPNetwork> allowed = [IPNetwork.Parse("10.1.0.0/16"), IPNetwork.Parse("fd00:1::/32")];

        Assert.True(PublicAddress.MayBeProbed(IPAddress.Parse("10.1.255.1"), allowed));
        Assert.True(PublicAddress.MayBeProbed(IPAddress.Parse("::ffff:10.1.0.1"), allowed));
        Assert.True(PublicAddress.MayBeProbed(IPAddress.Parse("fd00:1::5"), allowed));
        Assert.False(PublicAddress.MayBeProbed(IPAddress.Parse("10.2.0.1"), allowed));
        Assert.False(PublicAddress.MayBeProbed(IPAddress.Parse("fd00:2::5"), allowed));
    }

    private static readonly ProbeDeadlines Deadlines = new(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5));

    private static HttpProber Prober(params string[] resolvesTo) =>
        new(Deadlines, [], TimeProvider.System, (_, _) => Task.FromResult(resolvesTo.Select(IPAddress.Parse).ToArray()));
}
