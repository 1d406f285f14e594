using Failover.ControlPlane.Compares;
using Failover.ItemRecord;

namespace Failover.ReplicationAudit.Compare;

/// <summary>An item that may differ between the home region and a peer.</summary>
/// <param name="Home">What the home region held when it was read last; null: nothing, or it was not read yet.</param>
/// <param name="Peer">As <paramref name="Home"/>.</param>
/// <param name="Checks">How often it was read since, without saying what it is.</param>
public sealed record CompareCandidate(string Key, CompareSide? Home = null, CompareSide? Peer = null, int Checks = 0);

/// <summary>One side of it.</summary>
/// <param name="Version">Null of an item without one.</param>
/// <param name="Hash">Of the whole item, in hex.</param>
/// <param name="Seen">The versions that it had seen.</param>
public sealed record CompareSide(string? Version, string Hash, IReadOnlyList<string> Seen);

/// <summary>What two strong readings of both regions say of an item, with the time between them in which whatever was in flight at the first has arrived.</summary>
public enum CandidateState
{
    /// <summary>Both hold the same, or nothing that is alive.</summary>
    Equal,

    /// <summary>It goes on being written, and what either region held at the first reading has reached the other: replication works, and more is in flight.</summary>
    Flowing,

    /// <summary>They differ, and not because of what is in flight.</summary>
    Different,

    /// <summary>It was written meanwhile, and it cannot be told yet.</summary>
    Unclear,
}

/// <summary>
/// Tells a difference from data in flight.
/// </summary>
/// <remarks>
/// The versions of one region in its own replica come one after the other. So where a region's later version is at the other side, what that region held before is either its ancestor, or was beaten at home before it was made:
/// either way it stands nowhere alone. Order is used for this only, within one region's versions.
/// </remarks>
public static class CandidateRule
{
    /// <summary>So often an item that is written in both regions all the time is read; that it has not come together once by then is told.</summary>
    public const int ChecksMax = 5;

    /// <summary>Judges the second reading.</summary>
    public static CandidateState Judge(CompareCandidate first, CompareSide? home, CompareSide? peer, bool isHomeExpired, bool isPeerExpired)
    {
        if (home?.Hash == peer?.Hash || ((home is null || isHomeExpired) && (peer is null || isPeerExpired)))
        {
            return CandidateState.Equal;
        }

        var (isHomeSame, isPeerSame) = (first.Home?.Hash == home?.Hash, first.Peer?.Hash == peer?.Hash);
        if (isHomeSame && isPeerSame)
        {
            return CandidateState.Different;
        }

        var (arrivedThere, arrivedHere) = (Knows(peer, first.Home), Knows(home, first.Peer));
        if (arrivedThere && arrivedHere)
        {
            return CandidateState.Flowing;
        }

        // What had seen the other side's version is not beaten by it: it had to replace it.
        return (!arrivedThere && isPeerSame && Follows(first.Home, first.Peer)) || (!arrivedHere && isHomeSame && Follows(first.Peer, first.Home)) || first.Checks + 1 >= ChecksMax
            ? CandidateState.Different
            : CandidateState.Unclear;
    }

    /// <summary>How an item differs, seen from home.</summary>
    public static DifferenceKind KindOf(CompareSide? home, CompareSide? peer) => peer is null ? DifferenceKind.Missing : home is null ? DifferenceKind.Extra : DifferenceKind.Changed;

    /// <summary>Whether a side knows a version, or a later one of its region.</summary>
    private static bool Knows(CompareSide? side, CompareSide? other)
    {
        if (other is null)
        {
            return true;
        }

        return ItemVersion.TryParse(other.Version, out var version)
            && side is not null
            && side.Seen.Append(side.Version).Any(known => ItemVersion.TryParse(known, out var seen) && seen.Region == version.Region && (seen > version || (seen == version && (known != side.Version || side.Hash == other.Hash))));
    }

    /// <summary>Whether one was written after the other, and on it.</summary>
    private static bool Follows(CompareSide? side, CompareSide? other) => side is not null && (other is null || (other.Version is { } version && side.Seen.Contains(version)));
}
