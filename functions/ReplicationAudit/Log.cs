using Failover.ControlPlane;
using Microsoft.Extensions.Logging;

namespace Failover.ReplicationAudit;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "{Kind} found, {Id}: {Why}")]
    public static partial void Found(ILogger logger, FindingKind kind, string id, string why);

    [LoggerMessage(2, LogLevel.Information, "Finding {Id} is closed: {As}.")]
    public static partial void Closed(ILogger logger, string id, string @as);

    [LoggerMessage(3, LogLevel.Error, "Record {SequenceNumber} failed; the stream is read on from there.")]
    public static partial void RecordFailed(ILogger logger, string sequenceNumber, Exception error);

    [LoggerMessage(4, LogLevel.Warning, "{Peer} cannot be read; what has not arrived there waits until it can.")]
    public static partial void PeerUnreadable(ILogger logger, string peer, Exception error);

    [LoggerMessage(5, LogLevel.Error, "Record {SequenceNumber} cannot be read; it is set aside as an audit gap, and the stream goes on.")]
    public static partial void RecordUnreadable(ILogger logger, string? sequenceNumber, Exception error);

    [LoggerMessage(8, LogLevel.Warning, "{Service}, epoch {Epoch}: {MissingAtMove} writes were missing when the move landed, {StillMissing} are still; final: {IsFinal}.")]
    public static partial void MoveCost(ILogger logger, string service, long epoch, long missingAtMove, long stillMissing, bool isFinal);

    [LoggerMessage(7, LogLevel.Error, "The comparisons of {Home} cannot be taken further now.")]
    public static partial void CompareFailed(ILogger logger, string home, Exception error);

    [LoggerMessage(6, LogLevel.Error, "Message {MessageId} failed; it is delivered again.")]
    public static partial void MessageFailed(ILogger logger, string? messageId, Exception error);
}
