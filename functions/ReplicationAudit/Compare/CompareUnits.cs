using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane;
using Failover.ControlPlane.Compares;

namespace Failover.ReplicationAudit.Compare;

/// <summary>
/// What one region has done for comparisons, in its own journal. It alone writes there; the home of a comparison reads it.
/// </summary>
public sealed class CompareUnits(IAmazonDynamoDB dynamoDb, string table, TimeSpan callTimeout)
{
    /// <summary>Longer than a comparison may take; then nobody asks for it.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(3);

    private const string Body = "body";
    private const string Bytes = "sums";
    private const string Revision = "rev";

    /// <summary>Adds a unit, once: one that is there stays as it is. True if this call did, as far as is known.</summary>
    public Task<bool> AddAsync(string id, ComparePhase phase, CompareUnit unit, CancellationToken cancellationToken) =>
        PutUnitAsync(id, phase, unit, bytes: null, new PutItemRequest { ConditionExpression = "attribute_not_exists(id)" }, cancellationToken);

    /// <summary>Replaces a unit by what has become of it; false if somebody else has worked on it meanwhile.</summary>
    public Task<bool> ReplaceAsync(string id, ComparePhase phase, CompareUnit unit, byte[]? sums, CancellationToken cancellationToken) =>
        PutUnitAsync(
            id,
            phase,
            unit with { Revision = unit.Revision + 1 },
            sums,
            new PutItemRequest { ConditionExpression = "rev = :rev", ExpressionAttributeValues = new() { [":rev"] = Number(unit.Revision) } },
            cancellationToken);

    /// <summary>A unit, strongly read, and its sums where it has any; null if there is none.</summary>
    public async Task<(CompareUnit Unit, byte[]? Sums)?> ReadAsync(string id, ComparePhase phase, string name, CancellationToken cancellationToken) =>
        await GetAsync(KindOf(id, phase), name, cancellationToken) is { } row ? (Read(row), row.GetValueOrDefault(Bytes)?.B?.ToArray()) : null;

    /// <summary>All units of a phase, without their sums.</summary>
    public async IAsyncEnumerable<CompareUnit> ReadAllAsync(string id, ComparePhase phase, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var row in QueryAsync(KindOf(id, phase), Body, cancellationToken))
        {
            yield return Read(row);
        }
    }

    /// <summary>Says that this region has ended a phase.</summary>
    public async Task EndAsync(string id, ComparePhase phase, CompareTotals totals, byte[]? sums, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var row = Row("compare-end#" + id, phase.ToString(), now);
        row[Body] = new(JsonSerializer.Serialize(totals, JsonContext.Default.CompareTotals));
        Attach(row, sums);
        using var deadline = cancellationToken.Within(callTimeout);
        await dynamoDb.PutItemAsync(new PutItemRequest(table, row), deadline.Token);
    }

    /// <summary>What <see cref="EndAsync"/> said; null if it has not.</summary>
    public async Task<(CompareTotals Totals, byte[]? Sums)?> ReadEndAsync(string id, ComparePhase phase, CancellationToken cancellationToken) =>
        await GetAsync("compare-end#" + id, phase.ToString(), cancellationToken) is { } row
            ? (JsonSerializer.Deserialize(row[Body].S, JsonContext.Default.CompareTotals)!, row.GetValueOrDefault(Bytes)?.B?.ToArray())
            : null;

    /// <summary>Keeps a part of a list of keys.</summary>
    /// <param name="part">Never the same for two readings of a table: a part never takes the place of another.</param>
    public async Task AddKeysAsync(string id, int group, string part, byte[] keys, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var row = Row(KeysOf(id, group), part, now);
        Attach(row, keys);
        using var deadline = cancellationToken.Within(callTimeout);
        await dynamoDb.PutItemAsync(new PutItemRequest(table, row), deadline.Token);
    }

    /// <summary>A list of keys, a part at a time.</summary>
    public async IAsyncEnumerable<byte[]> ReadKeysAsync(string id, int group, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var row in QueryAsync(KeysOf(id, group), Bytes, cancellationToken))
        {
            yield return row[Bytes].B.ToArray();
        }
    }

    private async Task<bool> PutUnitAsync(string id, ComparePhase phase, CompareUnit unit, byte[]? bytes, PutItemRequest request, CancellationToken cancellationToken)
    {
        request.TableName = table;
        request.Item = Row(KindOf(id, phase), unit.Name, unit.DueAt);
        request.Item[Body] = new(JsonSerializer.Serialize(unit, JsonContext.Default.CompareUnit));
        request.Item[Revision] = Number(unit.Revision);
        Attach(request.Item, bytes);
        try
        {
            using var deadline = cancellationToken.Within(callTimeout);
            await dynamoDb.PutItemAsync(request, deadline.Token);
            return true;
        }
        catch (ConditionalCheckFailedException)
        {
            return false;
        }
    }

    private async Task<Dictionary<string, AttributeValue>?> GetAsync(string kind, string name, CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(callTimeout);
        var response = await dynamoDb.GetItemAsync(new GetItemRequest(table, new() { ["kind"] = new(kind), ["id"] = new(name) }, consistentRead: true), deadline.Token);
        return response.IsItemSet ? response.Item : null;
    }

    private async IAsyncEnumerable<Dictionary<string, AttributeValue>> QueryAsync(string kind, string projection, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new QueryRequest(table)
        {
            KeyConditionExpression = "kind = :kind",
            ExpressionAttributeValues = new() { [":kind"] = new(kind) },
            ProjectionExpression = projection,
            ConsistentRead = true,
        };
        do
        {
            using var deadline = cancellationToken.Within(callTimeout);
            var page = await dynamoDb.QueryAsync(request, deadline.Token);
            foreach (var row in page.Items ?? [])
            {
                yield return row;
            }

            request.ExclusiveStartKey = page.LastEvaluatedKey;
        }
        while (request.ExclusiveStartKey is { Count: > 0 });
    }

    private static void Attach(Dictionary<string, AttributeValue> row, byte[]? bytes)
    {
        if (bytes is not null)
        {
            row[Bytes] = new() { B = new MemoryStream(bytes) };
        }
    }

    private static CompareUnit Read(Dictionary<string, AttributeValue> row) => JsonSerializer.Deserialize(row[Body].S, JsonContext.Default.CompareUnit)!;

    private static string KindOf(string id, ComparePhase phase) => $"compare-unit#{id}#{phase}";

    private static string KeysOf(string id, int group) => string.Create(CultureInfo.InvariantCulture, $"compare-keys#{id}#{group}");

    private static AttributeValue Number(long value) => new() { N = value.ToString(CultureInfo.InvariantCulture) };

    private static Dictionary<string, AttributeValue> Row(string kind, string name, DateTimeOffset at) => new()
    {
        ["kind"] = new(kind),
        ["id"] = new(name),
        ["ttl"] = Number((at + Lifetime).ToUnixTimeSeconds()),
    };
}
