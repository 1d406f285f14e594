using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Topologies;

namespace Failover.HealthCheck.Decision;

/// <summary>Folds what a tick saw into the ballot before it.</summary>
public static class BallotFold
{
    /// <summary>The next ballot.</summary>
    /// <param name="previous">Null if there was none.</param>
    public static Ballot Next(Topology topology, string observer, Ballot? previous, long slot, Observation seen, DateTimeOffset now)
    {
        var known = previous is not null && !HealthFold.IsGap(previous, slot, topology.Timing) ? previous : null;
        return new Ballot
        {
            Observer = observer,
            Slot = slot,
            At = now,
            Topology = topology.Digest,
            Services = ServicesOf(topology, known, slot, seen),
            Replicas = ReplicasOf(topology, previous, slot, seen, now),
            Data = seen.Data,
        };
    }

    private static Dictionary<string, IReadOnlyDictionary<string, EndpointBallot>> ServicesOf(Topology topology, Ballot? known, long slot, Observation seen)
    {
        var services = new Dictionary<string, IReadOnlyDictionary<string, EndpointBallot>>(topology.Services.Count);
        foreach (var service in topology.Services)
        {
            var endpoints = new Dictionary<string, EndpointBallot>(service.Endpoints.Count);
            foreach (var endpoint in service.Endpoints)
            {
                endpoints[endpoint.Name] = HealthFold.Next(known?.On(service.Name, endpoint.Name), seen.Probes[(service.Name, endpoint.Name)], slot, topology.Timing);
            }

            services[service.Name] = endpoints;
        }

        return services;
    }

    private static Dictionary<string, ReplicaBallot> ReplicasOf(Topology topology, Ballot? previous, long slot, Observation seen, DateTimeOffset now)
    {
        var replicas = new Dictionary<string, ReplicaBallot>(topology.Replicas.Count);
        foreach (var replica in topology.Replicas)
        {
            var elsewhere = new Dictionary<string, long>();
            foreach (var (other, rows) in seen.Round.Visible)
            {
                if (other != replica && rows.TryGetValue(replica, out var newest))
                {
                    elsewhere[other] = newest;
                }
            }

            // An acknowledged heartbeat stays a fact, however long ago.
            replicas[replica] = HeartbeatFold.Next(
                previous?.Replicas.GetValueOrDefault(replica),
                slot,
                seen.Round.Beat,
                seen.Round.Acked.Contains(replica),
                elsewhere,
                [.. topology.Replicas.Where(other => other != replica)],
                now.ToUnixTimeMilliseconds());
        }

        return replicas;
    }
}
