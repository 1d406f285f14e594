using Failover.ItemRecord;

namespace Failover.ReplicationAudit.Arrivals;

/// <summary>What is known of a write that was made here.</summary>
public enum ArrivalState
{
    /// <summary>The peer has not shown it, and it is still what its own region holds.</summary>
    Pending,

    /// <summary>The peer shows it, or a version that has seen it.</summary>
    Arrived,

    /// <summary>Its own region holds something else: a descendant, which is verified in its turn, or a winner, and then the stream tells the loss.</summary>
    Replaced,

    /// <summary>It is past its time to live, and the peer shows nothing.</summary>
    Expired,
}

/// <summary>
/// Whether a write has arrived. The answer is "not yet" or one that stands for good: it says nothing of loss, which only the stream of the write's own region can tell.
/// </summary>
/// <remarks>
/// By equality, never by order: a greater version of the same region need not descend from this one. What is no longer current in its own region is not asked for any more,
/// for a write's class is that of the tip of its branch: its replacement has a record in a stream of its own, and whoever reads that verifies the replacement, or names what it threw away.
/// </remarks>
public static class ArrivalRule
{
    /// <summary>What a peer alone tells.</summary>
    public static bool IsThere(ItemVersion write, ItemSnapshot? atPeer) =>
        atPeer is not null && (atPeer.Version == write || atPeer.Seen.Of(write.Region) == write);

    /// <summary>What both tell. <paramref name="atOrigin"/> must have been read after <paramref name="atPeer"/>, strongly: an old answer would show what was before the write.</summary>
    public static ArrivalState Judge(ItemVersion write, ItemSnapshot? atPeer, ItemSnapshot? atOrigin, DateTimeOffset now) =>
        IsThere(write, atPeer) ? ArrivalState.Arrived
        : atOrigin?.Version != write ? ArrivalState.Replaced
        : atPeer is null && atOrigin.ExpiresAt <= now ? ArrivalState.Expired
        : ArrivalState.Pending;
}
