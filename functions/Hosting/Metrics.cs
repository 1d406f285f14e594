using System.Buffers;
using System.Text.Json;

namespace Failover.Hosting;

/// <summary>One metric with the values that it had.</summary>
/// <param name="Unit">One of CloudWatch's: Count, Milliseconds, None.</param>
/// <param name="Values">At most <see cref="ValuesMax"/>.</param>
public readonly record struct Metric(string Name, string Unit, params IReadOnlyList<double> Values)
{
    /// <summary>The embedded metric format's limit on the values of one metric in one line.</summary>
    public const int ValuesMax = 100;
}

/// <summary>
/// Emits metrics as log lines in CloudWatch's embedded metric format, which CloudWatch Logs turns into metrics by itself:
/// no call, no client, no permission.
/// </summary>
public sealed class Metrics(LineWriter output, TimeProvider time)
{
    /// <summary>The namespace of all metrics of this system.</summary>
    public const string Namespace = "Failover";

    /// <summary>Emits some metrics that share their dimensions.</summary>
    public void Emit(IReadOnlyList<(string Name, string Value)> dimensions, params IReadOnlyList<Metric> metrics)
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

            foreach (var (name, _, values) in metrics)
            {
                writer.WriteStartArray(name);
                foreach (var value in values)
                {
                    writer.WriteNumberValue(value);
                }

                writer.WriteEndArray();
            }

            writer.WriteEndObject();
        }

        output.WriteLine(buffer.WrittenSpan);
    }
}
