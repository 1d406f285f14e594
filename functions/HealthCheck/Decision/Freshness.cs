using Failover.ControlPlane.Topologies;

namespace Failover.HealthCheck.Decision;

/// <summary>
/// Whether what a tick knows is fresh enough for a write to start. Asked just before each write, which bounds how late one can start: a process that slept
/// does nothing with what it knew. What is under way then is fenced by the write's own condition.
/// </summary>
public static class Freshness
{
    /// <summary>Why a write may not start; null if it may.</summary>
    /// <param name="evidence">The age of the last reading of register and ballots.</param>
    /// <param name="tick">The age of the tick.</param>
    public static string? Stale(TimeSpan evidence, TimeSpan tick, Timing timing) =>
        evidence > timing.EvidenceLifetime || tick > 2 * timing.Interval ? $"the evidence is {evidence.TotalSeconds:0} s old, the tick {tick.TotalSeconds:0} s: nothing is done with it" : null;
}
