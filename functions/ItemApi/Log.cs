namespace Failover.ItemApi;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Error, "The data path failed.")]
    public static partial void DataPathFailed(ILogger logger, Exception error);

    [LoggerMessage(2, LogLevel.Warning, "Not ready: the data path did not answer.")]
    public static partial void NotReady(ILogger logger, Exception error);

    [LoggerMessage(3, LogLevel.Error, "A request failed by a fault of this program.")]
    public static partial void RequestFailed(ILogger logger, Exception error);

    [LoggerMessage(4, LogLevel.Warning, "The register, or whether the region is open to writes, was not read: the right to write holds on until its lease ends.")]
    public static partial void RegisterNotRead(ILogger logger, Exception error);

    [LoggerMessage(5, LogLevel.Warning, "The epoch or the replication lag was not read; the verdict does not hang on it.")]
    public static partial void BesideNotRead(ILogger logger, Exception error);

    [LoggerMessage(6, LogLevel.Warning, "The token issuer's keys were not read.")]
    public static partial void KeysNotRead(ILogger logger, Exception error);

    [LoggerMessage(7, LogLevel.Warning, "That a create was done was not kept with its idempotency key: its client is told that nobody knows, and a retry finds it.")]
    public static partial void KeyNotKept(ILogger logger, Exception error);
}
