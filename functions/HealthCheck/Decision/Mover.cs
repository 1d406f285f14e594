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
/// a command is pending   -> [list] -> write the register that obeys or refuses it -> read again
/// a planned move         -> fence writes at the replica that is left -> write that the fence stands -> wait for the backlog; given up, or done and forgotten by resolvers: lift the fence
/// a move is under way    -> still justified: converge; contradicted by a quorum, or paused since: list -> withdraw by a new epoch; no quorum, or neither nor: wait
/// a move is decided      -> [list, unless the world shows the plan] -> take the epoch -> read again, decide again, converge
/// converge               -> the world shows the plan: mark it landed, or done
///                        -> list -> read again, decide again -> the gate: nothing / frozen / keep / apply
///                        -> apply: the batch that replaces exactly what was listed
///                        -> refused or unanswered: list, read and decide again; our plan there is success
/// what looks foreign     -> list again; frozen only if it is the same twice
/// only observed          -> all of it, but for taking an epoch and applying: a dry run
/// the lever is a switch  -> nothing is listed or applied: the register is what the metric tells, and the world shows it by and by
/// </code>
/// A crash after any step leaves a state from which any observer goes on. All that is kept between ticks is the register.
/// </remarks>
public sealed record Mover
{
    private const int StepsMax = 24;
    private const int BusyMax = 2;

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

    /// <summary>Whether a plan that servers alone cannot tell is to be listed in this tick.</summary>
    private bool ListsNow { get; init; }

    private int Steps { get; init; }

    private int Busy { get; init; }

    /// <summary>Whether this tick has fenced, or lifted a fence, already.</summary>
    private bool HasFenced { get; init; }

    /// <summary>What the last reading of the ballots says; null while there is no register.</summary>
    public Decision? Decision { get; private init; }

    /// <summary>The register as last read.</summary>
    public Register? Register => View.Register;

    /// <summary>What the first register write of this tick was decided on; without one, the last judgement. With it the decision can be derived again.</summary>
    public Judgement? Acted { get; private init; }

    /// <summary>What was done, step by step, for the journal.</summary>
    public ImmutableList<string> Log { get; private init; } = [];

    /// <summary>Begins a tick's work on one service.</summary>
    /// <param name="view">Read after this tick's ballot was written.</param>
    /// <param name="listsNow">Whether opaque sets are due to be listed.</param>
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

            case StepResult.Listed(var listing):
                // A register older than the listing could take another's honest work for a foreign hand; so it is always read after it.
                return (next with { Listing = listing }, new Step.ReadControl());

            // Whether it was written, refused or not answered: what the register says now is what counts.
            case StepResult.Register(var write):
                return (next.Note($"register: {write}"), new Step.ReadControl());

            case StepResult.Applied(ApplyOutcome.Applied):
                return next.Note("batch: applied").End(Ending.Applied, $"plan {Register!.Plan.Id} of epoch {Register.Epoch} applied");

            case StepResult.Applied(ApplyOutcome.Busy) when Busy >= BusyMax:
                return next.End(Ending.Waiting, "the DNS provider is busy");

            // The name is read again in every case. Our plan there is success, whatever the answer was.
            case StepResult.Applied(var outcome):
                return (next.Note($"batch: {outcome}") with { Listing = null, Busy = Busy + (outcome == ApplyOutcome.Busy ? 1 : 0) }, new Step.ListRecords());

            // What is not acknowledged is tried again at the next tick; and a fence ends by itself in any case.
            case StepResult.Fenced(false):
                return next.Note("fence: not acknowledged").Choose(now);

            case StepResult.Fenced when Register is { Moving: null, Planned: { FencedAt: null } planned } register && !IsGivenUp(planned, now):
                return next.Write(register with { Rev = register.Rev + 1, Planned = planned with { FencedAt = now } }, register.Rev, $"writes at {planned.From} are fenced until {planned.Until:u}");

            case StepResult.Fenced when Register is { FenceToLift: { } lifted } register:
                return next.Write(register with { Rev = register.Rev + 1, FenceToLift = null }, register.Rev, $"writes at {lifted.Replica} are accepted again");

            case StepResult.Fenced:
                return next.Choose(now);

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

        var judged = this with { Decision = Decider.Decide(Topology, Service, register, View.Ballots, now) };
        return (Acted is { Wrote: true } ? judged : judged with { Acted = new Judgement(judged.Decision!, View, now, Wrote: false) }).Choose(now);
    }

    private (Mover State, Step Step) Choose(DateTimeOffset now)
    {
        // The first TXT comes before any other change of mind: without it a later epoch would look like a lost state.
        if (Register is { Epoch: 0 } first && !IsSwitch && !Shows(first.Plan) && !IsDryRun)
        {
            if (Listing is null)
            {
                return (this, new Step.ListRecords());
            }

            if (Listing.Txt is null && DnsGate.Judge(first, Listing, Service.IsFenced) is GateVerdict.Apply)
            {
                return (this, new Step.Apply(first.Plan, Listing));
            }
        }

        if (Commands.IsPending(View))
        {
            return Obey(now);
        }

        if (Register is not { } register)
        {
            return IsSwitch ? BeginSwitch(now) : Listing is null ? (this, new Step.ListRecords()) : IsForeign && !IsConfirmed ? Doubt() : Begin(Listing, now);
        }

        // Asked once a tick: a fence that nobody acknowledges must not keep a failure from being left.
        if (register is { Planned: { } planned, Moving: null })
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
        if (register is { Planned: null, FenceToLift: { } fence } && !HasFenced && (fence.NotBefore <= now || Service.Endpoint(register.Serving)?.Replica == fence.Replica))
        {
            return (this with { HasFenced = true }, new Step.Fence(fence.Replica, fence.Order, null));
        }

        return register.Moving is { LandedAt: null } move && (move.Kind is not (MoveKind.Command or MoveKind.Kept) || IsOverruled(move, now)) ? Justify(register, move, now)
            : Decision!.Verdict != Verdict.Hold && register.Moving is not { LandedAt: null } ? Take(register, now)
            : Converge(register, now);
    }

    private (Mover State, Step Step) Obey(DateTimeOffset now)
    {
        var command = View.Command!;

        // An order that is refused for its age needs no listing, which may be what fails.
        if (!IsSwitch && (Register is null || (Commands.NeedsListing(Service, command) && Commands.Stale(command, Register, now) is null)))
        {
            if (Listing is null)
            {
                return (this, new Step.ListRecords());
            }

            if (IsForeign && !IsConfirmed)
            {
                return Doubt();
            }
        }

        if (Commands.Obey(Topology, Service, View, Listing, Self, now) is { } next)
        {
            return Write(next, Register?.Rev, $"command {command.Kind} of {command.By}: {next.LastCommand!.Says}");
        }

        // Without a register there is nowhere to refuse it; the first register comes before everything.
        return IsSwitch ? BeginSwitch(now) : Begin(Listing!, now);
    }

    private (Mover State, Step Step) Begin(Listing listing, DateTimeOffset now) =>
        Moves.Begin(Service, listing, Self, now) is { } first
            ? Write(first, null, $"first register: {first.Active} serves")
            : End(Ending.Frozen, IsSwitch
                ? "there is no register, and what the servers answer is no configured endpoint's: mend the topology or the records"
                : "there is no register, and the name is not one configured endpoint's without a state TXT: adopt it");

    /// <summary>With a switch, what all servers answer is where it begins.</summary>
    private (Mover State, Step Step) BeginSwitch(DateTimeOffset now) =>
        Look.Servers is [{ } answer, ..] && Look.Servers.All(other => other is not null && RecordSet.AreSame(other.Sets, answer.Sets))
            ? Begin(new Listing(answer.Sets, null), now)
            : End(Ending.Waiting, "the authoritative servers do not all answer the same: what the switch says now is not known");

    private bool IsSwitch => Service.Lever == Lever.Switch;

    private bool Shows(Plan plan) => Look.Shows(plan, hasTxt: !IsSwitch);

    private bool IsDryRun => Service.Mode == FailoverMode.ObserveOnly;

    private bool IsGivenUp(PlannedMove planned, DateTimeOffset now) =>
        planned.Until <= now || Register!.Paused?.Stops(planned.Since, now) == true || planned.From != Register.Serving || IsPinnedElsewhere(planned.To, now) || Register.IsDrained(planned.To, now) || IsDryRun;

    /// <summary>Whether an operator ordered otherwise since: a pause, a pin to another endpoint, a drain of that one.</summary>
    private bool IsOverruled(Move move, DateTimeOffset now) =>
        Register!.Paused?.Stops(move.Since, now) == true || IsPinnedElsewhere(move.To, now) || Register.IsDrained(move.To, now);

    private bool IsPinnedElsewhere(string endpoint, DateTimeOffset now) => Register!.Pinned is { } pin && pin.Order.IsInForce(now) && pin.Endpoint != endpoint;

    /// <summary>A move under way that has not landed: does it still stand?</summary>
    private (Mover State, Step Step) Justify(Register register, Move move, DateTimeOffset now)
    {
        if (Decision!.MovesTo(move.To))
        {
            return Converge(register, now);
        }

        // It may have landed already; then it is not ours to withdraw.
        if (Shows(register.Plan))
        {
            return Converge(register, now);
        }

        if (IsDryRun)
        {
            return End(Ending.DryRun, $"would withdraw the move to {move.To}: {Decision.Why}");
        }

        // Neither borne out nor contradicted: an endpoint that answers now and then would have every move withdrawn, and never be left.
        if (Decision.Held.Contains(HoldReason.NoQuorum) || Decision.Held.Contains(HoldReason.MixedVersions) || IsDying(move, now))
        {
            return End(Ending.Waiting, $"the move to {move.To} waits: {Decision.Why}");
        }

        if (!IsSwitch && Listing is null)
        {
            return (this, new Step.ListRecords());
        }

        if (!IsSwitch && IsForeign && !IsConfirmed)
        {
            return Doubt();
        }

        return Moves.Withdraw(Service, register, Listing, Topology.Timing.CoolDown, Self, now) is { } next
            ? Write(next, register.Rev, next.Epoch == register.Epoch ? $"the move to {move.To} had landed" : $"the move to {move.To} is withdrawn: {Decision.Why}")
            : End(Ending.Frozen, "the move is no longer justified, but the name is not as any plan says");
    }

    /// <summary>Whether what is left fails now and then, or has begun to: then the move away from it is not to be withdrawn.</summary>
    private bool IsDying(Move move, DateTimeOffset now) => !IsOverruled(move, now) && Decision is { } decision && (move.Kind switch
    {
        MoveKind.Automatic => decision.Held.Contains(HoldReason.Intermittent),
        MoveKind.Planned => decision.Held.Contains(HoldReason.Intermittent) || decision.Held.Contains(HoldReason.Detecting),
        _ => false,
    });

    private (Mover State, Step Step) Take(Register register, DateTimeOffset now)
    {
        if (IsDryRun)
        {
            return End(Ending.DryRun, $"would move to {Decision!.To}: {Decision.Why}");
        }

        if (!IsSwitch && !Shows(register.Plan))
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

        return Write(Moves.Take(Service, register, Decision!, Self, now), register.Rev, $"epoch {register.Epoch + 1} taken: to {Decision!.To}, {Decision.Why}");
    }

    private (Mover State, Step Step) Converge(Register register, DateTimeOffset now)
    {
        var mustList = ListsNow && register.Plan.IsOpaque && !(Listing is not null && DnsGate.Judge(register, Listing, Service.IsFenced) is GateVerdict.Nothing);
        if (Shows(register.Plan) && !mustList)
        {
            return register.Moving is not { } move
                ? register.Adopted is null ? End(Ending.Settled, "the world shows the plan")
                    : Write(register with { Rev = register.Rev + 1, Adopted = null }, register.Rev, "what was adopted is replaced by our own plan")
                : move.LandedAt is null || Look.HttpOk
                    ? Write(
                        Moves.Landed(register, Look.HttpOk, Topology.Timing.CoolDown, now, Service.TtlSeconds),
                        register.Rev,
                        Look.HttpOk ? $"the move to {move.To} is done" : $"the move to {move.To} has landed")
                    : End(Ending.Waiting, $"{move.To} is answered, but does not serve through the name yet: {Look.HttpDetail}");
        }

        if (IsSwitch)
        {
            return End(Ending.Waiting, $"the switch says {register.Plan.Endpoint}; the servers do not all answer so yet");
        }

        if (Listing is null)
        {
            return (this, new Step.ListRecords());
        }

        return DnsGate.Judge(register, Listing, Service.IsFenced) switch
        {
            GateVerdict.Nothing => End(Ending.Waiting, "the provider has the plan; its servers do not all show it yet"),
            GateVerdict.Freeze(var reason) => IsConfirmed ? End(Ending.Frozen, reason) : Doubt(),
            GateVerdict.Keep(var landed) => Write(Moves.Keep(Service, register, landed, Self, now), register.Rev, $"the withdrawn move to {landed.Endpoint} had landed: kept"),
            _ => IsDryRun ? End(Ending.DryRun, $"would apply plan {register.Plan.Id} of epoch {register.Epoch}") : (this, new Step.Apply(register.Plan, Listing)),
        };
    }

    private (Mover State, Step Step) Write(Register next, long? expectedRev, string what) =>
        (Note(what) with { Acted = Acted is null ? null : Acted with { Wrote = true } }, new Step.WriteRegister(next, expectedRev, what));

    private bool IsForeign => Register is null ? Listing is { Txt: not null } : DnsGate.Judge(Register, Listing!, Service.IsFenced) is GateVerdict.Freeze;

    private bool IsConfirmed => Suspect is not null && Suspect.IsSameAs(Listing!);

    /// <summary>What looks foreign may be another's work that the register did not tell of yet: it is listed again before it is believed.</summary>
    private (Mover State, Step Step) Doubt() => (this with { Suspect = Listing, Listing = null }, new Step.ListRecords());

    private (Mover State, Step Step) End(Ending ending, string why) => (this, new Step.Finish(ending, why));

    private Mover Note(string line) => this with { Log = Log.Add(line) };
}

/// <summary>A decision with what it was derived from.</summary>
/// <param name="Wrote">Whether a register write followed.</param>
public sealed record Judgement(Decision Decision, ControlView View, DateTimeOffset At, bool Wrote);
