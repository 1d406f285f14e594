using System.Globalization;
using Failover.ControlPlane;
using Failover.ItemRecord;
using Failover.Testing;

namespace Failover.ReplicationAudit.Tests.Continuity;

/// <summary>Whether the stream is read without a gap: the function over a real engine, with the clock in the test's hand.</summary>
public abstract class ContinuityTests(TestEngine? engine, string whyNone = "") : IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    private readonly ModelRegions _model = new("a", "b");
    private TestAudit _audit = null!;

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
    public async Task A_stream_read_in_any_pieces_and_again_has_no_gap()
    {
        Beat(30);
        var records = _model.Stream("a");
        for (var from = 0; from < records.Count; from += 4)
        {
            // Each piece by another process, and the last records of the piece before once more.
            Assert.Null(await TestAudit.HandAsync(_audit.Function("a"), records.Skip(Math.Max(0, from - 2)).Take(6)));
        }

        Assert.Null(await TestAudit.HandAsync(_audit.Function("a"), records));
        Assert.Empty(await FindingsAsync());
    }

    [Fact]
    public async Task Records_that_were_trimmed_before_they_were_read_are_a_gap_of_that_time()
    {
        var start = _model.Now;
        Beat(30);
        var records = _model.Stream("a");
        await TestAudit.HandAsync(_audit.Function("a"), records.Take(10));
        await TestAudit.HandAsync(_audit.Function("a"), records.Skip(20));
        await TestAudit.HandAsync(_audit.Function("a"), records.Skip(20));

        var gap = Assert.Single(await FindingsAsync());
        Assert.Equal((FindingKind.AuditGap, start.AddSeconds(90), start.AddSeconds(190)), (gap.Kind, gap.Span!.From, gap.Span.To));
        Assert.True(await _audit.Journal.HoldsAsync(Token));
    }

    [Fact]
    public async Task Another_regions_heartbeats_may_be_merged_and_are_not_followed()
    {
        Beat(10, of: "b");
        await TestAudit.HandAsync(_audit.Function("a"), _model.Stream("a").Where((_, index) => index % 3 == 0));
        Assert.Empty(await FindingsAsync());
    }

    [Fact]
    public async Task What_Lambda_gives_up_is_a_gap_of_the_time_of_its_records()
    {
        const string Failed = """
            {"requestContext":{"requestId":"1","functionArn":"arn","condition":"RecordAgeExpired","approximateInvokeCount":3},"responseContext":{"statusCode":200},"version":"1.0","timestamp":"2026-11-24T08:00:05.004Z",
             "DDBStreamBatchInfo":{"shardId":"shardId-00000001573689847184-864758bb","startSequenceNumber":"800000000003126276362","endSequenceNumber":"800000000003126276362",
             "approximateArrivalOfFirstRecord":"2026-11-23T08:00:00Z","approximateArrivalOfLastRecord":"2026-11-23T08:00:09Z","batchSize":7,"streamArn":"arn:aws:dynamodb:us-east-1:0:table/Items/stream/x"}}
            """;
        Assert.True(await TestAudit.HandMessageAsync(_audit.Function("a"), Failed));
        Assert.True(await TestAudit.HandMessageAsync(_audit.Function("a"), Failed));

        var gap = Assert.Single(await FindingsAsync());
        Assert.Equal((FindingKind.AuditGap, At("2026-11-23T08:00:00Z"), At("2026-11-23T08:00:09Z")), (gap.Kind, gap.Span!.From, gap.Span.To));
        Assert.Contains("7 records", gap.Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_that_nobody_reads_is_told_an_hour_before_its_end_and_closed_when_it_was_read_after_all()
    {
        Beat(3);
        await TestAudit.HandAsync(_audit.Function("a"), _model.Stream("a"));
        var read = _model.Stream("a").Count;
        _model.Advance(TimeSpan.FromHours(22.9));
        Beat(1);
        await ShowAsync();
        await TestAudit.PatrolAsync(_audit.Function("a"));
        Assert.Empty(await FindingsAsync());

        _model.Advance(TimeSpan.FromHours(0.2));
        Beat(1);
        await ShowAsync();
        await TestAudit.PatrolAsync(_audit.Function("a"));
        await TestAudit.PatrolAsync(_audit.Function("a"));
        Assert.Equal(FindingKind.AuditGap, Assert.Single(await FindingsAsync()).Kind);
        Assert.InRange(_audit.Values("StreamBehind").Last(), TimeSpan.FromHours(23).TotalMilliseconds, TimeSpan.FromHours(24).TotalMilliseconds);

        await TestAudit.HandAsync(_audit.Function("a"), _model.Stream("a").Skip(read));
        await TestAudit.PatrolAsync(_audit.Function("a"));
        Assert.Equal("ReadAfterAll", Assert.Single(await FindingsAsync()).Closed!.As);
        Assert.False(await _audit.Journal.HoldsAsync(Token));
    }

    [Fact]
    public async Task A_patrol_measures_replication_without_traffic()
    {
        await _audit.BeatAsync("a", "a", _model.Now);
        await _audit.BeatAsync("a", "b", _model.Now.AddSeconds(-7));
        await TestAudit.PatrolAsync(_audit.Function("a"));
        Assert.Equal([7000.0], _audit.Values("HeartbeatLag"));
        Assert.Empty(await FindingsAsync());
    }

    /// <summary>An observer's heartbeats, ten seconds apart, in their own region.</summary>
    private void Beat(int count, string of = "a")
    {
        for (var i = 0; i < count; i++)
        {
            _model.Foreign(of, HeartbeatRow.IdOf(of, TestAudit.Observer), new() { [HeartbeatRow.At] = new() { N = $"{_model.Now.ToUnixTimeMilliseconds()}" } });
            _model.Advance(TimeSpan.FromSeconds(10));
        }

        _model.DeliverAll(merged: true);
    }

    private async Task ShowAsync()
    {
        foreach (var region in new[] { "a", "b" })
        {
            await _audit.PutAsync(region, _model.Read("a", HeartbeatRow.IdOf("a", TestAudit.Observer)));
        }
    }

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);

    private Task<IReadOnlyList<Finding>> FindingsAsync() => _audit.Journal.ReadFindingsAsync(1000, Token);
}

public sealed class ContinuityOnDynoxideTests(DynoxideEngine shared) : ContinuityTests(shared.Engine), IClassFixture<DynoxideEngine>;

public sealed class ContinuityOnDynamoDbLocalTests(DynamoDbLocalEngine shared)
    : ContinuityTests(shared.Engine, "DynamoDB Local is not on this machine: 'npm ci' in tests/Engine installs it; it needs Java.");
