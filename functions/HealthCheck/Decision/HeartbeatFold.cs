using Failover.ControlPlane.Ballots;

namespace Failover.HealthCheck.Decision;

/// <summary>
/// Folds one round of heartbeats into the lag between replicas. Each observer measures its own rows by its own clock, so clocks are never compared:
/// the lag from A to B is the age of its oldest <em>acknowledged</em> heartbeat in A that is not yet visible in B.
/// </summary>
public static class HeartbeatFold
{
    /// <summary>One observer's ballot on one replica after one more round.</summary>
    /// <param name="beat">When this round's heartbeat was written, in Unix milliseconds.</param>
    /// <param name="acked">Whether the replica acknowledged it.</param>
    /// <param name="seenElsewhere">By other replica: the newest heartbeat from here that it shows; a missing one could not be read.</param>
    public static ReplicaBallot Next(
        ReplicaBallot? previous, long beat, bool acked, IReadOnlyDictionary<string, long> seenElsewhere, IReadOnlyCollection<string> others, long now)
    {
        var newest = new Dictionary<string, long?>(others.Count);
        var slowest = long.MaxValue;
        foreach (var other in others)
        {
            newest[other] = seenElsewhere.TryGetValue(other, out var seen) ? seen : previous?.NewestSeen.GetValueOrDefault(other);
            slowest = Math.Min(slowest, newest[other] ?? long.MinValue);
        }

        var pending = new List<long>();
        foreach (var sent in previous?.PendingBeats ?? [])
        {
            if (sent > slowest)
            {
                pending.Add(sent);
            }
        }

        if (acked && beat > slowest)
        {
            pending.Add(beat);
        }

        // In a long stall the oldest must stay, for it is the lag; of the rest every second one will do.
        if (pending.Count > BallotSize.PendingBeatsMax)
        {
            pending = [.. pending.Where((_, index) => index % 2 == 0)];
        }

        var lag = new Dictionary<string, long?>(others.Count);
        foreach (var other in others)
        {
            lag[other] = Lag(other);
        }

        return new ReplicaBallot(acked, pending, newest, lag);

        long? Lag(string other)
        {
            if (!acked || !seenElsewhere.TryGetValue(other, out var seen))
            {
                return null;
            }

            foreach (var sent in pending)
            {
                if (sent > seen)
                {
                    return Math.Max(0, now - sent);
                }
            }

            return 0;
        }
    }
}
