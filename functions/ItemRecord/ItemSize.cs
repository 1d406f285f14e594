using System.Text;
using Amazon.DynamoDBv2.Model;

namespace Failover.ItemRecord;

/// <summary>
/// The size of an item by DynamoDB's own rule ("DynamoDB item sizes and formats" in its developer guide): names and strings count their bytes of UTF-8, a number a byte for each two digits and one more,
/// a list or map three and one for each element. For numbers the guide says "approximately"; here it is what AWS's and another's engine do.
/// </summary>
public static class ItemSize
{
    /// <summary>DynamoDB's limit on an item.</summary>
    public const int BytesMax = 400 * 1024;

    private const int ContainerBytes = 3;
    private const int ElementBytes = 1;

    /// <summary>The bytes of an item with all its attributes.</summary>
    public static int Of(IReadOnlyDictionary<string, AttributeValue> item) => item.Sum(pair => Encoding.UTF8.GetByteCount(pair.Key) + Of(pair.Value));

    private static int Of(AttributeValue value) => value switch
    {
        { S: { } text } => Encoding.UTF8.GetByteCount(text),
        { N: { } number } => OfNumber(number),
        { B: { } bytes } => (int)bytes.Length,
        { M: { } map } => ContainerBytes + map.Sum(pair => ElementBytes + Encoding.UTF8.GetByteCount(pair.Key) + Of(pair.Value)),
        { L: { } list } => ContainerBytes + list.Sum(element => ElementBytes + Of(element)),
        { SS: { } strings } => strings.Sum(Encoding.UTF8.GetByteCount),
        { NS: { } numbers } => numbers.Sum(OfNumber),
        { BS: { } blobs } => blobs.Sum(blob => (int)blob.Length),
        _ => 1,
    };

    /// <summary>Digits go by pairs, which begin at the decimal point.</summary>
    private static int OfNumber(string text)
    {
        if (!NumberForm.TryParse(text, out var number) || number.Digits.Length == 0)
        {
            return 1;
        }

        var lead = int.IsOddInteger(number.Exponent) ? 1 : 0;
        return ((lead + number.Digits.Length + 1) / 2) + 1 + (number.IsNegative ? 1 : 0);
    }
}
