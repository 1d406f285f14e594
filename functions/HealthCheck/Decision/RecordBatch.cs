using Failover.ControlPlane.Registers;

namespace Failover.HealthCheck.Decision;

/// <summary>One change of a batch.</summary>
/// <param name="IsCreate">Else it deletes exactly that set.</param>
public sealed record RecordChange(bool IsCreate, RecordSet Set);

/// <summary>
/// The batch that replaces exactly what was listed by a plan: all that was listed is deleted, so that whoever touched the name in between makes it fail whole,
/// and deleting is only ever part of a batch that creates.
/// </summary>
public static class RecordBatch
{
    /// <summary>Why the plan cannot stand beside the other types that the name has; null if it can (RFC 1034, 3.6.2: a CNAME stands alone).</summary>
    public static string? Conflict(Plan plan, IEnumerable<string> otherTypes) =>
        plan.Sets.Any(set => set.Type == "CNAME") && otherTypes.Distinct().Order(StringComparer.Ordinal).ToList() is { Count: > 0 } others ? $"its CNAME cannot stand beside the name's {string.Join(", ", others)} records" : null;

    /// <summary>The changes, deletions first.</summary>
    /// <exception cref="InvalidOperationException">The plan has no address set: the name would be empty.</exception>
    public static IReadOnlyList<RecordChange> Of(Plan plan, Listing listed)
    {
        if (plan.Sets.Count == 0)
        {
            throw new InvalidOperationException($"Plan {plan.Id} has no address set: the name would be empty.");
        }

        IEnumerable<RecordSet> gone = listed.Txt is { } txt ? [txt, .. listed.Sets] : listed.Sets;
        return [.. gone.Select(set => new RecordChange(IsCreate: false, set)), .. plan.Sets.Append(plan.Txt).Select(set => new RecordChange(IsCreate: true, set))];
    }
}
