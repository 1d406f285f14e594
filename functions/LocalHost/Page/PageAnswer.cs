using System.Net.Mime;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Failover.ControlPlane;

namespace Failover.LocalHost.Page;

/// <summary>The control API's answers: JSON, and problems (RFC 9457).</summary>
internal static class PageAnswer
{
    private static readonly JsonSerializerOptions Deep = new() { MaxDepth = ControlJson.Default.Options.MaxDepth, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Task ProblemAsync(HttpContext context, int status, string detail) =>
        JsonAsync(context, status, new JsonObject { ["status"] = status, ["detail"] = detail }, "application/problem+json");

    public static Task JsonAsync(HttpContext context, int status, JsonNode body, string type = MediaTypeNames.Application.Json)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        return context.Response.WriteAsync(body.ToJsonString(Deep));
    }
}
