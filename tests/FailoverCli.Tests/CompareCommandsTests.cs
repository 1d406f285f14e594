using Failover.ControlPlane.Compares;
using Failover.Testing;

namespace Failover.Cli.Tests;

/// <summary>What the command says of a comparison, and with which code it ends.</summary>
public sealed class CompareCommandsTests(DynoxideEngine shared) : IClassFixture<DynoxideEngine>, IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    private CompareStore _store = null!;

    public async ValueTask InitializeAsync() => _store = new CompareStore(shared.Engine!.Client(), await shared.Engine.TableAsync("kind", "id"), TimeSpan.FromSeconds(5));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData(CompareOutcome.Equal, 0)]
    [InlineData(CompareOutcome.Different, 1)]
    [InlineData(CompareOutcome.Incomplete, 2)]
    [InlineData(CompareOutcome.Cancelled, 2)]
    public async Task The_outcome_is_the_exit_code(CompareOutcome outcome, int code)
    {
        var comparison = Ask() with { Phase = ComparePhase.Done, Outcome = outcome };
        await _store.AddAsync(comparison, Token);
        Assert.Equal(code, await FollowAsync(comparison.Id));
    }

    [Fact]
    public async Task One_that_goes_on_or_that_there_is_none_of_gives_no_answer()
    {
        var comparison = Ask();
        await _store.AddAsync(comparison, Token);
        Assert.Equal(2, await FollowAsync(comparison.Id));
        Assert.Equal(2, await FollowAsync("nonsense"));
    }

    [Fact]
    public async Task Differences_go_to_a_file_a_line_each()
    {
        var comparison = Ask() with { Phase = ComparePhase.Done, Outcome = CompareOutcome.Different };
        await _store.AddAsync(comparison, Token);
        await _store.PutDifferencesAsync(comparison.Id, "1", [new Difference("a\"b\n", DifferenceKind.Missing, "b", "v1", null), new Difference("c", DifferenceKind.Changed, "b", "v1", "v2")], comparison.At, Token);
        await _store.PutDifferencesAsync(comparison.Id, "1", [new Difference("c", DifferenceKind.Changed, "b", "v1", "v2")], comparison.At, Token);
        await _store.PutDifferencesAsync(comparison.Id, "1", [new Difference("a\"b\n", DifferenceKind.Missing, "b", "v1", null), new Difference("c", DifferenceKind.Changed, "b", "v1", "v2")], comparison.At, Token);
        var folder = Directory.CreateTempSubdirectory();
        var file = new FileInfo(Path.Combine(folder.FullName, "differences.jsonl"));

        Assert.Equal(1, await FollowAsync(comparison.Id, file));

        Assert.Equal(
            ["""{"key":"a\u0022b\n","kind":"Missing","peer":"b","homeVersion":"v1"}""", """{"key":"c","kind":"Changed","peer":"b","homeVersion":"v1","peerVersion":"v2"}"""],
            await File.ReadAllLinesAsync(file.FullName, Token));
        Assert.Single(folder.EnumerateFiles());
        folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("a,a")]
    [InlineData("")]
    public void A_comparison_needs_two_regions(string regions) =>
        Assert.Throws<ArgumentException>(() => Comparison.Ask(regions.Split(','), "me", 1, 100, TimeSpan.FromMinutes(1), DateTimeOffset.UnixEpoch));

    [Theory]
    [InlineData(0, 60)]
    [InlineData(double.NaN, 60)]
    [InlineData(2e6, 60)]
    [InlineData(100, 0)]
    [InlineData(100, 1e6)]
    public void Budgets_and_times_have_limits(double units, double settleSeconds) =>
        Assert.Throws<ArgumentException>(() => Comparison.Ask(["a", "b"], "me", 1, units, TimeSpan.FromSeconds(settleSeconds), DateTimeOffset.UnixEpoch));

    [Fact]
    public void A_cut_off_in_the_future_is_refused() =>
        Assert.Throws<ArgumentException>(() => Comparison.Ask(["a", "b"], "me", 1, 100, TimeSpan.FromMinutes(1), DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddSeconds(1)));

    [Fact]
    public void More_items_have_more_buckets_up_to_what_a_row_holds() =>
        Assert.Equal([6, 6, 10, 12, 12], new long[] { 0, 100, 60_000, 1_000_000, 1_000_000_000 }.Select(items => Comparison.Ask(["a", "b"], "me", items, 100, TimeSpan.FromMinutes(1), DateTimeOffset.UnixEpoch).BucketBits));

    private static Comparison Ask() => Comparison.Ask(["a", "b"], "me", 1, 100, TimeSpan.FromMinutes(1), DateTimeOffset.UnixEpoch);

    private Task<int> FollowAsync(string id, FileInfo? output = null) => CompareCommands.FollowAsync(_store, id, TimeSpan.Zero, output, TimeProvider.System, Token);
}
