namespace Failover.HealthCheck.Dns;

/// <summary>A line of this process before one hosted zone: the provider refuses a batch while another for the same zone is under way, so they go one at a time, in the order in which they came.</summary>
public sealed class ZoneLine
{
    private readonly Lock _lock = new();
    private Task _last = Task.CompletedTask;

    /// <summary>Whether it is empty.</summary>
    public bool IsFree
    {
        get
        {
            lock (_lock)
            {
                return _last.IsCompleted;
            }
        }
    }

    /// <summary>Does it once those before have done theirs.</summary>
    public async Task<T> EnterAsync<T>(Func<Task<T>> act, CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource();
        Task before;
        lock (_lock)
        {
            (before, _last) = (_last, done.Task);
        }

        try
        {
            await before.WaitAsync(cancellationToken);
            return await act();
        }
        finally
        {
            done.SetResult();
        }
    }
}
