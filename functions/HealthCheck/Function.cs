using System.Text.Json;
using Amazon.Lambda.Core;
using Failover.ControlPlane.Topologies;
using Failover.Hosting;

namespace Failover.HealthCheck;

/// <summary>
/// The door. The schedule's event queues ticks, and ticks once itself, so that a broken queue leaves one tick a minute;
/// a queue's event ticks the slot that it names.
/// </summary>
public sealed class Function(Schedule schedule, Tick tick, Timing timing, TimeProvider time)
{
    /// <summary>Handles one event.</summary>
    public async Task HandleAsync(JsonElement input, ILambdaContext context)
    {
        using var deadline = context.Deadline(time);
        if (input.TryGetProperty("Records", out _))
        {
            var records = input.Deserialize(JsonContext.Default.SQSEvent)!.Records;
            foreach (var record in records)
            {
                var message = JsonSerializer.Deserialize(record.Body, JsonContext.Default.TickMessage)
                    ?? throw new JsonException($"Message {record.MessageId} names no slot.");
                await tick.RunAsync(message.Slot, deadline.Token);
            }

            return;
        }

        await Task.WhenAll(
            schedule.QueueAsync(deadline.Token),
            tick.RunAsync(timing.SlotAt(time.GetUtcNow()), deadline.Token));
    }
}
