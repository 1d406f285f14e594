namespace Failover.Simulation.Crowd;

/// <summary>
/// Time that passes only when nothing else can happen. Production code that waits by a <see cref="TimeProvider"/> runs on one thread, and each wait costs nothing.
/// </summary>
internal sealed class VirtualTime(DateTimeOffset start) : TimeProvider
{
    private readonly PriorityQueue<VirtualTimer, (DateTimeOffset At, long Order)> _timers = new();
    private DateTimeOffset _now = start;
    private long _order;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _now;

    public override long GetTimestamp() => _now.UtcTicks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new VirtualTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Runs it to its end, letting time pass whenever all that runs waits.</summary>
    public void Run(Func<Task> main)
    {
        var before = SynchronizationContext.Current;
        var context = new OneThread();
        SynchronizationContext.SetSynchronizationContext(context);
        try
        {
            var running = main();
            while (true)
            {
                context.RunAll();
                if (running.IsCompleted)
                {
                    break;
                }

                Advance();
            }

            // It has ended: nothing is waited for, and what it threw is thrown on.
            running.GetAwaiter().GetResult();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    private void Advance()
    {
        while (_timers.TryDequeue(out var timer, out var due))
        {
            if (timer.DueAt == due.At)
            {
                _now = due.At;
                timer.Fire();
                return;
            }
        }

        throw new InvalidOperationException("Everything waits, and nothing is to come.");
    }

    private void Enqueue(VirtualTimer timer, DateTimeOffset at) => _timers.Enqueue(timer, (at, _order++));

    private sealed class VirtualTimer(VirtualTime time, Action fire) : ITimer
    {
        public DateTimeOffset? DueAt { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (period != Timeout.InfiniteTimeSpan && period != TimeSpan.Zero)
            {
                throw new NotSupportedException("No timer here fires twice.");
            }

            DueAt = dueTime == Timeout.InfiniteTimeSpan ? null : time._now + dueTime;
            if (DueAt is { } at)
            {
                time.Enqueue(this, at);
            }

            return true;
        }

        public void Fire()
        {
            DueAt = null;
            fire();
        }

        public void Dispose() => DueAt = null;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }

    private sealed class OneThread : SynchronizationContext
    {
        private readonly Queue<(SendOrPostCallback Callback, object? State)> _posted = new();

        public override void Post(SendOrPostCallback d, object? state)
        {
            lock (_posted)
            {
                _posted.Enqueue((d, state));
            }
        }

        public void RunAll()
        {
            while (true)
            {
                (SendOrPostCallback Callback, object? State) next;
                lock (_posted)
                {
                    if (!_posted.TryDequeue(out next))
                    {
                        return;
                    }
                }

                next.Callback(next.State);
            }
        }
    }
}
