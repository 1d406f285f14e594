using System.Globalization;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane;
using Failover.ItemRecord;

namespace Failover.HealthCheck.Probing;

/// <summary>One round of heartbeats: which replicas took this observer's, and which of its heartbeats each replica shows.</summary>
/// <param name="Beat">When the round began, in Unix milliseconds: the heartbeat's value.</param>
/// <param name="Acked">The replicas that acknowledged it.</param>
/// <param name="Visible">By replica that was read, then by replica of origin: the newest heartbeat there.</param>
public sealed record HeartbeatRound(long Beat, IReadOnlySet<string> Acked, IReadOnlyDictionary<string, IReadOnlyDictionary<string, long>> Visible);

/// <summary>
/// Writes a row into every replica of the items table and reads the rows at every replica. They live in that table because only its rows
/// measure its replication. Each row has one writer and is written in one replica only.
/// </summary>
public sealed class Heartbeats(IReadOnlyDictionary<string, IAmazonDynamoDB> replicas, string table, string observer, TimeProvider time, TimeSpan timeout)
{
    /// <summary>One round; a replica that does not answer in time is missing from it.</summary>
    public async Task<HeartbeatRound> BeatAsync(CancellationToken cancellationToken)
    {
        var beat = time.GetUtcNow().ToUnixTimeMilliseconds();
        var rounds = await Task.WhenAll(replicas.Select(replica => BeatAsync(replica.Key, replica.Value, beat, cancellationToken)));
        return new HeartbeatRound(
            beat,
            rounds.Where(round => round.Acked).Select(round => round.Replica).ToHashSet(),
            rounds.Where(round => round.Visible is not null).ToDictionary(round => round.Replica, round => round.Visible!));
    }

    private async Task<(string Replica, bool Acked, IReadOnlyDictionary<string, long>? Visible)> BeatAsync(
        string replica, IAmazonDynamoDB dynamoDb, long beat, CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(timeout);
        var acked = false;
        try
        {
            await PutAsync(
                dynamoDb,
                new PutItemRequest(table, new Dictionary<string, AttributeValue> { [ItemAttributes.Id] = new(RowOf(replica)), [HeartbeatRow.At] = Number(beat) })
                {
                    ConditionExpression = "attribute_not_exists(#at) OR #at < :at",
                    ExpressionAttributeNames = new() { ["#at"] = HeartbeatRow.At },
                    ExpressionAttributeValues = new() { [":at"] = Number(beat) },
                },
                deadline.Token);
            acked = true;
            return (replica, acked, await ReadAsync(dynamoDb, deadline.Token));
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            return (replica, acked, null);
        }
    }

    private static async Task PutAsync(IAmazonDynamoDB dynamoDb, PutItemRequest request, CancellationToken cancellationToken)
    {
        try
        {
            await dynamoDb.PutItemAsync(request, cancellationToken);
        }
        catch (ConditionalCheckFailedException)
        {
            // An overlapping tick, or the SDK's own second try, was faster with the same or a later beat: the replica takes writes.
        }
    }

    private async Task<IReadOnlyDictionary<string, long>> ReadAsync(IAmazonDynamoDB dynamoDb, CancellationToken cancellationToken)
    {
        var response = await dynamoDb.BatchGetItemAsync(
            new BatchGetItemRequest
            {
                RequestItems = new()
                {
                    [table] = new KeysAndAttributes
                    {
                        ConsistentRead = true,
                        Keys = [.. replicas.Keys.Select(replica => new Dictionary<string, AttributeValue> { [ItemAttributes.Id] = new(RowOf(replica)) })],
                    },
                },
            },
            cancellationToken);
        var rows = response.Responses?.GetValueOrDefault(table) ?? [];
        var visible = new Dictionary<string, long>();
        foreach (var replica in replicas.Keys)
        {
            if (HeartbeatRow.Read(rows.FirstOrDefault(row => row[ItemAttributes.Id].S == RowOf(replica))) is { } at)
            {
                visible[replica] = at;
            }
        }

        return visible;
    }

    private string RowOf(string replica) => HeartbeatRow.IdOf(replica, observer);

    private static AttributeValue Number(long value) => new() { N = value.ToString(CultureInfo.InvariantCulture) };
}
