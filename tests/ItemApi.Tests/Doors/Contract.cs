using System.Net;
using System.Text.Json;

namespace Failover.ItemApi.Tests.Doors;

/// <summary>
/// Holds every answer against the API's own description: its status, its type, the headers that it promises, the kind of problem. What the description does not tell must not be served.
/// </summary>
internal sealed class Contract : DelegatingHandler
{
    private readonly JsonElement _document;

    public Contract(string description, HttpMessageHandler inner)
        : base(inner)
    {
        using var document = JsonDocument.Parse(description);
        _document = document.RootElement.Clone();
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        await response.Content.LoadIntoBufferAsync(cancellationToken);
        var what = $"{request.Method} {request.RequestUri!.AbsolutePath} -> {(int)response.StatusCode}";
        if (!response.Headers.Contains("Failover-Version"))
        {
            // The server itself has refused what is no HTTP, before the API saw it.
            Assert.True(response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.RequestHeaderFieldsTooLarge or HttpStatusCode.RequestUriTooLong, what);
            return response;
        }

        if (Find(request) is not { } operation)
        {
            Assert.True(response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed, what);
            await ProblemAsync(request, response, what);
            return response;
        }

        Assert.True(operation.GetProperty("responses").TryGetProperty(((int)response.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture), out var declared), what + " is not in the description");
        foreach (var header in declared.GetProperty("headers").EnumerateObject().Where(header => Resolve(header.Value).TryGetProperty("required", out var required) && required.GetBoolean()))
        {
            Assert.True(response.Headers.Contains(header.Name) || response.Content.Headers.Contains(header.Name), $"{what} lacks {header.Name}");
        }

        var type = response.Content.Headers.ContentType?.MediaType;
        if (!declared.TryGetProperty("content", out var content))
        {
            Assert.Empty(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        }
        else if (type == "application/problem+json")
        {
            var slug = await ProblemAsync(request, response, what);
            Assert.True(content.GetProperty(type).GetProperty("examples").TryGetProperty(slug!, out _), $"{what} {slug} is not in the description");
        }
        else
        {
            Assert.True(content.TryGetProperty(type ?? "", out _), $"{what} {type} is not in the description");
            using var json = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken), new JsonDocumentOptions { MaxDepth = 64 });
        }

        return response;
    }

    private JsonElement Resolve(JsonElement element)
    {
        if (!element.TryGetProperty("$ref", out var reference))
        {
            return element;
        }

        return reference.GetString()!.Split('/').Skip(1).Aggregate(_document, (at, name) => at.GetProperty(name));
    }

    private JsonElement? Find(HttpRequestMessage request)
    {
        var path = request.RequestUri!.AbsolutePath;
        foreach (var template in _document.GetProperty("paths").EnumerateObject())
        {
            var matches = template.Name.EndsWith("{id}", StringComparison.Ordinal)
                ? path.StartsWith(template.Name[..^4], StringComparison.Ordinal) && path.Length > template.Name.Length - 4 && !path[(template.Name.Length - 4)..].Contains('/', StringComparison.Ordinal)
                : template.Name == path;
            foreach (var operation in matches ? template.Value.EnumerateObject() : default)
            {
                if (operation.Name.ToUpperInvariant() == request.Method.Method)
                {
                    return operation.Value;
                }
            }
        }

        return null;
    }

    private static async Task<string?> ProblemAsync(HttpRequestMessage request, HttpResponseMessage response, string what)
    {
        if (request.Method == HttpMethod.Head)
        {
            return null;
        }

        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        using var json = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync());
        var problem = json.RootElement;
        Assert.Equal((int)response.StatusCode, problem.GetProperty("status").GetInt32());
        Assert.True(problem.GetProperty("title").GetString()!.Length > 0 && problem.GetProperty("detail").GetString()!.Length > 0, what);
        return problem.GetProperty("type").GetString()!["urn:failover:problem:".Length..];
    }
}
