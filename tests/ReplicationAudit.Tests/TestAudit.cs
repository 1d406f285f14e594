using System.Text;
using System.Text.Json;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane;
using Failover.Hosting;
using Failover.ItemRecord;
using Failover.ReplicationAudit.Arrivals;
using Failover.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Failover.ReplicationAudit.Tests;

/// <summary>The function in regions a and b, over tables of a real engine and a queue that only remembers.</summary>
internal sealed class TestAudit(TestEngine engine, TimeProvider time)
{
    public const string Observer = "o";

    private readonly MemoryStream _metrics = new();

    public string JournalTable { get; private set; } = null!;

    /// <summary>By region: its replica of the items table.</summary>
    public IReadOnlyDictionary<string, string> ItemTables { get; private set; } = null!;

    public RecordingQueue Queue { get; } = new();

    public ArrivalLimits Limits { get; init; } = new(TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(3));

    public IReadOnlySet<string> Redacted { get; init; } = new HashSet<string>();

    public JournalStore Journal => new(engine.Client(), JournalTable, TimeSpan.FromSeconds(5));

    public PendingStore Pending => new(engine.Client(), JournalTable, TimeSpan.FromSeconds(5));

    public async Task MakeTablesAsync()
    {
        JournalTable = await engine.TableAsync("kind", "id");
        ItemTables = new Dictionary<string, string> { ["a"] = await engine.TableAsync("id"), ["b"] = await engine.TableAsync("id") };
    }

    /// <summary>A new process of the function.</summary>
    /// <param name="journalNetwork">The network between it and its journal.</param>
    /// <param name="replicaNetworks">The same for replicas of the items table.</param>
    public Function Function(string region, LossyNetwork? journalNetwork = null, IReadOnlyDictionary<string, IAmazonDynamoDB>? replicaNetworks = null)
    {
        var timeout = TimeSpan.FromSeconds(2);
        return Composition.Make(
            new ReplicationAuditOptions(region, [.. ItemTables.Keys], [Observer], ItemTables[region], JournalTable, "queue", Limits, Redacted, timeout),
            _ => engine.Client(journalNetwork),
            replica => new ReplicaReader(replicaNetworks?.GetValueOrDefault(replica) ?? engine.Client(), ItemTables[replica], timeout, TimeProvider.System),
            Queue,
            new LineWriter(_metrics),
            time,
            NullLoggerFactory.Instance);
    }

    /// <summary>Hands the function records of a stream.</summary>
    /// <returns>From which on they are to be delivered again.</returns>
    public static async Task<string?> HandAsync(Function function, IEnumerable<string> records, TimeSpan? remaining = null) =>
        (await function.HandleAsync(ModelRegions.EventOf(records), new TestLambdaContext(remaining ?? TimeSpan.FromMinutes(1)))).BatchItemFailures.SingleOrDefault()?.ItemIdentifier;

    /// <summary>Hands the function one message of a queue; false if it is to be delivered again.</summary>
    public static async Task<bool> HandMessageAsync(Function function, string body)
    {
        var message = JsonSerializer.Serialize(new Dictionary<string, string> { ["messageId"] = "m1", ["eventSource"] = "aws:sqs", ["body"] = body });
        return (await function.HandleAsync(ModelRegions.EventOf([message]), new TestLambdaContext(TimeSpan.FromMinutes(1)))).BatchItemFailures.Count == 0;
    }

    public static Task PatrolAsync(Function function) =>
        function.HandleAsync(JsonDocument.Parse("""{"source":"aws.events"}""").RootElement, new TestLambdaContext(TimeSpan.FromMinutes(1)));

    public Task PutAsync(string region, Dictionary<string, AttributeValue> item) => engine.Client().PutItemAsync(ItemTables[region], item);

    public Task DeleteAsync(string region, string id) => engine.Client().DeleteItemAsync(ItemTables[region], new() { [ItemAttributes.Id] = new(id) });

    /// <summary>What a region's own heartbeat is in a replica.</summary>
    public Task BeatAsync(string region, string replica, DateTimeOffset at) =>
        PutAsync(replica, new() { [ItemAttributes.Id] = new(HeartbeatRow.IdOf(region, Observer)), [HeartbeatRow.At] = new() { N = $"{at.ToUnixTimeMilliseconds()}" } });

    public string[] Lines() => Encoding.UTF8.GetString(_metrics.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>How many values a metric had in all lines.</summary>
    public int Count(string metric) => Values(metric).Count();

    /// <summary>All values of a metric, in order.</summary>
    public IEnumerable<double> Values(string metric) => Lines().SelectMany(line =>
    {
        using var json = JsonDocument.Parse(line);
        return json.RootElement.TryGetProperty(metric, out var values) ? values.EnumerateArray().Select(value => value.GetDouble()).ToList() : [];
    });
}
