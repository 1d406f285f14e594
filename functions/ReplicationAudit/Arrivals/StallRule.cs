namespace Failover.ReplicationAudit.Arrivals;

/// <summary>Whether replication stands still, by heartbeats alone: they are written with or without traffic.</summary>
public static class StallRule
{
    /// <summary>
    /// How far one replica is behind another in showing the heartbeats of one region, at least: the least of all observers' rows, which lie in different partitions. Both times are one observer's clock's.
    /// <see cref="TimeSpan.MaxValue"/>: it has never shown any. Null: the other shows none either, and nothing is known.
    /// </summary>
    /// <param name="ahead">By observer: what is shown where the heartbeats come from, or came by. It does not grow where a region takes no writes, and then nothing stalls.</param>
    /// <param name="behind">The same where they go.</param>
    public static TimeSpan? Lag(IReadOnlyDictionary<string, long> ahead, IReadOnlyDictionary<string, long> behind)
    {
        List<long> lags = [.. ahead.Where(row => behind.ContainsKey(row.Key)).Select(row => Math.Max(0, row.Value - behind[row.Key]))];
        return lags.Count > 0 ? TimeSpan.FromMilliseconds(lags.Min()) : ahead.Count > 0 ? TimeSpan.MaxValue : null;
    }

    /// <summary>
    /// Whether it cannot be told now what became of a write of <paramref name="region"/>: it may be under way to the peer; or what has beaten it there, wherever that was made, may be under way to here.
    /// </summary>
    public static bool IsStalled(string region, ReplicaView here, ReplicaView peer, TimeSpan stalledAfter) =>
        here.Heartbeats.Keys.Any(origin => (origin == region ? Lag(here.Heartbeats[origin], peer.Heartbeats[origin]) : Lag(peer.Heartbeats[origin], here.Heartbeats[origin])) > stalledAfter);
}
