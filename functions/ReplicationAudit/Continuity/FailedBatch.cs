namespace Failover.ReplicationAudit.Continuity;

/// <summary>
/// What Lambda tells its failure queue of stream records that it has given up: no function will see them any more. Names are Lambda's.
/// </summary>
public sealed record FailedBatch(string ShardId, string StartSequenceNumber, DateTimeOffset ApproximateArrivalOfFirstRecord, DateTimeOffset ApproximateArrivalOfLastRecord, int BatchSize)
{
    /// <summary>Tells it as a gap.</summary>
    public Task TellAsync(Findings findings, CancellationToken cancellationToken) =>
        findings.AddGapAsync(
            $"{ShardId}/{StartSequenceNumber}",
            ApproximateArrivalOfFirstRecord,
            ApproximateArrivalOfLastRecord,
            $"{BatchSize} records of the stream failed until they were too old, and were given up.",
            key: null,
            record: null,
            cancellationToken);
}
