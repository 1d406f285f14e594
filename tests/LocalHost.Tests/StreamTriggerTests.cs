using System.Text.Json.Nodes;
using Failover.LocalHost.Engines;
using Failover.LocalHost.Processes;
using Failover.LocalHost.Streams;

namespace Failover.LocalHost.Tests;

/// <summary>The trigger over a real engine's stream: in order, each once where all goes well, on from the checkpoint where it does not.</summary>
public sealed class StreamTriggerTests : IAsyncLifetime
{
    private const string Table = "Items";
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    private readonly Undertaker _undertaker = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<List<string>> _batches = [];
    private Engine _engine = null!;
    private Task _running = Task.CompletedTask;
    private volatile bool _down;

    public async ValueTask InitializeAsync()
    {
        _engine = await Engine.StartAsync(_undertaker, null, Token);
        await _engine.CreateTableAsync(Table, "id", null, stream: true, Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _running);
        await _engine.DisposeAsync();
        _undertaker.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public async Task Every_change_is_handed_over_once_and_in_order()
    {
        await PutAsync("a", "b", "c");
        Start(_ => null);
        await EventuallyAsync(() => Handed() == "abc");
        await PutAsync("d");
        await EventuallyAsync(() => Handed() == "abcd");
    }

    [Fact]
    public async Task What_changes_nothing_is_no_change()
    {
        await PutAsync("a", "a", "b");
        Start(_ => null);

        await EventuallyAsync(() => Handed() == "ab");
    }

    [Fact]
    public async Task A_failure_is_where_it_goes_on_and_nothing_before_it_comes_again()
    {
        await PutAsync("a", "b", "c");
        var calls = 0;
        Start(_ => ++calls == 1 ? "b" : null);

        await EventuallyAsync(() => Handed() == "abcbc");
        Assert.Equal(["abc", "bc"], Batches());
    }

    [Fact]
    public async Task A_record_that_keeps_failing_is_kept_and_nothing_passes_it()
    {
        await PutAsync("a", "b", "c");
        var calls = 0;
        Start(batch => ++calls < 12 && batch.Contains("b") ? "b" : null);

        await EventuallyAsync(() => calls == 12);
        Assert.Equal(["abc", .. Enumerable.Repeat("bc", 11)], Batches());
    }

    [Fact]
    public async Task A_function_that_gives_no_answer_is_asked_again()
    {
        await PutAsync("a", "b");
        var calls = 0;
        Start(_ => ++calls == 1 ? "" : null);

        await EventuallyAsync(() => Batches() is ["ab", "ab"]);
    }

    [Fact]
    public async Task A_region_that_is_down_reads_on_afterwards()
    {
        _down = true;
        Start(_ => null);
        await PutAsync("a");
        await Task.Delay(TimeSpan.FromMilliseconds(600), TimeProvider.System, Token);
        Assert.Empty(Batches());

        _down = false;
        await EventuallyAsync(() => Handed() == "a");
    }

    /// <summary>The function answers the key of the record that failed, nothing at all for an empty text, and null where all is done.</summary>
    private void Start(Func<List<string>, string?> fails)
    {
        var trigger = new StreamTrigger(new TableStream(_engine, Table), "east", batch => Task.FromResult(Answer(batch)), () => _down, TimeProvider.System);
        _running = trigger.RunAsync(_stop.Token);

        byte[]? Answer(byte[] batch)
        {
            var records = JsonNode.Parse(batch)!["Records"]!.AsArray();
            List<string> keys = [.. records.Select(record => (string)record!["dynamodb"]!["Keys"]!["id"]!["S"]!)];
            Assert.All(records, record => Assert.Equal("east", (string?)record!["awsRegion"]));
            lock (_batches)
            {
                _batches.Add(keys);
            }

            return fails(keys) switch
            {
                "" => null,
                { } key => System.Text.Encoding.UTF8.GetBytes(new JsonObject
                {
                    ["batchItemFailures"] = new JsonArray(new JsonObject { ["itemIdentifier"] = (string?)records[keys.IndexOf(key)]!["dynamodb"]!["SequenceNumber"] }),
                }.ToJsonString()),
                null => """{"batchItemFailures":[]}"""u8.ToArray(),
            };
        }
    }

    private List<string> Batches()
    {
        lock (_batches)
        {
            return [.. _batches.Select(batch => string.Concat(batch))];
        }
    }

    private string Handed() => string.Concat(Batches());

    private async Task PutAsync(params string[] ids)
    {
        foreach (var id in ids)
        {
            await _engine.CallAsync("DynamoDB_20120810.PutItem", new JsonObject { ["TableName"] = Table, ["Item"] = new JsonObject { ["id"] = new JsonObject { ["S"] = id } } }, Token);
        }
    }

    private static async Task EventuallyAsync(Func<bool> isTrue)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!isTrue())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(60), "it did not come true within 60 s");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Token);
        }
    }
}
