using System.Text.Json;
using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane.Compares;
using Failover.Hosting;
using Failover.ItemRecord;
using Failover.ReplicationAudit;
using Failover.ReplicationAudit.Arrivals;
using Failover.Simulation.Audit;
using Failover.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Failover.Simulation;

/// <summary>Two tables that have next to nothing in common: more keys than one list holds, in many units, and each is told once.</summary>
public class WideDivergenceTests(ITestOutputHelper output)
{
    private const int Items = 45_000;
    private static readonly TimeSpan Settle = TimeSpan.FromMinutes(8);

    private readonly Dictionary<string, MemoryTables> _tables = new() { ["a"] = new() { Salt = 1, PageMax = 2000 }, ["b"] = new() { Salt = 2, PageMax = 2000 } };
    private readonly Dictionary<string, MemoryQueue> _queues = [];
    private DateTimeOffset _now = new(2026, 11, 26, 8, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task A_table_that_was_emptied_is_listed_key_by_key()
    {
        for (var i = 0; i < Items; i++)
        {
            var item = new StoredItem($"k{i}", new Dictionary<string, AttributeValue>(), ItemVersion.Create(1000, i % 60_000, "a", "aaaaaaaa"), SeenVersions.None, IsDeleted: false, ExpiresAt: null).ToAttributes();
            _tables["a"].Rows["Items"][("", $"k{i}")] = item;
            if (i % 1000 == 0)
            {
                _tables["b"].Rows["Items"][("", $"k{i}")] = item;
            }
        }

        foreach (var region in _tables.Keys)
        {
            _queues[region] = new MemoryQueue(() => _now, _ => CallFault.None);
        }

        var store = new CompareStore(new MemoryDynamo(_tables["a"], _ => CallFault.None), "Journal", TimeSpan.FromSeconds(5));
        var comparison = Comparison.Ask(["a", "b"], "test", Items, 1e6, Settle, _now);
        await store.AddAsync(comparison, CancellationToken.None);
        var handled = 0;
        for (var minute = 0; minute < 30 && (await store.ReadAsync(comparison.Id, CancellationToken.None))!.Outcome is null; minute++)
        {
            foreach (var (region, queue) in _queues)
            {
                await HandAsync(region, """{"source":"aws.events"}""");
                while (queue.Take() is { } body)
                {
                    handled++;
                    var message = JsonSerializer.Serialize(new Dictionary<string, string> { ["messageId"] = "m", ["eventSource"] = "aws:sqs", ["body"] = body });
                    await HandAsync(region, $$"""{"Records":[{{message}}]}""");
                }
            }

            _now += TimeSpan.FromMinutes(1);
        }

        var ended = (await store.ReadAsync(comparison.Id, CancellationToken.None))!;
        var told = new List<Difference>();
        await foreach (var difference in store.ReadDifferencesAsync(comparison.Id, CancellationToken.None))
        {
            told.Add(difference);
        }

        output.WriteLine($"{ended.Groups} lists, {handled} messages, {told.Count} differences");
        Assert.True(ended.Groups > 1);
        Assert.Equal((CompareOutcome.Different, Items - (Items / 1000)), (ended.Outcome!.Value, (int)ended.Differences));
        Assert.Equal(ended.Differences, told.Count);
        Assert.Equal(told.Count, told.Select(difference => difference.Key).Distinct().Count());
        Assert.All(told, difference => Assert.Equal(DifferenceKind.Missing, difference.Kind));
    }

    private async Task HandAsync(string region, string json) =>
        Assert.Empty((await Function(region).HandleAsync(JsonDocument.Parse(json).RootElement, new TestLambdaContext(TimeSpan.FromMinutes(1)))).BatchItemFailures);

    private Function Function(string region)
    {
        var time = new SimTime(() => _now);
        return Composition.Make(
            new ReplicationAuditOptions(region, ["a", "b"], ["o"], "Items", "Journal", "queue", new ArrivalLimits(Settle, TimeSpan.FromMinutes(3)), new HashSet<string>(), TimeSpan.FromSeconds(30)),
            replica => new MemoryDynamo(_tables[replica], _ => CallFault.None),
            replica => new ReplicaReader(new MemoryDynamo(_tables[replica], _ => CallFault.None), "Items", TimeSpan.FromSeconds(30), time),
            _queues[region],
            new LineWriter(Stream.Null),
            time,
            NullLoggerFactory.Instance);
    }
}
