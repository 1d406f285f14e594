using Amazon.DynamoDBv2.Model;

namespace Failover.ItemRecord;

/// <summary>
/// Whether two items are equal as DynamoDB holds them: types count, sets have no order, lists have one, numbers go by value.
/// </summary>
public static class AttributeEquality
{
    /// <summary>Whether both have the same names with equal values.</summary>
    public static bool AreEqual(IReadOnlyDictionary<string, AttributeValue> left, IReadOnlyDictionary<string, AttributeValue> right) =>
        left.Count == right.Count && left.All(pair => right.TryGetValue(pair.Key, out var value) && AreEqual(pair.Value, value));

    private static bool AreEqual(AttributeValue left, AttributeValue right) => (left, right) switch
    {
        ({ S: { } one }, { S: { } other }) => one == other,
        ({ N: { } one }, { N: { } other }) => NumberForm.AreEqual(one, other),
        ({ BOOL: { } one }, { BOOL: { } other }) => one == other,
        ({ NULL: true }, { NULL: true }) => true,
        ({ M: { } one }, { M: { } other }) => AreEqual(one, other),
        ({ L: { } one }, { L: { } other }) => one.Count == other.Count && one.Zip(other).All(pair => AreEqual(pair.First, pair.Second)),
        ({ SS: { } one }, { SS: { } other }) => one.ToHashSet().SetEquals(other),
        ({ NS: { } one }, { NS: { } other }) => one.Select(Number).ToHashSet().SetEquals(other.Select(Number)),
        ({ B: { } one }, { B: { } other }) => one.ToArray().AsSpan().SequenceEqual(other.ToArray()),
        ({ BS: { } one }, { BS: { } other }) => one.Select(Text).ToHashSet().SetEquals(other.Select(Text)),
        _ => false,
    };

    /// <summary>A text that is no number is told apart by its digits, which none has.</summary>
    private static NumberForm Number(string text) => NumberForm.TryParse(text, out var number) ? number : new NumberForm(false, text, int.MaxValue);

    private static string Text(MemoryStream bytes) => Convert.ToBase64String(bytes.ToArray());
}
