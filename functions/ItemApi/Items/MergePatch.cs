using Amazon.DynamoDBv2.Model;

namespace Failover.ItemApi.Items;

/// <summary>JSON Merge Patch (RFC 7396) over DynamoDB's attributes: what a patch does not name stays as it is, of whatever type.</summary>
internal static class MergePatch
{
    /// <summary>The members as the patch makes them; a null in it removes.</summary>
    public static Dictionary<string, AttributeValue> Apply(IReadOnlyDictionary<string, AttributeValue> members, IReadOnlyDictionary<string, AttributeValue> patch)
    {
        var merged = new Dictionary<string, AttributeValue>(members);
        foreach (var (name, value) in patch)
        {
            if (value.NULL == true)
            {
                merged.Remove(name);
            }
            else if (value.M is { } inner)
            {
                // An object takes the place of whatever is no object.
                merged[name] = new AttributeValue { M = Apply(merged.GetValueOrDefault(name)?.M ?? [], inner), IsMSet = true };
            }
            else
            {
                merged[name] = value;
            }
        }

        return merged;
    }
}
