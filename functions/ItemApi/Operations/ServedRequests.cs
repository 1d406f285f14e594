using System.Buffers;
using System.Text.Json;
using Failover.Hosting;

namespace Failover.ItemApi.Operations;

/// <summary>What is told of a request: nothing that a client wrote.</summary>
/// <param name="Route">The template of its route; null where it had none.</param>
/// <param name="Problem">The kind of problem that it ended with.</param>
/// <param name="ClockAhead">How far a version lay ahead of this process's clock, where that was the problem.</param>
internal sealed record ServedRequest(string Method, string? Route, int Status, TimeSpan Duration, string Trace, string? Problem, TimeSpan? ClockAhead);

/// <summary>
/// One line of JSON for each request, which is also its metrics: CloudWatch's embedded metric format, so that one write does for both.
/// </summary>
internal sealed class ServedRequests(LineWriter output, string region, TimeProvider time)
{
    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

    public void Write(ServedRequest request)
    {
        var now = time.GetUtcNow();
        var buffer = new ArrayBufferWriter<byte>(768);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("time", now);
            json.WriteString("level", request.Status >= StatusCodes.Status500InternalServerError ? "Warning" : "Information");
            json.WriteString("event", "RequestServed");
            json.WriteString("method", Methods.Contains(request.Method) ? request.Method : "other");
            json.WriteString("Route", request.Route ?? "none");
            json.WriteString("Region", region);
            json.WriteNumber("status", request.Status);
            json.WriteString("problem", request.Problem);
            json.WriteString("version", Health.BuildVersion.Text);
            json.WriteString("trace", request.Trace);
            json.WriteNumber("Requests", 1);
            json.WriteNumber("ServerErrors", request.Status >= StatusCodes.Status500InternalServerError ? 1 : 0);
            json.WriteNumber("DurationMs", Math.Round(request.Duration.TotalMilliseconds, 3));
            if (request.ClockAhead is { } ahead)
            {
                json.WriteNumber("ClockAheadMs", Math.Round(ahead.TotalMilliseconds));
            }

            WriteMetrics(json, now, request.ClockAhead is not null);
            json.WriteEndObject();
        }

        output.WriteLine(buffer.WrittenSpan);
    }

    private static void WriteMetrics(Utf8JsonWriter json, DateTimeOffset now, bool hasClock)
    {
        json.WriteStartObject("_aws");
        json.WriteNumber("Timestamp", now.ToUnixTimeMilliseconds());
        json.WriteStartArray("CloudWatchMetrics");
        json.WriteStartObject();
        json.WriteString("Namespace", Metrics.Namespace);
        json.WriteStartArray("Dimensions");
        Dimensions(json, "Region");
        Dimensions(json, "Region", "Route");
        json.WriteEndArray();
        json.WriteStartArray("Metrics");
        Metric(json, "Requests", "Count");
        Metric(json, "ServerErrors", "Count");
        Metric(json, "DurationMs", "Milliseconds");
        if (hasClock)
        {
            Metric(json, "ClockAheadMs", "Milliseconds");
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Dimensions(Utf8JsonWriter json, params ReadOnlySpan<string> names)
    {
        json.WriteStartArray();
        foreach (var name in names)
        {
            json.WriteStringValue(name);
        }

        json.WriteEndArray();
    }

    private static void Metric(Utf8JsonWriter json, string name, string unit)
    {
        json.WriteStartObject();
        json.WriteString("Name", name);
        json.WriteString("Unit", unit);
        json.WriteEndObject();
    }
}
