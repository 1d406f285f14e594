using System.Text.Json.Nodes;

namespace Failover.LocalHost.Aws;

/// <summary>Errors in AWS's JSON protocol.</summary>
internal static class AwsJson
{
    /// <summary>Refuses a request that its sender must change.</summary>
    public static Task RefuseAsync(HttpContext context, string type, string message) =>
        FailAsync(context, StatusCodes.Status400BadRequest, type, message);

    /// <summary>Answers an error with a status of its own.</summary>
    public static Task FailAsync(HttpContext context, int status, string type, string message)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/x-amz-json-1.0";
        return context.Response.WriteAsync(new JsonObject { ["__type"] = type, ["message"] = message }.ToJsonString());
    }
}
