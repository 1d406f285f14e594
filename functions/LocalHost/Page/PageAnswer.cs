using System.Net.Mime;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Failover.ControlPlane;

namespace Failover.LocalHost.Page;

/// <summary>The control API's answers: JSON, and problems (RFC 9457).</summary>
internal static class PageAnswer
{
    private static readonly JsonSerializerOptions Deep =
        new() { MaxDepth = ControlJson.Default.Options.MaxDepth, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Lets a request be answered; what fails is a problem, and what does not come in time is one that the client should ask
    /// for again.</summary>
    public static async Task GuardAsync(HttpContext context, RequestDelegate answer)
    {
        try
        {
            await answer(context);
        }
        catch (Exception error) when (error is OperationCanceledException or TimeoutException && IsUnanswered(context))
        {
            context.Response.Headers.RetryAfter = "1";
            await ProblemAsync(context, StatusCodes.Status503ServiceUnavailable,
                "A table did not answer in time: the world is starting, or the machine is busy. Try again.");
        }
        catch (Exception error) when (IsUnanswered(context))
        {
            await ProblemAsync(context, StatusCodes.Status500InternalServerError, error.Message);
        }
    }

    private static bool IsUnanswered(HttpContext context) =>
        !context.RequestAborted.IsCancellationRequested && !context.Response.HasStarted;

    public static Task ProblemAsync(HttpContext context, int status, string detail) =>
        JsonAsync(context, status, new JsonObject { ["status"] = status, ["detail"] = detail }, "application/problem+json");

    public static Task JsonAsync(HttpContext context, int status, JsonNode body, string type = MediaTypeNames.Application.Json)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        return context.Response.WriteAsync(body.ToJsonString(Deep));
    }
}
