using Failover.ControlPlane.Topologies;
using Failover.Hosting;

namespace Failover.HealthCheck;

/// <summary>What the function is told by its environment.</summary>
/// <param name="Observer">The region that it runs in, which is the observer's name.</param>
public sealed record HealthCheckOptions(string Observer, Topology Topology, string ItemsTable, string ControlTable, string JournalTable, string TickQueueUrl)
{
    /// <summary>Reads and validates all of it.</summary>
    /// <exception cref="InvalidOperationException">A setting is missing.</exception>
    /// <exception cref="TopologyException">The topology has mistakes.</exception>
    public static HealthCheckOptions Read(Settings settings)
    {
        var observer = settings.Required("AWS_REGION", "the region that the function runs in; Lambda sets it");
        var file = settings.Required("TOPOLOGY_FILE", "the path of the topology, see topology.schema.json");
        var items = settings.Required("ITEMS_TABLE", "the name of the items table");
        var control = settings.Required("CONTROL_TABLE", "the name of the control table");
        var journal = settings.Required("JOURNAL_TABLE", "the name of this region's journal table");
        var queue = settings.Required("TICK_QUEUE_URL", "the address of this region's queue of ticks");
        settings.ThrowIfMistaken();
        var topology = TopologyFile.Load(file);
        return topology.Observers.Contains(observer)
            ? new HealthCheckOptions(observer, topology, items, control, journal, queue)
            : throw new TopologyException([$"$.observers: '{observer}', where this function runs, is none of {string.Join(", ", topology.Observers)}"]);
    }
}
