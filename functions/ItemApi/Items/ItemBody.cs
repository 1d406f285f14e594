using System.Text.Json;
using Amazon.DynamoDBv2.Model;
using Failover.ItemRecord;

namespace Failover.ItemApi.Items;

/// <summary>A client's JSON object, checked: the id in it, if any, and the content.</summary>
/// <param name="Mistake">What is wrong with it; null if nothing.</param>
internal sealed record ItemBody(string? Id, Dictionary<string, AttributeValue> Content, string? Mistake)
{
    /// <summary>DynamoDB's limit on an item; a larger body cannot become one.</summary>
    public const int BytesMax = 400 * 1024;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = ItemJson.DepthMax, AllowDuplicateProperties = false };

    /// <summary>Reads a body.</summary>
    public static async Task<ItemBody> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength is > BytesMax)
        {
            return Wrong($"The body has {request.ContentLength} bytes; an item has at most {BytesMax}.");
        }

        using var buffer = new MemoryStream();
        var chunk = new byte[16 * 1024];
        int read;
        while ((read = await request.Body.ReadAsync(chunk, cancellationToken)) > 0)
        {
            buffer.Write(chunk, 0, read);
            if (buffer.Length > BytesMax)
            {
                return Wrong($"The body has more than {BytesMax} bytes, which is the most that an item has.");
            }
        }

        try
        {
            using var document = JsonDocument.Parse(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), Options);
            return Read(document.RootElement);
        }
        catch (JsonException error)
        {
            return Wrong($"The body is not a JSON object: {error.Message}");
        }
        catch (InvalidOperationException)
        {
            return Wrong("The body has a string that is not valid Unicode.");
        }
        catch (FormatException error)
        {
            return Wrong(error.Message);
        }
    }

    private static ItemBody Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            return Wrong("The body is not a JSON object.");
        }

        var content = ItemJson.ToAttributes(root);
        if (content.Keys.FirstOrDefault(ItemAttributes.IsReserved) is { } reserved)
        {
            return Wrong($"The member '{reserved}' begins with '_': such names belong to the system.");
        }

        if (!content.Remove(ItemAttributes.Id, out var id))
        {
            return new ItemBody(null, content, null);
        }

        return id.S is { } text && ItemId.MistakeIn(text) is null
            ? new ItemBody(text, content, null)
            : Wrong(id.S is null ? "The member 'id' is not a string." : ItemId.MistakeIn(id.S)!);
    }

    private static ItemBody Wrong(string mistake) => new(null, [], mistake);
}
