using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;

namespace Failover.ItemRecord.Repair;

/// <summary>How far a backfill is.</summary>
/// <param name="Adopted">Items that were given a version; of a rehearsal, that would be.</param>
/// <param name="Cursor">The key after which it goes on; null: it is at the end.</param>
public sealed record BackfillProgress(long Scanned, long Adopted, string? Cursor);

/// <summary>
/// Gives a version to the items of a table that existed before: in one region, replication brings it to the others. An item that has one, or gets one meanwhile, stays as it is, so that it can be stopped and begun again at any time.
/// </summary>
public sealed class Backfill(IAmazonDynamoDB dynamoDb, string table, VersionClock clock, TimeProvider time, TimeSpan callTimeout)
{
    private const int PageMax = 100;
    private const int WritesAtOnce = 8;

    /// <summary>Works through the table, a page at a time.</summary>
    /// <param name="after">The key after which to begin; null: from the start.</param>
    /// <param name="unitsPerSecond">The budget, of what is read and written together.</param>
    /// <param name="applies">False: items are only counted.</param>
    public async IAsyncEnumerable<BackfillProgress> RunAsync(
        string? after, double unitsPerSecond, bool applies, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        var (units, scanned, adopted) = (0.0, 0L, 0L);
        do
        {
            var page = await ScanAsync(after, cancellationToken);
            units += page.ConsumedCapacity?.CapacityUnits ?? 0;
            scanned += page.Items?.Count ?? 0;
            foreach (var some in (page.Items ?? []).Where(item => !ItemAttributes.IsReserved(item[ItemAttributes.Id].S) && !item.ContainsKey(ItemAttributes.Version)).Chunk(WritesAtOnce))
            {
                var results = applies ? await Task.WhenAll(some.Select(item => AdoptAsync(item[ItemAttributes.Id], cancellationToken))) : [.. some.Select(_ => (true, 0.0))];
                adopted += results.Count(result => result.Item1);
                units += results.Sum(result => result.Item2);
            }

            after = page.LastEvaluatedKey is { Count: > 0 } last ? last[ItemAttributes.Id].S : null;
            yield return new BackfillProgress(scanned, adopted, after);
            if (after is not null && TimeSpan.FromSeconds(units / unitsPerSecond) - time.GetElapsedTime(start) is { Ticks: > 0 } wait)
            {
                await Task.Delay(wait, time, cancellationToken);
            }
        }
        while (after is not null);
    }

    private async Task<ScanResponse> ScanAsync(string? after, CancellationToken cancellationToken)
    {
        using var deadline = CallDeadline.Within(callTimeout, cancellationToken);
        return await dynamoDb.ScanAsync(
            new ScanRequest(table)
            {
                Limit = PageMax,
                ExclusiveStartKey = after is null ? null : new() { [ItemAttributes.Id] = new(after) },
                ProjectionExpression = "#id, #v",
                ExpressionAttributeNames = new() { ["#id"] = ItemAttributes.Id, ["#v"] = ItemAttributes.Version },
                ReturnConsumedCapacity = ReturnConsumedCapacity.TOTAL,
            },
            deadline.Token);
    }

    /// <summary>False where somebody else was faster, or the item is gone. Done twice because an answer was lost, the second finds it done.</summary>
    private async Task<(bool IsAdopted, double Units)> AdoptAsync(AttributeValue id, CancellationToken cancellationToken)
    {
        try
        {
            using var deadline = CallDeadline.Within(callTimeout, cancellationToken);
            var response = await dynamoDb.UpdateItemAsync(
                new UpdateItemRequest
                {
                    TableName = table,
                    Key = new() { [ItemAttributes.Id] = id },
                    UpdateExpression = "SET #v = :v, #seen = :seen",
                    ConditionExpression = "attribute_exists(#id) AND attribute_not_exists(#v)",
                    ExpressionAttributeNames = new() { ["#id"] = ItemAttributes.Id, ["#v"] = ItemAttributes.Version, ["#seen"] = ItemAttributes.Seen },
                    ExpressionAttributeValues = new() { [":v"] = new(clock.Next(SeenVersions.None).Text), [":seen"] = SeenVersions.None.ToAttribute() },
                    ReturnConsumedCapacity = ReturnConsumedCapacity.TOTAL,
                },
                deadline.Token);
            return (true, response.ConsumedCapacity?.CapacityUnits ?? 1);
        }
        catch (ConditionalCheckFailedException)
        {
            return (false, 1);
        }
    }
}
