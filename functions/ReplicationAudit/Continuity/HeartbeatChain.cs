using Failover.ControlPlane;

namespace Failover.ReplicationAudit.Continuity;

/// <summary>
/// Whether the stream was read without a gap: an observer's heartbeat row is written in this region only, so that each of its records continues the one before. Where one does not,
/// what lay between them was trimmed before it was read.
/// </summary>
public static class HeartbeatChain
{
    /// <summary>The time that was not read; null where nothing is missing.</summary>
    /// <param name="handled">The row's value in the newest record that was read; null: none was.</param>
    /// <param name="old">Its value before this record; null: there was no row.</param>
    /// <param name="next">Its value after.</param>
    public static FindingSpan? Gap(long? handled, long? old, long next) =>
        handled is not { } last || next <= last || old == last
            ? null
            : new FindingSpan(DateTimeOffset.FromUnixTimeMilliseconds(last), DateTimeOffset.FromUnixTimeMilliseconds(old > last ? old.Value : next));
}
