using System.Text;
using System.Text.Json;
using Amazon.DynamoDBv2.Model;
using Amazon.Lambda.DynamoDBEvents;
using Amazon.Lambda.Serialization.SystemTextJson;
using Failover.ControlPlane;
using Failover.Testing;
using Failover.ItemRecord;

namespace Failover.ReplicationAudit.Tests;

/// <summary>The function on streams of a modelled global table, over a real engine for its journal.</summary>
public sealed class FunctionTests(DynoxideEngine shared) : IClassFixture<DynoxideEngine>, IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    public static readonly MatrixTheoryData<bool, bool, int, string, bool, bool> Conflict =
        new([false, true], [false, true], [1, 3], ["", "a", "b"], [false, true], [false, true]);

    /// <summary>It has a key, and no image.</summary>
    private const string Poison = """{"eventID":"poison","eventSource":"aws:dynamodb","dynamodb":{"ApproximateCreationDateTime":1795420800,"Keys":{"id":{"S":"x"}},"SequenceNumber":"666","StreamViewType":"KEYS_ONLY"}}""";

    private readonly ModelRegions _model = new("a", "b");
    private readonly TestAudit _audit = new(shared.Engine!, TimeProvider.System);

    public async ValueTask InitializeAsync() => await _audit.MakeTablesAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Ordinary_traffic_gives_no_finding(bool merged)
    {
        for (var i = 0; i < 200; i++)
        {
            _model.Put(i % 2 == 0 ? "a" : "b", $"item-{i}");
        }

        _model.DeliverAll(merged);
        for (var overwrite = 0; overwrite < 5; overwrite++)
        {
            for (var i = 0; i < 50; i++)
            {
                _model.Put("a", $"item-{i}");
            }
        }

        _model.DeliverAll(merged);
        for (var i = 0; i < 50; i++)
        {
            _model.Put("b", $"item-{i}");
            _model.Delete("b", $"item-{i}");
        }

        _model.DeliverAll(merged);

        await AuditAsync("a");
        await AuditAsync("b");

        Assert.Empty(await FindingsAsync());
    }

    /// <summary>Both regions write one key during a pause; then both directions are delivered.</summary>
    [Theory]
    [MemberData(nameof(Conflict))]
    public async Task A_conflict_gives_exactly_one_finding(bool bWritesLast, bool aIsDeliveredFirst, int writesInA, string deletes, bool merged, bool isNew)
    {
        if (!isNew)
        {
            _model.Put("a", "x");
            _model.DeliverAll(merged);
        }

        void InA() => Assert.All(Enumerable.Range(1, writesInA), i => Write("a", deletes == "a" && i == writesInA));
        if (bWritesLast)
        {
            InA();
            Write("b", deletes == "b");
        }
        else
        {
            Write("b", deletes == "b");
            InA();
        }

        var (lastOfA, lastOfB) = (VersionOf("a"), VersionOf("b"));
        _model.Deliver(aIsDeliveredFirst ? "a" : "b", aIsDeliveredFirst ? "b" : "a", merged);
        _model.Deliver(aIsDeliveredFirst ? "b" : "a", aIsDeliveredFirst ? "a" : "b", merged);

        await AuditAsync("a");
        await AuditAsync("b");

        var finding = Assert.Single(await FindingsAsync());
        var (loser, winner) = bWritesLast ? (lastOfA, lastOfB) : (lastOfB, lastOfA);
        Assert.Equal((FindingKind.LostUpdate, "x", loser), (finding.Kind, finding.Key, finding.Loser!.Version));
        Assert.Equal(bWritesLast ? "a" : "b", finding.Region);
        // Delivered one by one, the first of several writes wins over the loser, and the next ones follow it.
        Assert.Equal(merged ? winner : Region(winner!), merged ? finding.Winner!.Version : Region(finding.Winner!.Version!));
        Assert.Equal(loser, finding.Loser!.Attributes.GetProperty("_v").GetProperty("S").GetString());
        Assert.Null(finding.Closed);

        void Write(string region, bool deletes) => _ = deletes && !(isNew && writesInA == 1) ? _model.Delete(region, "x") : _model.Put(region, "x");
        string VersionOf(string region) => _model.Read(region, "x")[ItemAttributes.Version].S;
        static string Region(string version) => version.Split('-')[1];
    }

    [Fact]
    public async Task A_finding_keeps_both_images_and_says_what_the_winner_had_seen()
    {
        var first = _model.Put("a", "x", item => item["n"] = new() { N = "1" });
        _model.DeliverAll(merged: false);
        _model.Put("a", "x", item => item["n"] = new() { N = "2" });
        var loser = _model.Put("a", "x", item => item["tags"] = new() { SS = ["u", "v"] });
        var winner = _model.Put("b", "x", item => item["bytes"] = new() { B = new MemoryStream([1, 2, 255]) });
        _model.DeliverAll(merged: false);
        await AuditAsync("a");

        var finding = Assert.Single(await FindingsAsync());
        Assert.Equal((loser.Text, winner.Text, first.Text), (finding.Loser!.Version, finding.Winner!.Version, finding.WinnerHadSeen));
        Assert.Equal("""{"SS":["u","v"]}""", finding.Loser!.Attributes.GetProperty("tags").GetRawText());
        Assert.Equal("""{"B":"AQL/"}""", finding.Winner.Attributes.GetProperty("bytes").GetRawText());
    }

    [Fact]
    public async Task An_expiry_is_no_finding_and_a_removal_before_its_time_is()
    {
        _model.Put("a", "expires", item => item[ItemAttributes.TimeToLive] = new() { N = "1" });
        _model.Put("a", "removed");
        _model.Foreign("a", "expires", null);
        _model.Foreign("a", "removed", null);
        _model.DeliverAll(merged: false);
        await AuditAsync("a");
        await AuditAsync("b");

        var finding = Assert.Single(await FindingsAsync());
        Assert.Equal((FindingKind.LostUpdate, "removed"), (finding.Kind, finding.Key));
        Assert.Null(finding.Winner);
    }

    [Fact]
    public async Task An_edit_past_the_API_is_told_once_in_the_versions_own_region()
    {
        _model.Put("a", "edited", item => item["n"] = new() { N = "1" });
        _model.DeliverAll(merged: false);
        _model.Foreign("b", "edited", new(_model.Read("b", "edited")) { ["n"] = new() { N = "2" } });
        _model.DeliverAll(merged: false);
        await AuditAsync("a");
        await AuditAsync("b");

        var finding = Assert.Single(await FindingsAsync());
        Assert.Equal((FindingKind.ForeignEdit, "a"), (finding.Kind, finding.Region));
    }

    [Theory]
    [InlineData(null, FindingKind.LostUpdate)]
    [InlineData("key", FindingKind.Duplicate)]
    public async Task A_third_region_that_had_seen_the_loser_keeps_it(string? idempotency, FindingKind kind)
    {
        void Create(Dictionary<string, AttributeValue> item) => item[ItemAttributes.Idempotency] = idempotency is null ? new() { NULL = true } : new(idempotency);
        var model = new ModelRegions("a", "b", "c");
        var lost = model.Put("a", "x", Create);
        model.Deliver("a", "c", merged: false);
        model.Put("b", "x", Create);
        model.Deliver("b", "a", merged: false);
        await AuditAsync("a", model.Stream("a"));
        Assert.Null(Assert.Single(await FindingsAsync()).Closed);

        var kept = model.Put("c", "x");
        model.Deliver("c", "a", merged: false);
        await AuditAsync("a", model.Stream("a"));

        var finding = Assert.Single(await FindingsAsync());
        Assert.Equal((kind, lost.Text, "Kept", kept.Text), (finding.Kind, finding.Loser!.Version, finding.Closed!.As, finding.Closed.By));
    }

    [Fact]
    public async Task A_batch_that_comes_twice_and_in_pieces_gives_each_finding_once()
    {
        Conflicts(5);
        var records = _model.Stream("a");
        var function = _audit.Function("a");
        await TestAudit.HandAsync(function, records);
        await TestAudit.HandAsync(function, records);
        for (var from = 0; from < records.Count; from += 3)
        {
            await TestAudit.HandAsync(function, records.Skip(Math.Max(0, from - 2)).Take(5));
        }

        // Another process has another memory of arrivals, which it counts again; the journal is the same.
        await TestAudit.HandAsync(_audit.Function("a"), records);

        Assert.Equal(5, (await FindingsAsync()).Count);
        Assert.Equal(5, _audit.Count("LostUpdate"));
        Assert.Equal(2 * 10, _audit.Count("ArrivalLag"));
    }

    [Fact]
    public async Task A_record_that_cannot_be_read_is_set_aside_whole_and_the_stream_goes_on()
    {
        Conflicts(4);
        var records = _model.Stream("a").ToList();
        records.Insert(records.Count / 2, Poison);
        var function = _audit.Function("a");

        Assert.Null(await TestAudit.HandAsync(function, records));
        Assert.Null(await TestAudit.HandAsync(function, records));

        var findings = await FindingsAsync();
        Assert.Equal((4, 8), (_audit.Count("LostUpdate"), _audit.Count("ArrivalLag")));
        Assert.Equal(4, findings.Count(finding => finding.Kind == FindingKind.LostUpdate));
        var gap = Assert.Single(findings, finding => finding.Kind == FindingKind.AuditGap);
        Assert.Equal(("x", Poison, DateTimeOffset.FromUnixTimeSeconds(1_795_420_800)), (gap.Key, gap.Record, gap.Span!.From));
    }

    [Theory]
    [InlineData(Loss.Request, false)]
    [InlineData(Loss.Answer, false)]
    [InlineData(Loss.Answer, true)]
    [InlineData(Loss.Hang, false)]
    public async Task A_journal_that_does_not_answer_stops_the_stream_there_and_nothing_is_lost(Loss loss, bool sdkTriesAgain)
    {
        Conflicts(2);
        var records = _model.Stream("a");
        var function = _audit.Function("a", new LossyNetwork(sdkTriesAgain ? 1 : 0, loss));
        var checkpoint = await TestAudit.HandAsync(function, records);

        Assert.Equal(sdkTriesAgain ? null : ModelRegions.NumberOf(records.First(record => record.Split("NewImage")[1].Contains("-b-", StringComparison.Ordinal))), checkpoint);
        Assert.Null(await TestAudit.HandAsync(function, records.SkipWhile(record => checkpoint is not null && ModelRegions.NumberOf(record) != checkpoint)));
        Assert.Equal(2, (await FindingsAsync()).Count);
        // Where the answer to a whole try was lost, the finding is there, and its count is not: findings are the truth, metrics an alarm.
        Assert.Equal(loss == Loss.Request || sdkTriesAgain ? 2 : 1, _audit.Count("LostUpdate"));
    }

    [Fact]
    public async Task An_invocation_without_time_reads_on_from_where_it_stood()
    {
        Conflicts(1);
        var records = _model.Stream("a");

        Assert.Equal(ModelRegions.NumberOf(records[0]), await TestAudit.HandAsync(_audit.Function("a"), records, remaining: TimeSpan.FromMilliseconds(100)));
    }

    [Fact]
    public async Task Heartbeats_and_other_rows_of_the_system_are_passed_over()
    {
        _model.Foreign("a", "_heartbeat#a#o", new() { ["at"] = new() { N = "1" } });
        _model.Foreign("a", "_heartbeat#a#o", new() { ["at"] = new() { N = "2" }, [ItemAttributes.Version] = new("000000000001" + "0000-a-writer00") });
        _model.Foreign("a", "_heartbeat#a#o", null);
        await AuditAsync("a");

        Assert.Empty(await FindingsAsync());
        Assert.Empty(_audit.Lines());
    }

    [Fact]
    public async Task The_deepest_and_the_greatest_items_are_found_whole()
    {
        AttributeValue deep = new("bottom");
        for (var i = 0; i < 31; i++)
        {
            deep = new AttributeValue { L = [deep] };
        }

        var great = new string('é', 190_000);
        _model.Put("a", "x", item => (item["deep"], item["great"]) = (deep, new(great)));
        _model.Put("b", "x", item => item["great"] = new(great));
        _model.DeliverAll(merged: false);
        await AuditAsync("a");

        var finding = Assert.Single(await FindingsAsync());
        Assert.Equal(great, finding.Loser!.Attributes.GetProperty("great").GetProperty("S").GetString());
        Assert.Equal(great, finding.Winner!.Attributes.GetProperty("great").GetProperty("S").GetString());
        Assert.Contains("bottom", finding.Loser!.Attributes.GetProperty("deep").GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_edit_of_one_version_leaves_the_first_finding_whole()
    {
        Dictionary<string, AttributeValue> Edit(char letter) => new(_model.Read("a", "x")) { ["great"] = new(new string(letter, 380_000)) };
        _model.Put("a", "x");
        _model.Foreign("a", "x", Edit('1'));
        _model.Foreign("a", "x", Edit('2'));
        await AuditAsync("a");

        var finding = Assert.Single(await FindingsAsync());
        Assert.Equal(new string('1', 380_000), finding.Winner!.Attributes.GetProperty("great").GetProperty("S").GetString());
    }

    [Fact]
    public async Task Lag_is_told_of_arrivals_only()
    {
        _model.Put("a", "x");
        _model.Put("b", "y");
        _model.Advance(TimeSpan.FromSeconds(40));
        _model.DeliverAll(merged: false);
        await AuditAsync("a");

        using var line = JsonDocument.Parse(Assert.Single(_audit.Lines(), line => line.Contains("ArrivalLag", StringComparison.Ordinal)));
        Assert.Equal(("b", "a"), (line.RootElement.GetProperty("From").GetString(), line.RootElement.GetProperty("To").GetString()));
        Assert.InRange(Assert.Single(line.RootElement.GetProperty("ArrivalLag").EnumerateArray()).GetDouble(), 39_000, 41_000);
    }

    [Fact]
    public void The_answer_is_what_Lambda_reads()
    {
        using var stream = new MemoryStream();
        new SourceGeneratorLambdaJsonSerializer<JsonContext>().Serialize(
            new StreamsEventResponse { BatchItemFailures = [new StreamsEventResponse.BatchItemFailure { ItemIdentifier = "42" }] }, stream);

        Assert.Equal("""{"batchItemFailures":[{"itemIdentifier":"42"}]}""", Encoding.UTF8.GetString(stream.ToArray()));
    }

    private void Conflicts(int count)
    {
        for (var i = 0; i < count; i++)
        {
            _model.Put("a", $"x{i}");
            _model.Put("b", $"x{i}");
            _model.Put("b", $"y{i}");
            _model.DeliverAll(merged: false);
        }
    }

    [Theory]
    [InlineData("stream", null)]
    [InlineData("schedule", null)]
    [InlineData("given-up", FindingKind.AuditGap)]
    public async Task The_sample_events_are_taken(string sample, FindingKind? told)
    {
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "events", sample + ".json"), Token));
        var answer = await _audit.Function("a").HandleAsync(json.RootElement, new TestLambdaContext(TimeSpan.FromMinutes(1)));

        Assert.Empty(answer.BatchItemFailures);
        Assert.Equal(told is { } kind ? [kind] : [], (await FindingsAsync()).Select(finding => finding.Kind));
    }

    private Task AuditAsync(string region, IReadOnlyList<string>? stream = null) => TestAudit.HandAsync(_audit.Function(region), stream ?? _model.Stream(region));

    private Task<IReadOnlyList<Finding>> FindingsAsync() => _audit.Journal.ReadFindingsAsync(1000, Token);
}
