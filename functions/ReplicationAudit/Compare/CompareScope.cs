using System.Globalization;
using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane;
using Failover.ControlPlane.Compares;
using Failover.ItemRecord;

namespace Failover.ReplicationAudit.Compare;

/// <summary>What a comparison is about, and what its result settles.</summary>
public static class CompareScope
{
    /// <summary>
    /// Whether an item is compared. It hangs on the item alone, so that every region says the same: not those of the system, not what is younger than the cut-off, not what may be gone any time because it has expired.
    /// </summary>
    public static bool Covers(Comparison comparison, Dictionary<string, AttributeValue> item) =>
        !ItemAttributes.IsReserved(item[ItemAttributes.Id].S)
        && !(ItemVersion.TryParse(item.GetValueOrDefault(ItemAttributes.Version)?.S, out var version) && version.UnixMilliseconds > comparison.CutOff.ToUnixTimeMilliseconds())
        && !(long.TryParse(item.GetValueOrDefault(ItemAttributes.TimeToLive)?.N, NumberStyles.None, CultureInfo.InvariantCulture, out var expiry) && expiry <= comparison.CutOff.ToUnixTimeSeconds());

    /// <summary>
    /// What an open finding of <paramref name="region"/> is closed as by a comparison that has ended; null if it stays open. A gap is covered where every replica was compared up to after its end: what was written in it is at every one of them,
    /// has been replaced, or is named as a difference. Of a missing write and of differences it must have been said that there are none.
    /// </summary>
    public static string? Closes(Comparison comparison, Finding finding, string region, IReadOnlyCollection<string> replicas)
    {
        var isCompared = comparison.Outcome is CompareOutcome.Equal or CompareOutcome.Different && replicas.All(comparison.Regions.Contains);
        return isCompared && finding.Kind switch
        {
            FindingKind.AuditGap => finding.Span is { } span && span.To <= comparison.CutOff,
            FindingKind.MissingWrite => comparison.Outcome == CompareOutcome.Equal
                && ItemVersion.TryParse(finding.Loser?.Version, out var version) && version.Region == region && version.UnixMilliseconds <= comparison.CutOff.ToUnixTimeMilliseconds(),
            FindingKind.Divergence => comparison.Outcome == CompareOutcome.Equal && finding.At <= comparison.CutOff,
            _ => false,
        } ? "Compared" : null;
    }
}
