using System.Text.Json;
using Amazon.SQS;
using Amazon.SQS.Model;
using Failover.ControlPlane;
using Failover.ControlPlane.Topologies;
using Microsoft.Extensions.Logging;

namespace Failover.HealthCheck;

/// <summary>
/// Every minute, queues the ticks of the next two minutes, each delayed to its time; so a firing that is missed or late leaves no gap.
/// A tick that is queued twice is made once: the duplicate comes later, and as a rule finds it in the ballot.
/// </summary>
public sealed class Schedule(IAmazonSQS sqs, string queueUrl, Timing timing, TimeProvider time, ILogger<Schedule> logger)
{
    private const int BatchMax = 10;

    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Ahead = 2 * Period;

    /// <summary>
    /// The ticks to queue at <paramref name="now"/>, each with its delay in whole seconds, as SQS wants it. What a firing a minute ago has queued is queued once more as a duplicate,
    /// which comes in the middle of its interval: if both came at its start, both would look around before one finds the other's ballot.
    /// </summary>
    public static IReadOnlyList<(DateTimeOffset Start, int DelaySeconds)> Ticks(DateTimeOffset now, Timing timing)
    {
        var count = (int)(Ahead / timing.Interval);
        var queuedBefore = timing.StartAt(now - Period) + (count * timing.Interval);
        return
        [
            .. Enumerable.Range(1, count).Select(offset => timing.StartAt(now) + (offset * timing.Interval)).Select(start =>
            {
                var due = start + (start <= queuedBefore ? timing.Interval / 2 : TimeSpan.Zero);
                return (start, (int)Math.Ceiling((due - now).TotalSeconds));
            }),
        ];
    }

    /// <summary>Queues them. A batch that fails is left to the next minute.</summary>
    public async Task QueueAsync(CancellationToken cancellationToken)
    {
        var ticks = Ticks(time.GetUtcNow(), timing);
        await Task.WhenAll(ticks.Chunk(BatchMax).Select(chunk => SendAsync(chunk, cancellationToken)));
        Log.TicksQueued(logger, ticks.Count, ticks[0].Start);
    }

    private async Task SendAsync((DateTimeOffset Start, int DelaySeconds)[] ticks, CancellationToken cancellationToken)
    {
        try
        {
            using var deadline = cancellationToken.Within(timing.CallTimeout);
            await sqs.SendMessageBatchAsync(
                new SendMessageBatchRequest(
                    queueUrl,
                    [
                        .. ticks.Select(tick => new SendMessageBatchRequestEntry(
                            $"t{tick.Start.ToUnixTimeMilliseconds()}",
                            JsonSerializer.Serialize(new TickMessage(TickMessage.FormatNow, tick.Start.ToUnixTimeMilliseconds()), JsonContext.Default.TickMessage))
                        {
                            DelaySeconds = tick.DelaySeconds,
                        }),
                    ]),
                deadline.Token);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            Log.CallFailed(logger, "Queueing ticks", error);
        }
    }
}
