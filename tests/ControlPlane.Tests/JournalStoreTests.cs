using Amazon.DynamoDBv2;
using Failover.Testing;

namespace Failover.ControlPlane.Tests;

/// <summary>The marks of findings that stand against moving back, against a real engine.</summary>
public sealed class JournalStoreTests(DynoxideEngine shared) : IClassFixture<DynoxideEngine>, IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;
    private static readonly DateTimeOffset Now = new(2026, 11, 26, 8, 0, 0, TimeSpan.Zero);

    private string _table = null!;
    private IAmazonDynamoDB _client = null!;

    private JournalStore Store => new(_client, _table, TimeSpan.FromSeconds(5));

    public async ValueTask InitializeAsync()
    {
        _table = await shared.Engine!.TableAsync("kind", "id");
        _client = shared.Engine.Client();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task An_open_gap_holds_until_it_is_closed()
    {
        await Store.AddFindingAsync(Gap("1"), Token);
        await Store.AddFindingAsync(Gap("2") with { Kind = FindingKind.LostUpdate }, Token);
        Assert.True(await Store.HoldsAsync(Token));
        Assert.Equal(["1"], (await Store.TidyHoldingAsync(10, Now, Token)).Select(finding => finding.Id));

        await Store.CloseFindingAsync(FindingKind.AuditGap, "1", new FindingClosure("Compared", null, Now), Token);
        Assert.False(await Store.HoldsAsync(Token));
    }

    /// <summary>The head was closed, and the process ended before it took the mark away.</summary>
    [Fact]
    public async Task A_mark_that_outlived_its_finding_is_taken_away()
    {
        await Store.AddFindingAsync(Gap("1"), Token);
        await Store.CloseFindingAsync(FindingKind.AuditGap, "1", new FindingClosure("Compared", null, Now), Token);
        await MarkAsync("1", Now);
        Assert.True(await Store.HoldsAsync(Token));

        Assert.Empty(await Store.TidyHoldingAsync(10, Now, Token));
        Assert.False(await Store.HoldsAsync(Token));
    }

    /// <summary>The mark comes first: a finding may be about to follow it.</summary>
    [Fact]
    public async Task A_mark_whose_finding_never_came_is_taken_away_after_an_hour()
    {
        await MarkAsync("1", Now);
        await Store.TidyHoldingAsync(10, Now.AddMinutes(59), Token);
        Assert.True(await Store.HoldsAsync(Token));
        await Store.TidyHoldingAsync(10, Now.AddMinutes(61), Token);
        Assert.False(await Store.HoldsAsync(Token));
    }

    [Fact]
    public async Task Many_that_hold_are_all_read()
    {
        for (var i = 0; i < 40; i++)
        {
            await Store.AddFindingAsync(Gap($"{i:D2}"), Token);
        }

        Assert.Equal(40, (await Store.ReadHoldingAsync(100, Token)).Select(finding => finding.Id).Distinct().Count());
    }

    private Task MarkAsync(string id, DateTimeOffset at) => _client.PutItemAsync(
        _table, new() { ["kind"] = new("finding-holding"), ["id"] = new(id), ["body"] = new(""), ["ttl"] = new() { N = $"{(at + JournalStore.Lifetime).ToUnixTimeSeconds()}" } }, Token);

    private static Finding Gap(string id) => new() { Id = id, Kind = FindingKind.AuditGap, Region = "a", At = Now, Span = new FindingSpan(Now, Now), Why = "test" };
}
