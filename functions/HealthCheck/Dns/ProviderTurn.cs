namespace Failover.HealthCheck.Dns;

/// <summary>
/// One service's requests to its DNS provider within one tick.
/// </summary>
/// <param name="patience">How long the tick may still wait.</param>
public sealed class ProviderTurn(TokenBucket bucket, Func<TimeSpan> patience, TimeProvider time) : IDisposable
{
    /// <summary>A listing before a batch, one more where it looks foreign, one after a refusal; the rest is for throttled tries.</summary>
    private const int ListingsMax = 6;

    /// <summary>So many batches, each refused because the provider was busy with another.</summary>
    private const int BusyMax = 8;

    private bool _hasBatch;
    private int _listings;
    private int _busy;

    /// <summary>Waits for the turn of a listing; false: it does not come within this tick.</summary>
    public async Task<bool> ForListingAsync(CancellationToken cancellationToken) => _listings++ < ListingsMax && await WaitAsync(cancellationToken);

    /// <summary>Waits for the turn of a batch; false: it does not come within this tick.</summary>
    public async Task<bool> ForBatchAsync(CancellationToken cancellationToken) => _hasBatch = _hasBatch || await WaitAsync(cancellationToken);

    /// <summary>A batch is sent.</summary>
    public void UseBatch() => _hasBatch = false;

    /// <summary>Waits a moment after a batch met a busy provider; false: it is not sent again in this tick. It keeps its place: others wait behind it.</summary>
    public async Task<bool> AgainAsync(CancellationToken cancellationToken)
    {
        if (_busy++ >= BusyMax)
        {
            return false;
        }

        bucket.TakeAhead(1);
        await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(20, 200)), time, cancellationToken);
        return true;
    }

    /// <summary>Waits after a throttled listing: longer after each, and never all at once.</summary>
    public Task BackOffAsync(CancellationToken cancellationToken) =>
        Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(100, 300) << Math.Min(_listings, 3)), time, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => bucket.GiveBack(_hasBatch ? 1 : 0);

    private async Task<bool> WaitAsync(CancellationToken cancellationToken)
    {
        if (bucket.Take(1, patience()) is not { } wait)
        {
            return false;
        }

        if (wait > TimeSpan.Zero)
        {
            await Task.Delay(wait, time, cancellationToken);
        }

        return true;
    }
}
