using Failover.ItemRecord;

namespace Failover.ReplicationAudit.Arrivals;

/// <summary>When writes that have not arrived are missing.</summary>
/// <param name="MissingAfter">From the write, or from the end of a stall, on: longer than it takes to notice a stall and then to replicate there and back, for what has beaten a write must come here to say so.</param>
/// <param name="StalledAfter">Heartbeats that are behind by more than this are stalled: then that is told, and not each write.</param>
public sealed record ArrivalLimits(TimeSpan MissingAfter, TimeSpan StalledAfter)
{
    /// <summary>From then on a missing write is asked for no more: it does not come by itself.</summary>
    public static readonly TimeSpan Watched = TimeSpan.FromHours(24);

    /// <summary>SQS's limit on a delay.</summary>
    public static readonly TimeSpan DelayMax = TimeSpan.FromSeconds(900);

    /// <summary>How long to wait before asking for the nth time.</summary>
    public static TimeSpan DelayBefore(int check) => TimeSpan.FromSeconds(Math.Min(DelayMax.TotalSeconds, Math.Pow(2, Math.Min(check, 10))));
}

/// <summary>What one check of a batch comes to.</summary>
/// <param name="Left">What is not settled; null: all of it is.</param>
/// <param name="Delay">When to ask for that again; null: when the peer is no longer stalled.</param>
/// <param name="Missing">To be told: past their deadline, and not told yet.</param>
/// <param name="Settled">To be closed: told as missing, and settled now.</param>
public sealed record PendingOutcome(
    PendingBatch? Left, TimeSpan? Delay, IReadOnlyList<PendingWrite> Missing, IReadOnlyList<(PendingWrite Write, ArrivalState As)> Settled);

/// <summary>What becomes of a batch of writes, by what the peer and their own region show.</summary>
public static class PendingFold
{
    /// <summary>Judges each write of a batch.</summary>
    /// <param name="region">Where the writes were made.</param>
    /// <param name="here">Read after the peer, and strongly; of the keys that the peer does not settle.</param>
    public static PendingOutcome Judge(PendingBatch batch, string region, ReplicaView peer, ReplicaView here, ArrivalLimits limits, DateTimeOffset now)
    {
        var left = new List<PendingWrite>();
        var missing = new List<PendingWrite>();
        var settled = new List<(PendingWrite, ArrivalState)>();
        var isStalled = StallRule.IsStalled(region, here, peer, limits.StalledAfter);
        var delay = ArrivalLimits.DelayBefore(batch.Checks + 2);
        foreach (var write in batch.Writes)
        {
            var version = VersionOf(write);
            var state = ArrivalRule.Judge(version, peer.Items.GetValueOrDefault(write.Key), here.Items.GetValueOrDefault(write.Key), now);
            if (state != ArrivalState.Pending)
            {
                if (write.IsFound)
                {
                    settled.Add((write, state));
                }

                continue;
            }

            var madeAt = DateTimeOffset.FromUnixTimeMilliseconds(version.UnixMilliseconds);
            var deadline = (batch.Since > madeAt ? batch.Since.Value : madeAt) + limits.MissingAfter;
            if (isStalled || now < deadline)
            {
                // Told at its deadline, not up to a whole delay later; SQS's delays are whole seconds.
                delay = isStalled || write.IsFound ? delay : Least(delay, TimeSpan.FromSeconds(Math.Ceiling((deadline - now).TotalSeconds)));
                left.Add(write);
                continue;
            }

            if (!write.IsFound)
            {
                missing.Add(write);
            }

            if (now - madeAt < ArrivalLimits.Watched)
            {
                left.Add(write with { IsFound = true });
            }
        }

        return new PendingOutcome(left.Count == 0 ? null : batch with { Writes = left, Checks = batch.Checks + 1 }, isStalled ? null : delay, missing, settled);
    }

    /// <summary>The writes that the peer alone does not settle.</summary>
    public static IEnumerable<PendingWrite> Unsettled(IReadOnlyList<PendingWrite> writes, IReadOnlyDictionary<string, ItemSnapshot> peer) =>
        writes.Where(write => !ArrivalRule.IsThere(VersionOf(write), peer.GetValueOrDefault(write.Key)));

    /// <summary>The version of a pending write.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static ItemVersion VersionOf(PendingWrite write) =>
        ItemVersion.TryParse(write.Version, out var version) ? version : throw new FormatException($"'{write.Version}' is no version.");

    private static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
