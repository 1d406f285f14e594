using System.Collections.ObjectModel;
using System.Globalization;
using Amazon.DynamoDBv2.Model;

namespace Failover.ItemRecord;

/// <summary>An item as the table holds it: the client's attributes, and what the system knows of it.</summary>
/// <param name="Id">The key.</param>
/// <param name="Content">The client's attributes, without the key and without the system's.</param>
/// <param name="Version">Null for an item that others wrote: it is adopted at its first write through the API.</param>
/// <param name="Seen">What the write of this version had seen.</param>
/// <param name="IsDeleted">Whether this is a tombstone.</param>
/// <param name="ExpiresAt">When DynamoDB may drop it; from then on readers no longer see it.</param>
public sealed record StoredItem(
    string Id,
    IReadOnlyDictionary<string, AttributeValue> Content,
    ItemVersion? Version,
    SeenVersions Seen,
    bool IsDeleted,
    DateTimeOffset? ExpiresAt)
{
    /// <summary>See <see cref="ItemAttributes.Idempotency"/>; null of most.</summary>
    public string? Idempotency { get; init; }

    /// <summary>See <see cref="ItemAttributes.Origin"/>; null of most.</summary>
    public string? Origin { get; init; }

    /// <summary>Attributes with reserved names that others wrote: hidden from clients, and kept until the item is replaced.</summary>
    public IReadOnlyDictionary<string, AttributeValue> Foreign { get; init; } = ReadOnlyDictionary<string, AttributeValue>.Empty;

    /// <summary>What its successors remember of the create that it began with.</summary>
    public string? OriginOfSuccessor => Idempotency is { } create && Version is { } version ? $"{create}.{version}" : Origin;

    /// <summary>Whether readers see it at <paramref name="now"/>.</summary>
    public bool IsLive(DateTimeOffset now) => !IsDeleted && (ExpiresAt is null || ExpiresAt > now);

    /// <summary>What the next write of this item will have seen.</summary>
    public SeenVersions SeenBySuccessor => Version is { } version ? Seen.With(version) : Seen;

    /// <summary>Reads an item as DynamoDB gives it.</summary>
    public static StoredItem FromAttributes(Dictionary<string, AttributeValue> attributes)
    {
        var ttl = attributes.GetValueOrDefault(ItemAttributes.TimeToLive)?.N;
        return new StoredItem(
            attributes[ItemAttributes.Id].S,
            attributes.Where(pair => pair.Key != ItemAttributes.Id && !ItemAttributes.IsReserved(pair.Key))
                .ToDictionary(pair => pair.Key, pair => pair.Value),
            ItemVersion.TryParse(attributes.GetValueOrDefault(ItemAttributes.Version)?.S, out var version) ? version : null,
            SeenVersions.FromAttribute(attributes.GetValueOrDefault(ItemAttributes.Seen)),
            attributes.GetValueOrDefault(ItemAttributes.Deleted)?.BOOL ?? false,
            long.TryParse(ttl, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
                && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
                ? DateTimeOffset.FromUnixTimeSeconds(seconds)
                : null)
        {
            Idempotency = attributes.GetValueOrDefault(ItemAttributes.Idempotency)?.S,
            Origin = attributes.GetValueOrDefault(ItemAttributes.Origin)?.S,
            Foreign = ForeignOf(attributes),
        };
    }

    private static ReadOnlyDictionary<string, AttributeValue> ForeignOf(Dictionary<string, AttributeValue> attributes)
    {
        Dictionary<string, AttributeValue>? foreign = null;
        foreach (var (name, value) in attributes)
        {
            if (ItemAttributes.IsReserved(name) && !ItemAttributes.IsOwn(name))
            {
                (foreign ??= [])[name] = value;
            }
        }

        return foreign is null ? ReadOnlyDictionary<string, AttributeValue>.Empty : foreign.AsReadOnly();
    }

    /// <summary>The item as DynamoDB takes it.</summary>
    public Dictionary<string, AttributeValue> ToAttributes()
    {
        var attributes = new Dictionary<string, AttributeValue>(Content)
        {
            [ItemAttributes.Id] = new(Id),
            [ItemAttributes.Seen] = Seen.ToAttribute(),
        };
        foreach (var (name, value) in Foreign)
        {
            attributes[name] = value;
        }

        if (Version is { } version)
        {
            attributes[ItemAttributes.Version] = new(version.Text);
        }

        if (Idempotency is { } idempotency)
        {
            attributes[ItemAttributes.Idempotency] = new(idempotency);
        }

        if (Origin is { } origin)
        {
            attributes[ItemAttributes.Origin] = new(origin);
        }

        if (IsDeleted)
        {
            attributes[ItemAttributes.Deleted] = new() { BOOL = true };
        }

        if (ExpiresAt is { } expiry)
        {
            attributes[ItemAttributes.TimeToLive] = new() { N = expiry.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture) };
        }

        return attributes;
    }
}
