using Failover.ReplicationAudit.Arrivals;
using Failover.ReplicationAudit.Continuity;

namespace Failover.ReplicationAudit.Tests.Continuity;

public class ContinuityRuleTests
{
    [Theory]
    [InlineData(null, 5L, 6L)]
    [InlineData(5L, 5L, 6L)]
    [InlineData(6L, 5L, 6L)]
    [InlineData(9L, 5L, 6L)]
    public void The_first_the_next_and_one_that_comes_again_leave_no_gap(long? handled, long? old, long next) => Assert.Null(HeartbeatChain.Gap(handled, old, next));

    [Theory]
    [InlineData(5L, 7L, 8L, 5L, 7L)]
    [InlineData(5L, null, 8L, 5L, 8L)]
    [InlineData(5L, 4L, 8L, 5L, 8L)]
    public void One_that_does_not_continue_what_was_read_leaves_a_gap(long handled, long? old, long next, long from, long to)
    {
        var gap = HeartbeatChain.Gap(handled, old, next)!;
        Assert.Equal((from, to), (gap.From.ToUnixTimeMilliseconds(), gap.To.ToUnixTimeMilliseconds()));
    }

    [Fact]
    public void Replication_is_as_late_as_the_least_late_row() =>
        Assert.Equal(TimeSpan.FromMilliseconds(10), StallRule.Lag(new Dictionary<string, long> { ["o"] = 100, ["p"] = 200 }, new Dictionary<string, long> { ["o"] = 90, ["p"] = 50 }));

    [Fact]
    public void A_row_that_is_on_one_side_only_measures_nothing_unless_the_peer_shows_none_at_all()
    {
        Assert.Null(StallRule.Lag(new Dictionary<string, long>(), new Dictionary<string, long> { ["p"] = 100 }));
        Assert.Equal(TimeSpan.MaxValue, StallRule.Lag(new Dictionary<string, long> { ["o"] = 100 }, new Dictionary<string, long>()));
        Assert.Equal(TimeSpan.Zero, StallRule.Lag(new Dictionary<string, long> { ["o"] = 100, ["p"] = 1 }, new Dictionary<string, long> { ["o"] = 101 }));
    }
}
