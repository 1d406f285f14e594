using System.Text.Json;
using Amazon.Lambda.Core;
using Amazon.Lambda.DynamoDBEvents;
using Amazon.Lambda.SQSEvents;
using Failover.Hosting;
using Failover.ReplicationAudit.Arrivals;
using Failover.ReplicationAudit.Compare;
using Failover.ReplicationAudit.Continuity;
using Failover.ReplicationAudit.Losses;
using Microsoft.Extensions.Logging;

namespace Failover.ReplicationAudit;

/// <summary>The door: a batch of the items table's stream, messages of the function's own queue and of the one to which Lambda gives failed batches, and the schedule's event.</summary>
public sealed class Function(
    StreamAudit stream, ArrivalChecks checks, Patrol patrol, LossReport losses, CompareWorker worker, CompareSteps steps, Findings findings, TimeProvider time, ILogger<Function> logger)
{
    /// <summary>Handles one event.</summary>
    /// <returns>What to deliver again: the same answer for streams and for queues.</returns>
    public async Task<StreamsEventResponse> HandleAsync(JsonElement input, ILambdaContext context)
    {
        using var deadline = context.Deadline(time);
        var failures = new List<StreamsEventResponse.BatchItemFailure>();
        if (!input.TryGetProperty("Records", out var records))
        {
            await Task.WhenAll(patrol.RunAsync(deadline.Token), losses.RunAsync(deadline.Token), steps.TakeAllAsync(deadline.Token));
        }
        else if (IsOfQueue(records))
        {
            // At once: each mostly waits for others, and one may take as long as an invocation well can.
            var failed = await Task.WhenAll(input.Deserialize(JsonContext.Default.SQSEvent)!.Records.Select(message => FailsAsync(message, deadline.Token)));
            failures.AddRange(failed.OfType<string>().Select(id => new StreamsEventResponse.BatchItemFailure { ItemIdentifier = id }));
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

    /// <summary>The message's id, if it is to be delivered again.</summary>
    private async Task<string?> FailsAsync(SQSEvent.SQSMessage message, CancellationToken cancellationToken)
    {
        try
        {
            await HandleAsync(JsonSerializer.Deserialize(message.Body, JsonContext.Default.AuditMessage)!, cancellationToken);
            return null;
        }
        catch (Exception error)
        {
            Log.MessageFailed(logger, message.MessageId, error);
            return message.MessageId;
        }
    }

    private Task HandleAsync(AuditMessage message, CancellationToken cancellationToken) => message switch
    {
        { Pending: { } pending } => checks.CheckAsync(pending, cancellationToken),
        { Compare: { } unit } => worker.WorkAsync(unit, cancellationToken),
        { Failed: { } failed } => failed.TellAsync(findings, cancellationToken),
        _ => throw new JsonException("The message is neither one of this function's nor one of Lambda's failure queue."),
    };
}
