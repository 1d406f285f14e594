using Failover.ControlPlane.Ballots;

namespace Failover.HealthCheck.Decision;

/// <summary>
/// Folds one round of heartbeats into the lag between replicas. Each observer measures its own rows by its own clock, so clocks are never compared:
/// the lag from A to B is the age of its oldest <em>acknowledged</em> heartbeat in A that is not yet visible in B.
/// </summary>
public static class HeartbeatFold
{
    /// <summary>How many acknowledged slots are remembered: as many as failed slots.</summary>
    public const int AckedSlotsMax = HealthFold.FailedSlotsMax;

    private const int PendingBeatsMax = 32;

    /// <summary>One observer's ballot on one replica after one more round.</summary>
    /// <param name="beat">When this round's heartbeat was written, in Unix milliseconds.</param>
    /// <param name="acked">Whether the replica acknowledged it.</param>
    /// <param name="seenElsewhere">By other replica: the newest heartbeat from here that it shows; a missing one could not be read.</param>
    public static ReplicaBallot Next(
        ReplicaBallot? previous, long slot, long beat, bool acked, IReadOnlyDictionary<string, long> seenElsewhere, IReadOnlyCollection<string> others, long now)
    {
        var newest = others.ToDictionary(
            other => other,
            other => seenElsewhere.TryGetValue(other, out var seen) ? seen : previous?.NewestSeen.GetValueOrDefault(other));
        var slowest = newest.Values.Min(seen => seen ?? long.MinValue);
        List<long> pending = [.. (previous?.PendingBeats ?? []).Where(sent => sent > slowest)];
        if (acked && beat > slowest)
        {
            pending.Add(beat);
        }

        // In a long stall the oldest must stay, for it is the lag; of the rest every second one will do.
        if (pending.Count > PendingBeatsMax)
        {
            pending = [.. pending.Where((_, index) => index % 2 == 0)];
        }

        return new ReplicaBallot(
            acked ? [.. (previous?.AckedSlots ?? []).Append(slot).TakeLast(AckedSlotsMax)] : previous?.AckedSlots ?? [],
            pending,
            newest,
            others.ToDictionary(other => other, other => Lag(other)));

        long? Lag(string other)
        {
            if (!acked || !seenElsewhere.TryGetValue(other, out var seen))
            {
                return null;
            }

            var oldest = pending.FirstOrDefault(sent => sent > seen, now);
            return Math.Max(0, now - oldest);
        }
    }
}
