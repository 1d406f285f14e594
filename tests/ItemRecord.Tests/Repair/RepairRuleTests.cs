using Amazon.DynamoDBv2.Model;
using Failover.ItemRecord.Repair;

namespace Failover.ItemRecord.Tests.Repair;

/// <summary>Which of two regions' states of an item is right, and when nobody can tell.</summary>
public class RepairRuleTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeMilliseconds(10_000_000);
    private static readonly StoredItem A1 = Item("a", 1, "one");
    private static readonly StoredItem A2 = Item("a", 2, "two", A1);
    private static readonly StoredItem B3 = Item("b", 3, "three", A2);
    private static readonly StoredItem B1 = Item("b", 1, "other");

    [Fact]
    public void What_is_equal_needs_nothing()
    {
        Assert.IsType<RepairPlan.Nothing>(Decide(A1, A1));
        Assert.IsType<RepairPlan.Nothing>(Decide(null, null));
    }

    [Fact]
    public void What_is_missing_is_written_again_where_it_is()
    {
        AssertRewrites("a", A1, Decide(A1, null));
        AssertRewrites("b", A1, Decide(null, A1));
    }

    [Fact]
    public void The_successor_is_right()
    {
        AssertRewrites("a", A2, Decide(A2, A1));
        AssertRewrites("b", B3, Decide(A1, B3));
        AssertRewrites("b", B3, Decide(A2, B3));
    }

    [Fact]
    public void A_repair_has_seen_what_every_region_holds()
    {
        var plan = Assert.IsType<RepairPlan.Rewrite>(Decide(A1, B3));
        Assert.Equal([A2.Version, B3.Version], plan.Seen.All.Select(version => (ItemVersion?)version));
        var preferred = Assert.IsType<RepairPlan.Rewrite>(Decide(A1, B1, "b"));
        Assert.Equal([A1.Version, B1.Version], preferred.Seen.All.Select(version => (ItemVersion?)version));
    }

    /// <summary>Otherwise a region preferred for a few items would undo later writes of the others.</summary>
    [Fact]
    public void What_follows_is_right_whatever_is_preferred()
    {
        AssertRewrites("b", B3, Decide(A1, B3, "a"));
        AssertRewrites("a", A1, Decide(A1, null, "b"));
    }

    [Fact]
    public void Of_regions_that_hold_the_same_the_versions_own_is_written()
    {
        AssertRewrites("b", B3, RepairRule.Decide(new Dictionary<string, StoredItem?> { ["a"] = B3, ["b"] = B3, ["c"] = null }, null, Now));
        AssertRewrites("a", A1, RepairRule.Decide(new Dictionary<string, StoredItem?> { ["c"] = A1, ["a"] = A1, ["b"] = null }, null, Now));
    }

    [Fact]
    public void Concurrent_versions_are_left_to_people()
    {
        Assert.Contains("concurrent", Assert.IsType<RepairPlan.Undecided>(Decide(A1, B1)).Why, StringComparison.Ordinal);
        AssertRewrites("a", A1, Decide(A1, B1, "a"));
        AssertRewrites("b", B1, Decide(A1, B1, "b"));
    }

    [Fact]
    public void The_same_version_with_other_content_is_left_to_people()
    {
        var rotten = A1 with { Content = new Dictionary<string, AttributeValue> { ["text"] = new("rotten") } };
        Assert.Contains("same version", Assert.IsType<RepairPlan.Undecided>(Decide(A1, rotten)).Why, StringComparison.Ordinal);
        AssertRewrites("b", rotten, Decide(A1, rotten, "b"));
    }

    [Fact]
    public void Items_without_a_version_are_left_to_people() =>
        Assert.Contains("without a version", Assert.IsType<RepairPlan.Undecided>(Decide(A1 with { Version = null }, A1)).Why, StringComparison.Ordinal);

    [Fact]
    public void A_region_that_has_no_item_cannot_be_preferred() =>
        Assert.IsType<RepairPlan.Undecided>(RepairRule.Decide(new Dictionary<string, StoredItem?> { ["a"] = A1, ["b"] = B1, ["c"] = null }, "c", Now));

    [Fact]
    public void What_has_expired_counts_as_gone()
    {
        var expired = A1 with { ExpiresAt = Now };
        Assert.IsType<RepairPlan.Nothing>(Decide(expired, null));
        AssertRewrites("b", A2, Decide(expired, A2));
    }

    [Fact]
    public void Of_three_regions_the_one_that_all_others_lead_to_is_right()
    {
        AssertRewrites("c", B3, RepairRule.Decide(new Dictionary<string, StoredItem?> { ["a"] = A1, ["b"] = A2, ["c"] = B3 }, null, Now));
        AssertRewrites("b", B3, RepairRule.Decide(new Dictionary<string, StoredItem?> { ["a"] = null, ["b"] = B3, ["c"] = B3 }, null, Now));
        Assert.IsType<RepairPlan.Undecided>(RepairRule.Decide(new Dictionary<string, StoredItem?> { ["a"] = A1, ["b"] = B1, ["c"] = A2 }, null, Now));
    }

    private static RepairPlan Decide(StoredItem? a, StoredItem? b, string? prefer = null) =>
        RepairRule.Decide(new Dictionary<string, StoredItem?> { ["a"] = a, ["b"] = b }, prefer, Now);

    private static void AssertRewrites(string region, StoredItem item, RepairPlan plan)
    {
        var rewrite = Assert.IsType<RepairPlan.Rewrite>(plan);
        Assert.Equal((region, item), (rewrite.Region, rewrite.Item));
    }

    private static StoredItem Item(string region, int counter, string text, StoredItem? on = null) => new(
        "x", new Dictionary<string, AttributeValue> { ["text"] = new(text) }, ItemVersion.Create(1_000, counter, region, "aaaaaaaa"), on?.SeenBySuccessor ?? SeenVersions.None, IsDeleted: false, ExpiresAt: null);
}
