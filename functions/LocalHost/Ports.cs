namespace Failover.LocalHost;

/// <summary>Where everything listens: a fixed contract, which <c>--port-base</c> shifts as a whole.</summary>
public sealed record Ports(int Base)
{
    public const int DefaultBase = 7000;

    /// <summary>How many authoritative DNS servers there are; all serve the same zones.</summary>
    public const int DnsServers = 2;

    /// <summary>The k-th authoritative DNS server, from 1, for people: UDP and TCP.</summary>
    public int Dns(int server = 1) => Base + 52 + server;

    /// <summary>The item API behind what DNS answers, common to all regions.</summary>
    public int Service => Base + 60;

    /// <summary>The page and the control API.</summary>
    public int Page => Base + 70;

    /// <summary>Route 53's API.</summary>
    public int Route53 => Base + 90;

    /// <summary>DigitalOcean's API.</summary>
    public int DigitalOcean => Base + 91;

    /// <summary>The item API of the k-th region, from 1.</summary>
    public int ItemApi(int region) => Base + 70 + region;

    /// <summary>The AWS door of the k-th region, from 1.</summary>
    public int Aws(int region) => Base + 80 + region;

    /// <summary>The k-th observer's own way to a DNS server, so that it can be cut.</summary>
    public int DnsRoad(int observer, int server = 1) => Base + 40 + (4 * (server - 1)) + observer;

    /// <summary>The k-th observer's own way to every endpoint and anchor, so that it can be cut.</summary>
    public int ProbeRoad(int observer) => Base + 60 + observer;

    /// <summary>Every port on 127.0.0.1 of a world with so many regions, of which so many serve; <see cref="Service"/> and the probe
    /// roads are on other addresses too.</summary>
    public IReadOnlyList<int> All(int regions, int servingRegions) =>
    [
        Service, Page, Route53, DigitalOcean,
        .. Enumerable.Range(1, DnsServers).Select(server => Dns(server)),
        .. Enumerable.Range(1, regions).SelectMany(region => Enumerable.Range(1, DnsServers).Select(server => DnsRoad(region, server))),
        .. Enumerable.Range(1, regions).SelectMany(region => new[] { Aws(region), ProbeRoad(region) }),
        .. Enumerable.Range(1, servingRegions).Select(ItemApi),
    ];

    /// <summary>The address that DNS answers for the k-th region.</summary>
    public static string Address(int region) => $"127.0.0.{10 + region}";
}
