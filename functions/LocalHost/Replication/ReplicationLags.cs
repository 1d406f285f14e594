using System.Text.Json;

namespace Failover.LocalHost.Replication;

/// <summary>
/// How late replication is, as the audits measure it: what CloudWatch would make of the metrics <c>ArrivalLag</c> and <c>HeartbeatLag</c>. Read from the functions' own log lines; of arrivals the last thousand count.
/// </summary>
internal sealed class ReplicationLags
{
    private const int ArrivalsMax = 1000;

    private readonly Lock _lock = new();
    private readonly Dictionary<(string From, string To), Queue<double>> _arrivals = [];
    private readonly Dictionary<(string From, string To), double> _heartbeats = [];

    /// <summary>Reads a log line.</summary>
    public void Read(string line)
    {
        if (!line.Contains("Lag\"", StringComparison.Ordinal))
        {
            return;
        }

        try
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            if (!root.TryGetProperty("_aws", out _) || !root.TryGetProperty("From", out var from) || !root.TryGetProperty("To", out var to))
            {
                return;
            }

            var pair = (from.GetString()!, to.GetString()!);
            lock (_lock)
            {
                foreach (var lag in Values(root, "ArrivalLag"))
                {
                    var arrivals = _arrivals.TryGetValue(pair, out var known) ? known : _arrivals[pair] = new Queue<double>();
                    arrivals.Enqueue(lag);
                    if (arrivals.Count > ArrivalsMax)
                    {
                        arrivals.Dequeue();
                    }
                }

                foreach (var lag in Values(root, "HeartbeatLag"))
                {
                    _heartbeats[pair] = lag;
                }
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // Not a line of metrics.
        }
    }

    /// <summary>The median, the 99th percentile and the greatest lag of arrivals; null: none has come.</summary>
    public (double P50, double P99, double Max)? Arrivals(string from, string to)
    {
        lock (_lock)
        {
            return _arrivals.GetValueOrDefault((from, to))?.Order().ToArray() is { Length: > 0 } sorted
                ? (sorted[sorted.Length / 2], sorted[(int)(sorted.Length * 0.99)], sorted[^1]) : null;
        }
    }

    /// <summary>How old the heartbeats are that the one region shows of the other, in milliseconds; null: not known.</summary>
    public double? Heartbeat(string from, string to)
    {
        lock (_lock)
        {
            return _heartbeats.TryGetValue((from, to), out var lag) ? lag : null;
        }
    }

    private static IEnumerable<double> Values(JsonElement root, string name) =>
        !root.TryGetProperty(name, out var value) ? []
        : value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(one => one.GetDouble())]
        : [value.GetDouble()];
}
