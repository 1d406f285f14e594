using Failover.ControlPlane.Ballots;
using Failover.HealthCheck.Decision;

namespace Failover.HealthCheck.Tests.Decision;

/// <summary>The lag from a to b, by one observer's own clock. Rounds are 10 s apart.</summary>
public class HeartbeatFoldTests
{
    [Fact]
    public void What_is_visible_at_once_has_no_lag() => Assert.Equal(0, Rounds((1000, true, 1000)).LagMs["b"]);

    [Fact]
    public void The_lag_is_the_age_of_the_oldest_beat_that_is_not_visible() =>
        Assert.Equal(20_000, Rounds((10_000, true, 10_000), (20_000, true, 10_000), (30_000, true, 10_000), (40_000, true, 10_000)).LagMs["b"]);

    [Fact]
    public void A_beat_that_was_not_acknowledged_is_not_waited_for() =>
        Assert.Equal(0, Rounds((10_000, true, 10_000), (20_000, false, 10_000), (30_000, true, 30_000)).LagMs["b"]);

    [Fact]
    public void Without_a_write_or_a_reading_the_lag_is_unknown()
    {
        Assert.Null(Rounds((10_000, false, 10_000)).LagMs["b"]);
        Assert.Null(Rounds((10_000, true, null)).LagMs["b"]);
    }

    [Fact]
    public void Catching_up_ends_the_lag() =>
        Assert.Equal(0, Rounds((10_000, true, 0), (20_000, true, 0), (30_000, true, 30_000)).LagMs["b"]);

    [Fact]
    public void In_a_long_stall_the_oldest_beat_is_not_forgotten() =>
        Assert.Equal(990_000, Rounds([.. Enumerable.Range(1, 100).Select(i => (i * 10_000L, true, (long?)0))]).LagMs["b"]);

    private static ReplicaBallot Rounds(params (long Beat, bool Acked, long? SeenAtB)[] rounds)
    {
        ReplicaBallot? ballot = null;
        foreach (var (beat, acked, seen) in rounds)
        {
            var visible = seen is { } at ? new Dictionary<string, long> { ["b"] = at } : [];
            ballot = HeartbeatFold.Next(ballot, beat, acked, visible, ["b"], now: beat);
        }

        return ballot!;
    }
}
