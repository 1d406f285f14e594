using Failover.LocalHost.Route53;
using Microsoft.Extensions.Time.Testing;

namespace Failover.LocalHost.Tests;

/// <summary>An account's limit of requests.</summary>
public class RequestLimitTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly RequestLimit _limit;

    public RequestLimitTests() => _limit = new RequestLimit(10, 50, _time);

    [Fact]
    public void Fifty_at_once_pass_and_ten_more_each_second()
    {
        Assert.Equal(50, Passed(60));
        _time.Advance(TimeSpan.FromMilliseconds(90));
        Assert.Equal(0, Passed(1));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(10, Passed(60));
    }

    [Fact]
    public void A_long_rest_is_worth_no_more_than_one_burst()
    {
        Passed(50);
        _time.Advance(TimeSpan.FromHours(1));

        Assert.Equal(50, Passed(1000));
    }

    private int Passed(int requests) => Enumerable.Range(0, requests).Count(_ => _limit.TryTake());
}
