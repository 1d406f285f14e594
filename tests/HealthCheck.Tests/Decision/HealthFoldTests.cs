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
    public void Failures_and_those_that_lived_are_counted_until_they_are_forgiven()
    {
        Assert.Equal((3, 3), (Fold("--+-").Failures, Fold("--+-").Lived));
        Assert.Equal((3, 0), (Fold("--+-", lived: false).Failures, Fold("--+-", lived: false).Lived));
        Assert.Equal((0, 0, null), (Fold("--++++++").Failures, Fold("--++++++").Lived, Fold("--++++++").FailedSince));
        Assert.Equal(Start, Fold("--+-").FailedSince);
    }

    [Fact]
    public void A_clean_run_is_a_time_and_begins_anew_with_every_failure()
    {
        Assert.Equal(Start, Fold("+++").CleanSince);
        Assert.Equal(Start.AddSeconds(20), Fold("+-+++").CleanSince);
        Assert.Null(Fold("++-").CleanSince);
    }

    [Theory]
    // A ballot that is no longer valid is not gone on from.
    [InlineData("++++++", 40, true, Health.Up, 0, 1)]
    [InlineData("++++++", 180, true, Health.Up, 0, 1)]
    [InlineData("++++++", 181, true, Health.Unknown, 0, 1)]
    [InlineData("++++++", 40, false, Health.Unknown, 1, 0)]
    [InlineData("---", 40, true, Health.Unknown, 0, 1)]
    [InlineData("---", 40, false, Health.Unknown, 1, 0)]
    [InlineData("--", 40, false, Health.Unknown, 1, 0)]
    public void Failures_do_not_outlive_a_gap_and_up_does_if_the_next_probe_bears_it_out(string before, int gapSeconds, bool ok, Health expected, int failures, int clean)
    {
        var next = HealthFold.Next(Fold(before), TimeSpan.FromSeconds(gapSeconds), "t", new ProbeResult(ok, ""), lived: true, Start.AddSeconds(300), Timing);

        Assert.Equal((expected, failures, clean), (next.Health, next.Failures, next.CleanTicks));
        Assert.Equal(ok ? Start.AddSeconds(300) : null, next.CleanSince);
    }

    [Fact]
    public void Health_is_not_carried_over_to_another_target_of_the_same_name()
    {
        Assert.Equal(Health.Unknown, HealthFold.Next(Fold("++++++"), null, "another", new ProbeResult(true, ""), lived: true, Start, Timing).Health);
        Assert.Equal(1, HealthFold.Next(Fold("---"), null, "another", new ProbeResult(false, ""), lived: true, Start, Timing).Failures);
    }

    /// <summary>F8: five endpoints that answered so made the ballot larger than DynamoDB takes, and no observer voted for any service.</summary>
    [Fact]
    public void What_an_endpoint_answers_is_bounded_and_printable()
    {
        var detail = HealthFold.Next(null, null, "t", new ProbeResult(false, "\u001b[2J" + new string('x', 100_000)), lived: true, Start, Timing).Detail;

        Assert.Equal(EndpointBallot.DetailMax, detail.Length);
        Assert.StartsWith("?[2Jxx", detail, StringComparison.Ordinal);
        Assert.EndsWith("...", detail, StringComparison.Ordinal);
    }

    private static readonly DateTimeOffset Start = World.Now;

    private static EndpointBallot Fold(string probes, bool lived = true)
    {
        EndpointBallot? ballot = null;
        for (var i = 0; i < probes.Length; i++)
        {
            ballot = HealthFold.Next(ballot, null, "t", new ProbeResult(probes[i] == '+', ""), lived, Start.AddSeconds(10 * i), Timing);
        }

        return ballot ?? EndpointBallot.Unknown;
    }
}
