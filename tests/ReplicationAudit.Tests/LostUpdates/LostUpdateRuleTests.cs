using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane;
using Failover.ItemRecord;
using Failover.ReplicationAudit.LostUpdates;

namespace Failover.ReplicationAudit.Tests.LostUpdates;

/// <summary>The rule's chart, row by row: judged in the loser's own region only, by equality.</summary>
public class LostUpdateRuleTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);
    private static readonly ItemVersion A1 = Version("a", 1), A2 = Version("a", 2), B1 = Version("b", 1), B9 = Version("b", 9);

    [Theory]
    [InlineData("a", true)]
    [InlineData("b", false)]
    [InlineData("c", false)]
    public void Only_the_losers_own_region_judges_it(string region, bool judges) =>
        Assert.Equal(judges, LostUpdateRule.Judge(Change(Item(A1), Item(B1)), region) is not null);

    [Fact]
    public void A_version_that_was_seen_is_not_lost() => Assert.Null(Judge(Item(A1), Item(B1, seen: [A1])));

    [Fact]
    public void A_newer_version_seen_of_the_same_region_is_not_the_loser_itself() => Assert.Equal(FindingKind.LostUpdate, Judge(Item(A1), Item(B1, seen: [A2])));

    [Fact]
    public void An_older_version_seen_of_the_same_region_does_not_count_either() => Assert.Equal(FindingKind.LostUpdate, Judge(Item(A2), Item(B9, seen: [A1])));

    [Fact]
    public void The_order_of_versions_means_nothing() => Assert.Equal(FindingKind.LostUpdate, Judge(Item(A2), Item(B1)));

    [Fact]
    public void The_same_create_in_two_regions_is_a_duplicate()
    {
        Assert.Equal(FindingKind.Duplicate, Judge(Item(A1, idempotency: "k"), Item(B1, idempotency: "k")));
        Assert.Equal(FindingKind.LostUpdate, Judge(Item(A1, idempotency: "k"), Item(B1, idempotency: "l")));
        Assert.Equal(FindingKind.LostUpdate, Judge(Item(A1), Item(B1)));
    }

    [Theory]
    [InlineData(-1, null)]
    [InlineData(0, null)]
    [InlineData(1, FindingKind.LostUpdate)]
    public void A_removal_is_an_expiry_from_the_ttl_on(int ttlSeconds, FindingKind? expected) => Assert.Equal(expected, Judge(Item(A1, ttl: Now.AddSeconds(ttlSeconds)), null));

    [Fact]
    public void A_removal_without_a_ttl_is_a_loss() => Assert.Equal(FindingKind.LostUpdate, Judge(Item(A1), null));

    [Fact]
    public void What_had_expired_when_the_winner_was_written_is_not_lost()
    {
        Assert.Null(Judge(Item(A1, ttl: At(9)), Item(B9)));
        Assert.Equal(FindingKind.LostUpdate, Judge(Item(A1, ttl: At(10)), Item(B9)));
    }

    [Fact]
    public void A_write_without_a_version_is_foreign() => Assert.Equal(FindingKind.ForeignEdit, Judge(Item(A1), Item(null)));

    [Fact]
    public void The_same_version_with_other_content_is_foreign_and_with_the_same_is_nothing()
    {
        Assert.Equal(FindingKind.ForeignEdit, Judge(Item(A1, text: "one"), Item(A1, text: "two")));
        Assert.Null(Judge(Item(A1, text: "one"), Item(A1, text: "one")));
    }

    [Fact]
    public void What_has_no_version_or_was_not_there_cannot_be_lost()
    {
        Assert.Null(Judge(Item(null), Item(B1)));
        Assert.Null(Judge(null, Item(A1)));
    }

    [Fact]
    public void A_version_that_has_seen_another_line_revives_it()
    {
        Assert.Equal(A1, LostUpdateRule.Revived(Change(Item(B1), Item(B9, seen: [A1])), "a"));
        Assert.Equal(A1, LostUpdateRule.Revived(Change(null, Item(B9, seen: [A1])), "a"));
    }

    [Fact]
    public void A_version_that_comes_back_itself_is_revived_and_one_that_is_written_is_not()
    {
        Assert.Equal(A2, LostUpdateRule.Revived(Change(Item(B1), Item(A2, seen: [A1])), "a"));
        Assert.Null(LostUpdateRule.Revived(Change(Item(B1, seen: [A1]), Item(A2, seen: [A1, B1])), "a"));
        Assert.Null(LostUpdateRule.Revived(Change(Item(A2), Item(A2, text: "edited")), "a"));
    }

    [Fact]
    public void A_successor_in_ordinary_traffic_revives_nothing()
    {
        Assert.Null(LostUpdateRule.Revived(Change(Item(A1), Item(B9, seen: [A1])), "a"));
        Assert.Null(LostUpdateRule.Revived(Change(Item(B1, seen: [A1]), Item(B9, seen: [A1, B1])), "a"));
        Assert.Null(LostUpdateRule.Revived(Change(null, Item(B9)), "a"));
    }

    private static FindingKind? Judge(ItemSnapshot? old, ItemSnapshot? next) => LostUpdateRule.Judge(Change(old, next), "a")?.Kind;

    private static ItemChange Change(ItemSnapshot? old, ItemSnapshot? next) => new("x", Now, old, next);

    private static DateTimeOffset At(int second) => Now.AddSeconds(second);

    private static ItemVersion Version(string region, int second) => ItemVersion.Create(At(second).ToUnixTimeMilliseconds(), 0, region, "writer00");

    private static ItemSnapshot Item(ItemVersion? version, ItemVersion[]? seen = null, DateTimeOffset? ttl = null, string? idempotency = null, string text = "")
    {
        var attributes = new StoredItem(
            "x", new Dictionary<string, AttributeValue> { ["text"] = new(text) }, version, (seen ?? []).Aggregate(SeenVersions.None, (all, one) => all.With(one)), false, ttl).ToAttributes();
        if (idempotency is not null)
        {
            attributes[ItemAttributes.Idempotency] = new(idempotency);
        }

        return new ItemSnapshot(attributes);
    }
}
