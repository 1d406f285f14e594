using Failover.Hosting;

namespace Failover.ReplicationAudit.Arrivals;

/// <summary>
/// Counts arrivals, one record once: a batch can be delivered again, whole or in part, as a rule to the same process. A process that was ended between
/// the count and its answer may add an arrival twice to a distribution; findings, which are counted in the journal, never are.
/// </summary>
public sealed class ArrivalCounts(Metrics metrics, string region)
{
    /// <summary>As many as the greatest batch has.</summary>
    private const int RememberedMax = 10_000;

    private readonly HashSet<string> _counted = [];
    private readonly Queue<string> _order = new();

    /// <summary>Emits one line a region of origin, with the lag of each arrival that was not counted before.</summary>
    public void Emit(IReadOnlyList<(string EventId, Arrival Arrival)> arrivals)
    {
        var fresh = arrivals.Where(arrival => Remember(arrival.EventId)).Select(arrival => arrival.Arrival).ToList();
        foreach (var origin in fresh.GroupBy(arrival => arrival.From))
        {
            foreach (var chunk in origin.Chunk(Metric.ValuesMax))
            {
                metrics.Emit(
                    [("From", origin.Key), ("To", region)],
                    new Metric("ArrivalLag", "Milliseconds", [.. chunk.Select(arrival => arrival.Lag.TotalMilliseconds)]));
            }
        }
    }

    private bool Remember(string eventId)
    {
        if (!_counted.Add(eventId))
        {
            return false;
        }

        _order.Enqueue(eventId);
        if (_order.Count > RememberedMax)
        {
            _counted.Remove(_order.Dequeue());
        }

        return true;
    }
}
