using System.Text.Json;
using Failover.LocalHost.Rollouts;
using Microsoft.Extensions.Time.Testing;

namespace Failover.LocalHost.Tests;

/// <summary>A change of the interval: what can be asked for, and how it goes from region to region.</summary>
public sealed class RolloutTests : IDisposable
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    private const int RoundsMax = 500;

    private readonly FakeTimeProvider _time = new();
    private readonly SemaphoreSlim _deployed = new(0);
    private readonly List<string> _regions = [];

    public void Dispose() => _deployed.Dispose();

    [Theory]
    [InlineData("""{"intervalSeconds":1}""", 1, 5)]
    [InlineData("""{"intervalSeconds":60,"pauseSeconds":0}""", 60, 0)]
    public void What_the_contract_allows_is_read(string json, int interval, int pause) =>
        Assert.Equal((new RolloutRequest(interval, pause), null), Read(json));

    [Theory]
    [InlineData("{}", "needs 'intervalSeconds'")]
    [InlineData("""{"intervalSeconds":null}""", "needs 'intervalSeconds'")]
    [InlineData("""{"intervalSeconds":0}""", "1 to 60, not 0")]
    [InlineData("""{"intervalSeconds":61}""", "1 to 60, not 61")]
    [InlineData("""{"intervalSeconds":2.5}""", "intervalSeconds")]
    [InlineData("""{"intervalSeconds":"2"}""", "intervalSeconds")]
    [InlineData("""{"intervalSeconds":2,"pauseSeconds":-1}""", "0 to 3600, not -1")]
    [InlineData("""{"intervalSeconds":2,"region":"east"}""", "region")]
    public void Anything_else_gets_the_reason(string json, string expected) =>
        Assert.Contains(expected, Read(json).Mistake, StringComparison.Ordinal);

    [Fact]
    public async Task One_region_follows_the_other_after_the_pause()
    {
        var change = Change(_ => Task.CompletedTask);
        Assert.True(change.TryStart(new RolloutRequest(3, 5), Token));
        await _deployed.WaitAsync(Token);
        Assert.Equal(["east 3"], _regions);

        await AdvanceAsync(change);

        Assert.Equal(["east 3", "west 3", "north 3"], _regions);
    }

    [Fact]
    public async Task A_second_change_is_refused_until_the_first_has_ended()
    {
        var end = new TaskCompletionSource();
        var change = Change(_ => end.Task);
        Assert.True(change.TryStart(new RolloutRequest(3, 0), Token));
        Assert.False(change.TryStart(new RolloutRequest(4, 0), Token));
        Assert.True(change.IsRunning);

        end.SetResult();
        await AdvanceAsync(change);

        Assert.False(change.IsRunning);
        Assert.True(change.TryStart(new RolloutRequest(4, 0), Token));
        await AdvanceAsync(change);
    }

    [Fact]
    public async Task A_change_that_fails_half_way_can_be_started_again()
    {
        var fails = true;
        var change = Change(_ => fails ? Task.FromException(new IOException("disk full")) : Task.CompletedTask);
        Assert.True(change.TryStart(new RolloutRequest(3, 0), Token));
        await AdvanceAsync(change);
        fails = false;

        Assert.True(change.TryStart(new RolloutRequest(3, 0), Token));
        await AdvanceAsync(change);

        Assert.Equal(["east 3", "east 3", "west 3", "north 3"], _regions);
    }

    private RollingChange Change(Func<string, Task> deploy) => new(
        ["east", "west", "north"],
        async (region, interval) =>
        {
            _regions.Add($"{region} {interval.TotalSeconds}");
            _deployed.Release();
            await deploy(region);
        },
        _time);

    /// <summary>Lets seconds pass until the change has ended.</summary>
    private async Task AdvanceAsync(RollingChange change)
    {
        for (var round = 0; !change.Last.IsCompleted; round++)
        {
            Assert.True(round < RoundsMax, "The change does not end, however much time passes.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Token);
            if (!change.Last.IsCompleted)
            {
                _time.Advance(TimeSpan.FromSeconds(5));
            }
        }
    }

    private static (RolloutRequest? Rollout, string? Mistake) Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        return RolloutRequest.Read(document.RootElement.Clone());
    }
}
