using System.Text.Json;
using Amazon.DynamoDBv2.Model;

namespace Failover.ItemRecord;

/// <summary>Attributes in DynamoDB's own JSON, which keeps every type: <c>{"id":{"S":"x"},"n":{"N":"1.10"}}</c>.</summary>
public static class DynamoDbJson
{
    /// <summary>An item nests 32 deep, each level as two of JSON; an event or a finding adds a few around it.</summary>
    public const int DepthMax = (2 * ItemJson.DepthMax) + 16;

    /// <summary>The attributes as one JSON value.</summary>
    public static JsonElement ToElement(IReadOnlyDictionary<string, AttributeValue> attributes)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { MaxDepth = DepthMax }))
        {
            Write(writer, attributes);
        }

        using var document = JsonDocument.Parse(buffer.ToArray(), new JsonDocumentOptions { MaxDepth = DepthMax });
        return document.RootElement.Clone();
    }

    private static void Write(Utf8JsonWriter writer, IReadOnlyDictionary<string, AttributeValue> attributes)
    {
        writer.WriteStartObject();
        foreach (var (name, value) in attributes.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            writer.WritePropertyName(name);
            Write(writer, value);
        }

        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, AttributeValue value)
    {
        writer.WriteStartObject();
        switch (value)
        {
            case { S: { } text }:
                writer.WriteString("S", text);
                break;
            case { N: { } number }:
                writer.WriteString("N", number);
                break;
            case { BOOL: { } flag }:
                writer.WriteBoolean("BOOL", flag);
                break;
            case { B: { } bytes }:
                writer.WriteBase64String("B", bytes.ToArray());
                break;
            case { M: { } map }:
                writer.WritePropertyName("M");
                Write(writer, map);
                break;
            case { L: { } list }:
                WriteArray(writer, "L", list, Write);
                break;
            case { SS: { } strings }:
                WriteArray(writer, "SS", strings, (w, text) => w.WriteStringValue(text));
                break;
            case { NS: { } numbers }:
                WriteArray(writer, "NS", numbers, (w, number) => w.WriteStringValue(number));
                break;
            case { BS: { } blobs }:
                WriteArray(writer, "BS", blobs, (w, blob) => w.WriteBase64StringValue(blob.ToArray()));
                break;
            default:
                writer.WriteBoolean("NULL", true);
                break;
        }

        writer.WriteEndObject();
    }

    private static void WriteArray<T>(Utf8JsonWriter writer, string name, IEnumerable<T> values, Action<Utf8JsonWriter, T> write)
    {
        writer.WritePropertyName(name);
        ItemJson.WriteArray(writer, values, write);
    }
}
