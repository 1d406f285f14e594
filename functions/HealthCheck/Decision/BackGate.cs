using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;

namespace Failover.HealthCheck.Decision;

/// <summary>
/// The gate before a move back. Nothing is lost by waiting, so it asks for more than a move away does: the same majority holds the target up, and has for long,
/// and heartbeats are at most an interval late in both directions. What was written within the last interval may still be under way.
/// </summary>
public static class BackGate
{
    /// <summary>Why a move back to <paramref name="target"/> must wait; null if it need not.</summary>
    /// <param name="fresh">The ballots that count.</param>
    public static string? Shut(Topology topology, Service service, Register register, ServiceEndpoint target, IReadOnlyList<Ballot> fresh)
    {
        var timing = topology.Timing;
        List<Ballot> stable = [.. fresh.Where(ballot => ballot.On(service.Name, target.Name) is { Health: Health.Up } view && view.CleanTicks >= timing.StableTicks)];
        if (stable.Count < topology.Majority)
        {
            return $"{stable.Count} of {topology.Observers.Count} observers have seen {target.Name} up for {timing.StableMinutes} minutes; {topology.Majority} are needed";
        }

        // What a move under way leads to may have been answered by some servers, and taken writes, before the move counts as landed.
        foreach (var source in new[] { register.Serving, register.Moving?.To }.OfType<string>().Where(source => source != target.Name).Distinct())
        {
            if (service.Endpoint(source)?.Replica is not { } here)
            {
                return $"{source} is no endpoint of the topology: nobody knows what its replica is behind by";
            }

            var there = target.Replica;
            var level = stable.Count(ballot => here == there || (IsFresh(ballot, here, there, timing) && IsFresh(ballot, there, here, timing)));
            if (level < topology.Majority)
            {
                return $"{level} of {topology.Observers.Count} observers see fresh heartbeats of {here} in {there} and of {there} in {here}; {topology.Majority} are needed";
            }
        }

        return null;
    }

    /// <summary>No acknowledged heartbeat older than an interval is missing on the other side; what cannot be measured is not fresh.</summary>
    private static bool IsFresh(Ballot ballot, string from, string to, Timing timing) =>
        ballot.Replicas.TryGetValue(from, out var beats) && beats.LagMs.TryGetValue(to, out var lag) && lag <= timing.Interval.TotalMilliseconds;
}
