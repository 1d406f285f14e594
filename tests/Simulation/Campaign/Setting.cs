using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;

namespace Failover.Simulation.Campaign;

/// <summary>What is guarded: one service with two or three endpoints over two replicas, and three observers.</summary>
internal sealed record Setting(Topology Topology)
{
    public const string Name = "app.example.test";

    public Service Service => Topology.Services[0];

    public Timing Timing => Topology.Timing;

    /// <summary>What is being rolled out, and which observer has it when (milliseconds).</summary>
    public (Topology Topology, Func<int, long, bool> Has)? Next { get; init; }

    /// <summary>Automatic, with the defaults.</summary>
    public static readonly Setting Default = Of(endpoints: 2, new Timing(), FailoverMode.Automatic, RpoPreference.PreferAvailability);

    /// <summary>The same with little patience before a move back.</summary>
    public static readonly Setting Quick = Of(endpoints: 2, new Timing(CoolDownMinutes: 3, StableMinutes: 0.5), FailoverMode.Automatic, RpoPreference.PreferAvailability);

    private static readonly Setting[] All =
    [
        .. from endpoints in new[] { 2, 3 }
           from timing in new[] { new Timing(CoolDownMinutes: 3, StableMinutes: 0.5), new Timing(CoolDownMinutes: 10, StableMinutes: 2), new Timing() }
           from rule in new[]
           {
               (FailoverMode.Automatic, RpoPreference.PreferAvailability, MoveBackMode.Manual), (FailoverMode.Automatic, RpoPreference.PreferAvailability, MoveBackMode.Automatic),
               (FailoverMode.Automatic, RpoPreference.PreferData, MoveBackMode.Automatic), (FailoverMode.Approve, RpoPreference.PreferAvailability, MoveBackMode.Manual),
           }
           select Of(endpoints, timing, rule.Item1, rule.Item2, rule.Item3),
    ];

    public static Setting Draw(Random random) => All[random.Next(All.Length)];

    public static Setting Of(int endpoints, Timing timing, FailoverMode mode, RpoPreference prefer, MoveBackMode moveBack = MoveBackMode.Manual) => new(new Topology
    {
        Observers = ["o0", "o1", "o2"],
        Replicas = ["r0", "r1"],
        Anchors = [],
        Timing = timing,
        Services =
        [
            new Service
            {
                Name = Name,
                HostedZoneId = "Z1",
                AuthoritativeServers = ["s0", "s1"],
                LookUrl = new Uri($"http://{Name}/"),
                Mode = mode,
                MoveBack = moveBack,
                Rpo = new RpoRule(prefer, LimitSeconds: 120),
                Endpoints = [.. new[] { ("a", "r0"), ("b", "r1"), ("c", "r1") }.Take(endpoints).Select((endpoint, i) => new ServiceEndpoint
                {
                    Name = endpoint.Item1,
                    Replica = endpoint.Item2,
                    Priority = i,
                    ProbeUrl = new Uri($"http://{endpoint.Item1}/"),
                    Records = [new DnsTarget { Type = "A", Values = [$"192.0.2.{i + 1}"] }],
                })],
            },
        ],
    });

    /// <summary>The region, and replica, of an endpoint.</summary>
    public int RegionOf(int endpoint) => endpoint < 0 || Service.Endpoints[endpoint].Replica == "r0" ? 0 : 1;

    /// <summary>What the name has while an endpoint serves.</summary>
    public IReadOnlyList<RecordSet> SetsOf(int endpoint) => Plan.SetsOf(Service, Service.Endpoints[endpoint]);
}
