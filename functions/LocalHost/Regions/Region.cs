using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Failover.LocalHost.Aws;
using Failover.LocalHost.Engines;
using Failover.LocalHost.Functions;
using Failover.LocalHost.Network;

namespace Failover.LocalHost.Regions;

/// <summary>One region of the world: its engine, its queues, its functions, and the doors to them.</summary>
/// <param name="queueRoot">What the addresses of its queues begin with.</param>
internal sealed class Region(string name, int number, Engine engine, string queueRoot, TimeProvider time)
{
    private static readonly TimeSpan VisibilityTimeout = TimeSpan.FromSeconds(5);

    public string Name => name;

    /// <summary>From 1.</summary>
    public int Number => number;

    public Engine Engine => engine;

    /// <summary>Taken for each write to the items table, and for each delivery of the replicator.</summary>
    public SemaphoreSlim ItemsTurn { get; } = new(1);

    /// <summary>Released after each write to the items table, so that nobody need ask the engine all the time.</summary>
    public SemaphoreSlim ItemsWritten { get; } = new(0);

    public NamedQueue Ticks { get; } = new(queueRoot, NamedQueue.Ticks, time);

    public NamedQueue Audit { get; } = new(queueRoot, NamedQueue.Audit, time);

    public IReadOnlyList<NamedQueue> Queues => [Ticks, Audit];

    public FunctionHost? ItemApi { get; set; }

    public FunctionHost? ReplicationAudit { get; set; }

    public required FunctionHost HealthCheck { get; init; }

    /// <summary>The length of a slot of the observer's ticks.</summary>
    public TimeSpan Interval { get; set; }

    /// <summary>All of the region's functions.</summary>
    public IEnumerable<FunctionHost> Functions => new[] { ItemApi, ReplicationAudit, HealthCheck }.OfType<FunctionHost>();

    /// <summary>The doors that are shut while the region is down; those of an endpoint also while that is.</summary>
    public List<(Door Door, string? Endpoint)> Doors { get; } = [];

    /// <summary>EventBridge's schedule of a function.</summary>
    public async Task RunScheduleAsync(FunctionHost function, TimeSpan every, Faults faults, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (faults.RegionDown(name) is null)
            {
                var fired = Encoding.UTF8.GetBytes($$"""{"source":"aws.events","detail-type":"Scheduled Event","region":"{{name}}","time":"{{time.GetUtcNow():O}}","detail":null}""");
                _ = function.InvokeAsync(fired);
            }

            await Task.Delay(every, time, cancellationToken);
        }
    }

    /// <summary>The trigger of the queue of ticks.</summary>
    public Task RunTickQueueAsync(Faults faults, CancellationToken cancellationToken) =>
        new TickTrigger(
            Ticks.Queue,
            () => faults.IsTickQueueDown(name),
            () => faults.RegionDown(name) is not null,
            message => _ = HealthCheck.InvokeAsync(Event(message, NamedQueue.Ticks)),
            time).RunAsync(cancellationToken);

    /// <summary>The audit's queue: one message an invocation; what fails, or finds the region down, is delivered again.</summary>
    public async Task RunAuditQueueAsync(Faults faults, CancellationToken cancellationToken)
    {
        while (true)
        {
            var message = await Audit.Queue.ReceiveAsync(cancellationToken);
            _ = HandAsync(message);
        }

        async Task HandAsync(SqsQueue.Message message)
        {
            var answer = faults.RegionDown(name) is null
                ? (await ReplicationAudit!.InvokeAsync(Event(message, NamedQueue.Audit))).Payload
                : null;
            if (answer is null || JsonNode.Parse(answer)?["batchItemFailures"] is JsonArray { Count: > 0 })
            {
                Audit.Queue.Return(message, VisibilityTimeout);
            }
        }
    }

    private byte[] Event(SqsQueue.Message message, string queue)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("Records");
            json.WriteStartObject();
            json.WriteString("messageId", message.Id);
            json.WriteString("receiptHandle", message.Id);
            json.WriteString("body", message.Body);
            json.WriteString("eventSource", "aws:sqs");
            json.WriteString("eventSourceARN", $"arn:aws:sqs:{name}:000000000000:{queue}");
            json.WriteString("awsRegion", name);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }
}
