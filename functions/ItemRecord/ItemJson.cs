using System.Text.Json;
using Amazon.DynamoDBv2.Model;

namespace Failover.ItemRecord;

/// <summary>An item as JSON; <see cref="ItemParser"/> is the way back. Numbers are carried as text, never through a floating-point type.</summary>
public static class ItemJson
{
    /// <summary>DynamoDB's limit on nesting, the item itself counted as the first level.</summary>
    public const int DepthMax = 32;

    /// <summary>Writes an item as the client knows it: its id, then its content in ordinal order of names.</summary>
    public static void Write(Utf8JsonWriter writer, StoredItem item)
    {
        writer.WriteStartObject();
        writer.WriteString(ItemAttributes.Id, item.Id);
        WriteMembers(writer, item.Content);
        writer.WriteEndObject();
    }

    /// <summary>Writes attributes as the members of a JSON object, in ordinal order of names.</summary>
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
                WriteNumber(writer, number);
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
            // Others may have written sets and binary values; JSON has neither, so sets read as sorted arrays, and bytes as base64.
            case { SS: { } strings }:
                WriteArray(writer, strings.Order(StringComparer.Ordinal), (w, text) => w.WriteStringValue(text));
                break;
            case { NS: { } numbers }:
                WriteArray(writer, numbers.Order(StringComparer.Ordinal), WriteNumber);
                break;
            case { BS: { } blobs }:
                WriteArray(writer, blobs.Select(blob => Convert.ToBase64String(blob.ToArray())).Order(StringComparer.Ordinal), (w, text) => w.WriteStringValue(text));
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

    /// <summary>What is no number, which no engine of DynamoDB's gives, is a string.</summary>
    private static void WriteNumber(Utf8JsonWriter writer, string text)
    {
        if (NumberForm.TryParse(text, out var number))
        {
            writer.WriteRawValue(number.ToJson(), skipInputValidation: true);
        }
        else
        {
            writer.WriteStringValue(text);
        }
    }
}
