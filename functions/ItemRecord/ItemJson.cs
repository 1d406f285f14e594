using System.Text.Json;
using Amazon.DynamoDBv2.Model;

namespace Failover.ItemRecord;

/// <summary>An item's content as JSON and back. Numbers are carried as text, never through a floating-point type.</summary>
public static class ItemJson
{
    /// <summary>DynamoDB's limit on the digits of a number.</summary>
    public const int NumberDigitsMax = 38;

    /// <summary>DynamoDB's limit on nesting.</summary>
    public const int DepthMax = 32;

    /// <summary>A JSON value as DynamoDB takes it.</summary>
    /// <exception cref="FormatException">A number has more than <see cref="NumberDigitsMax"/> significant digits.</exception>
    public static AttributeValue ToAttribute(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => new AttributeValue { S = element.GetString() },
        JsonValueKind.Number => new AttributeValue { N = Number(element.GetRawText()) },
        JsonValueKind.True => new AttributeValue { BOOL = true },
        JsonValueKind.False => new AttributeValue { BOOL = false },
        JsonValueKind.Array => new AttributeValue { L = [.. element.EnumerateArray().Select(ToAttribute)], IsLSet = true },
        JsonValueKind.Object => new AttributeValue { M = ToAttributes(element), IsMSet = true },
        _ => new AttributeValue { NULL = true },
    };

    /// <summary>The members of a JSON object as DynamoDB takes them.</summary>
    /// <exception cref="FormatException">See <see cref="ToAttribute"/>.</exception>
    public static Dictionary<string, AttributeValue> ToAttributes(JsonElement element) =>
        element.EnumerateObject().ToDictionary(member => member.Name, member => ToAttribute(member.Value));

    /// <summary>Writes an item as the client knows it: its id, then its content in ordinal order of names.</summary>
    public static void Write(Utf8JsonWriter writer, StoredItem item)
    {
        writer.WriteStartObject();
        writer.WriteString(ItemAttributes.Id, item.Id);
        WriteMembers(writer, item.Content);
        writer.WriteEndObject();
    }

    private static void WriteMembers(Utf8JsonWriter writer, IReadOnlyDictionary<string, AttributeValue> members)
    {
        foreach (var (name, value) in members.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            writer.WritePropertyName(name);
            WriteValue(writer, value);
        }
    }

    private static void WriteValue(Utf8JsonWriter writer, AttributeValue value)
    {
        switch (value)
        {
            case { S: { } text }:
                writer.WriteStringValue(text);
                break;
            case { N: { } number }:
                writer.WriteRawValue(number);
                break;
            case { BOOL: { } flag }:
                writer.WriteBooleanValue(flag);
                break;
            case { M: { } map }:
                writer.WriteStartObject();
                WriteMembers(writer, map);
                writer.WriteEndObject();
                break;
            case { L: { } list }:
                WriteArray(writer, list, WriteValue);
                break;
            // Others may have written sets and binary values; JSON has neither, so sets read as arrays and bytes as base64.
            case { SS: { } strings }:
                WriteArray(writer, strings, (w, text) => w.WriteStringValue(text));
                break;
            case { NS: { } numbers }:
                WriteArray(writer, numbers, (w, number) => w.WriteRawValue(number));
                break;
            case { BS: { } blobs }:
                WriteArray(writer, blobs, (w, blob) => w.WriteBase64StringValue(blob.ToArray()));
                break;
            case { B: { } blob }:
                writer.WriteBase64StringValue(blob.ToArray());
                break;
            default:
                writer.WriteNullValue();
                break;
        }
    }

    internal static void WriteArray<T>(Utf8JsonWriter writer, IEnumerable<T> values, Action<Utf8JsonWriter, T> write)
    {
        writer.WriteStartArray();
        foreach (var value in values)
        {
            write(writer, value);
        }

        writer.WriteEndArray();
    }

    private static string Number(string text)
    {
        var mantissa = text.AsSpan();
        if (mantissa.IndexOfAny('e', 'E') is >= 0 and var exponent)
        {
            mantissa = mantissa[..exponent];
        }

        var digits = mantissa.ToString().Replace(".", "", StringComparison.Ordinal).Trim('-').TrimStart('0').TrimEnd('0').Length;
        return digits <= NumberDigitsMax
            ? text
            : throw new FormatException($"The number {text[..Math.Min(text.Length, 60)]} has {digits} significant digits; DynamoDB keeps {NumberDigitsMax}.");
    }
}
