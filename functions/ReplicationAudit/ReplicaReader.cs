using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane;
using Failover.ItemRecord;

namespace Failover.ReplicationAudit;

/// <summary>Reads many keys of one replica of the items table.</summary>
public sealed class ReplicaReader(IAmazonDynamoDB dynamoDb, string table, TimeSpan callTimeout, TimeProvider time)
{
    /// <summary>BatchGetItem's limit.</summary>
    private const int KeysMax = 100;

    /// <summary>Calls at once: a batch of a stream has 10,000 records at the most.</summary>
    private const int CallsMax = 4;

    private const int TriesMax = 6;

    /// <summary>The items of the keys; a key that is not in the answer has none. Both, or neither: what cannot be read whole is an error.</summary>
    /// <exception cref="TimeoutException">Keys were left unprocessed again and again: the table is throttled.</exception>
    public async Task<IReadOnlyDictionary<string, ItemSnapshot>> ReadAsync(IEnumerable<string> keys, bool consistent, CancellationToken cancellationToken)
    {
        var chunks = keys.Distinct(StringComparer.Ordinal).Chunk(KeysMax).ToList();
        var items = new Dictionary<string, ItemSnapshot>(StringComparer.Ordinal);
        for (var first = 0; first < chunks.Count; first += CallsMax)
        {
            foreach (var found in await Task.WhenAll(chunks.Skip(first).Take(CallsMax).Select(chunk => ReadChunkAsync(chunk, consistent, cancellationToken))))
            {
                foreach (var item in found)
                {
                    items[item[ItemAttributes.Id].S] = new ItemSnapshot(item);
                }
            }
        }

        return items;
    }

    private async Task<List<Dictionary<string, AttributeValue>>> ReadChunkAsync(string[] keys, bool consistent, CancellationToken cancellationToken)
    {
        var items = new List<Dictionary<string, AttributeValue>>();
        var left = new KeysAndAttributes { ConsistentRead = consistent, Keys = [.. keys.Select(key => new Dictionary<string, AttributeValue> { [ItemAttributes.Id] = new(key) })] };
        for (var attempt = 1; ; attempt++)
        {
            using var deadline = cancellationToken.Within(callTimeout);
            var response = await dynamoDb.BatchGetItemAsync(new BatchGetItemRequest { RequestItems = new() { [table] = left } }, deadline.Token);
            items.AddRange(response.Responses?.GetValueOrDefault(table) ?? []);

            // Above 16 MB, or where the table is throttled, a part of the answer is an ordinary answer.
            if (response.UnprocessedKeys?.GetValueOrDefault(table) is not { Keys.Count: > 0 } unprocessed)
            {
                return items;
            }

            if (attempt == TriesMax)
            {
                throw new TimeoutException($"{unprocessed.Keys.Count} of {keys.Length} keys of {table} were left unprocessed {TriesMax} times: the table is throttled.");
            }

            left = new KeysAndAttributes { ConsistentRead = consistent, Keys = unprocessed.Keys };
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(10, 25 << attempt)), time, cancellationToken);
        }
    }
}
