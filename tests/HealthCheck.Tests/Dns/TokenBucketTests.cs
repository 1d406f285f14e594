using Failover.HealthCheck.Dns;
using Microsoft.Extensions.Time.Testing;

namespace Failover.HealthCheck.Tests.Dns;

/// <summary>A share of a provider's request limit: how long each has to wait for its turn.</summary>
public class TokenBucketTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void What_is_there_is_given_at_once_and_the_rest_in_the_order_in_which_it_is_asked_for()
    {
        var bucket = new TokenBucket(_time, burst: 4, perSecond: 2);

        Assert.Equal([0, 0, 1, 2], Enumerable.Range(0, 4).Select(_ => bucket.Take(2, TimeSpan.FromMinutes(1))!.Value.TotalSeconds));
    }

    [Fact]
    public void Who_cannot_wait_so_long_takes_nothing_from_the_others()
    {
        var bucket = new TokenBucket(_time, burst: 2, perSecond: 2);
        bucket.Take(2, TimeSpan.Zero);

        Assert.Null(bucket.Take(2, TimeSpan.FromSeconds(0.9)));
        Assert.Equal(TimeSpan.FromSeconds(1), bucket.Take(2, TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void It_fills_steadily_and_never_holds_more_than_its_burst()
    {
        var bucket = new TokenBucket(_time, burst: 3, perSecond: 2);
        bucket.Take(3, TimeSpan.Zero);
        _time.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Equal(TimeSpan.Zero, bucket.Take(1, TimeSpan.Zero));
        Assert.Null(bucket.Take(1, TimeSpan.Zero));

        bucket.GiveBack(1);
        Assert.Equal(TimeSpan.Zero, bucket.Take(1, TimeSpan.Zero));
        _time.Advance(TimeSpan.FromHours(1));
        bucket.GiveBack(5);
        Assert.Equal(TimeSpan.FromSeconds(0.5), bucket.Take(4, TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public async Task What_was_taken_for_a_batch_that_is_not_sent_is_given_back()
    {
        var bucket = new TokenBucket(_time, burst: 2, perSecond: 1);
        using (var turn = new ProviderTurn(bucket, () => TimeSpan.Zero, _time))
        {
            Assert.True(await turn.ForListingAsync(CancellationToken.None));
            Assert.True(await turn.ForBatchAsync(CancellationToken.None));
            Assert.False(await turn.ForListingAsync(CancellationToken.None));
        }

        Assert.Equal(TimeSpan.Zero, bucket.Take(1, TimeSpan.Zero));
        Assert.Null(bucket.Take(1, TimeSpan.Zero));
    }

    [Fact]
    public void What_is_not_urgent_leaves_half_of_the_burst_and_is_done_some_time_however_much_it_needs()
    {
        var bucket = new TokenBucket(_time, burst: 16, perSecond: 1);

        Assert.True(bucket.TakeSpare(8));
        Assert.False(bucket.TakeSpare(1));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.True(bucket.TakeSpare(20));
    }

    /// <summary>Who is first in the line is not sent behind all who wait for tokens, for they wait behind it.</summary>
    [Fact]
    public async Task A_batch_that_met_a_busy_provider_is_sent_again_after_a_moment_whoever_else_waits()
    {
        var bucket = new TokenBucket(_time, burst: 1, perSecond: 1);
        using var turn = new ProviderTurn(bucket, () => TimeSpan.FromMinutes(1), _time);
        Assert.True(await turn.ForBatchAsync(CancellationToken.None));
        bucket.Take(30, TimeSpan.FromMinutes(1));
        var again = turn.AgainAsync(CancellationToken.None);
        _time.Advance(TimeSpan.FromMilliseconds(200));

        Assert.True(await again);
    }

    [Fact]
    public async Task In_a_zones_line_each_waits_for_those_before_it_also_if_they_fail()
    {
        var line = new ZoneLine();
        var first = new TaskCompletionSource<int>();
        var entered = line.EnterAsync(() => first.Task, TestContext.Current.CancellationToken);
        var second = line.EnterAsync(() => Task.FromResult(2), TestContext.Current.CancellationToken);

        Assert.False(second.IsCompleted);
        first.SetException(new InvalidOperationException());
        await Assert.ThrowsAsync<InvalidOperationException>(() => entered);
        Assert.Equal(2, await second);
    }
}
