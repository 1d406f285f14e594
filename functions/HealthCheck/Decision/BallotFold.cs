using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Topologies;

namespace Failover.HealthCheck.Decision;

/// <summary>Folds what a tick saw into the ballot before it.</summary>
public static class BallotFold
{
    /// <summary>Ticks further apart than this are no longer a slower pace, but an interruption.</summary>
    private static readonly TimeSpan SpacingMax = TimeSpan.FromSeconds(120);

    /// <summary>No vote is older than this.</summary>
    private static readonly TimeSpan LifetimeMax = TimeSpan.FromSeconds(180);

    /// <summary>With one tick a minute, at any second of it, one spacing says nothing of the next: two lie 1 to 119 s apart. Three together take at least 121 s.</summary>
    private const int PaceTicks = 3;

    /// <summary>The next ballot.</summary>
    /// <param name="previous">Null if there was none.</param>
    /// <param name="tick">Which tick it is.</param>
    public static Ballot Next(Topology topology, string observer, Ballot? previous, TickId tick, Observation seen, DateTimeOffset now)
    {
        // A ballot from ahead was made by a wrong clock.
        var known = previous?.Start < tick.Start ? previous : null;
        IReadOnlyList<DateTimeOffset> before = known is null ? [] : [.. known.StartsBefore.Append(known.Start).TakeLast(PaceTicks)];
        return new Ballot
        {
            Observer = observer,
            Start = tick.Start,
            At = now,
            ValidUntil = tick.Start + Lifetime(before, tick.Start, topology.Timing),
            StartsBefore = before,
            Token = tick.Token,
            Topology = topology.Digest,
            Services = ServicesOf(topology, known, tick.Start, seen),
            Replicas = ReplicasOf(topology, previous, seen, now),
            Data = seen.Data,
            Unsettled = Unsettled.Newer(seen.Unsettled, previous?.Unsettled ?? Unsettled.Nothing),
        };
    }

    /// <summary>As long as the last three ticks took: while the queue of ticks is gone, the ballots of several observers must still meet, and a failure must still be counted on.</summary>
    private static TimeSpan Lifetime(IReadOnlyList<DateTimeOffset> before, DateTimeOffset start, Timing timing)
    {
        var pace = TimeSpan.Zero;
        for (var i = 0; i < before.Count; i++)
        {
            var spacing = (i + 1 < before.Count ? before[i + 1] : start) - before[i];
            pace += spacing > SpacingMax ? SpacingMax : spacing;
        }

        if (pace > LifetimeMax)
        {
            pace = LifetimeMax;
        }

        return pace > timing.BallotLifetime ? pace : timing.BallotLifetime;
    }

    private static Dictionary<string, IReadOnlyDictionary<string, EndpointBallot>> ServicesOf(Topology topology, Ballot? known, DateTimeOffset start, Observation seen)
    {
        TimeSpan? gap = known is not null && start > known.ValidUntil ? start - known.Start : null;
        var services = new Dictionary<string, IReadOnlyDictionary<string, EndpointBallot>>(topology.Services.Count);
        foreach (var service in topology.Services)
        {
            var endpoints = new Dictionary<string, EndpointBallot>(service.Endpoints.Count);
            foreach (var endpoint in service.Endpoints)
            {
                var probe = seen.Probes[(service.Name, endpoint.Name)];
                endpoints[endpoint.Name] = HealthFold.Next(known?.On(service.Name, endpoint.Name), gap, endpoint.Digest, probe, seen.Round.Acked.Contains(endpoint.Replica), start, topology.Timing);
            }

            services[service.Name] = endpoints;
        }

        return services;
    }

    private static Dictionary<string, ReplicaBallot> ReplicasOf(Topology topology, Ballot? previous, Observation seen, DateTimeOffset now)
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
                seen.Round.Beat,
                seen.Round.Acked.Contains(replica),
                elsewhere,
                [.. topology.Replicas.Where(other => other != replica)],
                now.ToUnixTimeMilliseconds());
        }

        return replicas;
    }
}
