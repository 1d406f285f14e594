using Failover.ControlPlane.Topologies;
using Failover.Hosting;

namespace Failover.HealthCheck;

/// <summary>What the function is told by its environment.</summary>
/// <param name="Observer">The region that it runs in, which is the observer's name.</param>
public sealed record HealthCheckOptions(string Observer, Topology Topology, string ItemsTable, string ControlTable, string JournalTable, string TickQueueUrl)
{
    /// <summary>The name of the encrypted SSM parameter that holds DigitalOcean's token; null where the topology names nothing of DigitalOcean's.</summary>
    public string? DigitalOceanTokenParameter { get; init; }

    private const string TokenSetting = "DIGITALOCEAN_TOKEN_PARAMETER";

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
        var token = settings.Optional(TokenSetting);
        settings.ThrowIfMistaken();
        var topology = TopologyFile.Load(file);
        if (token is null && topology.Services.Any(service => service.DigitalOceanDomain is not null || service.Endpoints.Any(endpoint => endpoint.LoadBalancerId is not null)))
        {
            throw new TopologyException([$"$.services: DigitalOcean is named, and {TokenSetting} is not set: the name of the encrypted SSM parameter that holds its token"]);
        }

        return topology.Observers.Contains(observer)
            ? new HealthCheckOptions(observer, topology, items, control, journal, queue) { DigitalOceanTokenParameter = token }
            : throw new TopologyException([$"$.observers: '{observer}', where this function runs, is none of {string.Join(", ", topology.Observers)}"]);
    }
}
