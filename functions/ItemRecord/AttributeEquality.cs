using Amazon.DynamoDBv2.Model;

namespace Failover.ItemRecord;

/// <summary>
/// Whether two items are equal as DynamoDB holds them: types count, sets have no order, lists have one. Numbers are compared as text,
/// for DynamoDB stores them in one form.
/// </summary>
public static class AttributeEquality
{
    /// <summary>Whether both have the same names with equal values.</summary>
    public static bool AreEqual(IReadOnlyDictionary<string, AttributeValue> left, IReadOnlyDictionary<string, AttributeValue> right) =>
        left.Count == right.Count && left.All(pair => right.TryGetValue(pair.Key, out var value) && AreEqual(pair.Value, value));

    private static bool AreEqual(AttributeValue left, AttributeValue right) => (left, right) switch
    {
        ({ S: { } one }, { S: { } other }) => one == other,
        ({ N: { } one }, { N: { } other }) => one == other,
        ({ BOOL: { } one }, { BOOL: { } other }) => one == other,
        ({ NULL: true }, { NULL: true }) => true,
        ({ M: { } one }, { M: { } other }) => AreEqual(one, other),
        ({ L: { } one }, { L: { } other }) => one.Count == other.Count && one.Zip(other).All(pair => AreEqual(pair.First, pair.Second)),
        ({ SS: { } one }, { SS: { } other }) => one.ToHashSet().SetEquals(other),
        ({ NS: { } one }, { NS: { } other }) => one.ToHashSet().SetEquals(other),
        ({ B: { } one }, { B: { } other }) => one.ToArray().AsSpan().SequenceEqual(other.ToArray()),
        ({ BS: { } one }, { BS: { } other }) => one.Select(Text).ToHashSet().SetEquals(other.Select(Text)),
        _ => false,
    };

    private static string Text(MemoryStream bytes) => Convert.ToBase64String(bytes.ToArray());
}
