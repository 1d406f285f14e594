using System.Net;
using System.Text;
using System.Text.Json;

namespace Failover.ItemApi.Tests;

/// <summary>An answer, read whole.</summary>
internal sealed record Answered(HttpStatusCode Status, string Body, IReadOnlyDictionary<string, string> Headers)
{
    public string? ETag => Headers.GetValueOrDefault("ETag");

    /// <summary>The last part of the problem's type; null if it is none.</summary>
    public string? Problem => Headers.GetValueOrDefault("Content-Type")?.StartsWith("application/problem+json", StringComparison.Ordinal) == true ? Member("type")!["urn:failover:problem:".Length..] : null;

    /// <summary>A string member of the body.</summary>
    public string? Member(string name)
    {
        using var json = JsonDocument.Parse(Body);
        return json.RootElement.TryGetProperty(name, out var value) ? value.GetString() : null;
    }
}

/// <summary>Requests as a client makes them, in one line each.</summary>
internal static class Asking
{
    /// <summary>Sends a request. A path goes as it is written; a header twice goes twice, one that is null not at all.</summary>
    public static async Task<Answered> AskAsync(this HttpClient client, string method, string path, string? body = null, params (string Name, string? Value)[] headers) =>
        await client.AskBytesAsync(method, path, body is null ? null : Encoding.UTF8.GetBytes(body), headers);

    public static async Task<Answered> AskBytesAsync(this HttpClient client, string method, string path, byte[]? body, params (string Name, string? Value)[] headers)
    {
        var address = new Uri(client.BaseAddress!.GetLeftPart(UriPartial.Authority) + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var request = new HttpRequestMessage(new HttpMethod(method), address);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            if (!headers.Any(header => header.Name == "Content-Type"))
            {
                request.Content.Headers.TryAddWithoutValidation("Content-Type", method == "PATCH" ? "application/merge-patch+json" : "application/json");
            }
        }

        foreach (var (name, value) in headers.Where(header => header.Value is not null))
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content?.Headers.TryAddWithoutValidation(name, value);
            }
        }

        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return new Answered(
            response.StatusCode,
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            response.Headers.Concat(response.Content.Headers).ToDictionary(header => header.Key, header => string.Join(",", header.Value), StringComparer.OrdinalIgnoreCase));
    }
}
