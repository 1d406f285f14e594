using Amazon.Lambda.Core;
using Amazon.Lambda.DynamoDBEvents;
using Failover.Hosting;
using Failover.ItemRecord;
using Failover.ReplicationAudit.Arrivals;
using Failover.ReplicationAudit.LostUpdates;
using Microsoft.Extensions.Logging;

namespace Failover.ReplicationAudit;

/// <summary>
/// The door. Takes a batch of the items table's stream in order, up to the first record that fails: from there the stream is delivered again.
/// What is before it is done, and doing it again changes nothing.
/// </summary>
public sealed class Function(Findings findings, ArrivalCounts counts, string region, TimeProvider time, ILogger<Function> logger)
{
    /// <summary>Handles one batch.</summary>
    /// <returns>The record to deliver next, if not all are done.</returns>
    public async Task<StreamsEventResponse> HandleAsync(DynamoDBEvent input, ILambdaContext context)
    {
        using var deadline = context.Deadline(time);
        var failures = new List<StreamsEventResponse.BatchItemFailure>();
        var arrivals = new List<(string EventId, Arrival Arrival)>();
        foreach (var record in input.Records)
        {
            try
            {
                deadline.Token.ThrowIfCancellationRequested();
                var change = ItemChange.Read(record);
                if (ItemAttributes.IsReserved(change.Id))
                {
                    continue;
                }

                await findings.JudgeAsync(change, deadline.Token);
                if (Arrival.Of(change, region, time.GetUtcNow()) is { } arrival)
                {
                    arrivals.Add((record.EventID, arrival));
                }
            }
            catch (Exception error) when (record.Dynamodb?.SequenceNumber is not null)
            {
                // Without a number nobody could be told where to read on: then the whole batch fails.
                var number = record.Dynamodb.SequenceNumber;
                Log.RecordFailed(logger, number, record.EventID, error);
                failures.Add(new StreamsEventResponse.BatchItemFailure { ItemIdentifier = number });
                break;
            }
        }

        counts.Emit(arrivals);
        return new StreamsEventResponse { BatchItemFailures = failures };
    }
}
