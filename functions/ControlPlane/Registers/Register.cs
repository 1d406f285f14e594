namespace Failover.ControlPlane.Registers;

/// <summary>
/// The one record per service that says what shall be. Every write is conditional on <see cref="Rev"/> and raises it,
/// so that nobody erases what he has not read; every change of mind is a new epoch, and counts only once the world's DNS shows it.
/// </summary>
public sealed record Register
{
    /// <summary>The service's name.</summary>
    public required string Service { get; init; }

    /// <summary>Raised by every write.</summary>
    public required long Rev { get; init; }

    /// <summary>What the name shall have now; its epoch is the register's.</summary>
    public required Plan Plan { get; init; }

    /// <summary>The endpoint that was last verified to serve.</summary>
    public required string Active { get; init; }

    /// <summary>The move under way, or null.</summary>
    public Move? Moving { get; init; }

    /// <summary>The move that landed last, or null.</summary>
    public LandedMove? LastMove { get; init; }

    /// <summary>Older plans that the world's DNS may still show, newest last, at most <see cref="KnownPlansMax"/>.</summary>
    public IReadOnlyList<Plan> Known { get; init; } = [];

    /// <summary>The id of the plan that the present one withdraws: should it land all the same, the next epoch keeps it.</summary>
    public string? Withdraws { get; init; }

    /// <summary>What <c>adopt</c> found, and the world may still show.</summary>
    public Adoption? Adopted { get; init; }

    /// <summary>The cool-down under way, or the last one.</summary>
    public CoolDown? CoolDown { get; init; }

    /// <summary>When moves were withdrawn, within the last hour.</summary>
    public IReadOnlyList<DateTimeOffset> Withdrawals { get; init; } = [];

    /// <summary>An operator's order to move nothing automatically.</summary>
    public Override? Paused { get; init; }

    /// <summary>An operator's order to let one endpoint serve.</summary>
    public Pin? Pinned { get; init; }

    /// <summary>Operators' orders to let endpoints not serve, by name.</summary>
    public IReadOnlyDictionary<string, Override> Drained { get; init => field = value ?? EmptyDrained; } = EmptyDrained;

    /// <summary>An operator's consent to the next automatic move from this epoch.</summary>
    public Override? Approved { get; init; }

    /// <summary>An operator's order to move without loss; in force until the move is done or given up.</summary>
    public PlannedMove? Planned { get; init; }

    /// <summary>A fence that has served, or will not: it is lifted as soon as it may be, and forgotten once that is acknowledged.</summary>
    public FenceToLift? FenceToLift { get; init; }

    /// <summary>With the lever <c>Switch</c>: the endpoint that carries the check. It was chosen at deploy time, whatever the topology says of priorities since.</summary>
    public string? Primary { get; init; }

    /// <summary>What became of the last command.</summary>
    public CommandOutcome? LastCommand { get; init; }

    /// <summary>The number of the current move.</summary>
    public long Epoch => Plan.Epoch;

    private static readonly Dictionary<string, Override> EmptyDrained = [];

    /// <summary>How many older plans are remembered.</summary>
    public const int KnownPlansMax = 8;

    /// <summary>The endpoint that clients reach now: a move that has landed counts, though it is not verified yet.</summary>
    public string Serving => Moving is { LandedAt: not null } move ? move.To : Active;

    /// <summary>The register with a new plan in force and the present one remembered.</summary>
    public Register WithPlan(Plan plan) => this with
    {
        Plan = plan,
        Known = [.. Known.Append(Plan).TakeLast(KnownPlansMax)],
        Withdraws = null,
        Moving = null,
        Approved = null,
        Planned = null,
        FenceToLift = Planned is { } planned ? new FenceToLift(planned.Replica, planned.Since, planned.Since) : FenceToLift,
    };

    /// <summary>Whether an operator's drain of that endpoint is in force.</summary>
    public bool IsDrained(string endpoint, DateTimeOffset now) => Drained.Count > 0 && Drained.TryGetValue(endpoint, out var drain) && drain.IsInForce(now);

    /// <summary>The plan, present or older, of that id and epoch, or null.</summary>
    public Plan? Find(StateTxt txt) => Known.Append(Plan).LastOrDefault(plan => plan.Id == txt.Plan && plan.Epoch == txt.Epoch);
}

/// <summary>Why a move is made.</summary>
public enum MoveKind
{
    /// <summary>By decision; it must stay justified until it lands.</summary>
    Automatic,

    /// <summary>By an operator's command.</summary>
    Command,

    /// <summary>By an operator's command to move back; it must stay safe until it lands.</summary>
    Back,

    /// <summary>A withdrawn move that landed all the same.</summary>
    Kept,

    /// <summary>Because an operator's pin or drain is in force; it must be until the move lands.</summary>
    Override,

    /// <summary>By an operator's order of a planned move; writes must stay fenced until it lands.</summary>
    Planned,
}

/// <summary>A move under way.</summary>
/// <param name="From">The endpoint that is left.</param>
/// <param name="To">The endpoint that shall serve.</param>
/// <param name="LandedAt">When the world's DNS was first seen to show the plan.</param>
public sealed record Move(string From, string To, MoveKind Kind, DateTimeOffset Since, DateTimeOffset? LandedAt = null);

/// <summary>A move that has landed.</summary>
/// <param name="At">When the world's DNS was first seen to show it.</param>
public sealed record LandedMove(string From, string To, long Epoch, DateTimeOffset At);

/// <summary>What an operator adopted: a state of the world that the register did not know.</summary>
/// <param name="Txt">The TXT value then, or null where there was none.</param>
/// <param name="Sets">The address sets then.</param>
public sealed record Adoption(string? Txt, IReadOnlyList<RecordSet> Sets);

/// <summary>Begins when a plan lands.</summary>
/// <param name="AutomaticMoves">Automatic moves that landed since it began.</param>
public sealed record CoolDown(DateTimeOffset Since, DateTimeOffset Until, int AutomaticMoves);

/// <summary>An operator's order that stays in force.</summary>
/// <param name="Until">When it ends by itself, or null.</param>
public sealed record Override(string By, DateTimeOffset Since, DateTimeOffset? Until, string? Reason)
{
    /// <summary>Whether it is in force.</summary>
    public bool IsInForce(DateTimeOffset now) => Until is null || Until > now;

    /// <summary>As a pause, whether it stops what an operator ordered, or began, at <paramref name="ordered"/>: what was ordered after it goes on.</summary>
    public bool Stops(DateTimeOffset ordered, DateTimeOffset now) => IsInForce(now) && Since >= ordered;
}

/// <summary>An operator's order to let one endpoint serve, whatever its health.</summary>
/// <param name="Force">Also move there while no majority sees it up.</param>
public sealed record Pin(string Endpoint, bool Force, Override Order);

/// <summary>A move that waits until writes at the replica that is left are fenced and have arrived at the target's.</summary>
/// <param name="Until">When it is given up. The fence itself ends then too, so that it outlives nobody.</param>
/// <param name="FencedAt">When the fence was first seen to stand; null before.</param>
/// <param name="Replica">Where writes are fenced.</param>
public sealed record PlannedMove(string From, string Replica, string To, string By, DateTimeOffset Since, DateTimeOffset Until, DateTimeOffset? FencedAt = null);

/// <summary>A fence that is to be lifted.</summary>
/// <param name="Order">When the planned move was ordered that it belongs to: it lifts no later one's.</param>
/// <param name="NotBefore">Clients may write there until resolvers have forgotten the name's old answer.</param>
public sealed record FenceToLift(string Replica, DateTimeOffset Order, DateTimeOffset NotBefore);

/// <summary>What became of a command.</summary>
public sealed record CommandOutcome(string Id, bool Obeyed, string Says, DateTimeOffset At);
