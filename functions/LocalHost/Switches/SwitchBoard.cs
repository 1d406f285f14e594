using System.Text.Json;

namespace Failover.LocalHost.Switches;

/// <summary>
/// What hangs on the metric <c>LeavePrimary</c>, made at deploy time on AWS: in each control region an alarm (one period, maximum, missing data missing), on each alarm a
/// Route 53 health check that keeps its last known status, and over them a calculated check that is healthy while at least two are. The primary of the record pair carries it; the secondary none.
/// The metric is read from the functions' own log lines.
/// </summary>
internal sealed class SwitchBoard(TimeSpan period, TimeProvider time)
{
    private const int HealthyAtLeast = 2;

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Service, string Region), Alarm> _alarms = [];

    /// <summary>Reads a log line of a region.</summary>
    public void Read(string region, string line)
    {
        if (!line.Contains("\"LeavePrimary\"", StringComparison.Ordinal))
        {
            return;
        }

        try
        {
            using var json = JsonDocument.Parse(line);
            if (json.RootElement.TryGetProperty("_aws", out _) && json.RootElement.TryGetProperty("LeavePrimary", out var value) && json.RootElement.TryGetProperty("Service", out var service))
            {
                var number = value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Max(one => one.GetDouble()) : value.GetDouble();
                lock (_lock)
                {
                    AlarmOf(service.GetString()!, region).Take(Period(), number);
                }
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // Not a line of metrics.
        }
    }

    /// <summary>Whether the primary's check is healthy, so that it is answered.</summary>
    public bool IsPrimaryAnswered(string service, IReadOnlyList<string> regions)
    {
        lock (_lock)
        {
            return regions.Count(region => AlarmOf(service, region).IsHealthy(Period())) >= HealthyAtLeast;
        }
    }

    private long Period() => time.GetUtcNow().UtcTicks / period.Ticks;

    private Alarm AlarmOf(string service, string region) => _alarms.TryGetValue((service, region), out var alarm) ? alarm : _alarms[(service, region)] = new Alarm();

    /// <summary>An alarm with the memory of the check upon it.</summary>
    private sealed class Alarm
    {
        private long _period = long.MinValue;
        private double _maximum;
        private bool _healthy = true;

        public void Take(long period, double value)
        {
            Close(period);
            (_period, _maximum) = (period, period == _period ? Math.Max(_maximum, value) : value);
        }

        public bool IsHealthy(long period)
        {
            Close(period);
            return _healthy;
        }

        /// <summary>A period is judged when it is over; one without data says nothing, and the check keeps what it knew.</summary>
        private void Close(long now)
        {
            if (_period < now && _period != long.MinValue)
            {
                _healthy = _maximum < 1;
                _period = long.MinValue;
            }
        }
    }
}
