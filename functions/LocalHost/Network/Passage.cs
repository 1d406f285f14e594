namespace Failover.LocalHost.Network;

/// <summary>What a broken network does to a request.</summary>
internal static class Passage
{
    /// <summary>Lets a request pass, cuts it off, or keeps it hanging until its client gives up. False: it is over.</summary>
    public static async Task<bool> AllowsAsync(HttpContext context, FaultMode? fault)
    {
        switch (fault)
        {
            case null:
                return true;
            case FaultMode.Refuse:
                context.Abort();
                return false;
            default:
                await HangAsync(context.RequestAborted);
                return false;
        }
    }

    private static async Task HangAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The client gave up, or the door was shut.
        }
    }
}
