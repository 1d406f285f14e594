using System.Text.Json;
using Failover.ControlPlane.Topologies;

namespace Failover.ControlPlane.Ballots;

/// <summary>How large a ballot can grow, whatever endpoints, servers and journals answer.</summary>
public static class BallotSize
{
    /// <summary>The largest that a topology may ask for. Each tick reads the ballots of all observers, and DynamoDB takes no more than 400 KB.</summary>
    public const int Max = 64 * 1024;

    /// <summary>Acknowledged heartbeats that another replica has not shown yet: no ballot holds more.</summary>
    public const int PendingBeatsMax = 32;

    /// <summary>Comparisons that a ballot tells of, by journal.</summary>
    public const int ComparisonsMax = 6;

    /// <summary>The bytes of the largest ballot that an observer with this topology can write.</summary>
    public static int Of(Topology topology) => JsonSerializer.SerializeToUtf8Bytes(Largest(topology), ControlJson.Default.Ballot).Length;

    /// <summary>The largest ballot itself.</summary>
    public static Ballot Largest(Topology topology)
    {
        var late = DateTimeOffset.MaxValue;
        var view = new EndpointBallot(Health.Unknown, int.MaxValue, int.MaxValue, int.MaxValue, LastOk: false, late, late, "01234567", new string('x', EndpointBallot.DetailMax));
        var compared = Enumerable.Repeat(new ComparedTables(topology.Replicas, late, IsEqual: false), ComparisonsMax).ToList();
        var elsewhere = topology.Replicas.ToDictionary(replica => replica, long? (_) => long.MaxValue);
        return new Ballot
        {
            Observer = topology.Observers.MaxBy(observer => observer.Length) ?? "",
            Start = late,
            At = late,
            ValidUntil = late,
            StartsBefore = [late, late, late],
            Token = new string('0', 32),
            RuleVersion = int.MaxValue,
            Topology = new string('0', 16),
            Services = topology.Services.GroupBy(service => service.Name).ToDictionary(
                services => services.Key,
                services => (IReadOnlyDictionary<string, EndpointBallot>)services.First().Endpoints.GroupBy(endpoint => endpoint.Name).ToDictionary(endpoints => endpoints.Key, _ => view)),
            Replicas = topology.Replicas.Distinct().ToDictionary(replica => replica, _ => new ReplicaBallot(false, [.. Enumerable.Repeat(long.MaxValue, PendingBeatsMax)], elsewhere, elsewhere)),
            Data = topology.Replicas.Distinct().ToDictionary(replica => replica, _ => new DataBallot(false, compared)),
            Unsettled = new Unsettled(late, topology.Services.GroupBy(service => service.Name).ToDictionary(services => services.Key, _ => late)),
        };
    }
}
