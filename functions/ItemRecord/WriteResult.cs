namespace Failover.ItemRecord;

/// <summary>How a write ended.</summary>
public abstract record WriteResult
{
    private WriteResult()
    {
    }

    /// <summary>The item now is, or has since been, as written. <paramref name="Created"/>: there was no live item before.</summary>
    public sealed record Written(StoredItem Item, bool Created) : WriteResult;

    /// <summary>There is no live item to delete.</summary>
    public sealed record NotFound : WriteResult;

    /// <summary>The item is not what the client asked it to be; nothing was written.</summary>
    public sealed record PreconditionFailed(StoredItem? Current) : WriteResult;

    /// <summary>Other writers kept changing the item; nothing was written.</summary>
    public sealed record Contended : WriteResult;

    /// <summary>A planned move stopped writes at this replica; nothing was written.</summary>
    public sealed record Fenced(DateTimeOffset Until) : WriteResult;

    /// <summary>No answer, and no proof either way: the write may have happened, or may still happen.</summary>
    public sealed record OutcomeUnknown : WriteResult;
}

/// <summary>What the client asks the item to be before its write.</summary>
/// <param name="IfMatch">The version that the live item must have.</param>
/// <param name="IfAbsent">There must be no live item.</param>
public readonly record struct Precondition(string? IfMatch, bool IfAbsent)
{
    /// <summary>Nothing is asked.</summary>
    public static Precondition None => default;

    /// <summary>Whether the live item, or its absence, is as asked.</summary>
    public bool Holds(StoredItem? live) => (IfMatch is null || live?.Version?.Text == IfMatch) && (!IfAbsent || live is null);
}
