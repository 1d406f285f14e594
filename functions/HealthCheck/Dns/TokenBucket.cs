namespace Failover.HealthCheck.Dns;

/// <summary>
/// This process's share of a DNS provider's request limit: tokens that fill steadily, taken in the order in which they are asked for.
/// Route 53 takes 10 requests a second from an account, and 50 at once after a rest; three observers, each with a share of 16 and 5 a second, move fifty names without being throttled for long.
/// </summary>
/// <remarks>Source of the limit: "Amazon Route 53 API request throttling", and a throttled request is answered 400 <c>Throttling</c>.</remarks>
/// <param name="time">The clock by which it fills.</param>
/// <param name="burst">How many there are after a rest.</param>
/// <param name="perSecond">How many come a second.</param>
public sealed class TokenBucket(TimeProvider time, int burst = 16, double perSecond = 5)
{
    private readonly Lock _lock = new();
    private double _tokens = burst;
    private long _filledAt = time.GetTimestamp();

    /// <summary>Takes tokens that are there now, or soon.</summary>
    /// <returns>How long to wait until they are there; null if that is longer than <paramref name="patience"/>: then none was taken.</returns>
    public TimeSpan? Take(int tokens, TimeSpan patience)
    {
        lock (_lock)
        {
            Fill();
            var wait = TimeSpan.FromSeconds(Math.Max(0, (tokens - _tokens) / perSecond));
            if (wait > patience)
            {
                return null;
            }

            _tokens -= tokens;
            return wait;
        }
    }

    /// <summary>Takes tokens without waiting for them: who comes next waits longer.</summary>
    public void TakeAhead(int tokens)
    {
        lock (_lock)
        {
            Fill();
            _tokens -= tokens;
        }
    }

    /// <summary>Takes tokens for what is not urgent: only if half of the burst is left then, or if all of it is there; false: none was taken.</summary>
    public bool TakeSpare(int tokens)
    {
        lock (_lock)
        {
            Fill();
            if (_tokens < Math.Min(burst, tokens + (burst / 2.0)))
            {
                return false;
            }

            _tokens -= tokens;
            return true;
        }
    }

    /// <summary>Gives back what was taken and not used.</summary>
    public void GiveBack(int tokens)
    {
        lock (_lock)
        {
            Fill();
            _tokens = Math.Min(burst, _tokens + tokens);
        }
    }

    private void Fill()
    {
        var now = time.GetTimestamp();
        _tokens = Math.Min(burst, _tokens + (time.GetElapsedTime(_filledAt, now).TotalSeconds * perSecond));
        _filledAt = now;
    }
}
