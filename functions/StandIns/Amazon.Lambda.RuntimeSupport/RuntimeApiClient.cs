using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Amazon.Lambda.RuntimeSupport;

/// <summary>The calls of the Lambda Runtime API (version 2018-06-01).</summary>
internal sealed class RuntimeApiClient(HttpClient http, string hostAndPort)
{
    private readonly string _base = $"http://{hostAndPort}/2018-06-01/runtime/";

    public async Task<(MemoryStream Body, LambdaContext Context)> NextAsync(CancellationToken cancellationToken)
    {
        using var response = await http.GetAsync(new Uri(_base + "invocation/next"), cancellationToken);
        await EnsureAsync(response, cancellationToken);
        string? Header(string name) => response.Headers.TryGetValues(name, out var values) ? values.First() : null;
        var context = new LambdaContext(
            Header("Lambda-Runtime-Aws-Request-Id") ?? throw new RuntimeApiClientException("The Runtime API gave an invocation without an id.", 200, ""),
            Header("Lambda-Runtime-Invoked-Function-Arn") ?? "",
            Header("Lambda-Runtime-Trace-Id") ?? "",
            DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(Header("Lambda-Runtime-Deadline-Ms") ?? "0", CultureInfo.InvariantCulture)));
        return (new MemoryStream(await response.Content.ReadAsByteArrayAsync(cancellationToken), writable: false), context);
    }

    public async Task RespondAsync(string requestId, Stream body, CancellationToken cancellationToken)
    {
        using var content = new StreamContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        using var response = await http.PostAsync(new Uri($"{_base}invocation/{requestId}/response"), content, cancellationToken);
        await EnsureAsync(response, cancellationToken);
    }

    public Task ReportErrorAsync(string requestId, Exception error, CancellationToken cancellationToken) =>
        ReportAsync($"invocation/{Uri.EscapeDataString(requestId)}/error", error, error.GetType().Name, cancellationToken);

    public Task ReportInitErrorAsync(Exception error, CancellationToken cancellationToken) => ReportAsync("init/error", error, null, cancellationToken);

    private async Task ReportAsync(string path, Exception error, string? type, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_base + path))
        {
            Content = new StringContent(ErrorDocument(error), new MediaTypeHeaderValue("application/vnd.aws.lambda.error+json")),
        };
        if (type is not null)
        {
            request.Headers.TryAddWithoutValidation("Lambda-Runtime-Function-Error-Type", type);
        }

        using var response = await http.SendAsync(request, cancellationToken);
        await EnsureAsync(response, cancellationToken);
        var answer = await response.Content.ReadAsStringAsync(cancellationToken);
        try
        {
            using var status = JsonDocument.Parse(answer);
        }
        catch (JsonException)
        {
            throw new RuntimeApiClientException("Could not deserialize the response body.", (int)response.StatusCode, answer);
        }
    }

    internal static string ErrorDocument(Exception error)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Write(writer, error);
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void Write(Utf8JsonWriter writer, Exception error)
    {
        writer.WriteStartObject();
        writer.WriteString("errorType", error.GetType().Name);
        writer.WriteString("errorMessage", error.Message.Trim());
        if (error.StackTrace is { } trace)
        {
            writer.WriteStartArray("stackTrace");
            foreach (var line in trace.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                writer.WriteStringValue(line);
            }

            writer.WriteEndArray();
        }

        if (error.InnerException is { } cause)
        {
            writer.WritePropertyName("cause");
            Write(writer, cause);
        }

        writer.WriteEndObject();
    }

    private static async Task EnsureAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (!response.IsSuccessStatusCode)
        {
            var body = await response.Content.ReadAsStringAsync(cancellationToken);
            throw new RuntimeApiClientException($"The Runtime API answered {(int)response.StatusCode}.", (int)response.StatusCode, body);
        }
    }
}
