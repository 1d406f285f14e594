using System.Text.Json;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane;
using Failover.ItemRecord;
using Failover.ReplicationAudit.Arrivals;
using Failover.Testing;

namespace Failover.ReplicationAudit.Tests.Arrivals;

/// <summary>Region a's function verifies a's writes at b: over a real engine, with the clock in the test's hand.</summary>
public abstract class ArrivalChecksTests : IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    private readonly TestEngine _engine;
    private readonly string _whyNone;
    private readonly ModelRegions _model = new("a", "b");
    private readonly TestAudit _audit;
    private Function _function = null!;

    protected ArrivalChecksTests(TestEngine? engine, string whyNone = "")
    {
        (_engine, _whyNone) = (engine!, whyNone);
        _audit = new TestAudit(_engine, _model.Time);
    }

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(_engine is null, _whyNone);
        await _audit.MakeTablesAsync();
        _function = _audit.Function("a");
        await BeatAsync();
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Writes_that_are_there_already_leave_nothing_behind()
    {
        await WriteAsync(120);
        for (var i = 0; i < 120; i++)
        {
            await ArriveAsync($"x{i}");
        }

        Assert.Null(await TestAudit.HandAsync(_function, _model.Stream("a")));

        Assert.Empty(_audit.Queue.Sent);
        Assert.Equal((120, 0), (_audit.Values("WritesAudited").Sum(), _audit.Values("WritesPending").Sum()));
    }

    [Fact]
    public async Task What_is_in_flight_is_asked_for_until_it_has_arrived_and_is_no_finding()
    {
        await WriteAsync(3);
        await ArriveAsync("x0");
        await TestAudit.HandAsync(_function, _model.Stream("a"));
        Assert.Equal(2, _audit.Values("WritesPending").Sum());
        Assert.Equal(2, Assert.Single(_audit.Queue.Sent).DelaySeconds);

        await ArriveAsync("x1");
        Assert.Equal(4, await CheckAsync());
        await ArriveAsync("x2");
        Assert.Null(await CheckAsync());

        Assert.Empty(await FindingsAsync());
    }

    [Fact]
    public async Task One_message_stands_for_all_that_is_pending_of_a_batch()
    {
        await WriteAsync(250);
        await TestAudit.HandAsync(_function, _model.Stream("a"));
        Assert.Single(_audit.Queue.Sent);
    }

    [Fact]
    public async Task A_write_that_never_arrives_is_named_at_its_deadline_with_both_sides()
    {
        await WriteAsync(2);
        await ArriveAsync("x0");
        await _audit.PutAsync("b", new() { ["id"] = new("x1"), ["old"] = new() { BOOL = true } });
        await TestAudit.HandAsync(_function, _model.Stream("a"));
        for (var waited = 0; waited < 300;)
        {
            Assert.Empty(await FindingsAsync());
            var delay = _audit.Queue.Sent[0].DelaySeconds;
            waited += delay;
            _model.Advance(TimeSpan.FromSeconds(delay));
            await BeatAsync();
            await CheckAsync();
        }

        var finding = Assert.Single(await FindingsAsync());
        Assert.Equal((FindingKind.MissingWrite, "x1", "a", "b"), (finding.Kind, finding.Key, finding.Region, finding.Peer));
        Assert.Equal((_model.Read("a", "x1")[ItemAttributes.Version].S, null), (finding.Loser!.Version, finding.Winner!.Version));
        Assert.True(await _audit.Journal.HoldsAsync(Token));
        Assert.Equal(1, _audit.Count("MissingWrite"));
    }

    [Fact]
    public async Task A_missing_write_that_arrives_is_closed_with_how_late_it_was()
    {
        await MissAsync();
        Assert.False(Assert.Single(await FindingsAsync()).Closed is not null);
        _model.Advance(TimeSpan.FromMinutes(30));
        await BeatAsync();
        await ArriveAsync("x0");
        await CheckAsync();

        Assert.Equal("Arrived", Assert.Single(await FindingsAsync()).Closed!.As);
        Assert.False(await _audit.Journal.HoldsAsync(Token));
        Assert.InRange(Assert.Single(_audit.Values("MissingWriteArrivedAfter")), 2_000_000, 2_300_000);
        Assert.Empty(_audit.Queue.Sent);
    }

    [Fact]
    public async Task A_missing_write_that_is_replaced_is_closed_and_its_replacement_is_asked_for()
    {
        await MissAsync();
        _model.Put("a", "x0");
        await _audit.PutAsync("a", _model.Read("a", "x0"));
        await CheckAsync();
        Assert.Equal("Replaced", Assert.Single(await FindingsAsync()).Closed!.As);

        await TestAudit.HandAsync(_function, _model.Stream("a").Skip(1));
        Assert.Single(_audit.Queue.Sent);
    }

    [Fact]
    public async Task After_a_day_a_missing_write_is_final_it_stays_open_and_is_not_asked_for()
    {
        await MissAsync();
        _model.Advance(TimeSpan.FromHours(24));
        await BeatAsync();
        await CheckAsync();

        Assert.Null(Assert.Single(await FindingsAsync()).Closed);
        Assert.True(await _audit.Journal.HoldsAsync(Token));
        Assert.Empty(_audit.Queue.Sent);
    }

    [Fact]
    public async Task While_a_peer_is_stalled_batches_are_set_aside_and_looked_at_once_it_is_back()
    {
        await WriteAsync(2);
        await TestAudit.HandAsync(_function, _model.Stream("a"));
        _model.Advance(TimeSpan.FromMinutes(10));
        await _audit.BeatAsync("a", "a", _model.Now);
        await CheckAsync();
        await TestAudit.PatrolAsync(_function);
        await TestAudit.PatrolAsync(_function);
        Assert.Empty(_audit.Queue.Sent);
        Assert.Equal((FindingKind.StalledReplication, "b"), (Assert.Single(await FindingsAsync()).Kind, (await FindingsAsync())[0].Peer));

        await BeatAsync();
        await TestAudit.PatrolAsync(_function);
        Assert.Equal("Resumed", Assert.Single(await FindingsAsync()).Closed!.As);
        await ArriveAsync("x0");
        Assert.Equal(4, await CheckAsync());
        await ArriveAsync("x1");
        Assert.Null(await CheckAsync());
        await TestAudit.PatrolAsync(_function);
        Assert.Empty(_audit.Queue.Sent);
        Assert.Single(await FindingsAsync());
    }

    [Fact]
    public async Task What_a_long_stall_has_left_is_taken_up_in_one_round()
    {
        await Parallel.ForEachAsync(Enumerable.Range(0, 450), Token, async (i, token) =>
            await _audit.Pending.ParkAsync(PendingBatch.Of("b", [new PendingWrite($"x{i}", ItemVersion.Create(i, 0, "a", "writer00").Text)]), token));
        await TestAudit.PatrolAsync(_function);
        Assert.Equal(450, _audit.Queue.Sent.Distinct().Count());
        Assert.Empty(await _audit.Pending.ReadParkedAsync("b", 1, Token));
    }

    [Fact]
    public async Task A_batch_whose_message_was_lost_is_asked_for_by_the_patrol()
    {
        await WriteAsync(1);
        await TestAudit.HandAsync(_function, _model.Stream("a"));
        _audit.Queue.Take();
        _model.Advance(TimeSpan.FromMinutes(10));
        await BeatAsync();
        await TestAudit.PatrolAsync(_function);
        Assert.Empty(_audit.Queue.Sent);

        _model.Advance(TimeSpan.FromSeconds(3));
        await TestAudit.PatrolAsync(_function);
        await TestAudit.PatrolAsync(_function);
        Assert.Single(_audit.Queue.Sent);
    }

    [Theory]
    [InlineData(Loss.Request)]
    [InlineData(Loss.Hang)]
    public async Task A_peer_that_does_not_answer_stops_nothing_and_nothing_is_lost(Loss loss)
    {
        using var gone = new GoneReplica(loss == Loss.Hang);
        await WriteAsync(2);
        var function = _audit.Function("a", replicaNetworks: new Dictionary<string, IAmazonDynamoDB> { ["b"] = gone });
        Assert.Null(await TestAudit.HandAsync(function, _model.Stream("a")));

        // Nor is everything after that kept waiting for it.
        Assert.True(await TestAudit.HandMessageAsync(function, _audit.Queue.Take().Body));
        Assert.Empty(_audit.Queue.Sent);
        Assert.Equal(1, gone.Calls);

        await TestAudit.PatrolAsync(_function);
        Assert.Single(_audit.Queue.Sent);
        await ArriveAsync("x0");
        await ArriveAsync("x1");
        Assert.Null(await CheckAsync());
        Assert.Empty(await FindingsAsync());
    }

    [Fact]
    public async Task A_queue_that_is_down_stops_the_stream_and_the_batch_comes_again()
    {
        await WriteAsync(2);
        _audit.Queue.Failures = 1;
        Assert.Equal(ModelRegions.NumberOf(_model.Stream("a")[0]), await TestAudit.HandAsync(_function, _model.Stream("a")));
        Assert.Null(await TestAudit.HandAsync(_function, _model.Stream("a")));
        Assert.Single(_audit.Queue.Sent);

        _audit.Queue.Failures = 1;
        var message = _audit.Queue.Take();
        Assert.False(await TestAudit.HandMessageAsync(_function, message.Body));
        Assert.True(await TestAudit.HandMessageAsync(_function, message.Body));
        Assert.Single(_audit.Queue.Sent);
    }

    [Fact]
    public async Task A_message_that_comes_twice_and_late_changes_nothing()
    {
        await MissAsync();
        var message = _audit.Queue.Take();
        Assert.True(await TestAudit.HandMessageAsync(_function, message.Body));
        Assert.True(await TestAudit.HandMessageAsync(_function, message.Body));
        await ArriveAsync("x0");
        Assert.True(await TestAudit.HandMessageAsync(_function, message.Body));
        Assert.True(await TestAudit.HandMessageAsync(_function, message.Body));

        Assert.Equal("Arrived", Assert.Single(await FindingsAsync()).Closed!.As);
        Assert.Equal(1, _audit.Count("MissingWrite"));
    }

    [Fact]
    public async Task A_batch_that_comes_again_late_does_not_forget_what_was_told()
    {
        await MissAsync();
        await TestAudit.HandAsync(_audit.Function("a"), _model.Stream("a"));
        await ArriveAsync("x0");
        while (_audit.Queue.Sent.Count > 0)
        {
            Assert.True(await TestAudit.HandMessageAsync(_function, _audit.Queue.Take().Body));
        }

        Assert.Equal("Arrived", Assert.Single(await FindingsAsync()).Closed!.As);
    }

    [Fact]
    public async Task Only_the_newest_write_of_a_key_is_asked_for_and_only_if_it_was_made_here()
    {
        _model.Put("a", "mine");
        _model.Put("a", "mine");
        _model.Put("a", "theirs");
        _model.DeliverAll(merged: false);
        _model.Put("b", "theirs");
        _model.DeliverAll(merged: false);
        _model.Foreign("a", "mine", new(_model.Read("a", "mine")) { ["n"] = new("edited") });
        await TestAudit.HandAsync(_function, _model.Stream("a"));

        Assert.Equal(1, _audit.Values("WritesAudited").Sum());
        Assert.Equal(1, _audit.Values("WritesPending").Sum());
    }

    [Fact]
    public async Task A_delete_is_verified_as_any_write()
    {
        _model.Put("a", "x0");
        _model.Delete("a", "x0");
        await _audit.PutAsync("a", _model.Read("a", "x0"));
        await TestAudit.HandAsync(_function, _model.Stream("a"));
        Assert.Equal(4, await CheckAsync());
        await ArriveAsync("x0");
        Assert.Null(await CheckAsync());
    }

    [Fact]
    public async Task Keys_of_any_length_and_characters_fit_the_journal()
    {
        for (var i = 0; i < 100; i++)
        {
            _model.Put("a", new string('\u0001', 2000) + i);
        }

        Assert.Null(await TestAudit.HandAsync(_function, _model.Stream("a")));
        Assert.Equal(5, _audit.Queue.Sent.Count);
        Assert.True(await TestAudit.HandMessageAsync(_function, _audit.Queue.Take().Body));
    }

    [Fact]
    public async Task A_message_that_nobody_sent_is_delivered_again()
    {
        Assert.False(await TestAudit.HandMessageAsync(_function, "{}"));
        Assert.False(await TestAudit.HandMessageAsync(_function, "no JSON"));
    }

    [Fact]
    public async Task Redacted_values_do_not_come_into_the_journal()
    {
        var audit = new TestAudit(_engine, _model.Time) { Redacted = new HashSet<string> { "name", "id" } };
        await audit.MakeTablesAsync();
        _model.Put("a", "x", item => (item["name"], item["n"]) = (new("secret"), new() { N = "1" }));
        _model.Put("b", "x", item => item["name"] = new("secret too"));
        _model.DeliverAll(merged: false);
        await TestAudit.HandAsync(audit.Function("a"), _model.Stream("a"));

        var finding = Assert.Single(await audit.Journal.ReadFindingsAsync(10, Token));
        Assert.DoesNotContain("secret", JsonSerializer.Serialize(finding, ControlJson.Default.Finding), StringComparison.Ordinal);
        Assert.Equal(("""{"S":"(redacted)"}""", """{"N":"1"}""", """{"S":"x"}"""), (Loser("name"), Loser("n"), Loser("id")));

        string Loser(string name) => finding.Loser!.Attributes.GetProperty(name).GetRawText();
    }

    /// <summary>Makes writes in a that reach a's table only.</summary>
    private async Task WriteAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            _model.Put("a", $"x{i}");
            await _audit.PutAsync("a", _model.Read("a", $"x{i}"));
        }
    }

    private Task ArriveAsync(string key) => _audit.PutAsync("b", _model.Read("a", key));

    private async Task BeatAsync()
    {
        await _audit.BeatAsync("a", "a", _model.Now);
        await _audit.BeatAsync("a", "b", _model.Now);
    }

    /// <summary>A write that is told as missing.</summary>
    private async Task MissAsync()
    {
        await WriteAsync(1);
        await TestAudit.HandAsync(_function, _model.Stream("a"));
        _model.Advance(TimeSpan.FromMinutes(6));
        await BeatAsync();
        await CheckAsync();
        Assert.Equal(FindingKind.MissingWrite, Assert.Single(await FindingsAsync()).Kind);
    }

    /// <summary>Handles the only message; says after how many seconds the next one comes, or null.</summary>
    private async Task<int?> CheckAsync()
    {
        Assert.Single(_audit.Queue.Sent);
        Assert.True(await TestAudit.HandMessageAsync(_function, _audit.Queue.Take().Body));
        return _audit.Queue.Sent.Count == 0 ? null : Assert.Single(_audit.Queue.Sent).DelaySeconds;
    }

    private Task<IReadOnlyList<Finding>> FindingsAsync() => _audit.Journal.ReadFindingsAsync(1000, Token);

    /// <summary>A replica in a region that is gone.</summary>
    private sealed class GoneReplica(bool hangs) : AmazonDynamoDBClient("local", "local", Amazon.RegionEndpoint.USEast1)
    {
        public int Calls { get; private set; }

        public override async Task<BatchGetItemResponse> BatchGetItemAsync(BatchGetItemRequest request, CancellationToken cancellationToken = default)
        {
            Calls++;
            if (hangs)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            }

            throw new AmazonDynamoDBException("The region is gone.");
        }
    }
}

public sealed class ArrivalChecksOnDynoxideTests(DynoxideEngine shared) : ArrivalChecksTests(shared.Engine), IClassFixture<DynoxideEngine>;

public sealed class ArrivalChecksOnDynamoDbLocalTests(DynamoDbLocalEngine shared)
    : ArrivalChecksTests(shared.Engine, "DynamoDB Local is not on this machine: 'npm ci' in tests/Engine installs it; it needs Java.");
