using System.Text.Json;
using Failover.ItemRecord;
using Microsoft.Net.Http.Headers;

namespace Failover.ItemApi.Items;

/// <summary>An item, with its version as ETag and, where it was created, its address.</summary>
internal sealed class ItemResult(StoredItem item, int statusCode, string? location) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = statusCode;
        response.ContentType = "application/json";
        if (item.Version is { } version)
        {
            response.Headers[HeaderNames.ETag] = ETag.Of(version);
        }

        if (location is not null)
        {
            response.Headers[HeaderNames.Location] = location;
        }

        await response.WriteJsonAsync(writer => ItemJson.Write(writer, item), httpContext.RequestAborted);
    }
}

/// <summary>A page of items.</summary>
internal sealed class ItemPageResult(IReadOnlyList<StoredItem> items, string? cursor) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.ContentType = "application/json";
        await httpContext.Response.WriteJsonAsync(
            writer =>
            {
                writer.WriteStartObject();
                writer.WriteStartArray("items");
                foreach (var item in items)
                {
                    ItemJson.Write(writer, item);
                }

                writer.WriteEndArray();
                writer.WriteString("cursor", cursor);
                writer.WriteEndObject();
            },
            httpContext.RequestAborted);
    }
}

internal static class ResponseJson
{
    /// <summary>Writes the body, and flushes it: Lambda's server loses what is left in the pipe.</summary>
    public static async Task WriteJsonAsync(this HttpResponse response, Action<Utf8JsonWriter> write, CancellationToken cancellationToken)
    {
        await using (var writer = new Utf8JsonWriter(response.BodyWriter))
        {
            write(writer);
        }

        await response.BodyWriter.FlushAsync(cancellationToken);
    }
}

/// <summary>A version as a strong entity tag.</summary>
internal static class ETag
{
    public static string Of(ItemVersion version) => $"\"{version.Text}\"";

    /// <summary>The version in a header that holds one strong tag; null if it is absent.</summary>
    /// <exception cref="FormatException">It holds something else.</exception>
    public static string? Parse(string? header) => header switch
    {
        null or "" => null,
        ['"', .. var tag, '"'] when ItemVersion.TryParse(tag, out _) => tag,
        _ => throw new FormatException("If-Match holds one ETag, as a GET or a write answered it."),
    };
}
