using Failover.ControlPlane.Topologies;

namespace Failover.LocalHost;

/// <summary>The services of this world, in the order in which <c>--services</c> adds them: on Route 53, another on Route 53, and one on DigitalOcean.</summary>
internal static class LocalServices
{
    public const string DigitalOceanDomain = "example.digital";

    /// <summary>DigitalOcean's regions, as the load balancers there are called after them: the k-th stands before the k-th region's item API.</summary>
    public static readonly IReadOnlyList<string> DigitalOceanRegions = ["nyc3", "sfo3"];

    /// <summary>The address of the k-th load balancer.</summary>
    public static string BalancerAddress(int number) => $"127.0.0.{20 + number}";

    /// <summary>The id of the k-th load balancer.</summary>
    public static string BalancerId(int number) => $"4de7ac8b-495b-4884-9a69-1050c6793cd{number}";

    /// <summary>The services as the k-th observer sees them, from 1: it has its own way to every endpoint and DNS server.</summary>
    public static IReadOnlyList<Service> Of(WorldOptions options, IReadOnlyList<string> regions, int observer, int ttlSeconds)
    {
        var road = options.Ports.ProbeRoad(observer);
        string[] servers = [.. Enumerable.Range(1, Ports.DnsServers).Select(
            server => $"127.0.0.1:{options.Ports.DnsRoad(observer, server)}")];
        Service[] all =
        [
            OnAws(World.ServiceName, options.Lever),
            OnAws("shop.example.test", Lever.Records),
            new Service
            {
                Name = "app." + DigitalOceanDomain,
                DigitalOceanDomain = DigitalOceanDomain,
                AuthoritativeServers = servers,
                LookUrl = new Uri($"http://app.{DigitalOceanDomain}:{road}/health/ready"),
                TtlSeconds = 30,
                Endpoints = [.. Enumerable.Range(1, World.ServingRegions).Select(number => Endpoint(DigitalOceanRegions[number - 1], number, BalancerAddress(number)) with { LoadBalancerId = BalancerId(number) })],
            },
        ];
        return all[..options.Services];

        Service OnAws(string name, Lever lever) => new()
        {
            Name = name,
            Lever = lever,
            HostedZoneId = lever == Lever.Records ? World.ZoneId : null,
            AuthoritativeServers = servers,
            LookUrl = new Uri($"http://{name}:{road}/health/ready"),
            TtlSeconds = ttlSeconds,
            Endpoints = [.. Enumerable.Range(1, World.ServingRegions).Select(number => Endpoint(regions[number - 1], number, Ports.Address(number)))],
        };

        ServiceEndpoint Endpoint(string name, int number, string address) => new()
        {
            Name = name,
            Replica = regions[number - 1],
            ProbeUrl = new Uri($"http://{address}:{road}/health/ready"),
            Expect = new ProbeExpectation(Json: [new JsonCondition("/region", Is: regions[number - 1]), new JsonCondition("/at", FreshWithinSeconds: 30)]),
            Priority = number,
            Records = [new DnsTarget { Type = "A", Values = [address] }],
        };
    }
}
