using System.Diagnostics;
using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;

namespace Failover.Benchmarks;

/// <summary>How many decisions a second one core makes over three observers and two endpoints: in a healthy world, and in those that cost most.</summary>
internal static class DecisionRate
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);

    private static readonly Service Service = new()
    {
        Name = "app.example.test",
        HostedZoneId = "Z1",
        AuthoritativeServers = ["127.0.0.1"],
        LookUrl = new Uri("http://app.example.test/"),
        Endpoints = [Endpoint("a", "192.0.2.1"), Endpoint("b", "192.0.2.2")],
    };

    private static readonly Topology Topology = new() { Observers = ["one", "two", "three"], Replicas = ["a", "b"], Anchors = [], Services = [Service] };

    public static int Run()
    {
        var register = new Register { Service = Service.Name, Rev = 1, Observers = Topology.Observers, Plan = Plan.For(Service, Service.Endpoints[0], 4, Now, "one", "First"), Active = "a" };
        (string Name, IReadOnlyList<Ballot> Ballots)[] worlds =
        [
            ("healthy", Ballots(failures: 0, pathLives: true)),
            ("an endpoint to be left", Ballots(failures: 3, pathLives: true)),
            ("a region being lost", Ballots(failures: 5, pathLives: false)),
            ("a region to be left", Ballots(failures: 6, pathLives: false)),
        ];
        Console.WriteLine($"{"decisions on one core",-26}{"per second",14}{"bytes each",12}");
        foreach (var (name, ballots) in worlds)
        {
            var (rate, bytes) = Measure(() => Decider.Decide(Topology, Service, register, ballots, "one", Now));
            Console.WriteLine($"{name,-26}{rate,14:N0}{bytes,12:N0}");
        }

        return 0;
    }

    private static (double Rate, double Bytes) Measure(Func<Decision> decide)
    {
        const int Count = 3_000_000;
        for (var i = 0; i < Count; i++)
        {
            decide();
        }

        var (start, allocated) = (Stopwatch.GetTimestamp(), GC.GetAllocatedBytesForCurrentThread());
        for (var i = 0; i < Count; i++)
        {
            decide();
        }

        return (Count / Stopwatch.GetElapsedTime(start).TotalSeconds, (GC.GetAllocatedBytesForCurrentThread() - allocated) / (double)Count);
    }

    private static IReadOnlyList<Ballot> Ballots(int failures, bool pathLives)
    {
        var a = failures == 0 ? Up : new EndpointBallot(Health.Down, failures, pathLives ? failures : 0, 0, LastOk: false, null, Now.AddSeconds(-10 * failures), "", "");
        return
        [
            .. Topology.Observers.Select(observer => new Ballot
            {
                Observer = observer,
                Start = Now,
                At = Now,
                ValidUntil = Now.AddSeconds(30),
                Token = observer,
                Topology = Topology.Digest,
                Services = new Dictionary<string, IReadOnlyDictionary<string, EndpointBallot>> { [Service.Name] = new Dictionary<string, EndpointBallot> { ["a"] = a, ["b"] = Up } },
                Replicas = new Dictionary<string, ReplicaBallot> { ["a"] = Replica(pathLives, "b"), ["b"] = Replica(true, "a") },
            }),
        ];
    }

    private static EndpointBallot Up => new(Health.Up, 0, 0, 100, LastOk: true, Now.AddHours(-1), null, "", "");

    private static ReplicaBallot Replica(bool acked, string other) => new(
        acked, [], new Dictionary<string, long?> { [other] = Now.ToUnixTimeMilliseconds() - 900 }, new Dictionary<string, long?> { [other] = 900 });

    private static ServiceEndpoint Endpoint(string name, string address) => new()
    {
        Name = name, Replica = name, ProbeUrl = new Uri($"http://{address}/"), Records = [new DnsTarget { Type = "A", Values = [address] }],
    };
}
