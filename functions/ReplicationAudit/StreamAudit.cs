using System.Runtime.InteropServices;
using System.Text.Json;
using Amazon.Lambda.Core;
using Amazon.Lambda.DynamoDBEvents;
using Failover.ItemRecord;
using Failover.ReplicationAudit.Arrivals;
using Failover.ReplicationAudit.Continuity;
using Failover.ReplicationAudit.Losses;
using Microsoft.Extensions.Logging;

namespace Failover.ReplicationAudit;

/// <summary>
/// Takes a batch of the items table's stream in order, up to the first record that fails: from there the stream is delivered again. What is before it is done, and doing it again changes nothing.
/// A record that cannot be read would fail for ever: it is set aside, with all of its text, as a gap.
/// </summary>
public sealed class StreamAudit(
    ILambdaSerializer serializer, Findings findings, ArrivalCounts counts, LateArrivals late, ArrivalChecks checks, StreamContinuity continuity, string region, TimeProvider time, ILogger<StreamAudit> logger)
{
    /// <summary>Audits the batch.</summary>
    /// <returns>The sequence number from which the stream is to be delivered again; null: all is done.</returns>
    public async Task<string?> AuditAsync(JsonElement records, CancellationToken cancellationToken)
    {
        var batch = new Batch();
        var failed = await JudgeAsync(records, batch, cancellationToken);
        counts.Emit(batch.Arrivals);
        try
        {
            foreach (var origin in batch.Late)
            {
                await late.AddAsync(origin.Key, origin.Value, cancellationToken);
            }

            await checks.BeginAsync([.. batch.Writes.Select(write => new PendingWrite(write.Key, write.Value.Text))], cancellationToken);

            // Last: what is remembered as read must have been audited, or a batch that fails here and is trimmed then would be no gap.
            await continuity.FollowAsync(batch.Heartbeats, cancellationToken);
            return failed;
        }
        catch (Exception error) when (batch.First is not null)
        {
            Log.RecordFailed(logger, batch.First, error);
            return batch.First;
        }
    }

    private async Task<string?> JudgeAsync(JsonElement records, Batch batch, CancellationToken cancellationToken)
    {
        foreach (var json in records.EnumerateArray())
        {
            var number = Data(json, "SequenceNumber")?.GetString();
            try
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (!TryRead(json, out var record, out var change, out var mistake))
                {
                    Log.RecordUnreadable(logger, number, mistake);
                    await SetAsideAsync(json, number, mistake, cancellationToken);
                }
                else if (!ItemAttributes.IsReserved(change.Id))
                {
                    await findings.JudgeAsync(change, cancellationToken);
                    batch.Add(record, change, region, time.GetUtcNow());
                }
                else if (HeartbeatRow.ObserverOf(change.Id, region) is not null)
                {
                    batch.Heartbeats.Add(change);
                }

                batch.First ??= number;
            }
            catch (Exception error) when (number is not null)
            {
                // Without a number nobody could be told where to read on: then the whole batch fails.
                Log.RecordFailed(logger, number, error);
                return number;
            }
        }

        return null;
    }

    private bool TryRead(JsonElement json, out DynamoDBEvent.DynamodbStreamRecord record, out ItemChange change, out Exception mistake)
    {
        (record, change, mistake) = (null!, null!, null!);
        try
        {
            using var bytes = new MemoryStream(JsonMarshal.GetRawUtf8Value(json).ToArray(), writable: false);
            record = serializer.Deserialize<DynamoDBEvent.DynamodbStreamRecord>(bytes);
            change = ItemChange.Read(record);
            return true;
        }
        catch (Exception error)
        {
            mistake = error;
            return false;
        }
    }

    private Task SetAsideAsync(JsonElement json, string? number, Exception mistake, CancellationToken cancellationToken)
    {
        var at = Data(json, "ApproximateCreationDateTime") is { ValueKind: JsonValueKind.Number } seconds ? DateTimeOffset.FromUnixTimeMilliseconds((long)(seconds.GetDouble() * 1000)) : time.GetUtcNow();
        var key = Data(json, "Keys") is { ValueKind: JsonValueKind.Object } keys && keys.TryGetProperty(ItemAttributes.Id, out var id) && id.TryGetProperty("S", out var text) ? text.GetString() : null;
        return findings.AddGapAsync(number ?? json.GetRawText(), at, at, $"A record of the stream cannot be read: {mistake.GetType().Name}.", key, json.GetRawText(), cancellationToken);
    }

    private static JsonElement? Data(JsonElement record, string name) =>
        record.ValueKind == JsonValueKind.Object && record.TryGetProperty("dynamodb", out var data) && data.ValueKind == JsonValueKind.Object && data.TryGetProperty(name, out var value)
            ? value : null;

    /// <summary>What a batch comes to, as far as it was read.</summary>
    private sealed class Batch
    {
        /// <summary>The sequence number of its first record.</summary>
        public string? First { get; set; }

        public List<(string EventId, Arrival Arrival)> Arrivals { get; } = [];

        /// <summary>By region of origin.</summary>
        public Dictionary<string, List<LateArrival>> Late { get; } = [];

        public List<ItemChange> Heartbeats { get; } = [];

        /// <summary>By key: the version that this region has made, unless something else has replaced it since.</summary>
        public Dictionary<string, ItemVersion> Writes { get; } = new(StringComparer.Ordinal);

        public void Add(DynamoDBEvent.DynamodbStreamRecord record, ItemChange change, string region, DateTimeOffset now)
        {
            if (change.New?.Version is { } version && version == change.Old?.Version)
            {
                return;
            }

            Writes.Remove(change.Id);
            if (change.New?.Version is { } own && own.Region == region)
            {
                Writes[change.Id] = own;
            }

            if (Arrival.Of(change, region, now) is { } arrival)
            {
                Arrivals.Add((record.EventID, arrival));
                if (arrival.Lag > LateArrivals.LateAfter)
                {
                    var from = Late.TryGetValue(arrival.From, out var known) ? known : Late[arrival.From] = [];
                    from.Add(new LateArrival(change.Id, change.New!.Version!.Value.Text, change.At + Arrival.StreamPrecision));
                }
            }
        }
    }
}
