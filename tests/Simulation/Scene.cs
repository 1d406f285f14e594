using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;

namespace Failover.Simulation;

/// <summary>The fixed parts of a small world: one service, two endpoints, three observers, and a clock that stands still.</summary>
internal static class Scene
{
    public const string Name = "app.example.test";

    public static readonly DateTimeOffset Now = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);

    public static readonly Service Service = new()
    {
        Name = Name,
        HostedZoneId = "Z1",
        AuthoritativeServers = ["127.0.0.1:53"],
        LookUrl = new Uri($"http://{Name}/"),
        Endpoints = [Endpoint("a", "192.0.2.1"), Endpoint("b", "192.0.2.2")],
    };

    public static readonly Topology Topology = new()
    {
        Observers = ["one", "two", "three"],
        Replicas = ["a", "b"],
        Anchors = [],
        Services = [Service],
    };

    /// <summary>The two who decide; the third only votes, unless three are asked for.</summary>
    public static readonly string[] Deciders = ["one", "two", "three"];

    public static readonly IReadOnlyList<RecordSet> SetsOfA = Plan.SetsOf(Service, Service.Endpoints[0]);

    public static readonly IReadOnlyList<RecordSet> SetsOfB = Plan.SetsOf(Service, Service.Endpoints[1]);

    public static readonly IReadOnlyList<RecordSet> SetsOfAHuman = [new RecordSet(Name, "A", 60, ["198.51.100.7"])];

    /// <summary>Ballots of all observers: endpoint a down for long, or up; b up.</summary>
    public static IReadOnlyList<Ballot> Ballots(bool aIsDown) =>
    [
        .. Topology.Observers.Select(observer => new Ballot
        {
            Observer = observer,
            Start = Now,
            At = Now,
            ValidUntil = Now.AddSeconds(30),
            Token = observer,
            Topology = Topology.Digest,
            Services = new Dictionary<string, IReadOnlyDictionary<string, EndpointBallot>>
            {
                [Name] = new Dictionary<string, EndpointBallot>
                {
                    ["a"] = aIsDown ? new EndpointBallot(Health.Down, 9, 9, 0, LastOk: false, null, Now.AddSeconds(-80), "", "") : Up,
                    ["b"] = Up,
                },
            },
            // Everything that was written on either side is on the other.
            Replicas = new Dictionary<string, ReplicaBallot> { ["a"] = Level("b"), ["b"] = Level("a") },
            Data = new Dictionary<string, DataBallot> { ["a"] = new(Holds: false, []), ["b"] = new(Holds: false, []) },
        }),
    ];

    /// <summary>A register at that epoch: an endpoint serves, and nothing moves.</summary>
    public static Register Settled(long epoch, string active = "a") => new()
    {
        Service = Name,
        Rev = 10,
        Observers = Topology.Observers,
        Plan = Plan.For(Service, Service.Endpoint(active)!, epoch, LongAgo, "three", "First"),
        Publication = epoch == 0 ? new Publication(LongAgo, PublishedAt: LongAgo) : new Publication(LongAgo, LongAgo, LongAgo),
        Active = active,
    };

    private static DateTimeOffset LongAgo => Now.AddHours(-1);

    /// <summary>The same with a move to b taken and about to be sent, and applied by nobody.</summary>
    public static Register Moving(long epoch, MoveKind kind)
    {
        var before = Settled(epoch);
        return before.WithPlan(Plan.For(Service, Service.Endpoints[1], epoch + 1, LongAgo, "three", "RegionLost")) with
        {
            Rev = before.Rev + 1,
            Moving = new Move("a", "b", kind, Now),
            Publication = new Publication(Now),
        };
    }

    public static Listing Shows(Plan plan) => new(plan.Sets, plan.Txt);

    private static EndpointBallot Up => new(Health.Up, 0, 0, 100, LastOk: true, LongAgo, null, "", "");

    private static ReplicaBallot Level(string other) => new(
        Acked: true, [], new Dictionary<string, long?> { [other] = Now.AddMinutes(1).ToUnixTimeMilliseconds() }, new Dictionary<string, long?> { [other] = 0 });

    private static ServiceEndpoint Endpoint(string name, string address) => new()
    {
        Name = name,
        Replica = name,
        ProbeUrl = new Uri($"http://{address}/"),
        Records = [new DnsTarget { Type = "A", Values = [address] }],
    };
}
