using Amazon.DynamoDBv2.Model;
using Failover.ItemRecord;
using Failover.ReplicationAudit.Arrivals;

namespace Failover.ReplicationAudit.Tests.Arrivals;

/// <summary>What becomes of one write of region a, by what its peer b and a itself show.</summary>
public class PendingFoldTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);
    private static readonly ItemVersion A1 = Version("a", 1), A2 = Version("a", 2), B1 = Version("b", 1), B9 = Version("b", 9);
    private static readonly ArrivalLimits Limits = new(MissingAfter: TimeSpan.FromMinutes(5), StalledAfter: TimeSpan.FromMinutes(3));

    [Fact]
    public void A_peer_that_shows_the_write_or_a_version_that_has_seen_it_settles_it()
    {
        Assert.Equal(ArrivalState.Arrived, State(peer: Item(A1), here: Item(A1)));
        Assert.Equal(ArrivalState.Arrived, State(peer: Item(B1, [A1]), here: Item(A1)));
    }

    /// <summary>Greater versions of one region need not descend from one another: two processes have two clocks, and between them another region's write may have won.</summary>
    [Fact]
    public void A_greater_version_of_the_same_region_is_no_proof()
    {
        Assert.Equal(ArrivalState.Pending, State(peer: Item(A2), here: Item(A1)));
        Assert.Equal(ArrivalState.Pending, State(peer: Item(B1, [A2]), here: Item(A1)));
    }

    [Fact]
    public void An_older_item_another_regions_and_none_leave_it_pending()
    {
        Assert.Equal(ArrivalState.Pending, State(peer: Item(B1), here: Item(A1)));
        Assert.Equal(ArrivalState.Pending, State(peer: Item(null), here: Item(A1)));
        Assert.Equal(ArrivalState.Pending, State(peer: null, here: Item(A1)));
    }

    [Fact]
    public void What_its_own_region_no_longer_holds_is_not_asked_for()
    {
        Assert.Equal(ArrivalState.Replaced, State(peer: null, here: Item(A2, [A1])));
        Assert.Equal(ArrivalState.Replaced, State(peer: null, here: Item(B9)));
        Assert.Equal(ArrivalState.Replaced, State(peer: null, here: Item(null)));
        Assert.Equal(ArrivalState.Replaced, State(peer: Item(B1), here: null));
    }

    [Theory]
    [InlineData(0, ArrivalState.Expired)]
    [InlineData(1, ArrivalState.Pending)]
    public void What_is_past_its_time_need_not_arrive(int ttlSeconds, ArrivalState expected) =>
        Assert.Equal(expected, State(peer: null, here: Item(A1, ttl: Now.AddSeconds(ttlSeconds))));

    [Fact]
    public void What_is_past_its_time_and_still_older_at_the_peer_is_pending() =>
        Assert.Equal(ArrivalState.Pending, State(peer: Item(B1), here: Item(A1, ttl: Now.AddDays(-1))));

    [Fact]
    public void A_write_is_missing_from_its_deadline_on_and_told_once()
    {
        var before = Judge(Made(ago: 299));
        Assert.Empty(before.Missing);
        Assert.Equal((TimeSpan.FromSeconds(1), false), (before.Delay, before.Left!.Writes[0].IsFound));

        var at = Judge(Made(ago: 300));
        Assert.Single(at.Missing);
        Assert.True(Assert.Single(at.Left!.Writes).IsFound);

        var after = Judge(at.Left);
        Assert.Empty(after.Missing);
        Assert.Single(after.Left!.Writes);
    }

    [Fact]
    public void The_deadline_counts_anew_from_the_end_of_a_stall()
    {
        var batch = Made(ago: 4000) with { Since = Now.AddSeconds(-299) };
        Assert.Empty(Judge(batch).Missing);
        Assert.Single(Judge(batch with { Since = Now.AddSeconds(-300) }).Missing);
    }

    [Theory]
    [InlineData(180_000, false)]
    [InlineData(180_001, true)]
    public void While_the_peer_is_stalled_nothing_is_missing_and_it_is_parked(long lagMs, bool parked)
    {
        var outcome = Judge(Made(ago: 4000), beatHere: 1_000_000 + lagMs, beatThere: 1_000_000);
        Assert.Equal(parked, outcome.Delay is null);
        Assert.Equal(parked ? 0 : 1, outcome.Missing.Count);
        Assert.Equal(!parked, Assert.Single(outcome.Left!.Writes).IsFound);
    }

    /// <summary>The peer shows a write of its own that had not seen this one: it may have beaten it there, and be on its way here.</summary>
    [Theory]
    [InlineData(180_000, false)]
    [InlineData(180_001, true)]
    public void While_what_comes_from_the_peer_is_stalled_nothing_is_missing_either(long lagMs, bool parked)
    {
        var here = new ReplicaView(new Dictionary<string, ItemSnapshot> { ["x"] = Item(VersionMade(4000)) }, Beats(0, 1_000_000));
        var peer = new ReplicaView(new Dictionary<string, ItemSnapshot> { ["x"] = Item(B1) }, Beats(0, 1_000_000 + lagMs));
        var outcome = PendingFold.Judge(Made(4000), "a", peer, here, Limits, Now);
        Assert.Equal((parked, parked ? 0 : 1), (outcome.Delay is null, outcome.Missing.Count));
    }

    [Fact]
    public void A_stall_keeps_what_has_arrived_from_nothing()
    {
        var outcome = PendingFold.Judge(Made(ago: 4000), "a", View(Item(VersionMade(4000)), 1), View(null, 1_000_000), Limits, Now);
        Assert.Null(outcome.Left);
    }

    [Fact]
    public void It_is_watched_for_a_day()
    {
        Assert.NotNull(Judge(Made(ago: 86_399, found: true)).Left);
        Assert.Null(Judge(Made(ago: 86_400, found: true)).Left);
    }

    [Fact]
    public void One_that_was_told_is_closed_when_it_settles_and_one_that_was_not_is_not_mentioned()
    {
        var version = VersionMade(400);
        var outcome = PendingFold.Judge(Made(400, found: true), "a", View(Item(version), 1), View(null, 1), Limits, Now);
        Assert.Equal(ArrivalState.Arrived, Assert.Single(outcome.Settled).As);
        Assert.Null(outcome.Left);
        Assert.Empty(PendingFold.Judge(Made(400), "a", View(Item(version), 1), View(null, 1), Limits, Now).Settled);
    }

    [Fact]
    public void It_is_asked_for_at_growing_intervals_up_to_what_a_queue_can_delay() =>
        Assert.Equal([2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900], Enumerable.Range(1, 11).Select(check => (int)ArrivalLimits.DelayBefore(check).TotalSeconds));

    private static ArrivalState State(ItemSnapshot? peer, ItemSnapshot? here) => ArrivalRule.Judge(A1, peer, here, Now);

    private static PendingOutcome Judge(PendingBatch batch, long beatHere = 1_000_000, long beatThere = 1_000_000)
    {
        Assert.True(ItemVersion.TryParse(batch.Writes[0].Version, out var version));
        return PendingFold.Judge(batch, "a", View(null, beatThere), View(Item(version), beatHere), Limits, Now);
    }

    private static ReplicaView View(ItemSnapshot? item, long beat) =>
        new(item is null ? new Dictionary<string, ItemSnapshot>() : new Dictionary<string, ItemSnapshot> { ["x"] = item }, Beats(beat, 0));

    private static Dictionary<string, IReadOnlyDictionary<string, long>> Beats(long ofA, long ofB) =>
        new() { ["a"] = new Dictionary<string, long> { ["o"] = ofA }, ["b"] = new Dictionary<string, long> { ["o"] = ofB } };

    private static PendingBatch Made(int ago, bool found = false) => new("b", "1", [new PendingWrite("x", VersionMade(ago).Text, found)], Since: null, Checks: 11);

    private static ItemVersion VersionMade(int ago) => Version("a", -ago);

    private static ItemVersion Version(string region, int second) => ItemVersion.Create(Now.AddSeconds(second).ToUnixTimeMilliseconds(), 0, region, "writer00");

    private static ItemSnapshot Item(ItemVersion? version, ItemVersion[]? seen = null, DateTimeOffset? ttl = null) => new(
        new StoredItem("x", new Dictionary<string, AttributeValue>(), version, (seen ?? []).Aggregate(SeenVersions.None, (all, one) => all.With(one)), false, ttl).ToAttributes());
}
