namespace Failover.ItemApi;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Error, "The data path failed.")]
    public static partial void DataPathFailed(ILogger logger, Exception error);

    [LoggerMessage(2, LogLevel.Warning, "Not ready: the data path did not answer.")]
    public static partial void NotReady(ILogger logger, Exception error);
}
