using System.Text.Json;
using Amazon.Lambda.Core;
using Failover.ControlPlane.Topologies;
using Failover.Hosting;

namespace Failover.HealthCheck;

/// <summary>
/// The door. The schedule's event queues ticks, and ticks once itself, so that a broken queue leaves one tick a minute;
/// a queue's event makes the tick that it names.
/// </summary>
public sealed class Function(Schedule schedule, Tick tick, Timing timing, TimeProvider time)
{
    /// <summary>The year 9999, past which no date can be made.</summary>
    private const long StartMax = 253_370_764_800_000;

    /// <summary>Handles one event.</summary>
    public async Task HandleAsync(JsonElement input, ILambdaContext context)
    {
        using var deadline = context.Deadline(time);
        if (input.TryGetProperty("Records", out _))
        {
            var records = input.Deserialize(JsonContext.Default.SQSEvent)!.Records;
            foreach (var record in records)
            {
                if (StartOf(record.Body) is { } start)
                {
                    await tick.RunAsync(start, deadline.Token);
                }
            }

            return;
        }

        await Task.WhenAll(
            schedule.QueueAsync(deadline.Token),
            tick.RunAsync(timing.StartAt(time.GetUtcNow()), deadline.Token));
    }

    /// <summary>Null for a message of another version: during a rollout the queue holds two minutes of them.</summary>
    private static DateTimeOffset? StartOf(string body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, JsonContext.Default.TickMessage) is { Format: TickMessage.FormatNow, Start: > 0 and < StartMax } message
                ? DateTimeOffset.FromUnixTimeMilliseconds(message.Start)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
