namespace Failover.HealthCheck.Decision;

/// <summary>The named verdict over all ballots.</summary>
public enum Diagnosis
{
    /// <summary>The endpoint that serves is not seen down by a majority, and replication flows.</summary>
    Healthy,

    /// <summary>A majority sees the endpoint down; its region still takes writes.</summary>
    EndpointDown,

    /// <summary>A majority sees the endpoint down and its region takes no writes.</summary>
    RegionLost,

    /// <summary>The endpoint serves, but its writes do not arrive elsewhere.</summary>
    ReplicationStalled,

    /// <summary>This observer is cut off: it has no vote.</summary>
    ObserverIsolated,

    /// <summary>A majority sees the endpoint down, and no other endpoint up.</summary>
    NoTarget,

    /// <summary>The observers do not agree, or too few of them speak.</summary>
    Contested,
}

/// <summary>Why a failure that was seen is not acted on.</summary>
public enum HoldReason
{
    /// <summary>Down, but not yet for as many ticks as the diagnosis asks.</summary>
    Detecting,

    /// <summary>Fewer than a majority of all configured observers have a fresh ballot.</summary>
    NoQuorum,

    /// <summary>No other endpoint is up.</summary>
    NoTarget,

    /// <summary>A move landed lately, and no person has acknowledged it.</summary>
    CoolDown,

    /// <summary>An operator paused.</summary>
    Paused,

    /// <summary>More than three moves were withdrawn within an hour.</summary>
    Flapping,

    /// <summary>Ballots by different rules.</summary>
    MixedVersions,

    /// <summary>The name's records are not what any plan says: somebody else writes them.</summary>
    NameFrozen,

    /// <summary>A move back is under way, and it is no longer safe.</summary>
    BackGateShut,

    /// <summary>This observer is cut off.</summary>
    NoVote,
}

/// <summary>What to do.</summary>
public enum Verdict
{
    Hold,
    Move,
    MoveBack,
}

/// <summary>What to do, and why.</summary>
/// <param name="To">The endpoint to move to.</param>
/// <param name="Held">Why a failure that was seen is not acted on; empty if none was.</param>
/// <param name="Why">A sentence for people.</param>
public sealed record Decision(Verdict Verdict, string? To, Diagnosis Diagnosis, IReadOnlyList<HoldReason> Held, string Why)
{
    /// <summary>Whether this decision moves to that endpoint.</summary>
    public bool MovesTo(string endpoint) => Verdict is Verdict.Move or Verdict.MoveBack && To == endpoint;
}
