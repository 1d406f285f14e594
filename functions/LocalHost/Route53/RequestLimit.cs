namespace Failover.LocalHost.Route53;

/// <summary>An account's limit of requests: a bucket of tokens that fills steadily.</summary>
/// <param name="perSecond">How many requests a second it lets through for long.</param>
/// <param name="burst">How many it lets through at once after a rest.</param>
internal sealed class RequestLimit(double perSecond, int burst, TimeProvider time)
{
    private readonly Lock _lock = new();
    private double _tokens = burst;
    private long _filledAt = time.GetTimestamp();

    /// <summary>Counts one request; false: it is over the limit.</summary>
    public bool TryTake()
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            _tokens = Math.Min(burst, _tokens + (time.GetElapsedTime(_filledAt, now).TotalSeconds * perSecond));
            _filledAt = now;
            if (_tokens < 1)
            {
                return false;
            }

            _tokens--;
            return true;
        }
    }
}
