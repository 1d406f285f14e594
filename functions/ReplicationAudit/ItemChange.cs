using Amazon.DynamoDBv2.Model;
using Amazon.Lambda.DynamoDBEvents;
using Failover.ItemRecord;

namespace Failover.ReplicationAudit;

/// <summary>One change of one item, as a stream tells it.</summary>
/// <param name="At">When the change reached this replica, by DynamoDB: rounded down to the second.</param>
/// <param name="Old">Before it; null where there was no item.</param>
/// <param name="New">After it; null where the item was removed.</param>
public sealed record ItemChange(string Id, DateTimeOffset At, ItemSnapshot? Old, ItemSnapshot? New)
{
    /// <summary>Whether it changed nothing.</summary>
    public bool IsNothing => Old is not null && New is not null && AttributeEquality.AreEqual(Old.Attributes, New.Attributes);

    /// <summary>Reads a record.</summary>
    /// <exception cref="FormatException">It does not carry what the audit needs: a key named <c>id</c>, and images.</exception>
    public static ItemChange Read(DynamoDBEvent.DynamodbStreamRecord record)
    {
        var data = record.Dynamodb ?? throw new FormatException("The record has no data.");
        if (data.Keys?.GetValueOrDefault(ItemAttributes.Id)?.S is not { } id)
        {
            throw new FormatException($"The record has no key '{ItemAttributes.Id}'.");
        }

        if (data.OldImage is not { Count: > 0 } && data.NewImage is not { Count: > 0 })
        {
            throw new FormatException($"The record has no image: the stream's view type must be NEW_AND_OLD_IMAGES, and is {data.StreamViewType}.");
        }

        return new ItemChange(id, new DateTimeOffset(data.ApproximateCreationDateTime.ToUniversalTime()), Snapshot(data.OldImage), Snapshot(data.NewImage));
    }

    private static ItemSnapshot? Snapshot(Dictionary<string, DynamoDBEvent.AttributeValue>? image) =>
        image is { Count: > 0 } ? new ItemSnapshot(image.ToDictionary(pair => pair.Key, pair => Value(pair.Value))) : null;

    /// <summary>An event's attribute as the SDK has it: two types for one thing.</summary>
    private static AttributeValue Value(DynamoDBEvent.AttributeValue value) => new()
    {
        S = value.S,
        N = value.N,
        B = value.B,
        BOOL = value.BOOL,
        NULL = value.NULL,
        SS = value.SS,
        NS = value.NS,
        BS = value.BS,
        L = value.L is { } list ? [.. list.Select(Value)] : null,
        M = value.M?.ToDictionary(pair => pair.Key, pair => Value(pair.Value)),
    };
}

/// <summary>An item at one moment: all its attributes, and what the system's say.</summary>
public sealed record ItemSnapshot(Dictionary<string, AttributeValue> Attributes)
{
    private readonly StoredItem _item = StoredItem.FromAttributes(Attributes);

    /// <summary>Null where a program wrote it that does not go through the API.</summary>
    public ItemVersion? Version => _item.Version;

    public SeenVersions Seen => _item.Seen;

    public DateTimeOffset? ExpiresAt => _item.ExpiresAt;

    /// <summary>See <see cref="ItemAttributes.Idempotency"/>.</summary>
    public string? Idempotency => _item.Idempotency;
}
