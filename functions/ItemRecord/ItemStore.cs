using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;

namespace Failover.ItemRecord;

/// <summary>
/// Reads and writes items of one replica. Every write is conditional on its predecessor's version (or on absence),
/// so that within one region no update is lost, and says which versions it had seen, so that between regions every loss can be named.
/// </summary>
/// <param name="dynamoDb">Where the SDK sends again by itself, a <see cref="WatchedDynamoDbClient"/>: else what it was told last is taken for all that happened.</param>
/// <param name="mayWrite">Is asked right before a write is sent; null: nobody forbids it.</param>
public sealed class ItemStore(IAmazonDynamoDB dynamoDb, string table, string region, VersionClock clock, TimeProvider time, TimeSpan callTimeout, Func<bool>? mayWrite = null)
{
    /// <summary>How long a tombstone stays: longer than a stream (24 hours), a queue (4 days) and an outage.</summary>
    public static readonly TimeSpan TombstoneLifetime = TimeSpan.FromDays(8);

    private const int AttemptsMax = 4;

    private static readonly Dictionary<string, AttributeValue> NoContent = [];

    private readonly WriteFence _fence = new(dynamoDb, table, region, time);

    /// <summary>The item as the table holds it, tombstone or not; null if there is none.</summary>
    public async Task<StoredItem?> ReadAsync(string id, bool consistent, CancellationToken cancellationToken)
    {
        using var deadline = CallDeadline.Within(callTimeout, cancellationToken);
        var response = await dynamoDb.GetItemAsync(
            new GetItemRequest(table, new Dictionary<string, AttributeValue> { [ItemAttributes.Id] = new(id) }, consistent), deadline.Token);
        return response.IsItemSet ? StoredItem.FromAttributes(response.Item) : null;
    }

    /// <summary>Stores <paramref name="content"/> under <paramref name="id"/>, replacing what was there.</summary>
    /// <param name="expiresAt">When readers no longer see it; null: never.</param>
    public Task<WriteResult> PutAsync(
        string id, IReadOnlyDictionary<string, AttributeValue> content, DateTimeOffset? expiresAt, Precondition precondition, CancellationToken cancellationToken) =>
        WriteAsync(
            id,
            (predecessor, live) => precondition.Holds(live)
                ? new Draft(Item(id, content, expiresAt) with { Origin = predecessor?.OriginOfSuccessor })
                : new Draft(new WriteResult.PreconditionFailed(live)),
            cancellationToken);

    /// <summary>Stores a new item. A tombstone of the same create counts as the create done: a late retry brings nothing back.</summary>
    /// <param name="create">What the client calls this create; null: it does not say.</param>
    public Task<WriteResult> CreateAsync(
        string id, IReadOnlyDictionary<string, AttributeValue> content, DateTimeOffset? expiresAt, CreateKey? create, CancellationToken cancellationToken) =>
        WriteAsync(
            id,
            (predecessor, live) => create?.Compare(predecessor) is { } known ? new Draft(known)
                : live is null ? new Draft(Item(id, content, expiresAt) with { Idempotency = create?.Text, Origin = predecessor?.OriginOfSuccessor })
                : new Draft(new WriteResult.PreconditionFailed(live)),
            cancellationToken);

    /// <summary>Changes a live item: <paramref name="change"/> makes its new content and expiry, from whatever is there then.</summary>
    public Task<WriteResult> UpdateAsync(
        string id,
        Func<StoredItem, (IReadOnlyDictionary<string, AttributeValue> Content, DateTimeOffset? ExpiresAt)> change,
        Precondition precondition,
        CancellationToken cancellationToken) =>
        WriteAsync(
            id,
            (_, live) =>
            {
                if (Refusal(precondition, live) is { } refusal)
                {
                    return new Draft(refusal);
                }

                var (content, expiresAt) = change(live!);
                return new Draft(Item(id, content, expiresAt) with { Origin = live!.OriginOfSuccessor, Foreign = live.Foreign });
            },
            cancellationToken);

    /// <summary>Replaces the item by a tombstone.</summary>
    public Task<WriteResult> DeleteAsync(string id, Precondition precondition, CancellationToken cancellationToken) =>
        WriteAsync(
            id,
            (_, live) => Refusal(precondition, live) is { } refusal
                ? new Draft(refusal)
                : new Draft(Item(id, NoContent, time.GetUtcNow() + TombstoneLifetime) with { IsDeleted = true, Origin = live!.OriginOfSuccessor }),
            cancellationToken);

    /// <summary>
    /// Writes an item again as it is, under a new version that has seen <paramref name="seen"/>, if it is still as it was read: so that it replicates once more, and nothing that it replaces elsewhere counts as lost.
    /// It is tried once.
    /// </summary>
    /// <param name="seen">What all replicas hold, and what that had seen.</param>
    public async Task<WriteResult> RewriteAsync(StoredItem item, SeenVersions seen, CancellationToken cancellationToken)
    {
        if (await ReadFenceAsync(cancellationToken) is { } until)
        {
            return new WriteResult.Fenced(until);
        }

        var next = item with { Version = clock.Next(seen), Seen = seen };
        var written = new WriteResult.Written(next, Created: false);
        try
        {
            await PutAsync(next.ToAttributes(), item, cancellationToken);
            return written;
        }
        catch (ConditionalCheckFailedException refused)
        {
            return refused.Item is { Count: > 0 } current && Proven([written], StoredItem.FromAttributes(current)) is { } own ? own
                : WatchedDynamoDbClient.MayHaveHappened(refused) ? new WriteResult.OutcomeUnknown()
                : new WriteResult.Contended();
        }
        catch (Exception error) when (WatchedDynamoDbClient.MayHaveHappened(error) && !cancellationToken.IsCancellationRequested)
        {
            return Proven([written], await ReadAsync(item.Id, consistent: true, cancellationToken)) is { } own ? own : new WriteResult.OutcomeUnknown();
        }
    }

    /// <summary>One page of live items, in the table's own order, and where the next page begins; tombstones and the system's ids are passed over.</summary>
    /// <param name="limit">How many stored items are read at the most: a page may hold fewer live ones.</param>
    /// <param name="after">The id that the page before ended with.</param>
    public async Task<(IReadOnlyList<StoredItem> Items, string? Next)> ListAsync(int limit, string? after, bool consistent, CancellationToken cancellationToken)
    {
        using var deadline = CallDeadline.Within(callTimeout, cancellationToken);
        var response = await dynamoDb.ScanAsync(
            new ScanRequest(table)
            {
                Limit = limit,
                ConsistentRead = consistent,
                ExclusiveStartKey = after is null ? null : new() { [ItemAttributes.Id] = new(after) },
            },
            deadline.Token);
        var now = time.GetUtcNow();
        var items = (response.Items ?? []).Select(StoredItem.FromAttributes)
            .Where(item => !ItemAttributes.IsReserved(item.Id) && item.IsLive(now)).ToList();
        return (items, response.LastEvaluatedKey is { Count: > 0 } key ? key[ItemAttributes.Id].S : null);
    }

    /// <param name="make">Makes what shall be written, or says why nothing shall, from the predecessor and, if readers see it, the live item. Its version is given to it here.</param>
    private async Task<WriteResult> WriteAsync(string id, Func<StoredItem?, StoredItem?, Draft> make, CancellationToken cancellationToken)
    {
        // Of each try: an earlier one whose answer was lost may land at any time.
        var tried = new List<WriteResult.Written>();
        var mayHaveHappened = false;
        try
        {
            for (var attempt = 1; attempt <= AttemptsMax; attempt++)
            {
                // Both at once: the fence costs a write no time.
                var fence = ReadFenceAsync(cancellationToken);
                var predecessor = await ReadAsync(id, consistent: true, cancellationToken);
                var fencedUntil = await fence;
                if (Proven(tried, predecessor) is { } proven)
                {
                    return proven;
                }

                if (fencedUntil is { } until)
                {
                    return Refused(new WriteResult.Fenced(until));
                }

                var live = predecessor?.IsLive(time.GetUtcNow()) == true ? predecessor : null;
                if (make(predecessor, live) is var draft && draft.Refusal is { } refusal)
                {
                    return Refused(refusal);
                }

                var seen = predecessor?.SeenBySuccessor ?? SeenVersions.None;
                var item = draft.Item! with { Version = clock.Next(seen), Seen = seen };
                var attributes = item.ToAttributes();
                if (ItemSize.Of(attributes) is > ItemSize.BytesMax and var size)
                {
                    return Refused(new WriteResult.TooLarge(size));
                }

                if (mayWrite?.Invoke() == false)
                {
                    return Refused(new WriteResult.Forbidden());
                }

                var written = new WriteResult.Written(item, Created: live is null);
                tried.Add(written);
                try
                {
                    await PutAsync(attributes, predecessor, cancellationToken);
                    return written;
                }
                catch (ConditionalCheckFailedException refused)
                {
                    // The SDK re-sends after a lost answer: then it is our own write that stands in the way.
                    if (refused.Item is { Count: > 0 } current && Proven(tried, StoredItem.FromAttributes(current)) is { } own)
                    {
                        return own;
                    }

                    // Or others have written since, over ours or over what was there before it.
                    if (WatchedDynamoDbClient.MayHaveHappened(refused))
                    {
                        return new WriteResult.OutcomeUnknown();
                    }
                }
                catch (Exception error) when (WatchedDynamoDbClient.MayHaveHappened(error))
                {
                    mayHaveHappened = true;
                    var current = await ReadAsync(id, consistent: true, cancellationToken);
                    if (Proven(tried, current) is { } own)
                    {
                        return own;
                    }

                    // Where the predecessor still stands, a new write with the same condition is safe: at most one of the two can win.
                    if (current?.Version != predecessor?.Version || (current is null) != (predecessor is null))
                    {
                        return new WriteResult.OutcomeUnknown();
                    }
                }

                if (attempt < AttemptsMax)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(5, 20 << attempt)), time, cancellationToken);
                }
            }

            return Refused(new WriteResult.Contended());
        }
        catch (Exception) when (mayHaveHappened)
        {
            // Whatever else fails, a read or the clock, no longer says that nothing was written.
            return new WriteResult.OutcomeUnknown();
        }

        WriteResult Refused(WriteResult refusal) => mayHaveHappened && refusal is not WriteResult.Replayed ? new WriteResult.OutcomeUnknown() : refusal;
    }

    /// <summary>An item that has no version yet.</summary>
    private static StoredItem Item(string id, IReadOnlyDictionary<string, AttributeValue> content, DateTimeOffset? expiresAt) =>
        new(id, content, Version: null, SeenVersions.None, IsDeleted: false, expiresAt);

    /// <summary>Why a live item cannot be changed; null if it can.</summary>
    private static WriteResult? Refusal(Precondition precondition, StoredItem? live) => !precondition.Holds(live) ? new WriteResult.PreconditionFailed(live)
        : live is null ? new WriteResult.NotFound()
        : null;

    private async Task<DateTimeOffset?> ReadFenceAsync(CancellationToken cancellationToken)
    {
        using var deadline = CallDeadline.Within(callTimeout, cancellationToken);
        return await _fence.ReadAsync(deadline.Token);
    }

    /// <summary>The only proofs that one's own write happened: it is current, or what is current has seen it.</summary>
    private WriteResult.Written? Proven(List<WriteResult.Written> tried, StoredItem? current) =>
        tried.LastOrDefault(write => current is not null && (current.Version == write.Item.Version || current.Seen.Of(region) == write.Item.Version));

    private async Task PutAsync(Dictionary<string, AttributeValue> attributes, StoredItem? predecessor, CancellationToken cancellationToken)
    {
        var request = new PutItemRequest(table, attributes)
        {
            ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
            ExpressionAttributeNames = new() { ["#v"] = ItemAttributes.Version },
        };
        if (predecessor?.Version is { } version)
        {
            request.ConditionExpression = "#v = :v";
            request.ExpressionAttributeValues = new() { [":v"] = new(version.Text) };
        }
        else if (predecessor is not null)
        {
            AdoptForeign(request, predecessor);
        }
        else
        {
            request.ConditionExpression = "attribute_not_exists(#id)";
            request.ExpressionAttributeNames = new() { ["#id"] = ItemAttributes.Id };
        }

        using var deadline = CallDeadline.Within(callTimeout, cancellationToken);
        await dynamoDb.PutItemAsync(request, deadline.Token);
    }

    /// <summary>
    /// An item without a version is replaced only as it was read. An expression may hold 300 operators
    /// (DynamoDB's limit), so of a wider item the first 100 attributes are compared.
    /// </summary>
    private static void AdoptForeign(PutItemRequest request, StoredItem predecessor)
    {
        var values = new Dictionary<string, AttributeValue>();
        var terms = new List<string> { "attribute_not_exists(#v)", "attribute_exists(#id)" };
        request.ExpressionAttributeNames["#id"] = ItemAttributes.Id;
        foreach (var (name, value) in predecessor.Content.OrderBy(pair => pair.Key, StringComparer.Ordinal).Take(100))
        {
            var index = values.Count;
            request.ExpressionAttributeNames[$"#a{index}"] = name;
            values[$":a{index}"] = value;
            terms.Add($"#a{index} = :a{index}");
        }

        request.ConditionExpression = string.Join(" AND ", terms);
        request.ExpressionAttributeValues = values.Count > 0 ? values : null;
    }

    /// <summary>What shall be written, or why nothing shall.</summary>
    private readonly record struct Draft(StoredItem? Item, WriteResult? Refusal)
    {
        public Draft(StoredItem item)
            : this(item, null)
        {
        }

        public Draft(WriteResult refusal)
            : this(null, refusal)
        {
        }
    }
}
