namespace Failover.ItemRecord;

/// <summary>How a write ended.</summary>
public abstract record WriteResult
{
    private WriteResult()
    {
    }

    /// <summary>The item now is, or has since been, as written. <paramref name="Created"/>: there was no live item before.</summary>
    public sealed record Written(StoredItem Item, bool Created) : WriteResult;

    /// <summary>There is no live item to change or to delete.</summary>
    public sealed record NotFound : WriteResult;

    /// <summary>A create with this idempotency key and this content has been done before: nothing was written.</summary>
    /// <param name="Version">The version that it gave.</param>
    public sealed record Replayed(ItemVersion? Version) : WriteResult;

    /// <summary>The idempotency key belongs to a create with other content; nothing was written.</summary>
    public sealed record KeyReused : WriteResult;

    /// <summary>The item would be larger than DynamoDB holds; nothing was written.</summary>
    public sealed record TooLarge(int Bytes) : WriteResult;

    /// <summary>The item is not what the client asked it to be; nothing was written.</summary>
    public sealed record PreconditionFailed(StoredItem? Current) : WriteResult;

    /// <summary>Other writers kept changing the item; nothing was written.</summary>
    public sealed record Contended : WriteResult;

    /// <summary>A planned move stopped writes at this replica; nothing was written.</summary>
    public sealed record Fenced(DateTimeOffset Until) : WriteResult;

    /// <summary>The right to write ended before the write was sent; nothing was written.</summary>
    public sealed record Forbidden : WriteResult;

    /// <summary>No answer, and no proof either way: the write may have happened, or may still happen.</summary>
    public sealed record OutcomeUnknown : WriteResult;
}

/// <summary>What the client asks the item to be before its write.</summary>
/// <param name="IfMatch">The live item must have one of these tags, see <see cref="EntityTag"/>; null: not asked.</param>
/// <param name="IfExists">There must be a live item.</param>
/// <param name="IfAbsent">There must be no live item.</param>
public readonly record struct Precondition(IReadOnlyCollection<string>? IfMatch = null, bool IfExists = false, bool IfAbsent = false)
{
    /// <summary>The live item must have none of these tags; null: not asked.</summary>
    public IReadOnlyCollection<string>? IfNoneMatch { get; init; }

    /// <summary>Nothing is asked.</summary>
    public static Precondition None => default;

    /// <summary>Whether the live item, or its absence, is as asked.</summary>
    public bool Holds(StoredItem? live) =>
        (IfMatch is null || (live is not null && IfMatch.Contains(EntityTag.Of(live)))) && (!IfExists || live is not null) && (!IfAbsent || live is null)
        && (IfNoneMatch is null || live is null || !IfNoneMatch.Contains(EntityTag.Of(live)));
}
