namespace Failover.ItemRecord;

/// <summary>What tells one create from another: hashes of its idempotency key and of all that it asks for.</summary>
/// <param name="Key">Hash of the key, and of whose it is.</param>
/// <param name="Request">Hash of the request.</param>
public sealed record CreateKey(string Key, string Request)
{
    /// <summary>As <see cref="ItemAttributes.Idempotency"/> holds it.</summary>
    public string Text => $"{Key}.{Request}";

    /// <summary>What is known of this create by what is there: that it was done, or that its key was another's; null: nothing.</summary>
    internal WriteResult? Compare(StoredItem? predecessor, StoredItem? live)
    {
        // An item that came by itself to its end may be made anew; one that was deleted was deleted after it had been made.
        if (predecessor is null || (live is null && !predecessor.IsDeleted) || (predecessor.Idempotency ?? predecessor.Origin) is not { } known || !known.StartsWith(Key + ".", StringComparison.Ordinal))
        {
            return null;
        }

        if (predecessor.Idempotency is { } create)
        {
            return create == Text ? new WriteResult.Replayed(predecessor.Version) : new WriteResult.KeyReused();
        }

        return known.StartsWith(Text + ".", StringComparison.Ordinal)
            ? new WriteResult.Replayed(ItemVersion.TryParse(known[(Text.Length + 1)..], out var version) ? version : null)
            : new WriteResult.KeyReused();
    }
}
