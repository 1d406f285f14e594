using Failover.ControlPlane.Registers;

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

/// <summary>Why a failure that was seen, or a move that was asked for, is not acted on.</summary>
public enum HoldReason
{
    /// <summary>Down, but not yet for as many ticks as the diagnosis asks, or not for the observer that decides.</summary>
    Detecting,

    /// <summary>Down for a majority, but it answered just now: neither left nor trusted until it fails again, or has been clean for long enough.</summary>
    Intermittent,

    /// <summary>Fewer than a majority of the register's observers have a ballot that counts.</summary>
    NoQuorum,

    /// <summary>No other endpoint is up.</summary>
    NoTarget,

    /// <summary>A move was made lately, and no person has acknowledged it.</summary>
    CoolDown,

    /// <summary>An operator paused.</summary>
    Paused,

    /// <summary>An operator pinned the name to the endpoint that serves.</summary>
    Pinned,

    /// <summary>A maintenance window is open.</summary>
    MaintenanceWindow,

    /// <summary>More than three moves were withdrawn within an hour.</summary>
    TooManyWithdrawals,

    /// <summary>The move could cost more data than the service prefers to lose, or nobody can say how much.</summary>
    RpoGuard,

    /// <summary>The service's moves wait for an operator's consent.</summary>
    AwaitingApproval,

    /// <summary>The service is only observed.</summary>
    ObserveOnly,

    /// <summary>What serves is no endpoint of the topology: nobody probes it, and nobody can say that it fails.</summary>
    NotInTopology,

    /// <summary>A majority votes, but no majority by the same rules and topology.</summary>
    MixedVersions,

    /// <summary>The name's records are not what any plan says: somebody else writes them.</summary>
    ForeignRecord,

    /// <summary>A move back is under way, and it is no longer safe.</summary>
    BackGateShut,

    /// <summary>A move back could be made, but nobody has compared the tables.</summary>
    NoDataGate,

    /// <summary>A planned move waits until what was written before the fence has arrived.</summary>
    Backlog,

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
/// <param name="To">The endpoint to move to; with <see cref="Verdict.Hold"/>, the one that would be moved to.</param>
/// <param name="Held">Why a failure that was seen is not acted on; empty if none was.</param>
/// <param name="Why">A sentence for people.</param>
public sealed record Decision(Verdict Verdict, string? To, Diagnosis Diagnosis, IReadOnlyList<HoldReason> Held, string Why)
{
    /// <summary>Why the move is made; meaningless with <see cref="Verdict.Hold"/>.</summary>
    public MoveKind Kind { get; init; }

    /// <summary>How much data the move can cost at most, in milliseconds of writes: the age of the newest heartbeat that has arrived. Null if nobody knows.</summary>
    public long? DataLossMs { get; init; }

    /// <summary>Whether this decision moves to that endpoint.</summary>
    public bool MovesTo(string endpoint) => Verdict != Verdict.Hold && To == endpoint;
}
