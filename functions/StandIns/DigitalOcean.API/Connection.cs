using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.Serialization;
using System.Text.Json;
using System.Text.Json.Nodes;
using DigitalOcean.API.Exceptions;
using DigitalOcean.API.Models.Responses;

namespace DigitalOcean.API.Http;

public interface IRateLimit
{
    int Limit { get; }

    int Remaining { get; }

    int Reset { get; }
}

/// <summary>The way to the API.</summary>
internal sealed class Connection
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private readonly HttpClient _http;

    public Connection(string token)
    {
        var address = Environment.GetEnvironmentVariable("DIGITALOCEAN_API_URL") is { Length: > 0 } other ? other : DigitalOceanClient.DigitalOceanApiUrl;
        _http = new HttpClient { BaseAddress = new Uri(address.TrimEnd('/') + "/") };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("digitalocean-api-dotnet", "5.2.0"));
    }

    public IRateLimit? Rates { get; private set; }

    public async Task<T> ExecuteRequest<T>(string endpoint, object? data = null, string? expectedRoot = null, HttpMethod? method = null)
        where T : new()
    {
        var answer = await SendAsync(endpoint, data, method ?? HttpMethod.Get).ConfigureAwait(false);
        return answer[expectedRoot ?? ""] is { } found ? found.Deserialize<T>(Json)! : new T();
    }

    public Task ExecuteRaw(string endpoint, object? data = null, HttpMethod? method = null) => SendAsync(endpoint, data, method ?? HttpMethod.Get);

    public async Task<IReadOnlyList<T>> GetPaginated<T>(string endpoint, string expectedRoot)
    {
        var all = new List<T>();
        for (var next = endpoint; next is not null;)
        {
            var page = await SendAsync(next, null, HttpMethod.Get).ConfigureAwait(false);
            all.AddRange(page[expectedRoot]?.Deserialize<List<T>>(Json) ?? []);
            const string Root = "/v2/";
            next = Uri.TryCreate((string?)page["links"]?["pages"]?["next"], UriKind.Absolute, out var link) && link.PathAndQuery.StartsWith(Root, StringComparison.Ordinal) ? link.PathAndQuery[Root.Length..] : null;
        }

        return all;
    }

    private async Task<JsonObject> SendAsync(string endpoint, object? data, HttpMethod method)
    {
        HttpResponseMessage response;
        string body;
        try
        {
            using var request = new HttpRequestMessage(method, endpoint) { Content = data is null ? null : JsonContent.Create(data, data.GetType(), options: Json) };
            response = await _http.SendAsync(request).ConfigureAwait(false);
            body = await response.Content.ReadAsStringAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or OperationCanceledException)
        {
            throw new Exception("There was an an exception thrown during the request.", error);
        }

        using (response)
        {
            Rates = new RateLimit(response.Headers);
            var status = response.StatusCode;
            if (body.Length == 0 && status < HttpStatusCode.BadRequest)
            {
                return [];
            }

            JsonNode? answer;
            try
            {
                answer = JsonNode.Parse(body);
            }
            catch (JsonException)
            {
                throw new SerializationException("Invalid JSON string");
            }

            return status >= HttpStatusCode.BadRequest ? throw new ApiException(status, answer.Deserialize<Error>(Json)!) : answer!.AsObject();
        }
    }

    private sealed class RateLimit(HttpResponseHeaders headers) : IRateLimit
    {
        public int Limit { get; } = Number(headers, "Ratelimit-Limit");

        public int Remaining { get; } = Number(headers, "Ratelimit-Remaining");

        public int Reset { get; } = Number(headers, "Ratelimit-Reset");

        private static int Number(HttpResponseHeaders headers, string name) =>
            headers.TryGetValues(name, out var values) && int.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
    }
}
