namespace Failover.Simulation.Audit;

/// <summary>A clock that stands where it is put. Short waits are over at once, on the same thread, so that a seed gives the same run; long ones, the deadlines of invocations, never come.</summary>
internal sealed class SimTime(Func<DateTimeOffset> now) : TimeProvider
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(5);

    public override DateTimeOffset GetUtcNow() => now();

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => now().UtcTicks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime >= TimeSpan.Zero && dueTime < Short)
        {
            callback(state);
        }

        return new Done();
    }

    private sealed class Done : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
