using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Failover.ItemApi.Answers;

/// <summary>What a request is answered with, whole: a size that is known can be told, and nothing is half sent.</summary>
/// <param name="ContentType">Null where there is no body.</param>
internal sealed record Answer(int Status, ReadOnlyMemory<byte> Body = default, string? ContentType = null)
{
    /// <summary>JSON is served as JSON and never sniffed, so that only what JSON itself asks for is escaped: text stays small.</summary>
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    /// <summary>The kind of problem that it tells; null if none.</summary>
    public ProblemKind? Problem { get; init; }

    /// <summary>An answer with a JSON body.</summary>
    public static Answer Json(int status, Action<Utf8JsonWriter> write, string contentType = "application/json")
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Relaxed))
        {
            write(json);
        }

        return new Answer(status, buffer.WrittenMemory, contentType);
    }

    /// <summary>Sends it; to HEAD all but the body.</summary>
    public async Task SendAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var response = context.Response;
        response.StatusCode = Status;
        response.ContentType = ContentType;
        foreach (var (name, value) in Headers)
        {
            response.Headers[name] = value;
        }

        if (ContentType is null)
        {
            return;
        }

        response.ContentLength = Body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            // Flushed: Lambda's server loses what is left in the pipe.
            await response.BodyWriter.WriteAsync(Body, cancellationToken);
            await response.BodyWriter.FlushAsync(cancellationToken);
        }
    }
}
