using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Failover.ItemApi.Answers;
using Failover.ItemApi.Items;
using Failover.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Failover.ItemApi.Tests.Items;

/// <summary>The key of the cursors' seal, where two regions have drawn one at once.</summary>
public sealed class CursorsTests : IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    private readonly FakeTimeProvider _time = new();
    private TestEngine _engine = null!;
    private IAmazonDynamoDB _dynamoDb = null!;
    private string _table = null!;

    public async ValueTask InitializeAsync()
    {
        _engine = await TestEngine.StartAsync();
        _table = await _engine.TableAsync("id");
        _dynamoDb = _engine.Client();
    }

    public ValueTask DisposeAsync()
    {
        _dynamoDb.Dispose();
        return _engine.DisposeAsync();
    }

    [Fact]
    public async Task Where_replication_has_decided_against_a_key_the_other_is_taken_up()
    {
        var (loser, winner) = (Process(), Process());
        var lost = await loser.SealAsync("x", Token);
        // The other region's key arrives in its place.
        await _dynamoDb.DeleteItemAsync(_table, new() { ["id"] = new("_cursor-key") }, Token);
        var won = await winner.SealAsync("x", Token);
        _time.Advance(TimeSpan.FromSeconds(1));

        // One that is not known leads to the key that counts, at once.
        Assert.Equal("x", await loser.OpenAsync(won, Token));
        await Assert.ThrowsAsync<ProblemException>(() => loser.OpenAsync(lost, Token));
        Assert.Equal(won, await loser.SealAsync("x", Token));
    }

    [Fact]
    public async Task A_process_that_only_seals_takes_it_up_within_a_minute()
    {
        var loser = Process();
        await loser.SealAsync("x", Token);
        await _dynamoDb.DeleteItemAsync(_table, new() { ["id"] = new("_cursor-key") }, Token);
        var won = await Process().SealAsync("x", Token);
        Assert.NotEqual(won, await loser.SealAsync("x", Token));
        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(won, await loser.SealAsync("x", Token));
    }

    [Fact]
    public async Task However_many_cursors_are_none_of_ours_the_key_is_read_once_a_second()
    {
        var process = Process();
        var own = await process.SealAsync("x", Token);
        await _dynamoDb.DeleteItemAsync(_table, new() { ["id"] = new("_cursor-key") }, Token);
        for (var i = 0; i < 20; i++)
        {
            await Assert.ThrowsAsync<ProblemException>(() => process.OpenAsync("AAAAAAAAAAAAAAAAAAAAAAAAAAAA", Token));
        }

        // Nobody has looked: there is no key in the table.
        Assert.Equal("x", await process.OpenAsync(own, Token));
        Assert.False((await _dynamoDb.GetItemAsync(new GetItemRequest(_table, new() { ["id"] = new("_cursor-key") }), Token)).IsItemSet);
    }

    private Cursors Process() => new(_dynamoDb, _table, TimeSpan.FromSeconds(5), _time);
}
