using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Failover.LocalHost.Functions;

/// <summary>API Gateway's HTTP API before a function: a request becomes an event of payload format 2.0, and the answer a response.</summary>
internal static class HttpApi
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static async Task HandleAsync(HttpContext context, FunctionHost function)
    {
        var result = await function.InvokeAsync(await EventAsync(context.Request));
        if (result.Payload is null || JsonNode.Parse(result.Payload) is not JsonObject answer)
        {
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync("""{"message":"Internal Server Error"}""");
            return;
        }

        context.Response.StatusCode = (int?)answer["statusCode"] ?? StatusCodes.Status200OK;
        foreach (var (name, value) in answer["headers"] as JsonObject ?? [])
        {
            // It is told anew, by what is sent; but to HEAD nothing is.
            if (!name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) || HttpMethods.IsHead(context.Request.Method))
            {
                context.Response.Headers[name] = (string?)value;
            }
        }

        foreach (var cookie in answer["cookies"] as JsonArray ?? [])
        {
            context.Response.Headers.Append("Set-Cookie", (string?)cookie);
        }

        var text = (string?)answer["body"] ?? "";
        var body = (bool?)answer["isBase64Encoded"] == true ? Convert.FromBase64String(text) : Encoding.UTF8.GetBytes(text);
        if (body.Length > 0)
        {
            context.Response.ContentLength = body.Length;
            await context.Response.Body.WriteAsync(body);
        }
    }

    private static async Task<byte[]> EventAsync(HttpRequest request)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        var text = IsText(request.ContentType) ? Decode(body.ToArray()) : null;
        var now = TimeProvider.System.GetUtcNow();

        // API Gateway hands the path over already decoded.
        var path = request.Path.Value is { Length: > 0 } given ? given : "/";
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("version", "2.0");
            json.WriteString("routeKey", "$default");
            json.WriteString("rawPath", path);
            json.WriteString("rawQueryString", request.QueryString.Value?.TrimStart('?') ?? "");
            json.WriteStartArray("cookies");
            foreach (var cookie in request.Headers.Cookie.ToString().Split("; ", StringSplitOptions.RemoveEmptyEntries))
            {
                json.WriteStringValue(cookie);
            }

            json.WriteEndArray();
            json.WriteStartObject("headers");
            foreach (var (name, values) in request.Headers.Where(header => !header.Key.Equals("Cookie", StringComparison.OrdinalIgnoreCase)))
            {
                json.WriteString(name.ToLowerInvariant(), string.Join(",", values.ToArray()));
            }

            json.WriteEndObject();
            json.WriteStartObject("requestContext");
            json.WriteString("accountId", "000000000000");
            json.WriteString("apiId", "local");
            json.WriteString("domainName", request.Host.Host);
            json.WriteString("requestId", Guid.NewGuid().ToString());
            json.WriteString("routeKey", "$default");
            json.WriteString("stage", "$default");
            json.WriteNumber("timeEpoch", now.ToUnixTimeMilliseconds());
            json.WriteStartObject("http");
            json.WriteString("method", request.Method);
            json.WriteString("path", path);
            json.WriteString("protocol", request.Protocol);
            json.WriteString("sourceIp", request.HttpContext.Connection.RemoteIpAddress?.ToString());
            json.WriteString("userAgent", request.Headers.UserAgent.ToString());
            json.WriteEndObject();
            json.WriteEndObject();
            if (body.Length > 0)
            {
                json.WriteString("body", text ?? Convert.ToBase64String(body.ToArray()));
            }

            json.WriteBoolean("isBase64Encoded", body.Length > 0 && text is null);
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    /// <summary>What is called text and is none goes on as bytes: it is the function's to refuse.</summary>
    private static string? Decode(byte[] body)
    {
        try
        {
            return StrictUtf8.GetString(body);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static bool IsText(string? contentType) =>
        contentType is not null && (contentType.StartsWith("text/", StringComparison.OrdinalIgnoreCase)
            || contentType.StartsWith("application/json", StringComparison.OrdinalIgnoreCase));
}
