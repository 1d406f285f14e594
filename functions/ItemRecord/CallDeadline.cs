namespace Failover.ItemRecord;

/// <summary>Gives a call its own deadline within the caller's.</summary>
internal static class CallDeadline
{
    /// <summary>A source that is cancelled with <paramref name="cancellationToken"/>, or after <paramref name="timeout"/>.</summary>
    public static CancellationTokenSource Within(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        source.CancelAfter(timeout);
        return source;
    }
}
