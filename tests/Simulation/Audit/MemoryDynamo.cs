using System.Globalization;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;

namespace Failover.Simulation.Audit;

/// <summary>The tables of one region, in memory: no more of DynamoDB than the audit asks of it. What it does not know, it refuses.</summary>
internal sealed class MemoryTables
{
    /// <summary>By table, then by key.</summary>
    public Dictionary<string, SortedDictionary<(string, string), Dictionary<string, AttributeValue>>> Rows { get; } = new() { ["Items"] = [], ["Journal"] = [] };

    /// <summary>Tells this region's order of a scan from the others'.</summary>
    public int Salt { get; init; }

    /// <summary>Items a page of a scan: few, so that a few items are several pages.</summary>
    public int PageMax { get; init; } = 7;

    public static (string, string) KeyOf(IReadOnlyDictionary<string, AttributeValue> row) => (row.GetValueOrDefault("kind")?.S ?? "", row["id"].S);
}

/// <summary>One caller's way to a region's tables. Before each call it asks <paramref name="fault"/> what happens to it.</summary>
/// <param name="read">What a reader sees of an item; most see what is there.</param>
internal sealed class MemoryDynamo(MemoryTables tables, Func<bool, CallFault> fault, Func<string, Dictionary<string, AttributeValue>?, Dictionary<string, AttributeValue>?>? read = null)
    : AmazonDynamoDBClient("local", "local", Amazon.RegionEndpoint.USEast1)
{
    /// <summary>So that a few items are several segments.</summary>
    private const long BytesAnItem = 40_000_000;

    public override Task<GetItemResponse> GetItemAsync(GetItemRequest request, CancellationToken cancellationToken = default) =>
        CallAsync(isWrite: false, () => new GetItemResponse { Item = tables.Rows[request.TableName].GetValueOrDefault(MemoryTables.KeyOf(request.Key)) });

    public override Task<BatchGetItemResponse> BatchGetItemAsync(BatchGetItemRequest request, CancellationToken cancellationToken = default) => CallAsync(isWrite: false, () =>
    {
        var (table, asked) = request.RequestItems.Single();

        // A part of an answer is an ordinary answer.
        var keys = asked.Keys.Count > 3 && fault(false) == CallFault.Partial ? asked.Keys[..^2] : asked.Keys;
        return new BatchGetItemResponse
        {
            Responses = new()
            {
                [table] = [.. keys.Select(key => Seen(key["id"].S, tables.Rows[table].GetValueOrDefault(MemoryTables.KeyOf(key)))).OfType<Dictionary<string, AttributeValue>>()],
            },
            UnprocessedKeys = keys.Count == asked.Keys.Count ? [] : new() { [table] = new KeysAndAttributes { Keys = asked.Keys[^2..] } },
        };
    });

    public override Task<PutItemResponse> PutItemAsync(PutItemRequest request, CancellationToken cancellationToken = default) => CallAsync(isWrite: true, () =>
    {
        var rows = tables.Rows[request.TableName];
        var key = MemoryTables.KeyOf(request.Item);
        var there = rows.GetValueOrDefault(key);
        Require(request.ConditionExpression switch
        {
            null => true,
            "attribute_not_exists(id)" => there is null,
            "attribute_exists(id)" => there is not null,
            "attribute_not_exists(n) OR n <= :n" => there?.GetValueOrDefault("n") is not { } old || Number(old) <= Number(request.ExpressionAttributeValues[":n"]),
            "rev = :rev" => there?.GetValueOrDefault("rev")?.N == request.ExpressionAttributeValues[":rev"].N,
            "phase = :phase" => there?.GetValueOrDefault("phase")?.S == request.ExpressionAttributeValues[":phase"].S,
            var other => throw new NotSupportedException(other),
        }, there);
        rows[key] = request.Item;
        return new PutItemResponse();
    });

    public override Task<UpdateItemResponse> UpdateItemAsync(UpdateItemRequest request, CancellationToken cancellationToken = default) => CallAsync(isWrite: true, () =>
    {
        var rows = tables.Rows[request.TableName];
        var key = MemoryTables.KeyOf(request.Key);
        var there = rows.GetValueOrDefault(key);
        var (alias, name) = request.ExpressionAttributeNames.Single();
        Require(request.ConditionExpression switch
        {
            null => true,
            "attribute_exists(id) AND attribute_not_exists(#closed)" => there is not null && !there.ContainsKey(name),
            "attribute_not_exists(#name) OR #name < :value" => there?.GetValueOrDefault(name) is not { } old || Number(old) < Number(request.ExpressionAttributeValues[":value"]),
            var other => throw new NotSupportedException(other),
        }, there);
        var next = new Dictionary<string, AttributeValue>(there ?? request.Key);
        if (request.UpdateExpression.StartsWith("SET ", StringComparison.Ordinal))
        {
            next[name] = request.ExpressionAttributeValues.Single().Value;
        }
        else if (request.UpdateExpression == $"REMOVE {alias}")
        {
            next.Remove(name);
        }
        else
        {
            throw new NotSupportedException(request.UpdateExpression);
        }

        rows[key] = next;
        return new UpdateItemResponse();
    });

    public override Task<DeleteItemResponse> DeleteItemAsync(DeleteItemRequest request, CancellationToken cancellationToken = default) => CallAsync(isWrite: true, () =>
    {
        tables.Rows[request.TableName].Remove(MemoryTables.KeyOf(request.Key));
        return new DeleteItemResponse();
    });

    public override Task<QueryResponse> QueryAsync(QueryRequest request, CancellationToken cancellationToken = default) => CallAsync(isWrite: false, () =>
    {
        var rows = tables.Rows[request.TableName].Values.Where(row => row["kind"].S == request.ExpressionAttributeValues[":kind"].S && request.FilterExpression switch
        {
            null => true,
            "due < :before" => row.TryGetValue("due", out var due) && Number(due) < Number(request.ExpressionAttributeValues[":before"]),
            var other => throw new NotSupportedException(other),
        });
        return new QueryResponse { Items = [.. (request.ScanIndexForward == false ? rows.Reverse() : rows).Take(request.Limit ?? int.MaxValue)] };
    });

    public override Task<DescribeTableResponse> DescribeTableAsync(DescribeTableRequest request, CancellationToken cancellationToken = default) =>
        CallAsync(isWrite: false, () => new DescribeTableResponse { Table = new TableDescription { TableSizeBytes = BytesAnItem * tables.Rows[request.TableName].Count } });

    /// <summary>In the order of the key's hash, as DynamoDB does, and another one in each region: here of the key with the region's own salt.</summary>
    public override Task<ScanResponse> ScanAsync(ScanRequest request, CancellationToken cancellationToken = default) => CallAsync(isWrite: false, () =>
    {
        var after = request.ExclusiveStartKey is { } start ? Place(start["id"].S) : (0, "");
        var rows = tables.Rows[request.TableName].Values
            .Where(row => Place(row["id"].S).Hash % (uint)request.TotalSegments!.Value == (uint)request.Segment!.Value && Place(row["id"].S).CompareTo(after) > 0)
            .OrderBy(row => Place(row["id"].S)).Take(tables.PageMax).ToList();
        return new ScanResponse
        {
            Items = rows,
            LastEvaluatedKey = rows.Count == tables.PageMax ? new() { ["id"] = rows[^1]["id"] } : null,
            ConsumedCapacity = new ConsumedCapacity { CapacityUnits = rows.Count * 0.5 },
        };
    });

    private (uint Hash, string Id) Place(string id) => (System.IO.Hashing.XxHash32.HashToUInt32(System.Text.Encoding.UTF8.GetBytes(id), tables.Salt), id);

    private Dictionary<string, AttributeValue>? Seen(string id, Dictionary<string, AttributeValue>? item) => read is null ? item : read(id, item);

    /// <summary>A call may fail before it takes effect, or after.</summary>
    private Task<T> CallAsync<T>(bool isWrite, Func<T> act)
    {
        var happens = fault(isWrite);
        if (happens == CallFault.Refused)
        {
            throw new AmazonDynamoDBException("The call was lost.");
        }

        var answer = act();
        return happens == CallFault.AnswerLost ? throw new AmazonDynamoDBException("The answer was lost.") : Task.FromResult(answer);
    }

    private static void Require(bool holds, Dictionary<string, AttributeValue>? there)
    {
        if (!holds)
        {
            throw new ConditionalCheckFailedException("The condition does not hold.") { Item = there };
        }
    }

    private static long Number(AttributeValue value) => long.Parse(value.N, CultureInfo.InvariantCulture);
}

/// <summary>What happens to one call.</summary>
internal enum CallFault
{
    None,
    Refused,
    AnswerLost,
    Partial,
}
