namespace Failover.ItemRecord;

/// <summary>The attributes of an item that belong to the system. Clients never send or see a name that begins with <c>_</c>.</summary>
public static class ItemAttributes
{
    /// <summary>The key of the table.</summary>
    public const string Id = "id";

    /// <summary>The item's version, see <see cref="ItemVersion"/>.</summary>
    public const string Version = "_v";

    /// <summary>What the write had seen, see <see cref="SeenVersions"/>.</summary>
    public const string Seen = "_seen";

    /// <summary>True on a tombstone: a delete is a versioned write like any other.</summary>
    public const string Deleted = "_deleted";

    /// <summary>When DynamoDB may drop the item, in Unix seconds.</summary>
    public const string TimeToLive = "_ttl";

    /// <summary>Hash of a create's idempotency key and body, where one was given.</summary>
    public const string Idempotency = "_idem";

    /// <summary>Whether a name or an id is the system's own: heartbeats and versions are, and every reader of items passes over them.</summary>
    public static bool IsReserved(string nameOrId) => nameOrId.StartsWith('_');
}
