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
            Services = LocalServices.Of(options, regions, observer, ttlSeconds),
            Timing = new Timing(
                IntervalSeconds: interval,
                ProbeTimeoutMilliseconds: Math.Min(3000, interval * 500),
                CallTimeoutMilliseconds: Math.Min(2000, interval * 450),
                StableMinutes: options.StableMinutes),
        };
        return JsonSerializer.Serialize(topology, TopologyJson.Default.Topology);
    }
}
