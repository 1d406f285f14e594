using System.Text.Json.Serialization;

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

    /// <summary>
    /// The observers whose ballots count. A majority is one of these, whatever a topology says: they change in one write here, so that two versions of the topology never have a majority each.
    /// </summary>
    public required IReadOnlyList<string> Observers { get; init; }

    /// <summary>What the name shall have now; its epoch is the register's.</summary>
    public required Plan Plan { get; init; }

    /// <summary>How far the present plan has come.</summary>
    public Publication Publication { get; init => field = value ?? Publication.None; } = Publication.None;

    /// <summary>The endpoint that served last: verified, or at least published when the next plan was made.</summary>
    public required string Active { get; init; }

    /// <summary>The move under way, or null.</summary>
    public Move? Moving { get; init; }

    /// <summary>The move that was published last, or null.</summary>
    public PublishedMove? LastMove { get; init; }

    /// <summary>Older plans that were sent, and that the world's DNS may still show, newest last, at most <see cref="KnownPlansMax"/>.</summary>
    public IReadOnlyList<Plan> Known { get; init; } = [];

    /// <summary>The plan that the present one withdraws after it was sent. If it surfaces before the withdrawal has been held or published, the next epoch adopts it.</summary>
    public WithdrawnPlan? Withdraws { get; init; }

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

    /// <summary>
    /// What became of the orders that were answered last, newest last: of each that may still be in the list, and of the others for <see cref="AnsweredFor"/>, at most <see cref="AnsweredMax"/>.
    /// </summary>
    public IReadOnlyList<CommandOutcome> Answered { get; init => field = value ?? []; } = [];

    /// <summary>What became of the order that was answered last, or null.</summary>
    [JsonIgnore]
    public CommandOutcome? LastCommand => Answered is [.., var last] ? last : null;

    /// <summary>The number of the current move.</summary>
    public long Epoch => Plan.Epoch;

    private static readonly Dictionary<string, Override> EmptyDrained = [];

    /// <summary>For how long an answer can be read.</summary>
    public static readonly TimeSpan AnsweredFor = TimeSpan.FromMinutes(15);

    /// <summary>How many answers are kept of orders that have left the list.</summary>
    public const int AnsweredMax = 32;

    /// <summary>What became of an order; null if it was not answered, or long ago.</summary>
    public CommandOutcome? AnswerTo(string order)
    {
        for (var i = Answered.Count - 1; i >= 0; i--)
        {
            if (Answered[i].Id == order)
            {
                return Answered[i];
            }
        }

        return null;
    }

    /// <summary>The register with one answer more. What has left the list never comes back, for every append has read the list before; so its answer serves people alone.</summary>
    /// <param name="orders">The list as it was read with this register.</param>
    public Register WithAnswer(CommandOutcome outcome, IReadOnlyList<Command> orders)
    {
        var listed = orders.Select(order => order.Id).ToHashSet();
        var recent = Answered.Where(old => !listed.Contains(old.Id) && old.At > outcome.At - AnsweredFor).TakeLast(AnsweredMax).Select(old => old.Id).ToHashSet();
        return this with { Answered = [.. Answered.Where(old => listed.Contains(old.Id) || recent.Contains(old.Id)), outcome] };
    }

    /// <summary>How many older plans are remembered at most.</summary>
    public const int KnownPlansMax = 32;

    /// <summary>Whether a move is under way that no server has shown yet.</summary>
    [JsonIgnore]
    public bool IsUnpublished => Moving is not null && Publication.PublishedAt is null;

    /// <summary>The endpoint that clients reach now: a move that is published counts, though it is not verified yet.</summary>
    public string Serving => Moving is { } move && Publication.PublishedAt is not null ? move.To : Active;

    /// <summary>The endpoint of the newest plan that was sent: what the switch's metric says.</summary>
    [JsonIgnore]
    public string SentEndpoint => Publication.SentAt is not null ? Plan.Endpoint : Known is [.., var last] ? last.Endpoint : Plan.Endpoint;

    /// <summary>The register with a new plan in force and the present one remembered, if it was ever sent: what was not sent can never surface.</summary>
    public Register WithPlan(Plan plan) => this with
    {
        Plan = plan,
        Active = Serving,
        Publication = Publication.None,
        Known = Publication.SentAt is null ? Known : [.. Known.Append(Plan).TakeLast(KnownPlansMax)],
        Withdraws = null,
        Moving = null,
        Approved = null,
        Planned = null,
        FenceToLift = Planned is { } planned ? new FenceToLift(planned.Replica, planned.Since, planned.Since) : FenceToLift,
    };

    /// <summary>
    /// The moment that is written for what begins now: later than that of any order or move that the register tells of. Observers' clocks differ by seconds, and what was ordered after what must not depend on them.
    /// </summary>
    public DateTimeOffset After(DateTimeOffset now)
    {
        DateTimeOffset?[] before = [Paused?.Since, Pinned?.Order.Since, Moving?.Since, Planned?.Since];
        return before.Max() is { } last && last >= now ? last.AddMilliseconds(1) : now;
    }

    /// <summary>Whether these are the observers whose ballots count, in any order.</summary>
    public bool HasObservers(IReadOnlyList<string> observers) => Observers.Order(StringComparer.Ordinal).SequenceEqual(observers.Order(StringComparer.Ordinal));

    /// <summary>Whether an operator's drain of that endpoint is in force.</summary>
    public bool IsDrained(string endpoint, DateTimeOffset now) => Drained.Count > 0 && Drained.TryGetValue(endpoint, out var drain) && drain.IsInForce(now);

    /// <summary>The plan, present or older, of that id and epoch, or null.</summary>
    public Plan? Find(StateTxt txt) => Known.Append(Plan).LastOrDefault(plan => plan.Id == txt.Plan && plan.Epoch == txt.Epoch);
}

/// <summary>How far the plan of an epoch has come: facts that are written once and never taken back.</summary>
/// <param name="SentAt">Written before the first act that can become visible: the first batch, or the first metric of the new value.</param>
/// <param name="HeldAt">When the provider's API first took the batch that makes the name equal to the plan, or first listed it so.</param>
/// <param name="PublishedAt">When an authoritative server first showed the plan. From then on it is undone by another move only.</param>
/// <param name="Baseline">By observer, the servers that it has seen to answer otherwise since the plan was made, as <c>observer/server</c>: only they can prove to it that an answer without a TXT is new.</param>
public sealed record Publication(DateTimeOffset? SentAt = null, DateTimeOffset? HeldAt = null, DateTimeOffset? PublishedAt = null, IReadOnlyList<string>? Baseline = null)
{
    /// <summary>Nothing was sent.</summary>
    public static Publication None { get; } = new();

    /// <summary>Those servers; empty while none was seen.</summary>
    public IReadOnlyList<string> Baseline { get; init => field = value ?? []; } = Baseline ?? [];
}

/// <summary>A plan that was sent and then withdrawn.</summary>
/// <param name="Kind">Of which kind its move was: an automatic one counts until the withdrawal is held.</param>
public sealed record WithdrawnPlan(string Id, MoveKind Kind);

/// <summary>Why a move is made.</summary>
public enum MoveKind
{
    /// <summary>By decision; until it is published, a majority that sees the endpoint answer again withdraws it.</summary>
    Automatic,

    /// <summary>By an operator's command.</summary>
    Command,

    /// <summary>By an operator's command to move back; it must stay safe until it is published.</summary>
    Back,

    /// <summary>A withdrawn move that surfaced all the same.</summary>
    Kept,

    /// <summary>Because an operator's pin or drain is in force; it must be until the move is published.</summary>
    Override,

    /// <summary>By an operator's order of a planned move; writes must stay fenced until it is published.</summary>
    Planned,
}

/// <summary>A move under way.</summary>
/// <param name="From">The endpoint that is left.</param>
/// <param name="To">The endpoint that shall serve.</param>
/// <param name="IsForced">Whether an operator asked for it whatever the target's health: then it is not retargeted.</param>
public sealed record Move(string From, string To, MoveKind Kind, DateTimeOffset Since, bool IsForced = false);

/// <summary>A move that was published.</summary>
/// <param name="At">When an authoritative server first showed it.</param>
public sealed record PublishedMove(string From, string To, long Epoch, DateTimeOffset At);

/// <summary>What an operator adopted: a state of the world that the register did not know.</summary>
/// <param name="Txt">The TXT value then, or null where there was none.</param>
/// <param name="Sets">The address sets then.</param>
public sealed record Adoption(string? Txt, IReadOnlyList<RecordSet> Sets);

/// <summary>Begins when a move is published.</summary>
/// <param name="AutomaticMoves">Automatic moves since it began, with those that were sent and withdrawn without proof that they never surface.</param>
public sealed record CoolDown(DateTimeOffset Since, DateTimeOffset Until, int AutomaticMoves);

/// <summary>An operator's order that stays in force.</summary>
/// <param name="OrderId">The order that it comes from. An order that ends it names this id.</param>
/// <param name="Until">When it ends by itself, or null.</param>
public sealed record Override(string OrderId, string By, DateTimeOffset Since, DateTimeOffset? Until, string? Reason)
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

/// <summary>What became of an order.</summary>
public sealed record CommandOutcome(string Id, bool Obeyed, string Says, DateTimeOffset At);
