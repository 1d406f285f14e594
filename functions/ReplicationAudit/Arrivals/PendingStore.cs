using System.Globalization;
using System.Text.Json;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane;

namespace Failover.ReplicationAudit.Arrivals;

/// <summary>
/// The batches whose writes a peer has not shown yet, in this region's journal: so that at any moment it can be read what a loss of this region would cost, key by key.
/// Those that wait for a stalled peer to come back are apart, and nobody asks for them until it does.
/// </summary>
public sealed class PendingStore(IAmazonDynamoDB dynamoDb, string table, TimeSpan callTimeout)
{
    private const string PendingPrefix = "pending#";
    private const string ParkedPrefix = "parked#";
    private const string Body = "body";
    private const string Due = "due";

    /// <summary>Adds a batch. One that is there already stays as it is: it knows what has settled, and what has been told.</summary>
    /// <param name="due">When it is to be looked at.</param>
    public Task AddAsync(PendingBatch batch, DateTimeOffset due, CancellationToken cancellationToken) =>
        PutAsync(PendingPrefix, batch, due, "attribute_not_exists(id)", cancellationToken);

    /// <summary>Replaces a batch by what is left of it; false if another check has settled it meanwhile.</summary>
    public Task<bool> ReplaceAsync(PendingBatch batch, DateTimeOffset due, CancellationToken cancellationToken) =>
        PutAsync(PendingPrefix, batch, due, "attribute_exists(id)", cancellationToken);

    /// <summary>The batch; null if it is settled.</summary>
    public async Task<PendingBatch?> ReadAsync(string peer, string id, CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(callTimeout);
        var response = await dynamoDb.GetItemAsync(new GetItemRequest(table, KeyOf(PendingPrefix, peer, id), consistentRead: true), deadline.Token);
        return response.IsItemSet ? Read(response.Item) : null;
    }

    public Task DeleteAsync(PendingBatch batch, CancellationToken cancellationToken) => DeleteAsync(PendingPrefix, batch, cancellationToken);

    /// <summary>Sets a batch aside. Interrupted, it is in both places, and checked twice.</summary>
    public async Task ParkAsync(PendingBatch batch, CancellationToken cancellationToken)
    {
        await PutAsync(ParkedPrefix, batch, due: null, condition: null, cancellationToken);
        await DeleteAsync(PendingPrefix, batch, cancellationToken);
    }

    /// <summary>Takes a batch back that was set aside, after it has been added again.</summary>
    public Task ForgetParkedAsync(PendingBatch batch, CancellationToken cancellationToken) => DeleteAsync(ParkedPrefix, batch, cancellationToken);

    /// <summary>Some of the batches that are set aside for a peer.</summary>
    public Task<IReadOnlyList<PendingBatch>> ReadParkedAsync(string peer, int limit, CancellationToken cancellationToken) =>
        QueryAsync(new QueryRequest(table) { ExpressionAttributeValues = new() { [":kind"] = new(ParkedPrefix + peer) } }, limit, cancellationToken);

    /// <summary>Some of the batches that are asked for.</summary>
    public Task<IReadOnlyList<PendingBatch>> ReadPendingAsync(string peer, int limit, CancellationToken cancellationToken) =>
        QueryAsync(new QueryRequest(table) { ExpressionAttributeValues = new() { [":kind"] = new(PendingPrefix + peer) } }, limit, cancellationToken);

    /// <summary>Some of the batches that should have been looked at before then, and were not: the message that would have said so was lost, or never sent.</summary>
    public Task<IReadOnlyList<PendingBatch>> ReadOverdueAsync(string peer, DateTimeOffset before, int limit, CancellationToken cancellationToken) =>
        QueryAsync(
            new QueryRequest(table)
            {
                FilterExpression = "due < :before",
                ExpressionAttributeValues = new() { [":kind"] = new(PendingPrefix + peer), [":before"] = Number(before) },
            },
            limit,
            cancellationToken);

    private async Task<IReadOnlyList<PendingBatch>> QueryAsync(QueryRequest request, int limit, CancellationToken cancellationToken)
    {
        var batches = new List<PendingBatch>();
        request.KeyConditionExpression = "kind = :kind";
        request.ConsistentRead = true;

        // A filter comes after the limit: then a page is a page.
        request.Limit = request.FilterExpression is null ? limit : null;
        do
        {
            using var deadline = cancellationToken.Within(callTimeout);
            var page = await dynamoDb.QueryAsync(request, deadline.Token);
            batches.AddRange((page.Items ?? []).Select(Read));
            request.ExclusiveStartKey = page.LastEvaluatedKey;
        }
        while (batches.Count < limit && request.ExclusiveStartKey is { Count: > 0 });
        return [.. batches.Take(limit)];
    }

    private async Task<bool> PutAsync(string prefix, PendingBatch batch, DateTimeOffset? due, string? condition, CancellationToken cancellationToken)
    {
        var item = KeyOf(prefix, batch.Peer, batch.Id);
        if (due is { } at)
        {
            item[Due] = Number(at);
        }

        item[Body] = new(JsonSerializer.Serialize(batch, JsonContext.Default.PendingBatch));
        try
        {
            using var deadline = cancellationToken.Within(callTimeout);
            await dynamoDb.PutItemAsync(new PutItemRequest(table, item) { ConditionExpression = condition }, deadline.Token);
            return true;
        }
        catch (ConditionalCheckFailedException)
        {
            return false;
        }
    }

    private async Task DeleteAsync(string prefix, PendingBatch batch, CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(callTimeout);
        await dynamoDb.DeleteItemAsync(new DeleteItemRequest(table, KeyOf(prefix, batch.Peer, batch.Id)), deadline.Token);
    }

    private static AttributeValue Number(DateTimeOffset time) => new() { N = time.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture) };

    private static PendingBatch Read(Dictionary<string, AttributeValue> item) => JsonSerializer.Deserialize(item[Body].S, JsonContext.Default.PendingBatch)!;

    private static Dictionary<string, AttributeValue> KeyOf(string prefix, string peer, string id) => new() { ["kind"] = new(prefix + peer), ["id"] = new(id) };
}
