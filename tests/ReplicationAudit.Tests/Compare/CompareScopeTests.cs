using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane;
using Failover.ControlPlane.Compares;
using Failover.ItemRecord;
using Failover.ReplicationAudit.Compare;

namespace Failover.ReplicationAudit.Tests.Compare;

/// <summary>What a comparison covers, and which findings it closes.</summary>
public class CompareScopeTests
{
    private static readonly DateTimeOffset CutOff = DateTimeOffset.FromUnixTimeMilliseconds(1_000_000);

    private static readonly Comparison Ended = Comparison.Ask(["a", "b"], "me", 1, 100, TimeSpan.FromMinutes(1), CutOff.AddMinutes(1)) with { Outcome = CompareOutcome.Equal };

    [Theory]
    [InlineData("x", 1_000_000L, null, true)]
    [InlineData("x", 1_000_001L, null, false)]
    [InlineData("x", null, null, true)]
    [InlineData("_heartbeat#a#o", null, null, false)]
    [InlineData("x", 1L, "1001", true)]
    [InlineData("x", 1L, "1000", false)]
    [InlineData("x", 1L, "12.5", true)]
    public void Items_are_covered_by_what_is_in_them_alone(string id, long? madeAt, string? expiry, bool isCovered)
    {
        var item = new Dictionary<string, AttributeValue> { [ItemAttributes.Id] = new(id) };
        if (madeAt is { } at)
        {
            item[ItemAttributes.Version] = new(Version(at).Text);
        }

        if (expiry is not null)
        {
            item[ItemAttributes.TimeToLive] = new() { N = expiry };
        }

        Assert.Equal(isCovered, CompareScope.Covers(Ended, item));
    }

    [Theory]
    [InlineData(CompareOutcome.Equal, 0, "Compared")]
    [InlineData(CompareOutcome.Different, 0, "Compared")]
    [InlineData(CompareOutcome.Equal, 1, null)]
    [InlineData(CompareOutcome.Incomplete, 0, null)]
    [InlineData(CompareOutcome.Cancelled, 0, null)]
    [InlineData(null, 0, null)]
    public void A_gap_is_covered_by_any_comparison_up_to_its_end(CompareOutcome? outcome, int secondsAfter, string? closed) =>
        Assert.Equal(closed, Closes(outcome, Finding(FindingKind.AuditGap) with { Span = new FindingSpan(CutOff.AddHours(-1), CutOff.AddSeconds(secondsAfter)) }));

    [Theory]
    [InlineData(CompareOutcome.Equal, 1_000_000, "a", "Compared")]
    [InlineData(CompareOutcome.Different, 1_000_000, "a", null)]
    [InlineData(CompareOutcome.Equal, 1_000_001, "a", null)]
    [InlineData(CompareOutcome.Equal, 1_000_000, "c", null)]
    public void A_missing_write_is_closed_where_all_is_equal(CompareOutcome outcome, long madeAt, string region, string? closed) =>
        Assert.Equal(closed, Closes(outcome, Finding(FindingKind.MissingWrite) with { Loser = new ItemImage(Version(madeAt, region).Text, default) }));

    [Theory]
    [InlineData(CompareOutcome.Equal, 0, "Compared")]
    [InlineData(CompareOutcome.Equal, 1, null)]
    [InlineData(CompareOutcome.Different, 0, null)]
    public void A_divergence_is_closed_where_all_is_equal_later(CompareOutcome outcome, int secondsAfter, string? closed) =>
        Assert.Equal(closed, Closes(outcome, Finding(FindingKind.Divergence) with { At = CutOff.AddSeconds(secondsAfter) }));

    [Fact]
    public void A_comparison_of_some_replicas_closes_nothing() =>
        Assert.Null(CompareScope.Closes(Ended, Finding(FindingKind.AuditGap) with { Span = new FindingSpan(CutOff, CutOff) }, "a", ["a", "b", "c"]));

    [Fact]
    public void Other_findings_are_told_for_good() => Assert.Null(Closes(CompareOutcome.Equal, Finding(FindingKind.LostUpdate)));

    private static string? Closes(CompareOutcome? outcome, Finding finding) => CompareScope.Closes(Ended with { Outcome = outcome }, finding, "a", ["a", "b"]);

    private static Finding Finding(FindingKind kind) => new() { Id = "1", Kind = kind, Region = "a", At = CutOff, Why = "" };

    private static ItemVersion Version(long unixMilliseconds, string region = "a") => ItemVersion.Create(unixMilliseconds, 0, region, "aaaaaaaa");
}
