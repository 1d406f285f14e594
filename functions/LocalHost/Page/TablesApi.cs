using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Amazon.DynamoDBv2;
using Amazon.Runtime;
using Failover.ControlPlane;
using Failover.ControlPlane.Compares;
using Failover.ItemRecord;
using Failover.ItemRecord.Repair;

namespace Failover.LocalHost.Page;

/// <summary>What an operator does with the items tables: compare, repair, backfill. What it does goes through each region's own door, as from anywhere; what it only shows it reads past them, as the page does.</summary>
internal sealed class TablesApi(World world, TimeProvider time)
{
    private const double ReadUnitsPerSecond = 1000;
    private const double BackfillUnitsPerSecond = 1000;

    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly IReadOnlyList<string> Replicas = [.. World.RegionNames.Take(World.ServingRegions)];

    /// <summary>Long enough that what is written arrives, as replication is slowed down now.</summary>
    private TimeSpan Settle => TimeSpan.FromSeconds(3) + (2 * world.Options.Lag);

    /// <summary>Asks for a comparison.</summary>
    public async Task<JsonNode> CompareAsync(CancellationToken cancellationToken)
    {
        using var clients = new Clients(world);
        var sizes = await Task.WhenAll(Replicas.Select(region => CompareEstimate.OfAsync(clients.Of(region), region, World.ItemsTable, cancellationToken)));
        var comparison = Comparison.Ask(Replicas, "page", sizes.Max(size => size.Items), ReadUnitsPerSecond, Settle, time.GetUtcNow());
        await Store(clients).AddAsync(comparison, cancellationToken);
        return ToJson(comparison);
    }

    /// <summary>The newest comparisons.</summary>
    public async Task<JsonNode> ListAsync(CancellationToken cancellationToken) =>
        new JsonArray([.. (await world.Comparisons.ReadNewestAsync(cancellationToken)).Select(ToJson)]);

    /// <summary>A comparison with the differences that it has found so far; null if there is none of that id.</summary>
    public async Task<JsonNode?> ShowAsync(string id, CancellationToken cancellationToken)
    {
        if (await world.Comparisons.ReadAsync(id, cancellationToken) is not { } comparison)
        {
            return null;
        }

        var found = new JsonArray();
        await foreach (var difference in world.Comparisons.ReadDifferencesAsync(id, cancellationToken))
        {
            found.Add(JsonSerializer.SerializeToNode(difference, ControlJson.Default.Difference));
        }

        var json = ToJson(comparison).AsObject();
        json["found"] = found;
        return json;
    }

    /// <summary>Cancels a comparison; false if it has ended, or there is none.</summary>
    public Task<bool> CancelAsync(string id, CancellationToken cancellationToken) => world.Comparisons.CancelAsync(id, time.GetUtcNow(), cancellationToken);

    /// <summary>Repairs what a comparison found, or some keys: <c>{ "comparison", "keys", "prefer", "apply" }</c>.</summary>
    public async Task<JsonNode> RepairAsync(JsonElement request, CancellationToken cancellationToken)
    {
        using var clients = new Clients(world);
        var wanted = request.Deserialize(TablesJson.Default.RepairRequest)!;
        List<string> keys = [.. wanted.Keys ?? []];
        if (wanted.Comparison is { } id)
        {
            await foreach (var difference in Store(clients).ReadDifferencesAsync(id, cancellationToken))
            {
                keys.Add(difference.Key);
            }
        }

        var stores = Replicas.ToDictionary(region => region, region => new ItemStore(clients.Of(region), World.ItemsTable, region, new VersionClock(region, time), time, CallTimeout));
        var repair = new ItemRepair(stores, time);
        var report = new JsonArray();
        await foreach (var outcome in repair.RepairAllAsync(keys, wanted.Prefer, wanted.Apply, Patience, cancellationToken))
        {
            report.Add(JsonSerializer.SerializeToNode(outcome, TablesJson.Default.RepairOutcome));
        }

        return report;
    }

    /// <summary>Gives a version to the items of a region that have none: <c>{ "region", "apply" }</c>.</summary>
    public async Task<JsonNode> BackfillAsync(JsonElement request, CancellationToken cancellationToken)
    {
        using var clients = new Clients(world);
        var wanted = request.Deserialize(TablesJson.Default.BackfillRequest)!;
        var region = wanted.Region ?? Replicas[0];
        if (!Replicas.Contains(region))
        {
            throw new ArgumentException($"'{region}' holds no replica; {string.Join(", ", Replicas)} do.");
        }

        var backfill = new Backfill(clients.Of(region), World.ItemsTable, new VersionClock(region, time), time, CallTimeout);
        var last = new BackfillProgress(0, 0, null);
        await foreach (var progress in backfill.RunAsync(after: null, BackfillUnitsPerSecond, wanted.Apply, cancellationToken))
        {
            last = progress;
        }

        return JsonSerializer.SerializeToNode(last, TablesJson.Default.BackfillProgress)!;
    }

    private static JsonNode ToJson(Comparison comparison) => JsonSerializer.SerializeToNode(comparison, ControlJson.Default.Comparison)!;

    private static CompareStore Store(Clients clients) => new(clients.Of(Replicas[0]), World.JournalTable, CallTimeout);

    /// <summary>The regions' doors, for as long as one request takes.</summary>
    private sealed class Clients(World world) : IDisposable
    {
        private readonly Dictionary<string, WatchedDynamoDbClient> _clients = Replicas.Select((region, index) => (region, index)).ToDictionary(
            replica => replica.region,
            replica => new WatchedDynamoDbClient(new AmazonDynamoDBConfig
            {
                DefaultAWSCredentials = new BasicAWSCredentials("local", "local"),
                ServiceURL = $"http://127.0.0.1:{world.Options.Ports.Aws(replica.index + 1)}",
                AuthenticationRegion = replica.region,
                Timeout = CallTimeout,
                MaxErrorRetry = 1,
            }));

        public WatchedDynamoDbClient Of(string region) => _clients[region];

        public void Dispose()
        {
            foreach (var client in _clients.Values)
            {
                client.Dispose();
            }
        }
    }
}

/// <summary>Asks for a repair.</summary>
internal sealed record RepairRequest(string? Comparison, IReadOnlyList<string>? Keys, string? Prefer, bool Apply);

/// <summary>Asks for a backfill.</summary>
internal sealed record BackfillRequest(string? Region, bool Apply);

/// <summary>What is asked of the tables, and answered.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UseStringEnumConverter = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(RepairRequest))]
[JsonSerializable(typeof(BackfillRequest))]
[JsonSerializable(typeof(RepairOutcome))]
[JsonSerializable(typeof(BackfillProgress))]
internal sealed partial class TablesJson : JsonSerializerContext;
