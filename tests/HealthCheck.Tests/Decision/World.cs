using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;

namespace Failover.HealthCheck.Tests.Decision;

/// <summary>A small world of values: three observers, two endpoints, and builders for what they say.</summary>
internal static class World
{
    public const string Name = "app.example.test";

    public static readonly DateTimeOffset Now = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);

    public static readonly Service Service = new()
    {
        Name = Name,
        HostedZoneId = "Z1",
        AuthoritativeServers = ["127.0.0.1:53"],
        LookUrl = new Uri($"http://{Name}/"),
        Endpoints = [Endpoint("a", "192.0.2.1", 1), Endpoint("b", "192.0.2.2", 2), Endpoint("c", "192.0.2.3", 3)],
    };

    public static readonly Topology Topology = new()
    {
        Observers = ["o1", "o2", "o3"],
        Replicas = ["a", "b", "c"],
        Anchors = [],
        Services = [Service],
    };

    public static Register Register(string active = "a", long epoch = 4) => new()
    {
        Service = Name,
        Rev = 10,
        Observers = Topology.Observers,
        Plan = Plan(active, epoch),
        Publication = Published,
        Active = active,
    };

    /// <summary>Of a plan that the world has long shown.</summary>
    public static readonly Publication Published = new(Now, Now, Now);

    /// <summary>Of a plan that was sent, and that no server shows yet.</summary>
    public static readonly Publication Sent = new(Now);

    public static Plan Plan(string endpoint, long epoch, string why = "First") =>
        ControlPlane.Registers.Plan.For(Service, Service.Endpoint(endpoint)!, epoch, Now, "o1", why);

    /// <summary>What one observer says: <c>a:9- b:+</c> is a failed nine times and last, b up. <c>a:9+</c>: down, but the latest probe succeeded.</summary>
    public static Ballot Ballot(string observer, string says, bool pathAlive = true, double ageSeconds = 0, int ruleVersion = ControlPlane.Ballots.Ballot.RuleVersionNow) => new()
    {
        Observer = observer,
        Start = Now.AddSeconds(-ageSeconds),
        At = Now.AddSeconds(-ageSeconds),
        ValidUntil = Now.AddSeconds(30 - ageSeconds),
        Token = observer,
        RuleVersion = ruleVersion,
        Topology = Topology.Digest,
        Services = new Dictionary<string, IReadOnlyDictionary<string, EndpointBallot>>
        {
            [Name] = says.Split(' ').ToDictionary(part => part[..1], part => View(part[2..], pathAlive)),
        },
        Replicas = Topology.Replicas.ToDictionary(
            replica => replica,
            replica => new ReplicaBallot(pathAlive || replica != "a", [], new Dictionary<string, long?>(), new Dictionary<string, long?>())),
        Data = Topology.Replicas.ToDictionary(replica => replica, _ => new DataBallot(Holds: false, [])),
    };

    /// <summary>The same, made at another moment.</summary>
    public static Ballot MadeAt(this Ballot ballot, DateTimeOffset now) => ballot with { Start = now, At = now, ValidUntil = now.AddSeconds(30) };

    /// <summary>The same, with the newest heartbeat of replica a that is seen in b and c.</summary>
    public static Ballot Seen(this Ballot ballot, DateTimeOffset? newest) => ballot with
    {
        Replicas = ballot.Replicas.ToDictionary(replica => replica.Key, replica => replica.Key != "a" ? replica.Value : replica.Value with
        {
            NewestSeen = new Dictionary<string, long?> { ["b"] = newest?.ToUnixTimeMilliseconds(), ["c"] = newest?.ToUnixTimeMilliseconds() },
        }),
    };

    private static EndpointBallot View(string says, bool pathAlive)
    {
        if (says is "?")
        {
            return EndpointBallot.Unknown;
        }

        if (says is "+" or "++")
        {
            return new EndpointBallot(Health.Up, 0, 0, 6, LastOk: true, Now.AddSeconds(says == "+" ? -60 : -180), null, "", "");
        }

        var failures = int.Parse(says[..^1], System.Globalization.CultureInfo.InvariantCulture);
        var ok = says[^1] == '+';
        return new EndpointBallot(
            failures >= 3 ? Health.Down : Health.Up, failures, pathAlive ? failures : 0, ok ? 1 : 0, ok, ok ? Now : null, Now.AddSeconds(-10 * failures), "", "");
    }

    private static ServiceEndpoint Endpoint(string name, string address, int priority) => new()
    {
        Name = name,
        Replica = name,
        Priority = priority,
        ProbeUrl = new Uri($"http://{address}/"),
        Records = [new DnsTarget { Type = "A", Values = [address] }],
    };
}
