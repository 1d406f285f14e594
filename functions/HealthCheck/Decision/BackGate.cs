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
    public static string? Shut(Topology topology, Service service, Register register, ServiceEndpoint target, Votes votes)
    {
        var timing = topology.Timing;
        List<Ballot> stable = [.. votes.Counted.Where(ballot => ballot.On(service.Name, target.Name) is { IsUp: true } view && ballot.Start - view.CleanSince >= timing.Stable)];
        if (stable.Count < votes.Majority)
        {
            return $"{stable.Count} of {votes.Observers} observers have seen {target.Name} up for {timing.StableMinutes} minutes; {votes.Majority} are needed";
        }

        // What a move under way leads to may have been answered by some servers, and taken writes, before the move is published.
        foreach (var source in new[] { register.Serving, register.Moving?.To }.OfType<string>().Where(source => source != target.Name).Distinct())
        {
            if (service.Endpoint(source)?.Replica is not { } here)
            {
                return $"{source} is no endpoint of the topology: nobody knows what its replica is behind by";
            }

            var there = target.Replica;
            var level = stable.Count(ballot => here == there || (IsFresh(ballot, here, there, timing) && IsFresh(ballot, there, here, timing)));
            if (level < votes.Majority)
            {
                return $"{level} of {votes.Observers} observers see fresh heartbeats of {here} in {there} and of {there} in {here}; {votes.Majority} are needed";
            }

            var clear = stable.Count(ballot => here == there || (IsClear(ballot, here) && IsClear(ballot, there)));
            if (clear < votes.Majority)
            {
                return $"{clear} of {votes.Observers} observers read in the journals of {here} and {there} that no missing write, gap or divergence is open; {votes.Majority} are needed";
            }
        }

        return null;
    }

    /// <summary>
    /// Whether the tables of the serving endpoint and of <paramref name="target"/> have been compared twice since the last move, and were equal both times, with nothing different after: a majority has read it.
    /// </summary>
    public static bool IsCompared(Service service, Register register, ServiceEndpoint target, Votes votes)
    {
        if (service.Endpoint(register.Serving)?.Replica is not { } here)
        {
            return false;
        }

        // A publication is later than its plan; and a plan that was withdrawn unpublished begins anew too.
        if (register.Plan.Since is not { } planned)
        {
            return false;
        }

        var since = register.LastMove?.At > planned ? register.LastMove.At : planned;
        return here == target.Replica || votes.Counted.Count(ballot => IsEqualTwice(ballot, here, target.Replica, since)) >= votes.Majority;
    }

    private static bool IsEqualTwice(Ballot ballot, string here, string there, DateTimeOffset since)
    {
        var compared = ballot.Data.Values.SelectMany(data => data.Compared)
            .Where(tables => tables.Regions.Contains(here) && tables.Regions.Contains(there)).OrderByDescending(tables => tables.CutOff).Take(2).ToList();
        return compared.Count == 2 && compared.TrueForAll(tables => tables.IsEqual && tables.CutOff > since) && compared[0].CutOff - compared[1].CutOff >= Apart;
    }

    /// <summary>A journal that did not answer says nothing.</summary>
    private static bool IsClear(Ballot ballot, string replica) => ballot.Data.GetValueOrDefault(replica) is { Holds: false };

    /// <summary>No acknowledged heartbeat older than an interval is missing on the other side; what cannot be measured is not fresh.</summary>
    private static bool IsFresh(Ballot ballot, string from, string to, Timing timing) =>
        ballot.Replicas.TryGetValue(from, out var beats) && beats.LagMs.TryGetValue(to, out var lag) && lag <= timing.Interval.TotalMilliseconds;
}
