using Failover.Hosting;

namespace Failover.ReplicationAudit;

/// <summary>What the function is told by its environment.</summary>
/// <param name="Region">The region of the replica whose stream it reads.</param>
/// <param name="CallTimeout">The deadline of one call to DynamoDB.</param>
public sealed record ReplicationAuditOptions(string Region, string JournalTable, TimeSpan CallTimeout)
{
    /// <summary>Reads and validates all of it.</summary>
    /// <exception cref="InvalidOperationException">A setting is missing or wrong.</exception>
    public static ReplicationAuditOptions Read(Settings settings)
    {
        var options = new ReplicationAuditOptions(
            settings.Required("AWS_REGION", "the region that the function runs in; Lambda sets it"),
            settings.Required("JOURNAL_TABLE", "the name of this region's journal table"),
            TimeSpan.FromMilliseconds(settings.Number("CALL_TIMEOUT_MS", 1500, 50, 10_000)));
        settings.ThrowIfMistaken();
        return options;
    }
}
