using Failover.ControlPlane;
using Microsoft.Extensions.Logging;

namespace Failover.ReplicationAudit;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "{Kind} found: version {Loser}, replaced by {Winner}.")]
    public static partial void Found(ILogger logger, FindingKind kind, string? loser, string? winner);

    [LoggerMessage(2, LogLevel.Information, "Finding {Id} is closed: {As}.")]
    public static partial void Closed(ILogger logger, string id, string @as);

    [LoggerMessage(3, LogLevel.Error, "Record {SequenceNumber} (event {EventId}) failed; the stream is read on from there.")]
    public static partial void RecordFailed(ILogger logger, string sequenceNumber, string? eventId, Exception error);
}
