using Amazon.DynamoDBv2.Model;
using Failover.ItemRecord.Repair;
using Failover.Testing;

namespace Failover.ItemRecord.Tests.Repair;

/// <summary>Repair and backfill against a real engine, with a table for each region; replication is what a test does.</summary>
public sealed class RepairTests(DynoxideEngine shared) : IClassFixture<DynoxideEngine>, IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    private readonly TestEngine _engine = shared.Engine!;
    private readonly Dictionary<string, string> _tables = [];

    public async ValueTask InitializeAsync()
    {
        _tables["a"] = await _engine.TableAsync("id");
        _tables["b"] = await _engine.TableAsync("id");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task What_a_planned_move_has_fenced_is_left_alone()
    {
        await Store("a").PutAsync("x", Text("one"), null, Precondition.None, Token);
        await WriteFence.PutAsync(_engine.Client(), _tables["a"], "a", "app", TimeProvider.System.GetUtcNow(), TimeProvider.System.GetUtcNow().AddMinutes(5), Token);
        var outcome = await RepairAsync("x");
        Assert.Equal(RepairState.Changed, outcome.State);
        Assert.Contains("fenced", outcome.Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_that_the_system_knows_of_an_item_is_kept()
    {
        var item = new StoredItem("x", Text("one"), ItemVersion.Create(1, 0, "a", "aaaaaaaa"), SeenVersions.None, IsDeleted: false, TimeProvider.System.GetUtcNow().AddDays(1)) { Idempotency = "key" };
        await _engine.Client().PutItemAsync(_tables["a"], item.ToAttributes(), Token);
        await RepairAsync("x");
        var written = await ReadAsync("a", "x");
        Assert.Equal(("key", item.ExpiresAt!.Value.ToUnixTimeSeconds()), (written!.Idempotency, written.ExpiresAt!.Value.ToUnixTimeSeconds()));
        Assert.NotEqual(item.Version, written.Version);
    }

    [Fact]
    public async Task A_rehearsal_writes_nothing()
    {
        await Store("a").PutAsync("x", Text("one"), null, Precondition.None, Token);
        var before = await ReadAsync("a", "x");

        var outcome = await RepairAsync("x", applies: false);

        Assert.Equal((RepairState.Planned, "a"), (outcome.State, outcome.Region));
        Assert.Equal(before, await ReadAsync("a", "x"), Same);
        Assert.Null(await ReadAsync("b", "x"));
    }

    [Fact]
    public async Task What_does_not_replicate_is_not_told_as_repaired()
    {
        await Store("a").PutAsync("x", Text("one"), null, Precondition.None, Token);
        var first = await ReadAsync("a", "x");

        var outcome = await RepairAsync("x");

        var written = await ReadAsync("a", "x");
        Assert.Equal((RepairState.Written, written!.Version!.Value.Text), (outcome.State, outcome.Version));
        Assert.Equal(("one", first!.Version), (written.Content["text"].S, written.Seen.Of("a")));
    }

    [Fact]
    public async Task What_arrives_everywhere_is_told_as_repaired()
    {
        await Store("a").PutAsync("x", Text("one"), null, Precondition.None, Token);
        var repairing = RepairAsync("x", patience: TimeSpan.FromSeconds(30));
        while ((await ReadAsync("a", "x"))!.Seen.Of("a") is null)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Token);
        }

        await _engine.Client().PutItemAsync(_tables["b"], (await ReadAsync("a", "x"))!.ToAttributes(), Token);
        Assert.Equal(RepairState.Repaired, (await repairing).State);
        Assert.Equal(RepairState.Equal, (await RepairAsync("x")).State);
    }

    [Fact]
    public async Task A_tombstone_is_repaired_as_a_tombstone()
    {
        await Store("a").PutAsync("x", Text("one"), null, Precondition.None, Token);
        await _engine.Client().PutItemAsync(_tables["b"], (await ReadAsync("a", "x"))!.ToAttributes(), Token);
        await Store("a").DeleteAsync("x", Precondition.None, Token);

        Assert.Equal("a", (await RepairAsync("x")).Region);
        var written = await ReadAsync("a", "x");
        Assert.True(written!.IsDeleted);
        Assert.NotNull(written.ExpiresAt);
    }

    [Fact]
    public async Task A_repair_whose_answer_was_lost_is_told_as_written()
    {
        await Store("a").PutAsync("x", Text("one"), null, Precondition.None, Token);
        var outcome = await RepairAsync("x", network: new LossyNetwork(0, Loss.Answer));
        Assert.Equal(RepairState.Written, outcome.State);
        Assert.Equal(outcome.Version, (await ReadAsync("a", "x"))!.Version!.Value.Text);
    }

    [Theory]
    [InlineData(Loss.Request)]
    [InlineData(Loss.Hang)]
    public async Task A_repair_that_failed_leaves_the_item_or_says_that_it_was_written(Loss loss)
    {
        await Store("a").PutAsync("x", Text("one"), null, Precondition.None, Token);
        var outcome = await RepairAsync("x", network: new LossyNetwork(0, loss));
        Assert.Equal(loss == Loss.Request ? RepairState.Changed : RepairState.Written, outcome.State);
        Assert.Equal("one", (await ReadAsync("a", "x"))!.Content["text"].S);
    }

    [Fact]
    public async Task What_others_write_meanwhile_is_not_overwritten()
    {
        await Store("a").PutAsync("x", Text("one"), null, Precondition.None, Token);
        var read = await ReadAsync("a", "x");
        await Store("a").PutAsync("x", Text("two"), null, Precondition.None, Token);

        Assert.IsType<WriteResult.Contended>(await Store("a").RewriteAsync(read!, read!.SeenBySuccessor, Token));
        Assert.Equal("two", (await ReadAsync("a", "x"))!.Content["text"].S);
    }

    [Fact]
    public async Task Many_are_repaired_each_once()
    {
        for (var i = 0; i < 40; i++)
        {
            await Store("a").PutAsync($"k{i:D2}", Text("one"), null, Precondition.None, Token);
        }

        var outcomes = new List<RepairOutcome>();
        await foreach (var outcome in Repair(null).RepairAllAsync(Enumerable.Range(0, 80).Select(i => $"k{i % 40:D2}"), null, applies: true, TimeSpan.Zero, Token))
        {
            outcomes.Add(outcome);
        }

        Assert.Equal(Enumerable.Range(0, 40).Select(i => $"k{i:D2}"), outcomes.Select(outcome => outcome.Key));
    }

    [Fact]
    public async Task A_backfill_gives_a_version_to_what_has_none_and_leaves_the_rest()
    {
        await Store("a").PutAsync("ours", Text("one"), null, Precondition.None, Token);
        var ours = await ReadAsync("a", "ours");
        for (var i = 0; i < 250; i++)
        {
            await _engine.Client().PutItemAsync(_tables["a"], new() { ["id"] = new($"old-{i}"), ["n"] = new() { N = "1" } }, Token);
        }

        await _engine.Client().PutItemAsync(_tables["a"], new() { ["id"] = new("_heartbeat#a#o") }, Token);

        Assert.Equal(new BackfillProgress(252, 250, null), (await BackfillAsync(applies: false)).Last());
        Assert.Null((await ReadAsync("a", "old-7"))!.Version);

        // Stopped after its first page, and begun again from where it was.
        var first = (await BackfillAsync(applies: true, pages: 1)).Single();
        Assert.NotNull(first.Cursor);
        var rest = (await BackfillAsync(applies: true, after: first.Cursor)).Last();
        Assert.Equal(250, first.Adopted + rest.Adopted);
        Assert.Equal(0, (await BackfillAsync(applies: true)).Last().Adopted);
        var adopted = await ReadAsync("a", "old-7");
        Assert.Equal(("a", "1"), (adopted!.Version!.Value.Region, adopted.Content["n"].N));
        Assert.Empty(adopted.Seen.All);
        Assert.Equal(ours, await ReadAsync("a", "ours"), Same);
        Assert.Null((await ReadAsync("a", "_heartbeat#a#o"))!.Version);
    }

    private async Task<List<BackfillProgress>> BackfillAsync(bool applies, string? after = null, int pages = int.MaxValue)
    {
        var all = new List<BackfillProgress>();
        await foreach (var progress in new Backfill(_engine.Client(), _tables["a"], new VersionClock("a", TimeProvider.System), TimeProvider.System, Timeout).RunAsync(after, 1e6, applies, Token))
        {
            all.Add(progress);
            if (all.Count == pages)
            {
                break;
            }
        }

        return all;
    }

    private Task<RepairOutcome> RepairAsync(string key, bool applies = true, LossyNetwork? network = null, TimeSpan patience = default) =>
        Repair(network).RepairAsync(key, prefer: null, applies, patience, Token);

    private ItemRepair Repair(LossyNetwork? network) => new(new Dictionary<string, ItemStore> { ["a"] = Store("a", network), ["b"] = Store("b") }, TimeProvider.System);

    private ItemStore Store(string region, LossyNetwork? network = null) =>
        new(_engine.Client(network), _tables[region], region, new VersionClock(region, TimeProvider.System), TimeProvider.System, Timeout);

    private Task<StoredItem?> ReadAsync(string region, string key) => Store(region).ReadAsync(key, consistent: true, Token);

    private static bool Same(StoredItem? one, StoredItem? other) => one is null ? other is null : other is not null && RepairRule.AreEqual(one, other);

    private static Dictionary<string, AttributeValue> Text(string text) => new() { ["text"] = new(text) };
}
