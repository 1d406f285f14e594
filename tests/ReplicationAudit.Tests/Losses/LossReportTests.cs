using Failover.ControlPlane;
using Failover.ItemRecord;
using Failover.ReplicationAudit.Losses;
using Failover.Testing;

namespace Failover.ReplicationAudit.Tests.Losses;

/// <summary>Region a is lost, and the name moves to b: what that cost, as b's function counts it.</summary>
public abstract class LossReportTests(TestEngine? engine, string whyNone = "") : IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    private readonly ModelRegions _model = new("a", "b");
    private TestAudit _audit = null!;
    private int _handedA;
    private int _handedB;

    private MoveStore Moves => new(engine!.Client(), _audit.JournalTable, TimeSpan.FromSeconds(5));

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(engine is null, whyNone);
        _audit = new TestAudit(engine!, _model.Time);
        await _audit.MakeTablesAsync();
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task What_was_missing_when_the_move_landed_and_what_is_missing_still_are_told_key_by_key()
    {
        // x0 arrives in time; then a is lost, with x1, x2 and x3 under way.
        await WriteAsync("x0");
        await ArriveAsync();
        await WriteAsync("x1", "x2", "x3");
        _model.Advance(TimeSpan.FromMinutes(1));
        await LandAsync();
        await TestAudit.PatrolAsync(_audit.Function("b"));
        Assert.Equal((0, 0, false), await LossAsync());

        // An hour later it is back, and they come; what is written now is not the move's.
        _model.Advance(TimeSpan.FromHours(1));
        await WriteAsync("after");
        await ArriveAsync();
        await TestAudit.PatrolAsync(_audit.Function("b"));
        Assert.Equal((3, 0, false), await LossAsync());

        // Its audit reads what it has not read yet.
        await BeatAsync();
        await ReadStreamAsync("a");
        await TestAudit.PatrolAsync(_audit.Function("b"));
        Assert.Equal((3, 0, false), await LossAsync());

        // And b has read of its own stream what had come by then.
        await BeatAtBAsync();
        await TestAudit.PatrolAsync(_audit.Function("b"));
        Assert.Equal((3, 0, true), await LossAsync());
        Assert.Equal([("x1", false), ("x2", false), ("x3", false)], (await KeysAsync()).Select(key => (key.Key, key.IsStillMissing)));
    }

    [Fact]
    public async Task A_write_that_never_comes_is_missing_still_when_the_rest_is_through()
    {
        await WriteAsync("x1", "x2");
        await LandAsync();
        _model.Advance(TimeSpan.FromHours(1));
        await ArriveAsync(except: "x2");
        await BeatAsync();
        await ReadStreamAsync("a");
        await TestAudit.PatrolAsync(_audit.Function("b"));
        Assert.Equal((2, 1, false), await LossAsync());

        while (_audit.Queue.Sent is [{ DelaySeconds: < 60 }, ..])
        {
            Assert.True(await TestAudit.HandMessageAsync(_audit.Function("a"), _audit.Queue.Take().Body));
        }

        await TestAudit.PatrolAsync(_audit.Function("b"));
        Assert.Equal((2, 1, false), await LossAsync());
        await BeatAtBAsync();
        await TestAudit.PatrolAsync(_audit.Function("b"));
        Assert.Equal((2, 1, true), await LossAsync());
        Assert.Equal([("x1", false), ("x2", true)], (await KeysAsync()).Select(key => (key.Key, key.IsStillMissing)));

        // Told once: what is final is not counted again.
        var count = _audit.Count("MissingAtMove");
        await TestAudit.PatrolAsync(_audit.Function("b"));
        Assert.Equal(count, _audit.Count("MissingAtMove"));
    }

    /// <summary>Clients go on at b and overwrite what has not come; when it comes, it is beaten, and no stream but a's own ever tells of it.</summary>
    [Fact]
    public async Task A_write_that_is_beaten_before_it_could_arrive_is_missing_for_good()
    {
        await WriteAsync("x1");
        await LandAsync();
        _model.Advance(TimeSpan.FromHours(1));
        _model.Put("b", "x1");
        await _audit.PutAsync("b", _model.Read("b", "x1"));
        _model.DeliverAll(merged: true);
        await _audit.PutAsync("a", _model.Read("a", "x1"));
        await BeatAsync();
        await ReadStreamAsync("a");
        Assert.Equal(FindingKind.LostUpdate, Assert.Single(await _audit.Journal.ReadFindingsAsync(10, Token)).Kind);

        await TestAudit.PatrolAsync(_audit.Function("b"));
        Assert.Equal((1, 1, false), await LossAsync());
        await BeatAtBAsync();
        await TestAudit.PatrolAsync(_audit.Function("b"));
        Assert.Equal((1, 1, true), await LossAsync());
    }

    [Fact]
    public async Task A_move_to_another_region_is_not_counted_here()
    {
        await LandAsync();
        await TestAudit.PatrolAsync(_audit.Function("a"));
        Assert.Empty(await Moves.ReadLossesAsync(10, Token));
    }

    [Fact]
    public void What_is_told_by_both_sides_is_counted_once_and_arrived()
    {
        var (before, after) = (ItemVersion.Create(1000, 0, "a", "aaaaaaaa").Text, ItemVersion.Create(3000, 0, "a", "aaaaaaaa").Text);
        var move = new JournaledMove("app", 1, new MoveEnd("a", "a"), new MoveEnd("b", "b"), DateTimeOffset.FromUnixTimeMilliseconds(2000));
        LateArrival Late(string key, string version, long at) => new(key, version, DateTimeOffset.FromUnixTimeMilliseconds(at));

        var lost = LossRule.Lost(
            move,
            [Late("late", before, 2001), Late("late", before, 9000), Late("in time", before, 2000), Late("after", after, 9000), Late("another's", ItemVersion.Create(1000, 0, "c", "aaaaaaaa").Text, 9000)],
            [("late", before), ("pending", before), ("new", after)],
            [new LostKey("replaced since", before, true), new LostKey("pending", before, true)]);

        Assert.Equal([new LostKey("late", before, false), new LostKey("pending", before, true), new LostKey("replaced since", before, false)], lost);
    }

    private async Task WriteAsync(params string[] keys)
    {
        foreach (var key in keys)
        {
            _model.Put("a", key);
            await _audit.PutAsync("a", _model.Read("a", key));
        }
    }

    /// <summary>Replication delivers, and b's function reads of it.</summary>
    private async Task ArriveAsync(string? except = null)
    {
        _model.Deliver("a", "b", merged: true);
        var records = _model.Stream("b").Skip(_handedB).Where(record => except is null || !record.Contains($"\"{except}\"", StringComparison.Ordinal)).ToList();
        _handedB = _model.Stream("b").Count;
        Assert.Null(await TestAudit.HandAsync(_audit.Function("b"), records));
        foreach (var key in new[] { "x0", "x1", "x2", "x3", "after" }.Where(key => key != except && records.Exists(record => record.Contains($"\"{key}\"", StringComparison.Ordinal))))
        {
            await _audit.PutAsync("b", _model.Read("b", key));
        }
    }

    private Task LandAsync() => Moves.AddAsync(new JournaledMove("app", 7, new MoveEnd("east", "a"), new MoveEnd("west", "b"), _model.Now), Token);

    private async Task BeatAsync()
    {
        _model.Foreign("a", HeartbeatRow.IdOf("a", TestAudit.Observer), new() { [ItemAttributes.Id] = new(HeartbeatRow.IdOf("a", TestAudit.Observer)), [HeartbeatRow.At] = new() { N = $"{_model.Now.ToUnixTimeMilliseconds()}" } });
        await _audit.BeatAsync("a", "a", _model.Now);
        await _audit.BeatAsync("a", "b", _model.Now);
    }

    private async Task BeatAtBAsync()
    {
        _model.Advance(TimeSpan.FromSeconds(10));
        _model.Foreign("b", HeartbeatRow.IdOf("b", TestAudit.Observer), new() { [ItemAttributes.Id] = new(HeartbeatRow.IdOf("b", TestAudit.Observer)), [HeartbeatRow.At] = new() { N = $"{_model.Now.ToUnixTimeMilliseconds()}" } });
        var records = _model.Stream("b").Skip(_handedB).ToList();
        _handedB = _model.Stream("b").Count;
        Assert.Null(await TestAudit.HandAsync(_audit.Function("b"), records));
    }

    private async Task ReadStreamAsync(string region)
    {
        var records = _model.Stream(region).Skip(_handedA).ToList();
        _handedA = _model.Stream(region).Count;
        Assert.Null(await TestAudit.HandAsync(_audit.Function(region), records));
    }

    private async Task<(long, long, bool)> LossAsync()
    {
        var loss = Assert.Single(await Moves.ReadLossesAsync(10, Token));
        return (loss.MissingAtMove, loss.StillMissing, loss.IsFinal);
    }

    private async Task<List<LostKey>> KeysAsync()
    {
        var keys = new List<LostKey>();
        await foreach (var key in Moves.ReadKeysAsync((await Moves.ReadLossesAsync(1, Token)).Single(), Token))
        {
            keys.Add(key);
        }

        return keys;
    }
}

public sealed class LossReportOnDynoxideTests(DynoxideEngine shared) : LossReportTests(shared.Engine), IClassFixture<DynoxideEngine>;

public sealed class LossReportOnDynamoDbLocalTests(DynamoDbLocalEngine shared)
    : LossReportTests(shared.Engine, "DynamoDB Local is not on this machine: 'npm ci' in tests/Engine installs it; it needs Java.");
