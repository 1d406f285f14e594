namespace Failover.ItemApi.Operations;

/// <summary>One run for all who ask meanwhile, under a deadline of its own: a caller who leaves takes nothing from the others.</summary>
internal sealed class SharedRun(TimeSpan deadline, TimeProvider time)
{
    private readonly Lock _lock = new();
    private Task _running = Task.CompletedTask;

    /// <summary>Begins a run, or joins the one that is under way. Whoever waits for it does so with a token of his own.</summary>
    public Task Join(Func<CancellationToken, Task> run)
    {
        lock (_lock)
        {
            return _running = _running.IsCompleted ? RunAsync(run) : _running;
        }
    }

    private async Task RunAsync(Func<CancellationToken, Task> run)
    {
        // Not under the lock.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        using var source = new CancellationTokenSource(deadline, time);
        await run(source.Token);
    }
}
