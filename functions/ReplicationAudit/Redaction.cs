using Amazon.DynamoDBv2.Model;
using Failover.ItemRecord;

namespace Failover.ReplicationAudit;

/// <summary>Keeps what must not lie in a journal out of it. A redacted image still says which attributes there were, and cannot be written back.</summary>
public static class Redaction
{
    private static readonly AttributeValue Mark = new("(redacted)");

    /// <summary>The attributes with the values of those that are named left out, at the top level; the key and the system's own stay.</summary>
    public static Dictionary<string, AttributeValue> Of(Dictionary<string, AttributeValue> attributes, IReadOnlySet<string> redacted) =>
        redacted.Count == 0 ? attributes
        : attributes.ToDictionary(
            pair => pair.Key,
            pair => redacted.Contains(pair.Key) && pair.Key != ItemAttributes.Id && !ItemAttributes.IsReserved(pair.Key) ? Mark : pair.Value);
}
