using System.Text.Json;
using Failover.ControlPlane;
using Failover.ControlPlane.Topologies;

namespace Failover.LocalHost;

/// <summary>
/// The topology of this world as one region's observer has it. They differ in the ports by which an observer reaches endpoints, anchors and DNS:
/// each has a road of its own, so that it can be cut off alone.
/// </summary>
internal static class LocalTopology
{
    public static string For(int observer, WorldOptions options, IReadOnlyList<string> regions, int ttlSeconds)
    {
        var ports = options.Ports;
        var interval = (int)options.Interval.TotalSeconds;
        var road = ports.ProbeRoad(observer);
        var topology = new Topology
        {
            Observers = regions,
            Replicas = [.. regions.Take(World.ServingRegions)],
            Anchors =
            [
                new Anchor { Name = "anchor-a", Url = new Uri($"http://127.0.0.1:{road}/a"), Operator = "a", Region = "one" },
                new Anchor { Name = "anchor-b", Url = new Uri($"http://127.0.0.1:{road}/b"), Operator = "b", Region = "two" },
            ],
            AllowedNetworks = ["127.0.0.0/8"],
            Services =
            [
                new Service
                {
                    Name = World.ServiceName,
                    HostedZoneId = World.ZoneId,
                    AuthoritativeServers = [$"127.0.0.1:{ports.DnsRoad(observer)}"],
                    LookUrl = new Uri($"http://{World.ServiceName}:{road}/health/ready"),
                    TtlSeconds = ttlSeconds,
                    Endpoints =
                    [
                        .. Enumerable.Range(1, World.ServingRegions).Select(number => new ServiceEndpoint
                        {
                            Name = regions[number - 1],
                            Replica = regions[number - 1],
                            ProbeUrl = new Uri($"http://{Ports.Address(number)}:{road}/health/ready"),
                            Expect = new ProbeExpectation(Json: [new JsonCondition("/region", Is: regions[number - 1]), new JsonCondition("/at", FreshWithinSeconds: 30)]),
                            Priority = number,
                            Records = [new DnsTarget { Type = "A", Values = [Ports.Address(number)] }],
                        }),
                    ],
                },
            ],
            Timing = new Timing(
                IntervalSeconds: interval,
                ProbeTimeoutMilliseconds: Math.Min(3000, interval * 500),
                CallTimeoutMilliseconds: Math.Min(2000, interval * 450),
                StableMinutes: options.StableMinutes),
        };
        return JsonSerializer.Serialize(topology, TopologyJson.Default.Topology);
    }
}
