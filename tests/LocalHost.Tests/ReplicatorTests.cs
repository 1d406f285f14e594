using System.Text.Json.Nodes;
using Failover.LocalHost.Engines;
using Failover.LocalHost.Functions;
using Failover.LocalHost.Network;
using Failover.LocalHost.Processes;
using Failover.LocalHost.Regions;
using Failover.LocalHost.Replication;

namespace Failover.LocalHost.Tests;

/// <summary>Replication between two real engines: everything arrives, the last writer wins in both, a pause loses nothing.</summary>
public sealed class ReplicatorTests : IAsyncLifetime
{
    private const string Table = "Items";
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    private readonly Faults _faults = new(TimeSpan.Zero);
    private readonly Undertaker _undertaker = new();
    private readonly List<Region> _regions = [];
    private Replicator _replicator = null!;

    public async ValueTask InitializeAsync()
    {
        foreach (var (name, number) in new[] { ("east", 1), ("west", 2) })
        {
            var engine = await Engine.StartAsync(_undertaker, null, Token);
            await engine.CreateTableAsync(Table, "id", null, stream: true, Token);
            var unused = new FunctionHost(new FunctionDefinition("none", name, "none", new Dictionary<string, string>(), TimeSpan.Zero, 1, ""), _undertaker, Directory.CreateTempSubdirectory().FullName);
            _regions.Add(new Region(name, number, engine, "", TimeProvider.System) { HealthCheck = unused });
        }

        _replicator = new Replicator(_regions, Table, _faults, TimeProvider.System);
        _replicator.Start();
    }

    public async ValueTask DisposeAsync()
    {
        await _replicator.DisposeAsync();
        foreach (var region in _regions)
        {
            await region.Engine.DisposeAsync();
            await region.HealthCheck.DisposeAsync();
        }

        _undertaker.Dispose();
    }

    [Fact]
    public async Task Puts_and_deletes_arrive_on_the_other_side()
    {
        await PutAsync(0, "x", "one");
        await EventuallyAsync(async () => await TextAsync(1, "x") == "one");
        await WriteAsync(1, "DeleteItem", new JsonObject { ["Key"] = Key("x") });
        await EventuallyAsync(async () => await TextAsync(0, "x") is null);
    }

    [Fact]
    public async Task The_deepest_item_arrives_and_what_follows_it_too()
    {
        JsonNode deep = new JsonObject { ["S"] = "bottom" };
        for (var i = 0; i < 31; i++)
        {
            deep = new JsonObject { ["L"] = new JsonArray(deep) };
        }

        await WriteAsync(0, "PutItem", new JsonObject { ["Item"] = new JsonObject { ["id"] = new JsonObject { ["S"] = "deep" }, ["text"] = new JsonObject { ["S"] = "deep" }, ["d"] = deep } });
        await PutAsync(0, "after", "one");
        await EventuallyAsync(async () => await TextAsync(1, "deep") == "deep" && await TextAsync(1, "after") == "one");
    }

    [Fact]
    public async Task The_last_writer_wins_in_both_whichever_side_it_was()
    {
        for (var last = 0; last < 2; last++)
        {
            var pause = _faults.Add(new Fault("", "replication-pause"));
            await PutAsync(1 - last, $"k{last}", "early");
            await EventuallyAsync(() => Task.FromResult(_replicator.Backlog(_regions[1 - last].Name, _regions[last].Name) > TimeSpan.Zero));
            await PutAsync(last, $"k{last}", "late");
            await EventuallyAsync(() => Task.FromResult(_replicator.Backlog(_regions[last].Name, _regions[1 - last].Name) > TimeSpan.Zero));
            _faults.Remove(pause.Id);
            await EventuallyAsync(async () => await TextAsync(0, $"k{last}") == "late" && await TextAsync(1, $"k{last}") == "late");
            // What is delivered is shown before it is taken off the list: else the next round would take it for its own first write.
            await EventuallyAsync(() => Task.FromResult(_replicator.Backlog("east", "west") == TimeSpan.Zero && _replicator.Backlog("west", "east") == TimeSpan.Zero));
        }
    }

    [Fact]
    public async Task Both_sides_end_the_same_under_writes_from_both()
    {
        await Task.WhenAll(Enumerable.Range(0, 2).Select(async side =>
        {
            for (var i = 0; i < 100; i++)
            {
                await PutAsync(side, $"k{i % 10}", $"{side}-{i}");
            }
        }));
        await EventuallyAsync(async () =>
        {
            for (var i = 0; i < 10; i++)
            {
                if (await TextAsync(0, $"k{i}") != await TextAsync(1, $"k{i}"))
                {
                    return false;
                }
            }

            return _replicator.Backlog("east", "west") == TimeSpan.Zero && _replicator.Backlog("west", "east") == TimeSpan.Zero;
        });
    }

    [Fact]
    public async Task A_pause_delivers_everything_afterwards_in_order()
    {
        var pause = _faults.Add(new Fault("", "replication-pause") { From = "east", To = "west" });
        for (var i = 0; i < 20; i++)
        {
            await PutAsync(0, "x", $"{i}");
        }

        await PutAsync(1, "y", "flows");
        await EventuallyAsync(async () => await TextAsync(0, "y") == "flows");
        Assert.Null(await TextAsync(1, "x"));
        _faults.Remove(pause.Id);
        await EventuallyAsync(async () => await TextAsync(1, "x") == "19");
    }

    private Task PutAsync(int side, string id, string text) =>
        WriteAsync(side, "PutItem", new JsonObject { ["Item"] = new JsonObject { ["id"] = new JsonObject { ["S"] = id }, ["text"] = new JsonObject { ["S"] = text } } });

    private async Task WriteAsync(int side, string operation, JsonObject request)
    {
        request["TableName"] = Table;
        await _regions[side].ItemsTurn.WaitAsync(Token);
        try
        {
            await _regions[side].Engine.CallAsync("DynamoDB_20120810." + operation, request, Token);
        }
        finally
        {
            _regions[side].ItemsTurn.Release();
        }
    }

    private async Task<string?> TextAsync(int side, string id) =>
        (string?)(await _regions[side].Engine.CallAsync("DynamoDB_20120810.GetItem", new JsonObject { ["TableName"] = Table, ["Key"] = Key(id) }, Token))["Item"]?["text"]?["S"];

    private static JsonObject Key(string id) => new() { ["id"] = new JsonObject { ["S"] = id } };

    private static async Task EventuallyAsync(Func<Task<bool>> isTrue)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await isTrue())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(60), "it did not come true within 60 s");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Token);
        }
    }
}
