using Failover.Hosting;
using Failover.ReplicationAudit.Arrivals;

namespace Failover.ReplicationAudit;

/// <summary>What the function is told by its environment.</summary>
/// <param name="Region">The region of the replica whose stream it reads.</param>
/// <param name="Replicas">All regions with a replica of the items table.</param>
/// <param name="Observers">Who writes heartbeats into every replica.</param>
/// <param name="QueueUrl">The function's own queue.</param>
/// <param name="Redacted">Attributes of items whose values no finding shows.</param>
/// <param name="CallTimeout">The deadline of one call to DynamoDB or SQS.</param>
public sealed record ReplicationAuditOptions(
    string Region, IReadOnlyList<string> Replicas, IReadOnlyList<string> Observers, string ItemsTable, string JournalTable, string QueueUrl, ArrivalLimits Limits,
    IReadOnlySet<string> Redacted, TimeSpan CallTimeout)
{
    /// <summary>Reads and validates all of it.</summary>
    /// <exception cref="InvalidOperationException">A setting is missing or wrong.</exception>
    public static ReplicationAuditOptions Read(Settings settings)
    {
        var region = settings.Required("AWS_REGION", "the region that the function runs in; Lambda sets it");
        var options = new ReplicationAuditOptions(
            region,
            settings.RequiredList("REPLICA_REGIONS", "the regions that hold a replica of the items table, with commas between"),
            settings.RequiredList("OBSERVER_REGIONS", "the regions with a HealthCheck, whose heartbeats measure replication, with commas between"),
            settings.Required("ITEMS_TABLE", "the name of the items table"),
            settings.Required("JOURNAL_TABLE", "the name of this region's journal table"),
            settings.Required("AUDIT_QUEUE_URL", "the address of this function's own queue"),
            new ArrivalLimits(
                TimeSpan.FromSeconds(settings.Number("MISSING_AFTER_SECONDS", 480, 5, 43_200)),
                TimeSpan.FromSeconds(settings.Number("STALLED_AFTER_SECONDS", 180, 5, 43_200))),
            settings.List("REDACTED_ATTRIBUTES").ToHashSet(StringComparer.Ordinal),
            TimeSpan.FromMilliseconds(settings.Number("CALL_TIMEOUT_MS", 1500, 50, 10_000)));
        settings.ThrowIfMistaken();
        if (options.Limits.MissingAfter <= options.Limits.StalledAfter)
        {
            throw new InvalidOperationException(
                $"MISSING_AFTER_SECONDS is {options.Limits.MissingAfter.TotalSeconds}, and STALLED_AFTER_SECONDS {options.Limits.StalledAfter.TotalSeconds}: the first must be longer, by twice replication's lag, or what only stands still is told as missing.");
        }

        return options.Replicas.Contains(region)
            ? options
            : throw new InvalidOperationException($"REPLICA_REGIONS is '{string.Join(',', options.Replicas)}': '{region}', where this function runs, is none of them.");
    }
}
