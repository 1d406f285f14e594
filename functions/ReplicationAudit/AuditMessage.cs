using System.Text.Json.Serialization;
using Failover.ReplicationAudit.Arrivals;
using Failover.ReplicationAudit.Compare;
using Failover.ReplicationAudit.Continuity;

namespace Failover.ReplicationAudit;

/// <summary>What lies in the queues that the function reads: exactly one member is set.</summary>
public sealed record AuditMessage
{
    /// <summary>Look at a batch of pending writes again.</summary>
    public PendingMessage? Pending { get; init; }

    /// <summary>Work on a part of a comparison.</summary>
    public CompareMessage? Compare { get; init; }

    /// <summary>Lambda gave up a batch of the stream.</summary>
    [JsonPropertyName("DDBStreamBatchInfo")]
    public FailedBatch? Failed { get; init; }
}
