using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Amazon.Runtime;

namespace Failover.Simulation.Crowd;

/// <summary>DynamoDB tables in memory, as far as the stores of the control plane ask of them: each call takes some time, and each conditional write is judged at its end.</summary>
internal sealed class MemoryTables(VirtualTime time, Random random) : AmazonDynamoDBClient(new BasicAWSCredentials("x", "x"), new AmazonDynamoDBConfig { ServiceURL = "http://127.0.0.1:9" })
{
    private readonly Dictionary<(string Table, string Partition), SortedDictionary<string, Dictionary<string, AttributeValue>>> _items = [];

    /// <summary>How many queries there were of each partition.</summary>
    public Dictionary<string, int> Queries { get; } = [];

    public override async Task<QueryResponse> QueryAsync(QueryRequest request, CancellationToken cancellationToken = default)
    {
        var partition = request.ExpressionAttributeValues[":service"].S;
        Queries[partition] = Queries.GetValueOrDefault(partition) + 1;
        await LatencyAsync(cancellationToken);
        return new QueryResponse { Items = _items.TryGetValue((request.TableName, partition), out var items) ? [.. items.Values] : [] };
    }

    public override async Task<PutItemResponse> PutItemAsync(PutItemRequest request, CancellationToken cancellationToken = default)
    {
        await LatencyAsync(cancellationToken);
        var (partition, sort) = KeyOf(request.Item);
        if (!_items.TryGetValue((request.TableName, partition), out var items))
        {
            _items[(request.TableName, partition)] = items = new(StringComparer.Ordinal);
        }

        if (!Holds(request, items.GetValueOrDefault(sort)))
        {
            throw new ConditionalCheckFailedException("the condition does not hold");
        }

        items[sort] = request.Item;
        return new PutItemResponse();
    }

    private static (string Partition, string Sort) KeyOf(Dictionary<string, AttributeValue> item) =>
        item.TryGetValue("service", out var service) ? (service.S, item["record"].S) : ("journal", string.Join('#', item.Where(attribute => attribute.Key is "pk" or "sk" or "kind" or "id").Select(attribute => attribute.Value.S)));

    private static bool Holds(PutItemRequest request, Dictionary<string, AttributeValue>? there)
    {
        switch (request.ConditionExpression?.Split(' '))
        {
            case null:
                return true;
            case [var one] when one.StartsWith("attribute_not_exists(", StringComparison.Ordinal):
                return there is null || !there.ContainsKey(NameOf(request, one["attribute_not_exists(".Length..^1]));
            case [var name, "=", var value]:
                return there is not null && there.TryGetValue(NameOf(request, name), out var stored) && (stored.S, stored.N) == (request.ExpressionAttributeValues[value].S, request.ExpressionAttributeValues[value].N);
            default:
                throw new InvalidOperationException($"No such condition here: {request.ConditionExpression}.");
        }
    }

    private static string NameOf(PutItemRequest request, string name) => name.StartsWith('#') ? request.ExpressionAttributeNames[name] : name;

    /// <summary>A strongly consistent call takes two round trips to another region.</summary>
    private Task LatencyAsync(CancellationToken cancellationToken) => Task.Delay(TimeSpan.FromMilliseconds(random.Next(20, 120)), time, cancellationToken);
}
