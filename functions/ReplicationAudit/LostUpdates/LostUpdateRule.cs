using Failover.ControlPlane;
using Failover.ItemRecord;

namespace Failover.ReplicationAudit.LostUpdates;

/// <summary>What a change says of the version that it replaced.</summary>
/// <param name="Loser">The version that is gone.</param>
public sealed record LostVersion(FindingKind Kind, ItemVersion Loser, string Why);

/// <summary>
/// Names the updates that last-writer-wins threw away. A write says what it had seen, so a version is lost exactly where the one that replaced it had not seen it.
/// </summary>
/// <remarks>
/// Only a version's own region judges it: there each becomes current and is replaced once, in order, whatever replication merges or reorders elsewhere.
/// It is judged by equality, never by order: concurrent versions have none that anybody outside DynamoDB can read.
/// A replaced version x of region r, and what replaced it:
/// <code>
/// nothing, and x is past its _ttl         | an expiry                        no finding
/// nothing, before it                      | removed, not by the API          LostUpdate
/// no version                              | written by another program       ForeignEdit
/// x itself, with other content            | edited by another program        ForeignEdit
/// a version that has seen x: seen[r] = x  | a successor                      no finding
/// a version from after x's _ttl           | x had expired                    no finding
/// a version with x's _idem                | the same create, in two regions  Duplicate
/// any other                               |                                  LostUpdate
/// </code>
/// </remarks>
public static class LostUpdateRule
{
    /// <summary>The loss that a change in <paramref name="region"/>'s stream tells of, or null.</summary>
    public static LostVersion? Judge(ItemChange change, string region)
    {
        if (change.Old is not { Version: { } loser } old || loser.Region != region)
        {
            return null;
        }

        if (change.New is not { } next)
        {
            return old.ExpiresAt <= change.At ? null
                : new LostVersion(FindingKind.LostUpdate, loser, "It was removed before its time: by another program, or because an older version expired elsewhere.");
        }

        if (next.Version is not { } winner)
        {
            return new LostVersion(FindingKind.ForeignEdit, loser, "Another program replaced it, past the API.");
        }

        if (winner == loser)
        {
            return change.IsNothing ? null : new LostVersion(FindingKind.ForeignEdit, loser, "Another program edited it, past the API.");
        }

        if (next.Seen.Of(region) == loser || old.ExpiresAt?.ToUnixTimeMilliseconds() <= winner.UnixMilliseconds)
        {
            return null;
        }

        return next.Idempotency is { } idempotency && idempotency == old.Idempotency
            ? new LostVersion(FindingKind.Duplicate, loser, $"The same create came to {region} and {winner.Region}.")
            : new LostVersion(FindingKind.LostUpdate, loser, $"A write in {winner.Region} that had not seen it won.");
    }

    /// <summary>
    /// A version of <paramref name="region"/> that the arriving one has seen although it is not the line that it replaces: had it been found lost, it is kept after all.
    /// Only with three or more writing regions. Or the version itself, come back: another program edited it elsewhere, and that edit won.
    /// Null in ordinary traffic, so that nobody need look for a finding.
    /// </summary>
    public static ItemVersion? Revived(ItemChange change, string region) =>
        // A write made here has seen what it replaces.
        change.New?.Version is { } own && own.Region == region && change.Old?.Version is { } old && old != own && change.New.Seen.Of(old.Region) != old ? own
        : change.New?.Seen.Of(region) is { } seen && seen != change.Old?.Version && seen != change.Old?.Seen.Of(region) ? seen
        : null;
}
