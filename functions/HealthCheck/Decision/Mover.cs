using System.Collections.Immutable;
using Failover.ControlPlane;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;

namespace Failover.HealthCheck.Decision;

/// <summary>
/// The protocol by which one service's name follows its register, as a state machine without I/O: it says which step to take,
/// and is told what came of it. The tick carries the steps out; the simulator carries them out in every order, with every fault.
/// </summary>
/// <remarks>
/// <code>
/// every listing          -> read register, command and ballots again, and judge from the top
/// no register            -> list -> the first register (epoch 0) if the records are an endpoint's and no TXT is there, else frozen
/// epoch 0, no TXT yet    -> list -> create it, before anything else
/// a server shows it      -> write that the plan is published: its endpoint serves, and only another move undoes it
/// a command is pending   -> [list] -> write the register that obeys or refuses it -> read again
/// other observers        -> a majority of the old and of the new set votes with the new topology: write the new set
/// a planned move         -> fence writes at the replica that is left -> write that the fence stands -> wait for the backlog; given up, or done and forgotten by resolvers: lift the fence
/// a move not published   -> overruled by an order since, or its endpoint answers a majority again: withdraw
///                        -> its target fails for a majority: take an epoch to another endpoint, or withdraw
///                        -> decided again: converge; neither: wait
/// withdraw               -> not sent: by a new epoch; sent: list, and by a new epoch if the name is as an older plan says; held, or a switch: let it be published
/// a move is decided      -> [list, unless the servers show the plan] -> take the epoch -> read again, decide again, converge
/// converge               -> another observer made the plan a moment ago: it is left to that one
///                        -> held, and at least half of the servers that answer show the plan: settled; a move is done once it serves over HTTP too
///                        -> the servers all show the plan that was sent last: its batch is made from that one, and the listing is spared
///                        -> list -> read again, decide again -> the gate: nothing (write that it is held) / frozen / keep / apply
///                        -> apply: write that it is sent -> the batch that replaces exactly what was listed
///                        -> refused or unanswered: list, read and decide again; our plan there is success; refused with the listing unchanged: rejected, until the next tick
/// what looks foreign     -> list again; frozen only if it is the same twice
/// only observed          -> all of it, but for taking an epoch and applying: a dry run
/// the lever is a switch  -> nothing is listed or applied: what was sent is what the metric tells, and the world shows it by and by
/// </code>
/// A crash after any step leaves a state from which any observer goes on. All that is kept between ticks is the register.
/// </remarks>
public sealed record Mover
{
    private const int StepsMax = 24;
    private const int BusyMax = 4;
    private const int ReasonMax = 600;

    /// <summary>The step that answers orders, in bytes of JSON.</summary>
    private const int OrdersMax = 2000;

    /// <summary>For half of this, or of a longer interval, a plan is left to the observer that made it: the next tick of another is later.</summary>
    private static readonly TimeSpan MakerFirstFor = TimeSpan.FromSeconds(10);

    /// <summary>Route 53 shows a change everywhere within so long: before that a server that shows another plan is no reason to ask the provider.</summary>
    private static readonly TimeSpan ShownWithin = TimeSpan.FromSeconds(60);

    /// <summary>After so long a published move waits for servers no more that still answer as before.</summary>
    private static readonly TimeSpan LagsFor = TimeSpan.FromSeconds(120);

    /// <summary>What was announced may be sent for a while, a plan's calls last up to an interval, and DigitalOcean's servers follow within a minute.</summary>
    private static readonly TimeSpan UnfencedSettles = TimeSpan.FromSeconds(60);

    /// <summary>Where nothing is conditional, what is sent again is announced again, so that a withdrawal knows how late it can still arrive.</summary>
    private static readonly TimeSpan AnnouncedFor = TimeSpan.FromSeconds(30);

    private Mover(Topology topology, Service service, string self, Look look, ControlView view, bool listsNow)
    {
        (Topology, Service, Self, Look, View, ListsNow) = (topology, service, self, look, view, listsNow);
    }

    private Topology Topology { get; init; }

    private Service Service { get; init; }

    private string Self { get; init; }

    private Look Look { get; init; }

    private ControlView View { get; init; }

    private Listing? Listing { get; init; }

    /// <summary>The listing before, which looked foreign: it is believed only if the next is the same.</summary>
    private Listing? Suspect { get; init; }

    /// <summary>Whether the name is to be listed in this tick whatever the servers show.</summary>
    private bool ListsNow { get; init; }

    /// <summary>The listing that a refused batch was made from, and why the provider refused it.</summary>
    private (Listing Listing, string Reason)? Refused { get; init; }

    /// <summary>What the last batch of this tick replaces.</summary>
    private Listing? Replaced { get; init; }

    private int Steps { get; init; }

    private int Busy { get; init; }

    /// <summary>Whether this tick has written that the plan is about to be sent.</summary>
    private bool HasAnnounced { get; init; }

    /// <summary>Whether a batch that was made without a listing was not taken: this tick lists from then on.</summary>
    private bool HasPresumedWrongly { get; init; }

    /// <summary>Whether the name is being listed for an order's sake.</summary>
    private bool ListsForOrders { get; init; }

    /// <summary>Whether what waits for a listing waits for another tick: the provider gave none, and a failover may need none.</summary>
    private bool DefersOrders { get; init; }

    /// <summary>Whether the provider's request limit has room for a batch of this tick.</summary>
    private bool HasTurn { get; init; }

    /// <summary>Whether the provider has taken the plan in this tick.</summary>
    private bool HasApplied { get; init; }

    /// <summary>Whether this tick has fenced, or lifted a fence, already.</summary>
    private bool HasFenced { get; init; }

    /// <summary>What the last reading of the ballots says; null while there is no register.</summary>
    public Decision? Decision { get; private init; }

    /// <summary>The register as last read.</summary>
    public Register? Register => View.Register;

    /// <summary>What the first register write of this tick was decided on; without one, the last judgement. With it the decision can be derived again.</summary>
    public Judgement? Acted { get; private init; }

    /// <summary>Whether the name showed an older plan although the present one had taken effect. No write of ours does that.</summary>
    public bool HasRegressed { get; private init; }

    /// <summary>What was done, step by step, for the journal.</summary>
    public ImmutableList<string> Log { get; private init; } = [];

    /// <summary>Begins a tick's work on one service.</summary>
    /// <param name="view">Read after this tick's ballot was written.</param>
    /// <param name="listsNow">Whether the name is due to be listed whatever the servers show.</param>
    public static (Mover State, Step Step) Start(
        Topology topology, Service service, string self, Look look, ControlView view, DateTimeOffset now, bool listsNow = false) =>
        new Mover(topology, service, self, look, view, listsNow).Judge(now);

    /// <summary>Goes on after a step.</summary>
    public (Mover State, Step Step) Next(StepResult result, DateTimeOffset now)
    {
        if (Steps >= StepsMax)
        {
            return End(Ending.Waiting, "too many steps in one tick");
        }

        var next = this with { Steps = Steps + 1 };
        switch (result)
        {
            case StepResult.Control(var view):
                return (next with { View = view }).Judge(now);

            case StepResult.Turn:
                return (next with { HasTurn = true }, new Step.ReadControl());

            case StepResult.Listed(var listing):
                // A register older than the listing could take another's honest work for a foreign hand; so it is always read after it.
                return (next with { Listing = listing, ListsForOrders = false }, new Step.ReadControl());

            // Whether it was written, refused or not answered: what the register says now is what counts.
            case StepResult.Register(var write) when HasApplied:
                return next.Note($"register: {write}").End(Ending.Applied, $"plan {Register!.Plan.Id} of epoch {Register.Epoch} applied");

            case StepResult.Register(var write):
                return (next.Note($"register: {write}"), new Step.ReadControl());

            // What was listed is replaced: the name is as the plan says. What was presumed may have had more beside it: that is listed in the next tick.
            case StepResult.Applied(ApplyOutcome.Applied, _) when Listing is null:
                return next.Note("batch: applied").End(Ending.Applied, $"plan {Register!.Plan.Id} of epoch {Register.Epoch} applied");

            case StepResult.Applied(ApplyOutcome.Applied, _):
                return (next.Note("batch: applied") with { HasApplied = true }).Write(Moves.Held(Register!, now), Register!.Rev, $"the provider took epoch {Register.Epoch}");

            case StepResult.Applied(ApplyOutcome.Busy, _) when Busy >= BusyMax:
                return next.End(Ending.Waiting, "the DNS provider is busy");

            case StepResult.Applied(ApplyOutcome.Busy, _):
                return (next.Note("batch: Busy") with { Busy = Busy + 1, HasTurn = false }, new Step.AwaitTurn());

            // Each try can wait for a whole deadline, and what does not answer is not helped by more of them.
            case StepResult.Applied(ApplyOutcome.Unknown, _) when Busy > 0:
                return next.Note("batch: Unknown").End(Ending.Waiting, "the DNS provider does not answer");

            // The name is read again in every case. Our plan there is success, whatever the answer was.
            case StepResult.Applied(var outcome, var reason):
                return (next.Note($"batch: {outcome} {reason}".TrimEnd()) with
                {
                    Refused = outcome == ApplyOutcome.Refused ? (Replaced!, reason) : Refused,
                    Listing = null,
                    HasPresumedWrongly = true,
                    HasTurn = false,
                    Busy = Busy + (outcome is ApplyOutcome.Unknown ? 1 : 0),
                }, new Step.ListRecords());

            // What is not acknowledged is tried again at the next tick; and a fence ends by itself in any case.
            case StepResult.Fenced(false):
                return next.Note("fence: not acknowledged").Choose(now);

            case StepResult.Fenced when Register is { IsUnpublished: false, Planned: { FencedAt: null } planned } register && !IsGivenUp(planned, now):
                return next.Write(register with { Rev = register.Rev + 1, Planned = planned with { FencedAt = now } }, register.Rev, $"writes at {planned.From} are fenced until {planned.Until:u}");

            case StepResult.Fenced when Register is { FenceToLift: { } lifted } register:
                return next.Write(register with { Rev = register.Rev + 1, FenceToLift = null }, register.Rev, $"writes at {lifted.Replica} are accepted again");

            case StepResult.Fenced:
                return next.Choose(now);

            case StepResult.NotDone(var why) when ListsForOrders:
                return (next.Note(why) with { ListsForOrders = false, DefersOrders = true }).Choose(now);

            case StepResult.NotDone(var why):
                return next.Note(why).End(Ending.Waiting, why);

            default:
                throw new InvalidOperationException($"No such result: {result}.");
        }
    }

    private (Mover State, Step Step) Judge(DateTimeOffset now)
    {
        if (Register is not { } register)
        {
            return Choose(now);
        }

        var judged = this with { Decision = Decider.Decide(Topology, Service, register, View.Ballots, Self, now) };
        return (Acted is { Wrote: true } ? judged : judged with { Acted = new Judgement(judged.Decision!, View, now, Wrote: false) }).Choose(now);
    }

    private (Mover State, Step Step) Choose(DateTimeOffset now)
    {
        // The first TXT comes before any other change of mind: without it a later epoch would look like a lost state.
        if (Register is { Epoch: 0, Publication.HeldAt: null } first && !IsSwitch && !IsDryRun && !Look.AnyShowsTxt(first.Plan))
        {
            if (Listing is null)
            {
                return (this, new Step.ListRecords());
            }

            if (Listing.Txt is null && DnsGate.Judge(first, Listing, Service.IsFenced) is GateVerdict.Apply)
            {
                return Send(first, Listing, now);
            }
        }

        if (Register is { Publication.PublishedAt: null } unpublished && PublicationRule.IsPublished(Service, Self, unpublished, Look, Listing, now))
        {
            return Write(Moves.Published(unpublished, Topology.Timing.CoolDown, now), unpublished.Rev, $"epoch {unpublished.Epoch} is published: {unpublished.Plan.Endpoint} serves");
        }

        if (!DefersOrders && Commands.IsAnyPending(Topology, View, now))
        {
            return Obey(now);
        }

        if (Register is not { } register)
        {
            return BeginAnew(now);
        }

        if (MayChangeObservers(register, now))
        {
            return Write(register with { Rev = register.Rev + 1, Observers = Topology.Observers }, register.Rev, $"the observers are {string.Join(", ", Topology.Observers)} from now on");
        }

        if (NextFence(register, now) is { } fenced)
        {
            return fenced;
        }

        if (register.IsUnpublished)
        {
            return Justify(register, register.Moving!, now);
        }

        return Decision!.Verdict != Verdict.Hold ? Take(register, now) : Converge(register, now);
    }

    /// <summary>A new set of observers takes over in one write, by ballots of a majority of the old set and of the new one that were made with the new topology.</summary>
    private bool MayChangeObservers(Register register, DateTimeOffset now) =>
        !register.IsUnpublished
        && !register.HasObservers(Topology.Observers)
        && Votes.Of(Topology, register.Observers, View.Ballots, now).IsQuorum
        && Votes.Of(Topology, Topology.Observers, View.Ballots, now).IsQuorum;

    /// <summary>A fence is asked for, or lifted, once a tick: a fence without an acknowledgement must not keep a failure from being left.</summary>
    private (Mover State, Step Step)? NextFence(Register register, DateTimeOffset now)
    {
        if (register.Planned is { } planned && register.Moving is not { Kind: MoveKind.Planned } && !register.IsUnpublished)
        {
            if (IsGivenUp(planned, now))
            {
                return Write(
                    register with { Rev = register.Rev + 1, Planned = null, FenceToLift = new FenceToLift(planned.Replica, planned.Since, now) }, register.Rev, $"the planned move to {planned.To} is given up");
            }

            if (planned.FencedAt is null && !HasFenced)
            {
                return (this with { HasFenced = true }, new Step.Fence(planned.Replica, planned.Since, planned.Until));
            }
        }

        // At once, if the name has come back to what is fenced.
        return register is { Planned: null, FenceToLift: { } fence } && !HasFenced && (fence.NotBefore <= now || Service.Endpoint(register.Serving)?.Replica == fence.Replica)
            ? (this with { HasFenced = true }, new Step.Fence(fence.Replica, fence.Order, null))
            : null;
    }

    private (Mover State, Step Step) Obey(DateTimeOffset now)
    {
        var batch = Commands.Batch(Topology, Service, View, withListing: false, now);
        if (batch.Count == 0)
        {
            if (Listing is null)
            {
                return (this with { ListsForOrders = true }, new Step.ListRecords());
            }

            if (IsForeign && !IsConfirmed)
            {
                return Doubt();
            }

            batch = Commands.Batch(Topology, Service, View, withListing: true, now);
        }

        if (Commands.Obey(Topology, Service, View, batch, Listing, Self, now) is { } next)
        {
            return Write(next, Register?.Rev, Printable.Of(string.Join("; ", batch.Select(command => $"order {command.Kind} of {command.By}: {next.AnswerTo(command.Id)!.Says}")), OrdersMax));
        }

        // Without a register there is nowhere to refuse it; the first register comes before everything.
        return IsSwitch ? BeginSwitch(now) : Begin(Listing!, now);
    }

    private (Mover State, Step Step) BeginAnew(DateTimeOffset now)
    {
        if (IsSwitch)
        {
            return BeginSwitch(now);
        }

        if (Listing is null)
        {
            return (this, new Step.ListRecords());
        }

        return IsForeign && !IsConfirmed ? Doubt() : Begin(Listing, now);
    }

    private (Mover State, Step Step) Begin(Listing listing, DateTimeOffset now) =>
        Moves.Begin(Topology, Service, listing, Self, now) is { } first
            ? Write(first, null, $"first register: {first.Active} serves")
            : End(Ending.Frozen, IsSwitch
                ? "there is no register, and what the servers answer is no configured endpoint's: mend the topology or the records"
                : "there is no register, and the name is not one configured endpoint's without a state TXT: adopt it");

    /// <summary>With a switch, it begins with what the servers answer: more than half of them, and all the same.</summary>
    private (Mover State, Step Step) BeginSwitch(DateTimeOffset now)
    {
        List<Listing> answers = [.. Look.Servers.OfType<Listing>()];
        return 2 * answers.Count > Look.Servers.Count && answers.TrueForAll(answer => RecordSet.AreSame(answer.Sets, answers[0].Sets))
            ? Begin(new Listing(answers[0].Sets, null), now)
            : End(Ending.Waiting, $"{answers.Count} of {Look.Servers.Count} authoritative servers answer, or they differ: what the switch says now is not known");
    }

    private bool IsSwitch => Service.Lever == Lever.Switch;

    private bool HasTxt => !IsSwitch;

    private bool IsDryRun => Service.Mode == FailoverMode.ObserveOnly;

    private bool IsGivenUp(PlannedMove planned, DateTimeOffset now) =>
        planned.Until <= now || Register!.Paused?.Stops(planned.Since, now) == true || planned.From != Register.Serving || IsPinnedElsewhere(planned.To, now) || Register.IsDrained(planned.To, now) || IsDryRun;

    /// <summary>Whether an operator ordered otherwise since: a pause, a pin to another endpoint, a drain of that one.</summary>
    private bool IsOverruled(Move move, DateTimeOffset now) =>
        Register!.Paused?.Stops(move.Since, now) == true || IsPinnedElsewhere(move.To, now) || Register.IsDrained(move.To, now);

    private bool IsPinnedElsewhere(string endpoint, DateTimeOffset now) => Register!.Pinned is { } pin && pin.Order.IsInForce(now) && pin.Endpoint != endpoint;

    /// <summary>A move under way that is not published: does it still stand?</summary>
    private (Mover State, Step Step) Justify(Register register, Move move, DateTimeOffset now)
    {
        var decision = Decision!;
        if (IsOverruled(move, now))
        {
            return Withdraw(register, move, now);
        }

        if (decision.MovesTo(move.To))
        {
            return Converge(register, now);
        }

        var votes = Votes.Of(Topology, register, View.Ballots, now);
        if (!votes.IsQuorum)
        {
            return move.Kind is MoveKind.Command or MoveKind.Kept ? Converge(register, now) : Wait(move);
        }

        if (!move.IsForced && (Service.Endpoint(move.To) is null || votes.CountFailing(Service, move.To) >= votes.Majority))
        {
            return Retarget(register, move, votes, now);
        }

        // The target is not up for enough of those who vote, and another endpoint is: waiting for the one would keep a dead endpoint in service.
        if (decision.Verdict == Verdict.Move && !move.IsForced && register.Publication.HeldAt is null && votes.CountHealthy(Service, move.To) < votes.Majority
            && (!IsSwitch || register.Publication.SentAt is null))
        {
            return Take(register, now);
        }

        switch (move.Kind)
        {
            case MoveKind.Command or MoveKind.Kept:
                return Converge(register, now);

            // An endpoint that answers now and then would have every move withdrawn, and never be left.
            case MoveKind.Automatic:
                return votes.CountAnswered(Service, move.From) >= votes.Majority && !decision.Held.Contains(HoldReason.Intermittent) ? Withdraw(register, move, now) : Wait(move);
            case MoveKind.Planned when decision.Held.Any(reason => reason is HoldReason.Intermittent or HoldReason.Detecting or HoldReason.NoTarget):
                return Wait(move);
            default:
                return Withdraw(register, move, now);
        }
    }

    private (Mover State, Step Step) Wait(Move move) => End(Ending.Waiting, $"the move to {move.To} waits: {Decision!.Why}");

    /// <summary>The target of a move that is not published fails: another endpoint takes its place, the one that is left included.</summary>
    private (Mover State, Step Step) Retarget(Register register, Move move, Votes votes, DateTimeOffset now)
    {
        if (Decision!.Verdict == Verdict.Move)
        {
            return Take(register, now);
        }

        if (votes.CountUp(Service, move.From) < votes.Majority)
        {
            return Wait(move);
        }

        if (!IsSwitch || register.Publication.SentAt is null)
        {
            return Withdraw(register, move, now);
        }

        // A switch that was sent is not withdrawn; it is sent the other way, as a move of its own.
        var back = new Decision(Verdict.Move, move.From, Diagnosis.EndpointDown, [], $"{move.To} fails before it serves; {move.From} is up") { Kind = MoveKind.Automatic };
        return (this with { Decision = back, Acted = Acted! with { Decision = back } }).Take(register, now);
    }

    private (Mover State, Step Step) Withdraw(Register register, Move move, DateTimeOffset now)
    {
        if (IsDryRun)
        {
            return End(Ending.DryRun, $"would withdraw the move to {move.To}: {Decision!.Why}");
        }

        if (register.Publication.SentAt is not { } sentAt)
        {
            return WriteWithdrawal(register, move, null, now);
        }

        if (IsSwitch)
        {
            return End(Ending.Waiting, $"the switch was sent to {move.To} already: it is let through, and moved back afterwards");
        }

        if (Listing is null)
        {
            return (this, new Step.ListRecords());
        }

        if (IsForeign)
        {
            return IsConfirmed ? End(Ending.Frozen, "the move is no longer justified, but the name is not as any plan says") : Doubt();
        }

        if (DnsGate.Judge(register, Listing, Service.IsFenced) is GateVerdict.Nothing)
        {
            return Hold(register, now) ?? End(Ending.Waiting, $"the provider holds the plan for {move.To} already: it is let through");
        }

        if (!Service.IsFenced && now < sentAt + AnnouncedFor + Topology.Timing.Interval + UnfencedSettles)
        {
            return End(Ending.Waiting, $"the move to {move.To} was sent a moment ago and may still take effect: it is withdrawn once it cannot");
        }

        return WriteWithdrawal(register, move, Service.IsFenced ? Listing : null, now);
    }

    private (Mover State, Step Step) WriteWithdrawal(Register register, Move move, Listing? listing, DateTimeOffset now) =>
        Moves.Withdraw(Service, register, listing, Self, now) is { } next
            ? Write(next, register.Rev, $"the move to {move.To} is withdrawn: {Decision!.Why}")
            : End(Ending.Frozen, $"the move is no longer justified, but what {register.Active} had is not known");

    private (Mover State, Step Step) Take(Register register, DateTimeOffset now)
    {
        if (IsDryRun)
        {
            return End(Ending.DryRun, $"would move to {Decision!.To}: {Decision.Why}");
        }

        if (!IsSwitch && !Look.MostShow(register.Plan, HasTxt))
        {
            if (Listing is null)
            {
                return (this, new Step.ListRecords());
            }

            if (DnsGate.Judge(register, Listing, Service.IsFenced) is GateVerdict.Freeze freeze)
            {
                var held = Decision! with { Verdict = Verdict.Hold, Held = [.. Decision.Held, HoldReason.ForeignRecord] };
                return IsConfirmed ? (this with { Decision = held, Acted = Acted! with { Decision = held } }).End(Ending.Frozen, freeze.Reason) : Doubt();
            }
        }

        return Write(Moves.Take(Topology, Service, register, Decision!, Self, now), register.Rev, $"epoch {register.Epoch + 1} taken: to {Decision!.To}, {Decision.Why}");
    }

    private (Mover State, Step Step) Converge(Register register, DateTimeOffset now)
    {
        if (IsSwitch)
        {
            return ConvergeSwitch(register, now);
        }

        if (!Service.IsFenced && NewBaseline(register) is { } seen)
        {
            return seen;
        }

        if (IsLeftToItsMaker(register, now))
        {
            return End(Ending.Waiting, $"plan {register.Plan.Id} of epoch {register.Epoch} is left to {register.Plan.By}, which made it a moment ago");
        }

        if (Listing is null && Presumed(register) is { } presumed)
        {
            return Send(register, presumed, now);
        }

        if (!MustList(register, now))
        {
            return Verify(register, now);
        }

        if (Listing is null)
        {
            return (this, new Step.ListRecords());
        }

        switch (DnsGate.Judge(register, Listing, Service.IsFenced))
        {
            case GateVerdict.Nothing:
                return Hold(register, now) ?? Verify(register, now);
            case GateVerdict.Freeze(var reason):
                return IsConfirmed ? End(Ending.Frozen, reason) : Doubt();
            case GateVerdict.Keep(var surfaced):
                return Write(Moves.Keep(Service, register, surfaced, Self, now), register.Rev, $"the withdrawn move to {surfaced.Endpoint} had taken effect: kept");
            default:
                return IsDryRun ? End(Ending.DryRun, $"would apply plan {register.Plan.Id} of epoch {register.Epoch}") : Send(register, Listing, now);
        }
    }

    /// <summary>
    /// The observer that makes a plan lists and applies it first. Three that do so at once, for fifty names, would use up the provider's limit. So the others wait, one after the other and for each name in another order,
    /// and go on if it is not held by then.
    /// </summary>
    private bool IsLeftToItsMaker(Register register, DateTimeOffset now)
    {
        if (register is not { Publication.HeldAt: null, Plan: { By: { } by, Since: { } since } } || by == Self || !register.Observers.Contains(by))
        {
            return false;
        }

        var turn = Topology.Timing.Interval > MakerFirstFor ? Topology.Timing.Interval : MakerFirstFor;
        return (now - since).Duration() < (Rank(register.Observers, by) - 0.5) * turn;
    }

    /// <summary>Whose turn this observer is for this name if its maker does not go on: 1 is the next.</summary>
    private int Rank(IReadOnlyList<string> observers, string maker)
    {
        var first = Service.Name.Aggregate(0, (sum, letter) => ((31 * sum) + letter) % observers.Count);
        return observers.Skip(first).Concat(observers.Take(first)).Where(observer => observer != maker).TakeWhile(observer => observer != Self).Count() + 1;
    }

    /// <summary>
    /// What the name holds unless somebody has touched it since the servers were asked: they all show the plan before, its TXT included. A batch that replaces exactly this
    /// needs no listing: it is refused if the name is otherwise. An observer that has sent one lists instead. Null where that is not so, or where a write is not conditional.
    /// </summary>
    private Listing? Presumed(Register register) =>
        Service.IsFenced && !IsDryRun && !HasPresumedWrongly && register is { Publication.HeldAt: null, Withdraws: null, Adopted: null, Known: [.., var last] } && Look.AllShow(last, HasTxt)
        && (register.Publication.SentAt is null || HasAnnounced || register.Plan.By != Self)
            ? new Listing(last.Sets, last.Txt)
            : null;

    /// <summary>Servers tell nearly everything. The provider is asked until it lists the plan; when most servers show another; and now and then for what servers cannot tell.</summary>
    private bool MustList(Register register, DateTimeOffset now)
    {
        if (register.Publication.HeldAt is not { } heldAt)
        {
            return true;
        }

        return ListsNow || Listing is not null || (Look.Answering > 0 && !Look.MostShow(register.Plan, HasTxt) && heldAt + ShownWithin <= now);
    }

    private (Mover State, Step Step) ConvergeSwitch(Register register, DateTimeOffset now)
    {
        if (register.Publication.SentAt is null)
        {
            return IsDryRun
                ? End(Ending.DryRun, $"would send the switch to {register.Plan.Endpoint}")
                : Write(Moves.Sent(register, PublicationRule.Otherwise(Service, Self, register.Plan, Look), now), register.Rev, $"the switch is sent to {register.Plan.Endpoint}");
        }

        return NewBaseline(register) ?? Verify(register, now);
    }

    /// <summary>What the servers and HTTP say of a plan that the provider holds.</summary>
    private (Mover State, Step Step) Verify(Register register, DateTimeOffset now)
    {
        if (!Look.MostShow(register.Plan, HasTxt))
        {
            return End(Ending.Waiting, Look.Answering == 0
                ? "no authoritative server answers"
                : $"epoch {register.Epoch} is not shown by most of the {Look.Answering} authoritative servers that answer yet");
        }

        if (register.Moving is not { } move)
        {
            return End(Ending.Settled, "the world shows the plan");
        }

        if (register.Publication.PublishedAt is not { } publishedAt || (publishedAt + LagsFor > now && !Look.AllShow(register.Plan, HasTxt)))
        {
            return End(Ending.Waiting, $"the authoritative servers do not all show {move.To} yet");
        }

        return Look.ServesThrough(register.Plan, HasTxt)
            ? Write(Moves.Done(register, now, Service.TtlSeconds), register.Rev, $"the move to {move.To} is done")
            : End(Ending.Waiting, $"{move.To} is answered, but does not serve through the name yet: {Look.HttpDetail}");
    }

    /// <summary>Writes once that the provider lists the plan; null if that is written already.</summary>
    private (Mover State, Step Step)? Hold(Register register, DateTimeOffset now) =>
        register.Publication.HeldAt is null ? Write(Moves.Held(register, now), register.Rev, $"the provider holds epoch {register.Epoch}") : null;

    /// <summary>Where no TXT proves an answer to be new, a server that answers otherwise is remembered, so that a change of its mind counts.</summary>
    private (Mover State, Step Step)? NewBaseline(Register register)
    {
        if (!register.IsUnpublished || register.Publication.SentAt is null)
        {
            return null;
        }

        List<string> added = [.. PublicationRule.Otherwise(Service, Self, register.Plan, Look).Except(register.Publication.Baseline)];
        return added.Count == 0 ? null : Write(Moves.Seen(register, added), register.Rev, $"{string.Join(", ", added)} still answer otherwise");
    }

    private (Mover State, Step Step) Send(Register register, Listing listing, DateTimeOffset now)
    {
        if (Refused is { } refused && refused.Listing.IsExactly(listing))
        {
            return End(Ending.Rejected, $"the provider refuses plan {register.Plan.Id} although the name is as listed: {refused.Reason}");
        }

        // Evidence is read after the turn has come.
        if (!HasTurn)
        {
            return (this, new Step.AwaitTurn());
        }

        if (register.Publication.SentAt is not { } sentAt || (!Service.IsFenced && sentAt + AnnouncedFor < now))
        {
            return (this with { HasAnnounced = true }).Write(Moves.Sent(register, PublicationRule.Otherwise(Service, Self, register.Plan, Look), now), register.Rev, $"epoch {register.Epoch} is about to be sent");
        }

        return (this with { Replaced = listing, HasRegressed = HasRegressed || register.Publication.HeldAt is not null }, new Step.Apply(register.Plan, listing));
    }

    private (Mover State, Step Step) Write(Register next, long? expectedRev, string what) =>
        (Note(what) with { Acted = Acted is null ? null : Acted with { Wrote = true } }, new Step.WriteRegister(next, expectedRev, what));

    private bool IsForeign => Register is null ? Listing is { Txt: not null } : DnsGate.Judge(Register, Listing!, Service.IsFenced) is GateVerdict.Freeze;

    private bool IsConfirmed => Suspect is not null && Suspect.IsSameAs(Listing!);

    /// <summary>What looks foreign may be another's work that the register did not tell of yet: it is listed again before it is believed.</summary>
    private (Mover State, Step Step) Doubt() => (this with { Suspect = Listing, Listing = null }, new Step.ListRecords());

    /// <summary>A reason may quote what a listing or a provider said.</summary>
    private (Mover State, Step Step) End(Ending ending, string why) => (this, new Step.Finish(ending, Printable.Of(why, ReasonMax)));

    private Mover Note(string line) => this with { Log = Log.Add(line) };
}

/// <summary>A decision with what it was derived from.</summary>
/// <param name="Wrote">Whether a register write followed.</param>
public sealed record Judgement(Decision Decision, ControlView View, DateTimeOffset At, bool Wrote);
