using System.Collections.Immutable;
using System.Reflection;
using Failover.ControlPlane;
using Failover.ControlPlane.Registers;
using Failover.HealthCheck.Decision;

namespace Failover.Simulation;

/// <summary>What the explorer breaks on purpose, to see that its rules notice.</summary>
[Flags]
internal enum Planted
{
    None = 0,

    /// <summary>A batch that overwrites whatever is there, as UPSERT does.</summary>
    NoCompareAndSwap = 1,

    /// <summary>A register write that ignores <c>rev</c>.</summary>
    NoRev = 2,
}

/// <summary>A world to explore from.</summary>
internal sealed record Scenario
{
    public required Register? Register { get; init; }

    public required Listing Zone { get; init; }

    public bool AIsDown { get; init; }

    public Command? Command { get; init; }

    /// <summary>At any moment: endpoint a recovers.</summary>
    public bool Recovers { get; init; }

    /// <summary>At any moment: endpoint a fails.</summary>
    public bool Fails { get; init; }

    /// <summary>At any moment: a person changes the address.</summary>
    public bool HumanEdits { get; init; }

    /// <summary>At any moment: an operator gives an order.</summary>
    public Command? LateCommand { get; init; }

    /// <summary>Who decides: observers' names; one name twice is two ticks of one observer that overlap.</summary>
    public IReadOnlyList<string> Deciders { get; init; } = [.. Scene.Deciders.Take(2)];

    /// <summary>How many ticks each decider makes.</summary>
    public int Ticks { get; init; } = 1;

    /// <summary>How many writes may be dropped, lost after they took effect, or delayed, and how many deciders may die.</summary>
    public int Faults { get; init; } = 1;

    public Planted Planted { get; init; }
}

/// <summary>
/// Runs the production mover for two deciders in every interleaving of their steps, with every placing of faults and of what else happens in the world,
/// and checks the rules after each step. States that were reached before are not gone on from again.
/// </summary>
internal sealed class Explorer(Scenario scenario)
{
    private static readonly FieldInfo[] MoverState =
        [.. new[] { "View", "Listing", "Suspect", "Refused", "Look", "Busy", "HasFenced", "HasApplied", "HasTurn", "Replaced", "HasAnnounced", "HasPresumedWrongly", "ListsForOrders", "DefersOrders" }.Select(name => typeof(Mover).GetField($"<{name}>k__BackingField", BindingFlags.Instance | BindingFlags.NonPublic)!)];

    private readonly HashSet<string> _reached = [];

    /// <summary>How many different states were seen.</summary>
    public int States => _reached.Count;

    /// <summary>How many ways ended and were settled.</summary>
    public int Endings { get; private set; }

    /// <summary>Explores all of it.</summary>
    /// <exception cref="RuleBrokenException">A rule was broken; the message tells how.</exception>
    public void Run() => Visit(new State
    {
        Register = scenario.Register,
        Zone = scenario.Zone,
        AIsDown = scenario.AIsDown,
        Orders = scenario.Command is { } command ? [command] : [],
        Deciders = [.. scenario.Deciders.Select(_ => new Decider(scenario.Ticks))],
        FaultsLeft = scenario.Faults,
        MayFreeze = scenario.Command?.Kind == CommandKind.Adopt,
        RecoveryLeft = scenario.Recovers,
        FailureLeft = scenario.Fails,
        EditLeft = scenario.HumanEdits,
        LateCommand = scenario.LateCommand,
    });

    private void Visit(State state)
    {
        if (!_reached.Add(Key(state)))
        {
            return;
        }

        var moved = false;
        foreach (var next in Successors(state))
        {
            moved = true;
            Check(state, next);
            Visit(next);
        }

        if (!moved)
        {
            Endings++;
            Settle(state);
        }
    }

    private IEnumerable<State> Successors(State state)
    {
        for (var i = 0; i < state.Deciders.Length; i++)
        {
            foreach (var next in Act(state, i))
            {
                yield return next;
            }
        }

        foreach (var late in state.InFlight)
        {
            yield return Effect(state with { InFlight = state.InFlight.Remove(late) }, late, out _).Say("a late write arrives");
        }

        if (state.RecoveryLeft)
        {
            yield return (state with { RecoveryLeft = false, AIsDown = false }).Say("a recovers");
        }

        if (state.FailureLeft)
        {
            yield return (state with { FailureLeft = false, AIsDown = true }).Say("a fails");
        }

        if (state.EditLeft)
        {
            yield return (state with { EditLeft = false, Edited = true, MayFreeze = true, Zone = state.Zone with { Sets = Scene.SetsOfAHuman } }).Say("a person edits");
        }

        if (state.LateCommand is { } command)
        {
            yield return (state with { LateCommand = null, Orders = [.. state.Orders, command] }).Say($"an operator orders {command.Kind}");
        }
    }

    /// <summary>Every way in which one decider can go on: the step itself, and each fault in it.</summary>
    private IEnumerable<State> Act(State state, int i)
    {
        var decider = state.Deciders[i];
        if (decider.Dead || (decider.Step is null && decider.Look is null && decider.TicksLeft == 0))
        {
            yield break;
        }

        if (state.FaultsLeft > 0 && decider.Step is not null)
        {
            yield return state.With(i, decider with { Dead = true }).Fault($"{i} dies before {decider.Step.GetType().Name}");
        }

        var self = scenario.Deciders[i];
        if (decider.Step is null)
        {
            if (decider.Look is null)
            {
                yield return state.With(i, decider with { Look = new Look([state.Zone], HttpOk: true, ""), TicksLeft = decider.TicksLeft - 1 }).Say($"{i} looks");
                yield break;
            }

            var (mover, step) = InTurn(Mover.Start(Scene.Topology, Scene.Service, self, decider.Look, View(state), Clock(i)), state, i);
            yield return state.With(i, Stepped(decider with { Look = null }, mover, step)).Say($"{i} reads, then {Name(step)}");
            yield break;
        }

        switch (decider.Step)
        {
            case Step.ReadControl:
                yield return Go(state, i, new StepResult.Control(View(state)));
                if (state.FaultsLeft > 0)
                {
                    yield return Go(state.Fault($"{i} cannot read"), i, new StepResult.NotDone("cannot read"));
                }

                break;
            case Step.ListRecords:
                yield return Go(state, i, new StepResult.Listed(state.Zone));
                if (state.FaultsLeft > 0)
                {
                    yield return Go(state.Fault($"{i} cannot list"), i, new StepResult.NotDone("cannot list"));
                }

                break;
            case Step.Fence:
                yield return Go(state, i, new StepResult.Fenced(Stands: true));
                if (state.FaultsLeft > 0)
                {
                    yield return Go(state.Fault($"{i}'s fence is not acknowledged"), i, new StepResult.Fenced(Stands: false));
                }

                break;
            case Step.WriteRegister or Step.Apply:
                var done = Effect(state, decider.Step, out var took);
                yield return Go(done, i, Answer(decider.Step, took));
                if (state.FaultsLeft > 0)
                {
                    yield return Go(done.Fault($"{i} gets no answer"), i, NoAnswer(decider.Step));
                    yield return Go(state.Fault($"{i}'s write is dropped"), i, NoAnswer(decider.Step));
                    yield return Go((state with { InFlight = state.InFlight.Add(decider.Step) }).Fault($"{i}'s write is late"), i, NoAnswer(decider.Step));
                }

                break;
        }
    }

    /// <summary>The clocks differ by more than a plan is left to its maker, so that nobody waits for another and all that can meet does.</summary>
    private static DateTimeOffset Clock(int i) => Scene.Now.AddSeconds(11 * i);

    /// <summary>A turn changes nothing in the world, and the reading after it sees what one at this moment sees: they are no steps of their own.</summary>
    private static (Mover Mover, Step Step) InTurn((Mover Mover, Step Step) next, State state, int i)
    {
        if (next.Step is not Step.AwaitTurn)
        {
            return next;
        }

        var (mover, _) = next.Mover.Next(new StepResult.Turn(), Clock(i));
        return mover.Next(new StepResult.Control(View(state)), Clock(i));
    }

    private static State Go(State state, int i, StepResult result)
    {
        var (mover, step) = InTurn(state.Deciders[i].Mover!.Next(result, Clock(i)), state, i);
        var next = state.With(i, Stepped(state.Deciders[i], mover, step)).Say($"{i}: {Name(result)}, then {Name(step)}");
        Rule(step is not Step.Finish { Ending: Ending.Frozen } || state.MayFreeze, "the name is frozen though nobody but us has touched it", next);
        return next;
    }

    private static string Name(object part) => part switch
    {
        Step.WriteRegister write => $"write: {write.What}",
        Step.Apply apply => $"apply {apply.Plan.Txt.Values[0]}",
        Step.Finish finish => $"{finish.Ending}: {finish.Why}",
        StepResult.Register or StepResult.Applied => part.ToString()!,
        _ => part.GetType().Name,
    };

    private static Decider Stepped(Decider decider, Mover mover, Step step) =>
        step is Step.Finish ? decider with { Mover = null, Step = null } : decider with { Mover = mover, Step = step };

    private static StepResult Answer(Step step, bool took) => step is Step.WriteRegister
        ? new StepResult.Register(took ? ConditionalWrite.Written : ConditionalWrite.Refused)
        : new StepResult.Applied(took ? ApplyOutcome.Applied : ApplyOutcome.Refused);

    private static StepResult NoAnswer(Step step) => step is Step.WriteRegister
        ? new StepResult.Register(ConditionalWrite.Unknown)
        : new StepResult.Applied(ApplyOutcome.Unknown);

    /// <summary>What a write does to the world: DynamoDB's condition, and Route 53's batch of exact DELETEs and CREATEs.</summary>
    private State Effect(State state, Step step, out bool took)
    {
        if (step is Step.WriteRegister write)
        {
            took = state.Register?.Rev == write.ExpectedRev || scenario.Planted.HasFlag(Planted.NoRev);
            return took ? state with { Register = write.Next } : state;
        }

        var apply = (Step.Apply)step;
        took = scenario.Planted.HasFlag(Planted.NoCompareAndSwap)
            || (RecordSet.AreSame(apply.Listed.Sets, state.Zone.Sets)
                && (apply.Listed.Txt is null ? state.Zone.Txt is null : state.Zone.Txt is { } txt && txt.IsSameAs(apply.Listed.Txt)));
        return took ? state with { Zone = Scene.Shows(apply.Plan) } : state;
    }

    private static ControlView View(State state) => new(state.Register, state.Orders, Scene.Ballots(state.AIsDown));

    private static void Check(State before, State after)
    {
        Rule(after.Zone.Sets.Count > 0, "S1: the name is empty", after);
        Rule(
            after.Edited ? RecordSet.AreSame(after.Zone.Sets, Scene.SetsOfAHuman) : RecordSet.AreSame(after.Zone.Sets, Scene.SetsOfA) || RecordSet.AreSame(after.Zone.Sets, Scene.SetsOfB),
            after.Edited ? "a person's edit was overwritten" : "S1: the name answers something that nobody configured",
            after);
        Rule((after.Register?.Epoch ?? -1) >= (before.Register?.Epoch ?? -1), "S2: the register's epoch went back", after);
        Rule(EpochOf(after) >= EpochOf(before), "S2: the TXT's epoch went back", after);
        Rule(
            EpochOf(after) != EpochOf(before) || EpochOf(after) < 0 || after.Zone.Txt!.IsSameAs(before.Zone.Txt!),
            "S3: two plans of one epoch were applied",
            after);
        Rule(before.Register is null || after.Register is not null, "the register is gone", after);
        Rule(
            ReferenceEquals(before.Register, after.Register) || before.Register is null || after.Register!.Rev == before.Register.Rev + 1,
            "rev did not rise by one: somebody's write was erased",
            after);
    }

    /// <summary>After the last fault everything settles within three rounds: the world shows the plan, or is frozen for a person's sake.</summary>
    private void Settle(State state)
    {
        for (var tick = 0; tick < 3 * state.Deciders.Length; tick++)
        {
            var i = tick % state.Deciders.Length;
            state = state.With(i, new Decider(1) { Look = new Look([state.Zone], HttpOk: true, "") });
            while (state.Deciders[i] is { Look: not null } or { Step: not null })
            {
                var next = Act(state with { FaultsLeft = 0 }, i).Single();
                Check(state, next);
                state = next;
            }
        }

        var register = state.Register!;
        if (state.Edited)
        {
            return;
        }

        Rule(RecordSet.AreSame(state.Zone.Sets, register.Plan.Sets) && register.Plan.Txt.IsSameAs(state.Zone.Txt!), "L2: the world does not show the plan", state);
        Rule(register.Moving is null && register.Planned is null && (register.FenceToLift is null || register.FenceToLift.NotBefore > Scene.Now), "L2: a move never ends", state);
        Rule(register.Active == register.Plan.Endpoint, "L2: another endpoint is active than the plan's", state);
        Rule(state.Orders.All(order => register.Answered.Count(answer => answer.Id == order.Id) == 1), "an order was not answered once", state);
        Rule(!state.AIsDown || register.Active == "b" || register.Paused is not null || register.Pinned is not null || register.Drained.Count > 0, "L1: the dead endpoint was not left", state);
    }

    private static void Rule(bool holds, string rule, State state)
    {
        if (!holds)
        {
            throw new RuleBrokenException($"{rule}\n  {string.Join("\n  ", state.Story)}\n  register: {Key(state.Register)}\n  zone: {string.Join(", ", state.Zone.Sets)}; {state.Zone.Txt}");
        }
    }

    private static long EpochOf(State state) => state.Zone.Txt is { } txt && StateTxt.TryParse(txt.Values[0]) is { } parsed ? parsed.Epoch : -1;

    private static string Key(State state) => string.Join(
        '|',
        Key(state.Register), Key(state.Zone), state.AIsDown, Ids(state.Orders), state.LateCommand?.Id, state.RecoveryLeft, state.FailureLeft, state.EditLeft, state.Edited, state.FaultsLeft,
        string.Join('+', state.InFlight.Select(Key).Order(StringComparer.Ordinal)),
        string.Join('&', state.Deciders.Select(decider =>
            $"{decider.TicksLeft},{decider.Dead},{Key(decider.Look?.Servers[0])},{Key(decider.Step)},{(decider.Mover is null ? "" : string.Join(';', MoverState.Select(field => Key(field.GetValue(decider.Mover)))))}")));

    private static string Ids(IReadOnlyList<Command> orders) => string.Join('+', orders.Select(order => order.Id));

    private static string? Key(object? part) => part switch
    {
        null => "-",
        Register register => $"{register.Rev}/{register.Plan.Id}/{register.Active}/{register.Publication}/{register.Moving}/{register.Withdraws}/{register.Paused is not null}/{string.Join('+', register.Answered.Select(answer => answer.Id))}/{register.Withdrawals.Count}/{register.CoolDown}/{register.Adopted is not null}/{register.Planned}/{register.FenceToLift}/{register.Pinned?.Endpoint}/{string.Join('+', register.Drained.Keys)}/{string.Join(',', register.Known.Select(plan => plan.Id))}",
        Listing listing => $"{string.Join(',', listing.Sets)} {listing.Txt}",
        Look look => Key(look.Servers[0]),
        ControlView view => $"{Key(view.Register)} {Ids(view.Orders)} {view.Ballots[0].On(Scene.Name, "a").Health}",
        Step.WriteRegister write => $"W{write.ExpectedRev} {Key(write.Next)}",
        Step.Apply apply => $"A{apply.Plan.Id} {Key(apply.Listed)}",
        Step step => step.GetType().Name,
        _ => part.ToString(),
    };

    private sealed record Decider(int TicksLeft)
    {
        public bool Dead { get; init; }

        public Look? Look { get; init; }

        public Mover? Mover { get; init; }

        public Step? Step { get; init; }
    }

    private sealed record State
    {
        public required Register? Register { get; init; }

        public required Listing Zone { get; init; }

        public required bool AIsDown { get; init; }

        public required IReadOnlyList<Command> Orders { get; init; }

        public required ImmutableArray<Decider> Deciders { get; init; }

        public required int FaultsLeft { get; init; }

        public required bool RecoveryLeft { get; init; }

        public required bool FailureLeft { get; init; }

        public required bool EditLeft { get; init; }

        public required Command? LateCommand { get; init; }

        public bool Edited { get; init; }

        /// <summary>Whether somebody else's hand was in it: an edit, or a register that was lost.</summary>
        public required bool MayFreeze { get; init; }

        public ImmutableList<Step> InFlight { get; init; } = [];

        public ImmutableList<string> Story { get; init; } = [];

        public State With(int i, Decider decider) => this with { Deciders = Deciders.SetItem(i, decider) };

        public State Say(string line) => this with { Story = Story.Add(line) };

        public State Fault(string line) => Say(line) with { FaultsLeft = FaultsLeft - 1 };
    }
}

/// <summary>A rule was broken; the message tells which, and the way there.</summary>
internal sealed class RuleBrokenException(string message) : Exception(message);
