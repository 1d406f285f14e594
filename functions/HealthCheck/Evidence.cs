namespace Failover.HealthCheck;

/// <summary>
/// How long ago something was read. By both clocks, whichever says more: a monotonic clock may stand still while a machine is frozen,
/// and a wall clock may be set back.
/// </summary>
public sealed class Evidence(TimeProvider time)
{
    private readonly long _timestamp = time.GetTimestamp();
    private readonly DateTimeOffset _at = time.GetUtcNow();

    /// <summary>The time since then.</summary>
    public TimeSpan Age
    {
        get
        {
            var (monotonic, wall) = (time.GetElapsedTime(_timestamp), time.GetUtcNow() - _at);
            return monotonic > wall ? monotonic : wall;
        }
    }
}
