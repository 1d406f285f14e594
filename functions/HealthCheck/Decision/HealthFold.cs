using Failover.ControlPlane;
using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Probing;

namespace Failover.HealthCheck.Decision;

/// <summary>
/// Folds one probe into an endpoint's health. The counter is leaky: a success forgives only after a clean run,
/// so that an endpoint that fails half the time is still caught; coming back takes longer than leaving.
/// </summary>
/// <remarks>
/// Learned from gdnsd's monitor core: failures need not be consecutive, and only a run of clean checks clears them.
/// <code>
/// probe                      | health afterwards
/// failed                     | Down once failures since the last clean run reach DownAfterTicks, else as before
/// ok                         | Up once UpAfterTicks succeeded in a row (failures then forgiven), else as before
/// another target, or no past | Unknown first: what is known is about something else
/// failed after a gap         | Unknown first: counters from before a gap describe another time
/// ok after a gap             | as failed, but Up stays Up for UpSurvives: in between nothing spoke against it
/// </code>
/// </remarks>
public static class HealthFold
{
    /// <summary>How long <see cref="Health.Up"/> outlives ticks, if the probe that ends the gap succeeds: two missed ticks of one a minute, and their jitter.</summary>
    public static readonly TimeSpan UpSurvives = TimeSpan.FromSeconds(180);

    /// <summary>The endpoint's ballot after one more probe.</summary>
    /// <param name="previous">From the ballot before; null if there was none.</param>
    /// <param name="gap">The time since that ballot where it was no longer valid; null if it was.</param>
    /// <param name="target"><see cref="ServiceEndpoint.Digest"/> of what was probed.</param>
    /// <param name="lived">Whether this tick's heartbeat into the endpoint's replica was acknowledged.</param>
    public static EndpointBallot Next(
        EndpointBallot? previous, TimeSpan? gap, string target, ProbeResult probe, bool lived, DateTimeOffset start, Timing timing)
    {
        var known = Known(previous, gap, target, probe) with { Target = target, Detail = Printable.Of(probe.Detail, EndpointBallot.DetailMax) };
        if (!probe.Ok)
        {
            var failures = known.Failures + 1;
            return known with
            {
                Health = failures >= timing.DownAfterTicks ? Health.Down : known.Health,
                Failures = failures,
                Lived = known.Lived + (lived ? 1 : 0),
                CleanTicks = 0,
                LastOk = false,
                CleanSince = null,
                FailedSince = known.FailedSince ?? start,
            };
        }

        var next = known with { CleanTicks = known.CleanTicks + 1, LastOk = true, CleanSince = known.CleanSince ?? start };
        return next.CleanTicks >= timing.UpAfterTicks ? next with { Health = Health.Up, Failures = 0, Lived = 0, FailedSince = null } : next;
    }

    private static EndpointBallot Known(EndpointBallot? previous, TimeSpan? gap, string target, ProbeResult probe)
    {
        if (previous is null || previous.Target != target)
        {
            return EndpointBallot.Unknown;
        }

        if (gap is not { } length)
        {
            return previous;
        }

        return probe.Ok && previous.Health == Health.Up && length <= UpSurvives ? EndpointBallot.Unknown with { Health = Health.Up } : EndpointBallot.Unknown;
    }
}
