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
        var timing = topology.Timing;
        var known = previous is not null && !HealthFold.IsGap(previous, slot, timing) ? previous : null;
        var round = seen.Round;
        return new Ballot
        {
            Observer = observer,
            Slot = slot,
            At = now,
            Services = topology.Services.ToDictionary(
                service => service.Name,
                service => (IReadOnlyDictionary<string, EndpointBallot>)service.Endpoints.ToDictionary(
                    endpoint => endpoint.Name,
                    endpoint => HealthFold.Next(known?.On(service.Name, endpoint.Name), seen.Probes[(service.Name, endpoint.Name)], slot, timing))),
            Replicas = topology.Replicas.ToDictionary(
                replica => replica,
                replica => HeartbeatFold.Next(
                    // An acknowledged heartbeat stays a fact, however long ago.
                    previous?.Replicas.GetValueOrDefault(replica),
                    slot,
                    round.Beat,
                    round.Acked.Contains(replica),
                    round.Visible.Where(there => there.Key != replica && there.Value.ContainsKey(replica)).ToDictionary(there => there.Key, there => there.Value[replica]),
                    [.. topology.Replicas.Where(other => other != replica)],
                    now.ToUnixTimeMilliseconds())),
        };
    }
}
