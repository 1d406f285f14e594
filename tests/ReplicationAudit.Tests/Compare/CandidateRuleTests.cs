using Failover.ControlPlane.Compares;
using Failover.ItemRecord;
using Failover.ReplicationAudit.Compare;

namespace Failover.ReplicationAudit.Tests.Compare;

/// <summary>Two readings of both regions: what differs, and what is only under way.</summary>
public class CandidateRuleTests
{
    private static readonly CompareSide A1 = Version("a", 1);
    private static readonly CompareSide A2 = Version("a", 2, A1);
    private static readonly CompareSide A3 = Version("a", 3, A2);
    private static readonly CompareSide B1 = Version("b", 1);

    [Fact]
    public void What_arrives_meanwhile_is_equal() => Judged(CandidateState.Equal, (A2, A1), (A2, A2));

    [Fact]
    public void What_still_differs_and_was_not_written_is_different()
    {
        Judged(CandidateState.Different, (A2, A1), (A2, A1));
        Judged(CandidateState.Different, (A1, null), (A1, null));
        Judged(CandidateState.Different, (null, A1), (null, A1));
        Judged(CandidateState.Different, (A1, B1), (A1, B1));
    }

    [Fact]
    public void The_same_version_with_other_content_is_different() => Judged(CandidateState.Different, (A1, A1 with { Hash = "rotten" }), (A1, A1 with { Hash = "rotten" }));

    [Fact]
    public void An_item_that_is_written_on_and_arrives_is_flowing() => Judged(CandidateState.Flowing, (A2, A1), (A3, A2));

    /// <summary>Writing goes on, and the peer has not received what was there long ago.</summary>
    [Fact]
    public void A_peer_that_stands_still_while_the_item_is_written_is_different()
    {
        Judged(CandidateState.Different, (A2, A1), (A3, A1));
        Judged(CandidateState.Different, (A1, null), (A2, null));
        Judged(CandidateState.Different, (A1, A2), (A1, A3));
    }

    /// <summary>b1 has beaten a1 and reached a, where a write on it is under way to b: nothing is amiss.</summary>
    [Fact]
    public void A_conflict_that_was_settled_meanwhile_is_not_told_as_a_difference()
    {
        var onB1 = Version("a", 5, B1);
        Judged(CandidateState.Unclear, (A1, B1), (onB1, B1));
        Judged(CandidateState.Equal, (onB1, B1), (onB1, onB1));
    }

    [Fact]
    public void What_never_comes_together_is_told_in_the_end() =>
        Assert.Equal(CandidateState.Different, CandidateRule.Judge(new CompareCandidate("k", A1, B1, Checks: CandidateRule.ChecksMax - 1), Version("a", 5, B1), B1, false, false));

    [Fact]
    public void What_has_expired_on_both_sides_or_is_gone_there_is_no_difference()
    {
        Assert.Equal(CandidateState.Equal, CandidateRule.Judge(new CompareCandidate("k", A1, null), A1, null, isHomeExpired: true, isPeerExpired: false));
        Assert.Equal(CandidateState.Equal, CandidateRule.Judge(new CompareCandidate("k", A1, A2), A1, A2, isHomeExpired: true, isPeerExpired: true));
        Assert.Equal(CandidateState.Different, CandidateRule.Judge(new CompareCandidate("k", A1, A2), A1, A2, isHomeExpired: true, isPeerExpired: false));
    }

    /// <summary>Others write items without a version: only that they stand still tells.</summary>
    [Fact]
    public void Items_without_a_version_are_told_when_they_stand_still()
    {
        var (one, other) = (new CompareSide(null, "one", []), new CompareSide(null, "other", []));
        Judged(CandidateState.Different, (one, other), (one, other));
        Judged(CandidateState.Unclear, (one, other), (new CompareSide(null, "third", []), other));
    }

    [Fact]
    public void A_difference_is_named_from_home()
    {
        Assert.Equal(DifferenceKind.Missing, CandidateRule.KindOf(A1, null));
        Assert.Equal(DifferenceKind.Extra, CandidateRule.KindOf(null, A1));
        Assert.Equal(DifferenceKind.Changed, CandidateRule.KindOf(A1, A2));
    }

    private static void Judged(CandidateState expected, (CompareSide? Home, CompareSide? Peer) first, (CompareSide? Home, CompareSide? Peer) second) =>
        Assert.Equal(expected, CandidateRule.Judge(new CompareCandidate("k", first.Home, first.Peer), second.Home, second.Peer, false, false));

    private static CompareSide Version(string region, int counter, CompareSide? on = null)
    {
        var version = ItemVersion.Create(1_000, counter, region, "aaaaaaaa").Text;
        return new CompareSide(version, "hash of " + version, on is null ? [] : [.. on.Seen.Where(seen => !seen.Contains($"-{on.Version![17..^9]}-", StringComparison.Ordinal)), on.Version!]);
    }
}
