using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;
using Failover.HealthCheck.Probing;

namespace Failover.HealthCheck.Tests.Decision;

/// <summary>An endpoint's health over sequences of probes: + is a success, - a failure.</summary>
public class HealthFoldTests
{
    private static readonly Timing Timing = new();

    [Theory]
    [InlineData("", Health.Unknown)]
    [InlineData("+++++", Health.Unknown)]
    [InlineData("++++++", Health.Up)]
    [InlineData("--", Health.Unknown)]
    [InlineData("---", Health.Down)]
    [InlineData("++++++--", Health.Up)]
    [InlineData("++++++---", Health.Down)]
    [InlineData("++++++-+-+-", Health.Down)]
    [InlineData("++++++--++++++--", Health.Up)]
    [InlineData("++++++--+++++-", Health.Down)]
    [InlineData("---+++++", Health.Down)]
    [InlineData("---++++++", Health.Up)]
    [InlineData("---+++++-++++++", Health.Up)]
    public void Leaves_fast_returns_slowly_and_forgives_only_after_a_clean_run(string probes, Health expected) => Assert.Equal(expected, Fold(probes).Health);

    [Fact]
    public void An_endpoint_that_fails_half_the_time_is_caught() => Assert.Equal(Health.Down, Fold("++++++" + string.Concat(Enumerable.Repeat("+-", 3))).Health);

    [Fact]
    public void The_slots_of_failures_are_kept_until_they_are_forgiven()
    {
        Assert.Equal([0, 1, 3], Fold("--+-").FailedSlots);
        Assert.Empty(Fold("--++++++").FailedSlots);
        Assert.Equal(HealthFold.FailedSlotsMax, Fold(new string('-', 40)).FailedSlots.Count);
    }

    [Theory]
    [InlineData(103, false)]
    [InlineData(104, true)]
    public void A_long_gap_forgets_what_was_known(long slot, bool isGap)
    {
        var ballot = new Ballot
        {
            Observer = "o",
            Slot = 100,
            At = DateTimeOffset.UnixEpoch,
            Services = new Dictionary<string, IReadOnlyDictionary<string, EndpointBallot>>(),
            Replicas = new Dictionary<string, ReplicaBallot>(),
        };

        Assert.Equal(isGap, HealthFold.IsGap(ballot, slot, Timing));
    }

    private static EndpointBallot Fold(string probes)
    {
        var ballot = EndpointBallot.Unknown;
        for (var i = 0; i < probes.Length; i++)
        {
            ballot = HealthFold.Next(ballot, new ProbeResult(probes[i] == '+', ""), i, Timing);
        }

        return ballot;
    }
}
