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
/// probe     | health afterwards
/// failed    | Down once failures since the last clean run reach DownAfterTicks, else as before
/// ok        | Up once UpAfterTicks succeeded in a row (failures then forgiven), else as before
/// after gap | Unknown first: counters from before a gap describe another time
/// </code>
/// </remarks>
public static class HealthFold
{
    /// <summary>How many failed slots a ballot remembers: enough for every threshold (<see cref="Timing.LostAfterTicks"/> is at most 16).</summary>
    public const int FailedSlotsMax = 16;

    /// <summary>The endpoint's ballot after one more probe.</summary>
    /// <param name="previous">From the ballot before; null if there was none, or it lies too far back (<see cref="IsGap"/>).</param>
    public static EndpointBallot Next(EndpointBallot? previous, ProbeResult probe, long slot, Timing timing)
    {
        previous ??= EndpointBallot.Unknown;
        if (!probe.Ok)
        {
            var failures = previous.Failures + 1;
            return new EndpointBallot(
                failures >= timing.DownAfterTicks ? Health.Down : previous.Health,
                failures,
                CleanTicks: 0,
                LastOk: false,
                WithNewest(previous.FailedSlots, slot, FailedSlotsMax),
                probe.Detail);
        }

        var clean = previous.CleanTicks + 1;
        return clean >= timing.UpAfterTicks
            ? new EndpointBallot(Health.Up, 0, clean, LastOk: true, [], probe.Detail)
            : previous with { CleanTicks = clean, LastOk = true, Detail = probe.Detail };
    }

    /// <summary>Slots with one more, of which the newest are kept.</summary>
    internal static long[] WithNewest(IReadOnlyList<long>? slots, long slot, int max)
    {
        var before = slots?.Count ?? 0;
        var kept = Math.Min(before, max - 1);
        var next = new long[kept + 1];
        for (var i = 0; i < kept; i++)
        {
            next[i] = slots![before - kept + i];
        }

        next[kept] = slot;
        return next;
    }

    /// <summary>Whether a ballot is too old to be gone on from.</summary>
    public static bool IsGap(Ballot previous, long slot, Timing timing) => (slot - previous.Slot) * timing.Interval > timing.BallotLifetime;
}
