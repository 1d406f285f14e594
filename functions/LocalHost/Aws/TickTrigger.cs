namespace Failover.LocalHost.Aws;

/// <summary>
/// Lambda's event source mapping between the queue of ticks and the observer: one message an invocation, no retries, nothing older than
/// a minute.
/// While the queue is down nothing is delivered; the messages stay, and grow old.
/// </summary>
internal sealed class TickTrigger(SqsQueue queue, Func<bool> isQueueDown, Func<bool> isRegionDown, Action<SqsQueue.Message> invoke,
    TimeProvider time)
{
    private static readonly TimeSpan AgeMax = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>Runs until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var message = await queue.ReceiveAsync(cancellationToken);
            while (isQueueDown())
            {
                await Task.Delay(PollInterval, time, cancellationToken);
            }

            if (!isRegionDown() && time.GetUtcNow() - message.Due <= AgeMax)
            {
                invoke(message);
            }
        }
    }
}
