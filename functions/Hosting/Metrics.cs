using System.Buffers;
using System.Text.Json;

namespace Failover.Hosting;

/// <summary>
/// Emits metrics as log lines in CloudWatch's embedded metric format, which CloudWatch Logs turns into metrics by itself:
/// no call, no client, no permission.
/// </summary>
public sealed class Metrics(TimeProvider time)
{
    /// <summary>The namespace of all metrics of this system.</summary>
    public const string Namespace = "Failover";

    /// <summary>Emits some metrics that share their dimensions.</summary>
    public void Emit(IReadOnlyList<(string Name, string Value)> dimensions, IReadOnlyList<(string Name, string Unit, double Value)> metrics)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("_aws");
            writer.WriteNumber("Timestamp", time.GetUtcNow().ToUnixTimeMilliseconds());
            writer.WriteStartArray("CloudWatchMetrics");
            writer.WriteStartObject();
            writer.WriteString("Namespace", Namespace);
            writer.WriteStartArray("Dimensions");
            writer.WriteStartArray();
            foreach (var (name, _) in dimensions)
            {
                writer.WriteStringValue(name);
            }

            writer.WriteEndArray();
            writer.WriteEndArray();
            writer.WriteStartArray("Metrics");
            foreach (var (name, unit, _) in metrics)
            {
                writer.WriteStartObject();
                writer.WriteString("Name", name);
                writer.WriteString("Unit", unit);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
            writer.WriteEndArray();
            writer.WriteEndObject();
            foreach (var (name, value) in dimensions)
            {
                writer.WriteString(name, value);
            }

            foreach (var (name, _, value) in metrics)
            {
                writer.WriteNumber(name, value);
            }

            writer.WriteEndObject();
        }

        StandardOutput.WriteLine(buffer.WrittenSpan);
    }
}
