using System.Text.Json;
using System.Text.Json.Nodes;
using Failover.ControlPlane;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.LocalHost.Route53;

namespace Failover.LocalHost.Page;

/// <summary>The world as <c>GET /state</c> tells it.</summary>
internal static class StateReport
{
    public static async Task<JsonObject> OfAsync(World world, TimeProvider time, CancellationToken cancellationToken)
    {
        var views = new Dictionary<string, ControlView>();
        foreach (var service in world.Topology.Services)
        {
            views[service.Name] = await world.ControlStore.ReadAsync(service.Name, cancellationToken);
        }

        var now = time.GetUtcNow();
        return new JsonObject
        {
            ["regions"] = new JsonArray([.. world.Regions.Select(region => new JsonObject
            {
                ["name"] = region.Name,
                ["itemApi"] = region.ItemApi is null ? null : $"http://127.0.0.1:{world.Options.Ports.ItemApi(region.Number)}",
                ["dynamoDb"] = $"http://127.0.0.1:{world.Options.Ports.Aws(region.Number)}",
                ["up"] = world.Faults.RegionDown(region.Name) is null,
                ["intervalSeconds"] = (int)region.Interval.TotalSeconds,
            })]),
            ["services"] = new JsonArray([.. world.Topology.Services.Select(service => Service(world, service, views[service.Name], now))]),
            ["observers"] = new JsonArray([.. world.Topology.Observers.Select(observer => Observer(world, observer, views.Values.First(), now))]),
            ["replication"] = new JsonArray([.. Pairs(world).Select(pair => new JsonObject
            {
                ["from"] = pair.From,
                ["to"] = pair.To,
                ["lagMs"] = (long)world.Replicator.Backlog(pair.From, pair.To).TotalMilliseconds,
                ["paused"] = world.Faults.IsPaused(pair.From, pair.To),
                ["heartbeatLagMs"] = world.Lags.Heartbeat(pair.From, pair.To),
                ["arrivalLagMs"] = world.Lags.Arrivals(pair.From, pair.To) is var (p50, p99, max) ? new JsonObject { ["p50"] = p50, ["p99"] = p99, ["max"] = max } : null,
            })]),
            ["rollingOut"] = world.IsRollingOut,
            ["faults"] = JsonSerializer.SerializeToNode(world.Faults.All, FaultJson),
        };
    }

    private static readonly JsonSerializerOptions FaultJson = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
        Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private static JsonObject Service(World world, Service service, ControlView view, DateTimeOffset now)
    {
        var register = view.Register;
        var sets = world.ServedZones.SelectMany(zone => zone.Sets()).ToList();
        IReadOnlyList<string> addresses = sets.FirstOrDefault(set => set.Name == service.Name + "." && set.Type == "A") is { } answer ? answer.Values : [];
        var endpoint = service.Endpoints.FirstOrDefault(endpoint => endpoint.Records.SelectMany(record => record.Values).ToHashSet().SetEquals(addresses));
        return new JsonObject
        {
            ["name"] = service.Name,
            ["active"] = register?.Active,
            ["moving"] = register?.Moving?.To,
            ["epoch"] = register?.Epoch,
            ["pinned"] = register?.Pinned is { } pin && pin.Order.IsInForce(now) ? pin.Endpoint : null,
            ["drained"] = new JsonArray([.. (register?.Drained ?? new Dictionary<string, Override>()).Where(drain => drain.Value.IsInForce(now)).Select(drain => JsonValue.Create(drain.Key))]),
            ["planned"] = register?.Planned?.To,
            ["paused"] = register?.Paused?.IsInForce(now) == true,
            ["lastCommand"] = register?.LastCommand?.Says,
            ["waitingCommands"] = new JsonArray([.. view.Pending.Select(command => new JsonObject { ["id"] = command.Id, ["kind"] = command.Kind.ToString(), ["to"] = command.To, ["by"] = command.By })]),
            ["answeredCommands"] = new JsonArray([.. (register?.Answered ?? []).Select(answer => new JsonObject { ["id"] = answer.Id, ["obeyed"] = answer.Obeyed, ["says"] = answer.Says })]),
            ["answer"] = new JsonObject
            {
                ["addresses"] = new JsonArray([.. addresses.Select(address => JsonValue.Create(address))]),
                ["endpoint"] = endpoint?.Name,
                ["txt"] = sets.FirstOrDefault(set => set.Name == service.StateName + "." && set.Type == "TXT") is { Values: [var text, ..] }
                    ? string.Concat(TxtValue.Parse(text).Strings ?? [])
                    : null,
            },
        };
    }

    private static JsonObject Observer(World world, string observer, ControlView view, DateTimeOffset now)
    {
        var ballot = view.Ballots.FirstOrDefault(ballot => ballot.Observer == observer);
        return new JsonObject
        {
            ["name"] = observer,
            ["region"] = observer,
            ["ballotAgeMs"] = ballot is null ? null : (long)(now - ballot.At).TotalMilliseconds,
            // Services may share endpoints' names: they are then the same places.
            ["health"] = new JsonObject((ballot?.Services.Values.SelectMany(endpoints => endpoints) ?? []).DistinctBy(endpoint => endpoint.Key)
                .Select(endpoint => KeyValuePair.Create(endpoint.Key, (JsonNode?)JsonValue.Create(endpoint.Value.Health.ToString())))),
            ["isolated"] = world.Faults.IsIsolated(observer),
        };
    }

    private static IEnumerable<(string From, string To)> Pairs(World world) =>
        from one in world.Topology.Replicas from other in world.Topology.Replicas where one != other select (one, other);
}
