using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;

namespace Failover.HealthCheck.Decision;

/// <summary>
/// The gate before a move back. Nothing is lost by waiting, so it asks for more than a move away does: the same majority holds the target up, and has for long,
/// heartbeats are at most an interval late in both directions, and neither region's journal has an open finding that stands against it. What was written within the last interval may still be under way.
/// Without an order it asks for more: that the tables were compared.
/// </summary>
public static class BackGate
{
    /// <summary>Two comparisons that were asked for at once say no more than one.</summary>
    public static readonly TimeSpan Apart = TimeSpan.FromMinutes(1);

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

            var clear = stable.Count(ballot => here == there || (IsClear(ballot, here) && IsClear(ballot, there)));
            if (clear < topology.Majority)
            {
                return $"{clear} of {topology.Observers.Count} observers read in the journals of {here} and {there} that no missing write, gap or divergence is open; {topology.Majority} are needed";
            }
        }

        return null;
    }

    /// <summary>
    /// Whether the tables of the serving endpoint and of <paramref name="target"/> have been compared twice since the last move, and were equal both times, with nothing different after: a majority has read it.
    /// </summary>
    public static bool IsCompared(Topology topology, Service service, Register register, ServiceEndpoint target, IReadOnlyList<Ballot> fresh)
    {
        if (service.Endpoint(register.Serving)?.Replica is not { } here)
        {
            return false;
        }

        // A landing is later than the plan that lands; and a plan that was withdrawn without landing begins anew too.
        if (register.Plan.Since is not { } planned)
        {
            return false;
        }

        var since = register.LastMove?.At > planned ? register.LastMove.At : planned;
        return here == target.Replica || fresh.Count(ballot => IsEqualTwice(ballot, here, target.Replica, since)) >= topology.Majority;
    }

    private static bool IsEqualTwice(Ballot ballot, string here, string there, DateTimeOffset since)
    {
        var compared = (ballot.Data ?? new Dictionary<string, DataBallot>()).Values.SelectMany(data => data.Compared)
            .Where(tables => tables.Regions.Contains(here) && tables.Regions.Contains(there)).OrderByDescending(tables => tables.CutOff).Take(2).ToList();
        return compared.Count == 2 && compared.TrueForAll(tables => tables.IsEqual && tables.CutOff > since) && compared[0].CutOff - compared[1].CutOff >= Apart;
    }

    /// <summary>A journal that did not answer says nothing.</summary>
    private static bool IsClear(Ballot ballot, string replica) => ballot.Data?.GetValueOrDefault(replica) is { Holds: false };

    /// <summary>No acknowledged heartbeat older than an interval is missing on the other side; what cannot be measured is not fresh.</summary>
    private static bool IsFresh(Ballot ballot, string from, string to, Timing timing) =>
        ballot.Replicas.TryGetValue(from, out var beats) && beats.LagMs.TryGetValue(to, out var lag) && lag <= timing.Interval.TotalMilliseconds;
}
