namespace Failover.LocalHost.Rollouts;

/// <summary>Changes the interval of a running world, one region after the other; one change at a time.</summary>
/// <param name="deploy">Gives one region the interval.</param>
internal sealed class RollingChange(IReadOnlyList<string> regions, Func<string, TimeSpan, Task> deploy, TimeProvider time)
{
    private int _isRunning;

    /// <summary>Whether a change is under way.</summary>
    public bool IsRunning => Volatile.Read(ref _isRunning) == 1;

    /// <summary>The last change that started; it does not fail.</summary>
    public Task Last { get; private set; } = Task.CompletedTask;

    /// <summary>Starts a change and returns at once; false while another one runs.</summary>
    public bool TryStart(RolloutRequest wanted, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _isRunning, 1) == 1)
        {
            return false;
        }

        Last = Task.Run(() => RunAsync(wanted, cancellationToken), CancellationToken.None);
        return true;
    }

    private async Task RunAsync(RolloutRequest wanted, CancellationToken cancellationToken)
    {
        try
        {
            for (var i = 0; i < regions.Count; i++)
            {
                if (i > 0)
                {
                    await Task.Delay(TimeSpan.FromSeconds(wanted.PauseSeconds), time, cancellationToken);
                }

                await deploy(regions[i], TimeSpan.FromSeconds(wanted.IntervalSeconds));
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The world ends.
        }
        catch (Exception error)
        {
            await Console.Error.WriteLineAsync(
                $"The change of the interval to {wanted.IntervalSeconds} s stopped half-way, start it again: {error.Message}");
        }
        finally
        {
            Volatile.Write(ref _isRunning, 0);
        }
    }
}
