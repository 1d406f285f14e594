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

    /// <summary>
    /// On the successors of a create with an idempotency key: <see cref="Idempotency"/> as it was, <c>.</c>, and the version that the create gave.
    /// By it a late retry is known though the item has been changed or deleted since. It is an attribute of its own because only creates can be duplicates of one another.
    /// </summary>
    public const string Origin = "_origin";

    /// <summary>Whether a reserved name is one of those above.</summary>
    internal static bool IsOwn(string name) => name is Version or Seen or Deleted or TimeToLive or Idempotency or Origin;

    /// <summary>Whether a name or an id is the system's own: heartbeats and versions are, and every reader of items passes over them.</summary>
    public static bool IsReserved(string nameOrId) => nameOrId.StartsWith('_');
}
