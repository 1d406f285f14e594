namespace Failover.ControlPlane;

/// <summary>Gives a call its own deadline within the caller's.</summary>
public static class Deadline
{
    /// <summary>A source that is cancelled with <paramref name="cancellationToken"/>, or after <paramref name="timeout"/>.</summary>
    public static CancellationTokenSource Within(this CancellationToken cancellationToken, TimeSpan timeout)
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        source.CancelAfter(timeout);
        return source;
    }
}
