using System.Text.Json;
using Amazon.SQS;
using Amazon.SQS.Model;
using Failover.ControlPlane;
using Failover.ControlPlane.Topologies;
using Microsoft.Extensions.Logging;

namespace Failover.HealthCheck;

/// <summary>
/// Every minute, queues the slots of the next two minutes, each delayed to its time; so a firing that is missed or late leaves no gap.
/// A slot that is queued twice is ticked once: the spare comes later, and as a rule finds it in the ballot.
/// </summary>
public sealed class Schedule(IAmazonSQS sqs, string queueUrl, Timing timing, TimeProvider time, ILogger<Schedule> logger)
{
    private const int BatchMax = 10;

    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Ahead = 2 * Period;

    /// <summary>
    /// The slots to queue at <paramref name="now"/>, each with its delay in whole seconds, as SQS wants it. What a firing a minute ago has queued is queued once more as a spare,
    /// which comes in the middle of its slot: if both came at its start, both would look around before one finds the other's ballot.
    /// </summary>
    public static IReadOnlyList<(long Slot, int DelaySeconds)> Slots(DateTimeOffset now, Timing timing)
    {
        var count = (int)(Ahead / timing.Interval);
        var queuedBefore = timing.SlotAt(now - Period) + count;
        return
        [
            .. Enumerable.Range(1, count).Select(offset => timing.SlotAt(now) + offset).Select(slot =>
            {
                var due = timing.StartOf(slot) + (slot <= queuedBefore ? timing.Interval / 2 : TimeSpan.Zero);
                return (slot, (int)Math.Ceiling((due - now).TotalSeconds));
            }),
        ];
    }

    /// <summary>Queues them. A batch that fails is left to the next minute.</summary>
    public async Task QueueAsync(CancellationToken cancellationToken)
    {
        var slots = Slots(time.GetUtcNow(), timing);
        await Task.WhenAll(slots.Chunk(BatchMax).Select(chunk => SendAsync(chunk, cancellationToken)));
        Log.TicksQueued(logger, slots.Count, slots[0].Slot);
    }

    private async Task SendAsync((long Slot, int DelaySeconds)[] slots, CancellationToken cancellationToken)
    {
        try
        {
            using var deadline = cancellationToken.Within(timing.CallTimeout);
            await sqs.SendMessageBatchAsync(
                new SendMessageBatchRequest(
                    queueUrl,
                    [
                        .. slots.Select(slot => new SendMessageBatchRequestEntry(
                            $"s{slot.Slot}", JsonSerializer.Serialize(new TickMessage(slot.Slot), JsonContext.Default.TickMessage))
                        {
                            DelaySeconds = slot.DelaySeconds,
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
