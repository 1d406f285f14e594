namespace Failover.ItemRecord;

/// <summary>What tells one create from another: hashes of its idempotency key and of all that it asks for.</summary>
/// <param name="Key">Hash of the key, and of whose it is.</param>
/// <param name="Request">Hash of the request.</param>
public sealed record CreateKey(string Key, string Request)
{
    /// <summary>As <see cref="ItemAttributes.Idempotency"/> holds it.</summary>
    public string Text => $"{Key}.{Request}";

    /// <summary>What is known of this create by what is there: that it was done, or that its key was another's; null: nothing.</summary>
    internal WriteResult? Compare(StoredItem? predecessor)
    {
        // The item's own create, or the one that was before it, where it was made anew.
        var known = new[] { predecessor?.OriginOfSuccessor, predecessor?.Origin }.FirstOrDefault(origin => origin?.StartsWith(Key + ".", StringComparison.Ordinal) == true);
        return known is null ? null
            : !known.StartsWith(Text + ".", StringComparison.Ordinal) ? new WriteResult.KeyReused()
            : new WriteResult.Replayed(ItemVersion.TryParse(known[(Text.Length + 1)..], out var version) ? version : null);
    }
}
