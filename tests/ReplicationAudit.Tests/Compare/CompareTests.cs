using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane;
using Failover.ControlPlane.Compares;
using Failover.Hosting;
using Failover.ItemRecord;
using Failover.ReplicationAudit.Arrivals;
using Failover.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Failover.ReplicationAudit.Tests.Compare;

/// <summary>The functions of two regions compare their tables, each with an engine of its own.</summary>
public abstract class CompareTests(TestEngine? a, TestEngine? b, string whyNone = "") : IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Settle = TimeSpan.FromMinutes(8);

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 26, 8, 0, 0, TimeSpan.Zero));
    private readonly Dictionary<string, TestEngine> _engines = new() { ["a"] = a!, ["b"] = b! };
    private readonly (string Items, string Journal) _tables = ("Items-" + Guid.NewGuid(), "Journal-" + Guid.NewGuid());
    private readonly Dictionary<string, RecordingQueue> _queues = new() { ["a"] = new(), ["b"] = new() };

    private CompareStore Store => new(_engines["a"].Client(), _tables.Journal, Timeout);

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(_engines["a"] is null, whyNone);
        foreach (var engine in _engines.Values)
        {
            await engine.TableAsync("id", name: _tables.Items);
            await engine.TableAsync("kind", "id", _tables.Journal);
        }
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Differences_are_named_and_nothing_else()
    {
        for (var i = 0; i < 150; i++)
        {
            await PutAsync("a", $"same-{i}", 1);
            await PutAsync("b", $"same-{i}", 1);
        }

        await PutAsync("a", "missing", 1);
        await PutAsync("b", "extra", 1);
        await PutAsync("a", "changed", 2);
        await PutAsync("b", "changed", 1);
        await BeatAsync("a", "a", _time.GetUtcNow());
        await BeatAsync("a", "b", _time.GetUtcNow().AddSeconds(-1));

        var compared = await CompareAsync();

        Assert.Equal(CompareOutcome.Different, compared.Outcome);
        Assert.Equal((3, 3), (compared.Differences, compared.Candidates));
        Assert.Equal((152, 152), (compared.Totals["a"].Items, compared.Totals["b"].Items));
        Assert.Equal(
            [
                new Difference("changed", DifferenceKind.Changed, "b", VersionOf(2).Text, VersionOf(1).Text),
                new Difference("extra", DifferenceKind.Extra, "b", null, VersionOf(1).Text),
                new Difference("missing", DifferenceKind.Missing, "b", VersionOf(1).Text, null),
            ],
            (await DifferencesAsync(compared)).OrderBy(difference => difference.Key));
        var finding = Assert.Single(await Journal("a").ReadFindingsAsync(10, Token));
        Assert.Equal((FindingKind.Divergence, true), (finding.Kind, finding.Closed is null));

        // Mended, and compared again: the finding is closed.
        await PutAsync("b", "missing", 1);
        await PutAsync("a", "extra", 1);
        await PutAsync("b", "changed", 2);
        _time.Advance(2 * Settle);
        Assert.Equal(CompareOutcome.Equal, (await CompareAsync()).Outcome);
        await PatrolAsync();
        Assert.Equal("Compared", Assert.Single(await Journal("a").ReadFindingsAsync(10, Token)).Closed?.As);
    }

    [Fact]
    public async Task Items_are_equal_by_type_and_value()
    {
        Dictionary<string, AttributeValue> one = new() { ["s"] = new() { SS = ["a", "b"] }, ["n"] = new() { N = "1" }, ["m"] = new() { M = new() { ["x"] = new("1"), ["y"] = new("2") } } };
        Dictionary<string, AttributeValue> other = new() { ["m"] = new() { M = new() { ["y"] = new("2"), ["x"] = new("1") } }, ["n"] = new() { N = "1.0" }, ["s"] = new() { SS = ["b", "a"] } };
        await PutAsync("a", "10", 1, one);
        await PutAsync("b", "10", 1, other);
        await PutAsync("a", "9", 1, new() { ["l"] = new() { L = [new("a"), new("b")] } });
        await PutAsync("b", "9", 1, new() { ["l"] = new() { L = [new("b"), new("a")] } });
        await PutAsync("a", "09", 1, new() { ["n"] = new() { N = "1" } });
        await PutAsync("b", "09", 1, new() { ["n"] = new() { S = "1" } });

        Assert.Equal(["09", "9"], (await DifferencesAsync(await CompareAsync())).Select(difference => difference.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_arrives_while_it_is_looked_at_is_no_difference()
    {
        await PutAsync("a", "late", 1);
        var comparison = await AskAsync();
        await WorkAsync();
        Assert.Equal(ComparePhase.Check, (await Store.ReadAsync(comparison.Id, Token))!.Phase);

        await PutAsync("b", "late", 1);
        Assert.Equal((CompareOutcome.Equal, 1), await EndAsync(comparison) is var ended ? (ended.Outcome!.Value, ended.Candidates) : default);
    }

    [Fact]
    public async Task While_replication_stands_still_nothing_is_told()
    {
        await PutAsync("a", "late", 1);
        await BeatAsync("a", "a", _time.GetUtcNow());
        await BeatAsync("a", "b", _time.GetUtcNow() - TimeSpan.FromHours(1));
        var comparison = await AskAsync();
        for (var i = 0; i < 3; i++)
        {
            await WorkAsync();
            _time.Advance(Settle);
        }

        await WorkAsync();
        Assert.Null((await Store.ReadAsync(comparison.Id, Token))!.Outcome);

        // It catches up.
        await BeatAsync("a", "b", _time.GetUtcNow());
        await PutAsync("b", "late", 1);
        Assert.Equal(CompareOutcome.Equal, (await EndAsync(comparison)).Outcome);
    }

    [Fact]
    public async Task What_is_cancelled_ends_at_once()
    {
        await PutAsync("a", "x", 1);
        var comparison = await AskAsync();
        await PatrolAsync();
        Assert.True(await Store.CancelAsync(comparison.Id, _time.GetUtcNow(), Token));
        Assert.False(await Store.CancelAsync(comparison.Id, _time.GetUtcNow(), Token));
        await WorkAsync();
        Assert.Equal(CompareOutcome.Cancelled, (await Store.ReadAsync(comparison.Id, Token))!.Outcome);
        Assert.Empty(_queues["a"].Sent);
    }

    [Fact]
    public async Task A_region_that_is_gone_for_a_day_leaves_it_incomplete()
    {
        await PutAsync("a", "x", 1);
        var comparison = await AskAsync();
        for (var i = 0; i < 3; i++)
        {
            await PatrolAsync("a");
            _time.Advance(TimeSpan.FromHours(9));
        }

        await PatrolAsync("a");
        Assert.Equal(CompareOutcome.Incomplete, (await Store.ReadAsync(comparison.Id, Token))!.Outcome);
        Assert.Empty(await Journal("a").ReadFindingsAsync(10, Token));
    }

    /// <summary>Every message is lost; the schedule asks again.</summary>
    [Fact]
    public async Task A_lost_message_is_sent_again()
    {
        await PutAsync("a", "x", 1);
        var comparison = await AskAsync();
        for (var i = 0; i < 3; i++)
        {
            await PatrolAsync();
            _queues["a"].Sent.Clear();
            _queues["b"].Sent.Clear();
        }

        _time.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(CompareOutcome.Different, (await EndAsync(comparison)).Outcome);
    }

    /// <summary>Every message comes twice, and the copies late: nothing is told or counted twice, and no chain of copies goes on.</summary>
    [Fact]
    public async Task What_comes_twice_is_done_once()
    {
        for (var i = 0; i < 60; i++)
        {
            await PutAsync("a", $"missing-{i:D2}", 1);
        }

        var comparison = await AskAsync();
        var copies = new List<(string Region, string Body)>();
        for (var i = 0; i < 6; i++)
        {
            await WorkAsync(copies);
            foreach (var (region, body) in copies)
            {
                var before = _queues[region].Sent.Count;
                Assert.True(await TestAudit.HandMessageAsync(Function(region), body));
                Assert.Equal(before, _queues[region].Sent.Count);
            }

            _time.Advance(Settle);
        }

        var ended = await EndAsync(comparison);
        Assert.Equal((60, 60), (ended.Differences, ended.Candidates));
        Assert.Equal(60, (await DifferencesAsync(ended)).Select(difference => difference.Key).Distinct().Count());
        Assert.Equal(60, (await DifferencesAsync(ended)).Count);
    }

    private async Task<Comparison> CompareAsync() => await EndAsync(await AskAsync());

    private async Task<Comparison> AskAsync()
    {
        var comparison = Comparison.Ask(["a", "b"], "test", 100, 100_000, Settle, _time.GetUtcNow());
        await Store.AddAsync(comparison, Token);
        return comparison;
    }

    private async Task<Comparison> EndAsync(Comparison comparison)
    {
        for (var i = 0; i < 10; i++)
        {
            await WorkAsync();
            if (await Store.ReadAsync(comparison.Id, Token) is { Outcome: not null } ended)
            {
                return ended;
            }

            _time.Advance(Settle);
        }

        throw new Xunit.Sdk.XunitException("The comparison does not end.");
    }

    /// <summary>Schedules and queues of both regions, until neither has anything to do now.</summary>
    private async Task WorkAsync(List<(string Region, string Body)>? handed = null)
    {
        for (var round = 0; round < 5; round++)
        {
            await PatrolAsync();
            foreach (var (region, queue) in _queues)
            {
                foreach (var (body, _) in queue.Sent.Where(message => message.DelaySeconds == 0 || round == 0).ToList())
                {
                    queue.Sent.RemoveAt(queue.Sent.FindIndex(sent => sent.Body == body));
                    Assert.True(await TestAudit.HandMessageAsync(Function(region), body));
                    handed?.Add((region, body));
                }
            }
        }
    }

    private async Task PatrolAsync(params string[] regions)
    {
        foreach (var region in regions.Length > 0 ? regions : ["a", "b"])
        {
            await TestAudit.PatrolAsync(Function(region));
        }
    }

    private Function Function(string region) => Composition.Make(
        new ReplicationAuditOptions(
            region, ["a", "b"], [TestAudit.Observer], _tables.Items, _tables.Journal, "queue", new ArrivalLimits(Settle, TimeSpan.FromMinutes(3)), new HashSet<string>(), Timeout),
        replica => _engines[replica].Client(),
        replica => new ReplicaReader(_engines[replica].Client(), _tables.Items, Timeout, TimeProvider.System),
        _queues[region],
        new LineWriter(Stream.Null),
        _time,
        NullLoggerFactory.Instance);

    private JournalStore Journal(string region) => new(_engines[region].Client(), _tables.Journal, Timeout);

    private async Task<List<Difference>> DifferencesAsync(Comparison comparison)
    {
        var differences = new List<Difference>();
        await foreach (var difference in Store.ReadDifferencesAsync(comparison.Id, Token))
        {
            differences.Add(difference);
        }

        return differences;
    }

    private Task PutAsync(string region, string id, int version, Dictionary<string, AttributeValue>? content = null) =>
        _engines[region].Client().PutItemAsync(_tables.Items, new StoredItem(id, content ?? [], VersionOf(version), SeenVersions.None, IsDeleted: false, ExpiresAt: null).ToAttributes(), Token);

    private Task BeatAsync(string region, string replica, DateTimeOffset at) =>
        _engines[replica].Client().PutItemAsync(
            _tables.Items, new() { [ItemAttributes.Id] = new(HeartbeatRow.IdOf(region, TestAudit.Observer)), [HeartbeatRow.At] = new() { N = $"{at.ToUnixTimeMilliseconds()}" } }, Token);

    private static ItemVersion VersionOf(int counter) => ItemVersion.Create(1_000, counter, "a", "aaaaaaaa");
}

public sealed class CompareOnDynoxideTests(CompareOnDynoxideTests.A a, CompareOnDynoxideTests.B b)
    : CompareTests(a.Engine, b.Engine), IClassFixture<CompareOnDynoxideTests.A>, IClassFixture<CompareOnDynoxideTests.B>
{
    public sealed class A() : SharedEngine(async () => await TestEngine.StartAsync());

    public sealed class B() : SharedEngine(async () => await TestEngine.StartAsync());
}

public sealed class CompareOnDynamoDbLocalTests(DynamoDbLocalEngine a, SecondDynamoDbLocalEngine b)
    : CompareTests(a.Engine, b.Engine, "DynamoDB Local is not on this machine: 'npm ci' in tests/Engine installs it; it needs Java.");
