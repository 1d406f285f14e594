using Microsoft.Extensions.Logging;

namespace Failover.HealthCheck;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Queued {Count} ticks from {First:O} on.")]
    public static partial void TicksQueued(ILogger logger, int count, DateTimeOffset first);

    [LoggerMessage(2, LogLevel.Debug, "The tick of {Start:O} is skipped: {Why}.")]
    public static partial void TickSkipped(ILogger logger, DateTimeOffset start, string why);

    [LoggerMessage(3, LogLevel.Warning, "No vote in the tick of {Start:O}: {Why}.")]
    public static partial void NoVote(ILogger logger, DateTimeOffset start, string why);

    [LoggerMessage(4, LogLevel.Information, "{Service}: {Diagnosis}, {Verdict}; {Why}; {Steps}.")]
    public static partial void Decided(ILogger logger, string service, string diagnosis, string verdict, string why, string steps);

    [LoggerMessage(5, LogLevel.Error, "{Service} is frozen: {Why}.")]
    public static partial void Frozen(ILogger logger, string service, string why);

    [LoggerMessage(6, LogLevel.Warning, "{Service}: a failure that was seen is not acted on: {Held}; {Why}.")]
    public static partial void Held(ILogger logger, string service, string held, string why);

    [LoggerMessage(7, LogLevel.Warning, "{Call} failed.")]
    public static partial void CallFailed(ILogger logger, string call, Exception error);

    [LoggerMessage(8, LogLevel.Warning, "{Silent} of the anchors are silent ({Count} of {All}).")]
    public static partial void AnchorsSilent(ILogger logger, string silent, int count, int all);

    [LoggerMessage(10, LogLevel.Error, "{Service}: {Why}.")]
    public static partial void Rejected(ILogger logger, string service, string why);

    [LoggerMessage(11, LogLevel.Error, "{Service} is overdue by {Seconds:0} s: {Stage}.")]
    public static partial void IsOverdue(ILogger logger, string service, string stage, double seconds);

    [LoggerMessage(12, LogLevel.Error, "{Service}: the DNS provider would refuse a move to {Endpoint}: {Why}.")]
    public static partial void WouldBeRefused(ILogger logger, string service, string endpoint, string why);

    [LoggerMessage(9, LogLevel.Warning, "{Service}: the certificate of {Endpoint} ends at {Until}.")]
    public static partial void CertificateEnds(ILogger logger, string service, string endpoint, DateTimeOffset until);
}
