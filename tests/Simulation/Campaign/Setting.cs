using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;

namespace Failover.Simulation.Campaign;

/// <summary>What is guarded: one service with two or three endpoints over two replicas, and three observers.</summary>
internal sealed record Setting(Topology Topology)
{
    public const string Name = "app.example.test";

    public Service Service => Topology.Services[0];

    public Timing Timing => Topology.Timing;

    /// <summary>Whether the name is moved by the switch.</summary>
    public bool IsSwitch => Service.Lever == Lever.Switch;

    /// <summary>What is being rolled out, and which observer has it when (milliseconds).</summary>
    public (Topology Topology, Func<int, long, bool> Has)? Next { get; init; }

    /// <summary>Automatic, with the defaults.</summary>
    public static readonly Setting Default = Of(endpoints: 2, new Timing(), FailoverMode.Automatic, RpoPreference.PreferAvailability);

    /// <summary>The same, moved by the switch.</summary>
    public static readonly Setting BySwitch = Default with { Topology = Default.Topology with { Services = [Switched(Default.Service)] } };

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

    /// <summary>One of all settings; in some a change of the interval is rolled out over the observers, up or down, and rolled back.</summary>
    public static Setting Draw(Random random)
    {
        var setting = All[random.Next(All.Length)];
        if (random.Next(4) == 0)
        {
            setting = setting with { Topology = setting.Topology with { Services = [Switched(setting.Service)] } };
        }

        return random.Next(5) == 0 ? setting.RolledTo(Intervals[random.Next(Intervals.Length)], 100_000 + random.Next(100_000), random.Next(1_000, 90_000), random.Next(200_000, 1_200_000)) : setting;
    }

    private static readonly int[] Intervals = [5, 7, 20, 30];

    /// <summary>The same with another interval, which observer after observer gets, and loses again some time later.</summary>
    public Setting RolledTo(int intervalSeconds, long from, long apart, long lasts) => this with
    {
        Next = (
            Topology with { Timing = Timing with { IntervalSeconds = intervalSeconds } },
            (observer, now) => now >= from + (observer * apart) && now < from + (observer * apart) + lasts),
    };

    /// <summary>A service of two endpoints that the switch moves.</summary>
    public static Service Switched(Service service) =>
        service with { Lever = Lever.Switch, HostedZoneId = null, Endpoints = [.. service.Endpoints.Take(2)] };

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
                AuthoritativeServers = [.. Enumerable.Range(0, SimWorld.Servers).Select(server => $"s{server}")],
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
