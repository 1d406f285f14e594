using Amazon.DynamoDBv2.Model;
using Failover.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Failover.ItemRecord.Tests;

/// <summary>The store against a real engine: conditions, tombstones, adoption, and answers that are lost.</summary>
public abstract class ItemStoreTests(TestEngine? engine, string? whyNone) : IAsyncLifetime
{
    private const string Region = "us-east-1";
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    private readonly TestEngine _engine = engine!;
    private string _table = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(_engine is null, whyNone ?? "");
        _table = await _engine.TableAsync("id");
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_write_follows_what_it_replaces()
    {
        var store = Store();
        var first = Written(await store.PutAsync("x", Text("one"), null, Precondition.None, Token));
        var second = Written(await store.PutAsync("x", Text("two"), null, Precondition.None, Token));

        Assert.True(first.Created);
        Assert.False(second.Created);
        Assert.True(second.Item.Version > first.Item.Version);
        Assert.Equal(first.Item.Version, second.Item.Seen.Of(Region));
        Assert.Equal("two", (await store.ReadAsync("x", consistent: true, Token))!.Content["text"].S);
    }

    [Fact]
    public async Task A_delete_is_a_versioned_tombstone_that_a_put_follows()
    {
        var store = Store();
        await store.PutAsync("x", Text("one"), null, Precondition.None, Token);
        var deleted = Written(await store.DeleteAsync("x", Precondition.None, Token));
        var again = await store.DeleteAsync("x", Precondition.None, Token);
        var put = Written(await store.PutAsync("x", Text("two"), null, Precondition.None, Token));

        Assert.True(deleted.Item.IsDeleted);
        Assert.True(deleted.Item.ExpiresAt - TimeProvider.System.GetUtcNow() >= TimeSpan.FromDays(7));
        Assert.IsType<WriteResult.NotFound>(again);
        Assert.True(put.Created);
        Assert.Equal(deleted.Item.Version, put.Item.Seen.Of(Region));
        Assert.False((await store.ReadAsync("x", consistent: true, Token))!.IsDeleted);
    }

    [Fact]
    public async Task A_precondition_that_does_not_hold_writes_nothing()
    {
        var store = Store();
        var first = Written(await store.PutAsync("x", Text("one"), null, Precondition.None, Token));
        var second = Written(await store.PutAsync("x", Text("two"), null, new Precondition([first.Item.Version!.Value.Text]), Token));

        Assert.IsType<WriteResult.PreconditionFailed>(await store.PutAsync("x", Text("three"), null, new Precondition([first.Item.Version.Value.Text]), Token));
        Assert.IsType<WriteResult.PreconditionFailed>(await store.PutAsync("x", Text("three"), null, new Precondition(IfAbsent: true), Token));
        Assert.Equal(second.Item.Version, (await store.ReadAsync("x", consistent: true, Token))!.Version);
    }

    [Fact]
    public async Task Writers_at_once_lose_no_update()
    {
        const int Writers = 8;
        var stores = Enumerable.Range(0, Writers).Select(_ => Store()).ToList();
        var results = await Task.WhenAll(stores.Select((store, i) => store.PutAsync("x", Text($"{i}"), null, Precondition.None, Token)));

        // Each that says it was written is current, or has been seen by the one that followed it: a chain without a gap.
        var written = results.OfType<WriteResult.Written>().Select(result => result.Item).OrderBy(item => item.Version!.Value).ToList();
        Assert.NotEmpty(written);
        Assert.All(results, result => Assert.True(result is WriteResult.Written or WriteResult.Contended));
        for (var i = 1; i < written.Count; i++)
        {
            Assert.Equal(written[i - 1].Version, written[i].Seen.Of(Region));
        }

        Assert.Equal(written[^1].Version, (await stores[0].ReadAsync("x", consistent: true, Token))!.Version);
    }

    [Fact]
    public async Task An_item_that_others_wrote_is_adopted_as_it_was_read()
    {
        using var client = _engine.Client();
        await client.PutItemAsync(_table, new() { ["id"] = new("x"), ["text"] = new("foreign"), ["n"] = new() { N = "1" } }, Token);
        var store = Store();
        var read = await store.ReadAsync("x", consistent: true, Token);
        var put = Written(await store.PutAsync("x", Text("ours"), null, Precondition.None, Token));

        Assert.Null(read!.Version);
        Assert.False(put.Created);
        Assert.Empty(put.Item.Seen.All);
    }

    [Theory]
    [InlineData(0, Loss.Answer)]
    [InlineData(2, Loss.Answer)]
    [InlineData(0, Loss.Hang)]
    public async Task A_write_whose_answer_was_lost_is_recognised_as_its_own(int sdkRetries, Loss loss)
    {
        var network = new LossyNetwork(sdkRetries, loss);
        var result = Written(await Store(network).PutAsync("x", Text("mine"), null, Precondition.None, Token));

        Assert.Equal(result.Item.Version, (await Store().ReadAsync("x", consistent: true, Token))!.Version);
        Assert.Equal(sdkRetries == 0 ? 1 : 2, network.Writes);
    }

    [Fact]
    public async Task A_lost_answer_is_recognised_after_another_writer_followed_it()
    {
        var network = new LossyNetwork(0, Loss.Answer)
        {
            AfterLoss = async () => Written(await Store().PutAsync("x", Text("other"), null, Precondition.None, Token)),
        };
        var result = Written(await Store(network).PutAsync("x", Text("mine"), null, Precondition.None, Token));

        var current = await Store().ReadAsync("x", consistent: true, Token);
        Assert.Equal("other", current!.Content["text"].S);
        Assert.Equal(result.Item.Version, current.Seen.Of(Region));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task What_a_later_send_is_answered_says_nothing_of_one_before_it(int sdkRetries)
    {
        // The second is refused: as the SDK's own, or as the next try. What then became of the first, nobody has seen.
        var network = new LossyNetwork(sdkRetries, Loss.Late, Loss.Throttled, Loss.Throttled, Loss.Throttled, Loss.Throttled, Loss.Throttled, Loss.Throttled, Loss.Throttled, Loss.Throttled);
        Assert.IsType<WriteResult.OutcomeUnknown>(await Store(network).PutAsync("x", Text("mine"), null, Precondition.None, Token));
        var refused = new LossyNetwork(sdkRetries, Loss.Throttled, Loss.Throttled);
        await Assert.ThrowsAsync<ProvisionedThroughputExceededException>(() => Store(refused).PutAsync("y", Text("mine"), null, Precondition.None, Token));

        Assert.Equal(sdkRetries + 1, refused.Writes);
    }

    [Fact]
    public async Task What_is_refused_at_its_second_send_may_have_happened_at_its_first()
    {
        var before = Written(await Store().PutAsync("x", Text("before"), null, Precondition.None, Token)).Item;
        LossyNetwork Network() => new(1, Loss.Answer)
        {
            // Two others follow the write: what is current then has not seen it itself.
            AfterLoss = async () =>
            {
                Written(await Store().PutAsync("x", Text("other"), null, Precondition.None, Token));
                Written(await Store().PutAsync("x", Text("another"), null, Precondition.None, Token));
            },
        };

        Assert.IsType<WriteResult.OutcomeUnknown>(await Store(Network()).PutAsync("x", Text("mine"), null, new Precondition([before.Version!.Value.Text]), Token));
        Assert.Equal("another", (await Store().ReadAsync("x", consistent: true, Token))!.Content["text"].S);
        var current = (await Store().ReadAsync("x", consistent: true, Token))!;
        Assert.IsType<WriteResult.OutcomeUnknown>(await Store(Network()).RewriteAsync(current, current.SeenBySuccessor, Token));
    }

    [Fact]
    public async Task A_clock_that_is_found_wrong_later_does_not_unsay_a_write()
    {
        var far = ItemVersion.Create(Now.AddDays(1).ToUnixTimeMilliseconds(), 0, "us-west-2", "writer00");
        var before = Written(await Store().PutAsync("x", Text("before"), null, Precondition.None, Token)).Item;
        var network = new LossyNetwork(0, Loss.Request)
        {
            // The same version still stands, so that it is tried once more: but by now it has seen what lies too far ahead.
            AfterLoss = async () =>
            {
                using var client = _engine.Client();
                await client.PutItemAsync(_table, (before with { Seen = before.Seen.With(far) }).ToAttributes(), Token);
            },
        };
        var store = new ItemStore(_engine.Client(network), _table, Region, new VersionClock(Region, new FakeTimeProvider(Now), aheadMax: TimeSpan.FromMinutes(1)), TimeProvider.System, TimeSpan.FromSeconds(2));

        Assert.IsType<WriteResult.OutcomeUnknown>(await store.PutAsync("x", Text("mine"), null, Precondition.None, Token));
    }

    [Fact]
    public async Task What_is_refused_anyway_asks_no_clock()
    {
        var far = ItemVersion.Create(Now.AddDays(1).ToUnixTimeMilliseconds(), 0, "us-west-2", "writer00");
        using var client = _engine.Client();
        await client.PutItemAsync(_table, new StoredItem("x", Text("far"), far, SeenVersions.None, IsDeleted: false, null).ToAttributes(), Token);
        var store = new ItemStore(client, _table, Region, new VersionClock(Region, new FakeTimeProvider(Now), aheadMax: TimeSpan.FromMinutes(1)), TimeProvider.System, TimeSpan.FromSeconds(2));

        Assert.IsType<WriteResult.PreconditionFailed>(await store.PutAsync("x", Text("mine"), null, new Precondition(["other"]), Token));
        Assert.IsType<WriteResult.PreconditionFailed>(await store.CreateAsync("x", Text("mine"), null, null, Token));
        await Assert.ThrowsAsync<ClockDriftException>(() => store.PutAsync("x", Text("mine"), null, Precondition.None, Token));
    }

    [Fact]
    public async Task Whether_it_may_still_be_written_is_asked_right_before()
    {
        var (readBefore, network) = (new List<int>(), new LossyNetwork(0));
        var store = new ItemStore(_engine.Client(network), _table, Region, new VersionClock(Region, TimeProvider.System), TimeProvider.System, TimeSpan.FromSeconds(2), MayWrite);

        Assert.IsType<WriteResult.Forbidden>(await store.PutAsync("x", Text("mine"), null, Precondition.None, Token));
        Assert.Null(await store.ReadAsync("x", consistent: true, Token));
        Written(await store.PutAsync("x", Text("mine"), null, Precondition.None, Token));
        // The fence is read once; an item before each write, and once above.
        Assert.Equal([2, 4], readBefore);

        bool MayWrite()
        {
            readBefore.Add(network.Reads);
            return readBefore.Count > 1;
        }
    }

    [Fact]
    public async Task A_create_is_known_again_after_its_item_was_deleted_and_made_anew()
    {
        var store = Store();
        var (one, other) = (new CreateKey("k1", "r1"), new CreateKey("k2", "r2"));
        var first = Written(await store.CreateAsync("x", Text("one"), null, one, Token)).Item;
        await store.DeleteAsync("x", Precondition.None, Token);
        var second = Written(await store.CreateAsync("x", Text("two"), null, other, Token)).Item;

        Assert.Equal(new WriteResult.Replayed(first.Version), await store.CreateAsync("x", Text("one"), null, one, Token));
        Assert.Equal(new WriteResult.Replayed(second.Version), await store.CreateAsync("x", Text("two"), null, other, Token));
        Assert.IsType<WriteResult.KeyReused>(await store.CreateAsync("x", Text("one"), null, one with { Request = "r3" }, Token));
    }

    [Fact]
    public async Task A_lost_request_is_written_anew()
    {
        var network = new LossyNetwork(0, Loss.Request);
        Written(await Store(network).PutAsync("x", Text("mine"), null, Precondition.None, Token));

        Assert.Equal(2, network.Writes);
    }

    [Fact]
    public async Task A_create_whose_request_came_late_is_not_taken_for_anothers()
    {
        var network = new LossyNetwork(0, Loss.Late);
        var result = Written(await Store(network).PutAsync("x", Text("mine"), null, new Precondition(IfAbsent: true), Token));

        Assert.True(result.Created);
        Assert.Equal(result.Item.Version, (await Store().ReadAsync("x", consistent: true, Token))!.Version);
    }

    [Fact]
    public async Task A_delete_whose_request_came_late_is_the_success_that_it_was()
    {
        await Store().PutAsync("x", Text("before"), null, Precondition.None, Token);
        var network = new LossyNetwork(0, Loss.Late);

        Assert.True(Written(await Store(network).DeleteAsync("x", Precondition.None, Token)).Item.IsDeleted);
    }

    [Fact]
    public async Task Somebody_elses_write_is_never_taken_for_ones_own()
    {
        var first = Written(await Store().PutAsync("x", Text("before"), null, Precondition.None, Token));
        // The request is lost; meanwhile another writer replaces the item.
        var network = new LossyNetwork(0, Loss.Answer)
        {
            AfterLoss = async () =>
            {
                using var client = _engine.Client();
                await client.PutItemAsync(_table, first.Item.ToAttributes(), Token);
                Written(await Store().PutAsync("x", Text("other"), null, Precondition.None, Token));
            },
        };

        Assert.IsType<WriteResult.OutcomeUnknown>(await Store(network).PutAsync("x", Text("mine"), null, Precondition.None, Token));
        Assert.Equal("other", (await Store().ReadAsync("x", consistent: true, Token))!.Content["text"].S);
    }

    [Fact]
    public async Task A_list_passes_over_the_system_and_tombstones_and_pages_to_the_end()
    {
        var store = Store();
        using var client = _engine.Client();
        await client.PutItemAsync(_table, new() { ["id"] = new("_heartbeat#a#b"), ["at"] = new() { N = "1" } }, Token);
        for (var i = 0; i < 7; i++)
        {
            await store.PutAsync($"item-{i}", Text("x"), null, Precondition.None, Token);
        }

        await store.DeleteAsync("item-3", Precondition.None, Token);
        var ids = new List<string>();
        string? after = null;
        do
        {
            var (items, next) = await store.ListAsync(2, after, consistent: false, Token);
            ids.AddRange(items.Select(item => item.Id));
            after = next;
        }
        while (after is not null);

        Assert.Equal(["item-0", "item-1", "item-2", "item-4", "item-5", "item-6"], ids.Order(StringComparer.Ordinal));
    }

    private static readonly DateTimeOffset Now = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);

    /// <summary>Every store has the same frozen version clock: order comes from what is seen, never from time.</summary>
    [Fact]
    public async Task A_fence_stops_writes_at_its_replica_until_it_ends_or_its_own_order_lifts_it()
    {
        var time = new FakeTimeProvider(Now);
        var store = Store(time: time);
        await store.PutAsync("x", Text("one"), null, Precondition.None, Token);
        Assert.True(await FenceAsync(Region, "app", Now, Now.AddMinutes(1)));
        await FenceAsync("elsewhere", "app", Now, Now.AddDays(1));

        // What was read of the fence is believed for two seconds.
        var passed = await store.PutAsync("x", Text("two"), null, Precondition.None, Token);
        time.Advance(WriteFence.Believed);
        var put = await store.PutAsync("x", Text("three"), null, Precondition.None, Token);
        var delete = await store.DeleteAsync("x", Precondition.None, Token);
        var read = await store.ReadAsync("x", consistent: true, Token);
        time.Advance(TimeSpan.FromMinutes(1));
        var ended = await store.PutAsync("x", Text("four"), null, Precondition.None, Token);
        await FenceAsync(Region, "app", Now.AddMinutes(1), time.GetUtcNow().AddMinutes(1));
        Assert.False(await FenceAsync(Region, "app", Now, null));
        await FenceAsync(Region, "shop", Now.AddMinutes(2), null);
        time.Advance(WriteFence.Believed);
        Assert.IsType<WriteResult.Fenced>(await store.PutAsync("x", Text("no"), null, Precondition.None, Token));
        Assert.True(await FenceAsync(Region, "app", Now.AddMinutes(1), null));
        time.Advance(WriteFence.Believed);
        var lifted = await store.PutAsync("x", Text("five"), null, Precondition.None, Token);

        Written(passed);
        Assert.Equal(new WriteResult.Fenced(Now.AddMinutes(1)), put);
        Assert.Equal(new WriteResult.Fenced(Now.AddMinutes(1)), delete);
        Assert.Equal("two", read!.Content["text"].S);
        Written(ended);
        Written(lifted);
    }

    private Task<bool> FenceAsync(string replica, string service, DateTimeOffset order, DateTimeOffset? until) =>
        WriteFence.PutAsync(_engine.Client(), _table, replica, service, order, until, Token);

    private ItemStore Store(LossyNetwork? network = null, TimeProvider? time = null) => new(
        _engine.Client(network), _table, Region, new VersionClock(Region, new FakeTimeProvider(Now)), time ?? TimeProvider.System, TimeSpan.FromMilliseconds(network?.SdkRetries > 0 ? 10_000 : 2000));

    private static Dictionary<string, AttributeValue> Text(string text) => new() { ["text"] = new(text) };

    private static WriteResult.Written Written(WriteResult result) => Assert.IsType<WriteResult.Written>(result);
}

/// <summary>On the engine that LocalHost runs.</summary>
public sealed class ItemStoreOnDynoxideTests(DynoxideEngine shared) : ItemStoreTests(shared.Engine, null), IClassFixture<DynoxideEngine>;

/// <summary>On AWS's own DynamoDB Local, an independent peer, where it is installed.</summary>
public sealed class ItemStoreOnDynamoDbLocalTests(DynamoDbLocalEngine shared)
    : ItemStoreTests(shared.Engine, "DynamoDB Local is not on this machine: 'npm ci' in tests/Engine installs it; it needs Java."), IClassFixture<DynamoDbLocalEngine>;
