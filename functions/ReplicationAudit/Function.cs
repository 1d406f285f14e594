using System.Text.Json;
using Amazon.Lambda.Core;
using Amazon.Lambda.DynamoDBEvents;
using Failover.Hosting;
using Failover.ReplicationAudit.Arrivals;
using Failover.ReplicationAudit.Continuity;
using Microsoft.Extensions.Logging;

namespace Failover.ReplicationAudit;

/// <summary>The door: a batch of the items table's stream, messages of the function's own queue and of the one to which Lambda gives failed batches, and the schedule's event.</summary>
public sealed class Function(StreamAudit stream, ArrivalChecks checks, Patrol patrol, Findings findings, TimeProvider time, ILogger<Function> logger)
{
    /// <summary>Handles one event.</summary>
    /// <returns>What to deliver again: the same answer for streams and for queues.</returns>
    public async Task<StreamsEventResponse> HandleAsync(JsonElement input, ILambdaContext context)
    {
        using var deadline = context.Deadline(time);
        var failures = new List<StreamsEventResponse.BatchItemFailure>();
        if (!input.TryGetProperty("Records", out var records))
        {
            await patrol.RunAsync(deadline.Token);
        }
        else if (IsOfQueue(records))
        {
            foreach (var message in input.Deserialize(JsonContext.Default.SQSEvent)!.Records)
            {
                try
                {
                    await HandleAsync(JsonSerializer.Deserialize(message.Body, JsonContext.Default.AuditMessage)!, deadline.Token);
                }
                catch (Exception error)
                {
                    Log.MessageFailed(logger, message.MessageId, error);
                    failures.Add(new StreamsEventResponse.BatchItemFailure { ItemIdentifier = message.MessageId });
                }
            }
        }
        else if (await stream.AuditAsync(records, deadline.Token) is { } number)
        {
            failures.Add(new StreamsEventResponse.BatchItemFailure { ItemIdentifier = number });
        }

        return new StreamsEventResponse { BatchItemFailures = failures };
    }

    /// <summary>All records of an event come from one source.</summary>
    private static bool IsOfQueue(JsonElement records) =>
        records.EnumerateArray().FirstOrDefault() is { ValueKind: JsonValueKind.Object } first && first.TryGetProperty("eventSource", out var source) && source.ValueEquals("aws:sqs");

    private Task HandleAsync(AuditMessage message, CancellationToken cancellationToken) => message switch
    {
        { Pending: { } pending } => checks.CheckAsync(pending, cancellationToken),
        { Failed: { } failed } => failed.TellAsync(findings, cancellationToken),
        _ => throw new JsonException("The message is neither one of this function's nor one of Lambda's failure queue."),
    };
}
