using System.Security.Cryptography;
using System.Text;

namespace Failover.ItemRecord;

/// <summary>What an item's representation is told apart by.</summary>
public static class EntityTag
{
    /// <summary>The version; of an item that others wrote, which has none, a hash of its content.</summary>
    public static string Of(StoredItem item) =>
        item.Version?.Text ?? "foreign-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(DynamoDbJson.ToElement(item.ToAttributes()).GetRawText())))[..32];
}
