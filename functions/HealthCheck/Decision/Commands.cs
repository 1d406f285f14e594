using Failover.ControlPlane;
using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;

namespace Failover.HealthCheck.Decision;

/// <summary>
/// Obeys an operator's command, or refuses it. Either way the register then carries the command's id, in the same write as its effect,
/// so that it is obeyed once. All that wait are answered in one write.
/// </summary>
public static class Commands
{
    /// <summary>
    /// The orders that this observer is to answer in one write, in the order in which it does: those that stop something, or end what does, come first. An order of an unknown kind is left to the observers
    /// of other rules while there are any; and while a majority votes by other rules or with another topology, an order that needs votes or records is that majority's.
    /// </summary>
    /// <param name="withListing">False: only those before the first that needs a listing. What can be answered does not wait for the provider.</param>
    public static IReadOnlyList<Command> Batch(Topology topology, Service service, ControlView view, bool withListing, DateTimeOffset now)
    {
        var pending = view.Pending.Where(command => IsOurs(topology, view, command, now)).OrderBy(command => command.IsStopping || command.IsEnding ? 0 : 1).ToList();
        return withListing ? pending : [.. pending.TakeWhile(command => !NeedsListing(service, view.Register, command, pending, now))];
    }

    /// <summary>Whether any order waits for this observer.</summary>
    public static bool IsAnyPending(Topology topology, ControlView view, DateTimeOffset now) => view.Pending.Any(command => IsOurs(topology, view, command, now));

    private static bool IsOurs(Topology topology, ControlView view, Command command, DateTimeOffset now)
    {
        if (command.Kind == CommandKind.Unknown)
        {
            return !view.Ballots.Any(ballot => ballot.RuleVersion != Ballot.RuleVersionNow && now <= ballot.ValidUntil);
        }

        if (view.Register is not { } register || command.Kind is CommandKind.Pause or CommandKind.Resume or CommandKind.Ack)
        {
            return true;
        }

        var votes = Votes.Of(topology, register, view.Ballots, now);
        return votes.OfOtherVersions < votes.Majority;
    }

    /// <summary>What is refused for its age, or for a pause beside it, needs no listing, which may be what fails.</summary>
    private static bool NeedsListing(Service service, Register? register, Command command, IReadOnlyList<Command> batch, DateTimeOffset now) =>
        service.Lever == Lever.Records
        && (register is null || (command.Kind is CommandKind.Adopt or CommandKind.Move or CommandKind.MoveBack or CommandKind.PlannedMove && Stale(command, register, now) is null && !(command.IsStarting && IsPaused(register, batch, now))));

    /// <summary>The register after all of these orders; null if there is none and no order makes one.</summary>
    public static Register? Obey(Topology topology, Service service, ControlView view, IReadOnlyList<Command> batch, Listing? listing, string self, DateTimeOffset now)
    {
        var isPaused = IsPaused(view.Register, batch, now);
        var register = view.Register;
        foreach (var command in batch)
        {
            register = Obey(topology, service, view with { Register = register }, command, isPaused, listing, self, now);
        }

        // One write, whatever it answers.
        return register is not null && view.Register is { } before ? register with { Rev = before.Rev + 1 } : register;
    }

    private static Register? Obey(Topology topology, Service service, ControlView view, Command command, bool isPaused, Listing? listing, string self, DateTimeOffset now)
    {
        Register? next;
        string says;
        try
        {
            var stale = Stale(command, view.Register, now);
            if (stale is null && isPaused && command.IsStarting)
            {
                stale = "refused: a pause was ordered at the same moment; order it again if you still want it";
            }

            (next, says) = stale is null ? Answer(topology, service, view, command, listing, self, now) : (null, stale);
        }
        catch (Exception error)
        {
            // An order that cannot be carried out must not keep the others, and the failover itself, from going on.
            (next, says) = (null, $"refused: this version fails on it: {error.GetType().Name}: {error.Message}");
        }

        return (next ?? view.Register)?.WithAnswer(new CommandOutcome(command.Id, next is not null, Printable.Of(says, SaysMax), now), view.Orders);
    }

    /// <summary>Whether a pause is obeyed with these orders.</summary>
    private static bool IsPaused(Register? register, IReadOnlyList<Command> batch, DateTimeOffset now) => batch.Any(command => command.Kind == CommandKind.Pause && Stale(command, register, now) is null);

    private static (Register? Next, string Says) Answer(Topology topology, Service service, ControlView view, Command command, Listing? listing, string self, DateTimeOffset now)
    {
        if (view.Register is not { } register)
        {
            return command.Kind == CommandKind.Adopt && listing is not null ? Adopt(topology, service, null, command, listing, self, now) : (null, "");
        }

        if (service.Mode == FailoverMode.ObserveOnly && MovesTheName(command.Kind))
        {
            return (null, "refused: the service is only observed; change its mode in the topology first");
        }

        return command.Kind switch
        {
            CommandKind.Move or CommandKind.MoveBack => MoveTo(topology, service, register, view, command, listing, self, now),
            CommandKind.PlannedMove => PlanTo(topology, service, register, view, command, listing, now),
            CommandKind.Pause => (register with { Paused = OrderOf(register, command, now) }, PauseSays(service, register) + Replaces(register.Paused, now)),
            CommandKind.Resume => WhyNotEnded(register.Paused, command, now, "pause") is { } why ? (null, why) : (register with { Paused = null }, "resumed"),
            CommandKind.Ack => (register with { CoolDown = null, Withdrawals = [] }, "acknowledged"),
            CommandKind.Approve when service.Mode != FailoverMode.Approve => (null, "refused: the service's moves need no approval"),
            CommandKind.Approve => (register with { Approved = new Override(command.Id, command.By, now, now + Command.Lifetime, command.Reason) }, $"approved for {Command.Lifetime.TotalMinutes:0} minutes"),
            CommandKind.Pin => PinTo(topology, service, register, view, command, now),
            CommandKind.Unpin => WhyNotEnded(register.Pinned?.Order, command, now, "pin") is { } why ? (null, why) : (register with { Pinned = null }, "unpinned"),
            CommandKind.Drain => Drain(service, register, command, now),
            CommandKind.Undrain => WhyNotEnded(register.Drained.GetValueOrDefault(command.To ?? ""), command, now, $"drain of '{command.To}'") is { } why
                ? (null, why)
                : (register with { Drained = register.Drained.Where(other => other.Key != command.To).ToDictionary() }, $"{command.To} is drained no more"),
            CommandKind.Unknown => (null, "refused: this version does not know that kind of command"),
            CommandKind.Adopt when service.Lever == Lever.Switch => (null, "refused: the lever 'Switch' writes no records; there is nothing to adopt"),
            _ => Adopt(topology, service, register, command, listing!, self, now),
        };
    }

    /// <summary>Why an order does not end what is in force: there is none, or it is a later one of another operator. Null if it ends it.</summary>
    private static string? WhyNotEnded(Override? inForce, Command command, DateTimeOffset now, string what)
    {
        if (inForce is null)
        {
            return $"refused: there is no {what}";
        }

        return command.Ends == inForce.OrderId || !inForce.IsInForce(now)
            ? null
            : $"refused: the {what} in force is another: by {inForce.By} since {inForce.Since:u}, order {inForce.OrderId}; look at it, and end that one";
    }

    /// <summary>What a pause does to a move under way depends on how far that has come.</summary>
    private static string PauseSays(Service service, Register register)
    {
        if (!register.IsUnpublished)
        {
            return "paused";
        }

        if (register.Publication.SentAt is null)
        {
            return $"paused; the move to {register.Moving!.To} was not sent yet, and is withdrawn";
        }

        return service.Lever == Lever.Switch
            ? $"paused; the move to {register.Moving!.To} was already sent and will be published: move back afterwards if you must"
            : $"paused; the move to {register.Moving!.To} was already sent, and is withdrawn unless it has taken effect";
    }

    /// <summary>What a listing said is kept in the register: not more of it.</summary>
    private const int TextMax = 600;

    /// <summary>An answer, in bytes of JSON: the register keeps many.</summary>
    private const int SaysMax = 400;

    private static bool MovesTheName(CommandKind kind) =>
        kind is CommandKind.Move or CommandKind.MoveBack or CommandKind.PlannedMove or CommandKind.Pin or CommandKind.Drain or CommandKind.Approve;

    /// <summary>Why an order is refused whatever it asks for: it is of another time or epoch; null if it is not.</summary>
    public static string? Stale(Command command, Register? register, DateTimeOffset now)
    {
        if (command.Mistake() is { } mistake)
        {
            return $"refused: {mistake}";
        }

        if (command.Kind != CommandKind.Unknown && (now - command.At).Duration() > Command.Lifetime)
        {
            return $"refused: it is of {command.At:O}, more than {Command.Lifetime.TotalMinutes:0} minutes away";
        }

        return command.IfEpoch is { } epoch && register is not null && epoch != register.Epoch ? $"refused: it was meant for epoch {epoch}, this is {register.Epoch}" : null;
    }

    private static (Register? Next, string Says) MoveTo(
        Topology topology, Service service, Register register, ControlView view, Command command, Listing? listing, string self, DateTimeOffset now)
    {
        var isBack = command.Kind == CommandKind.MoveBack;
        if ((isBack && command.To is null ? service.Home : service.Endpoint(command.To)) is not { } target)
        {
            return (null, NoSuchEndpoint(service, command));
        }

        // The endpoint that serves may have other values by now: a move to it brings them.
        if (target.Name == (register.Moving?.To ?? register.Active) && (register.Moving is not null || RecordSet.AreSame(register.Plan.Sets, Plan.SetsOf(service, target))))
        {
            return (null, $"refused: {target.Name} serves already, or is being moved to");
        }

        if (register.Pinned is { } pin && pin.Order.IsInForce(now) && pin.Endpoint != target.Name)
        {
            return (null, $"refused: the name is pinned to {pin.Endpoint} by {pin.Order.By}; unpin it first");
        }

        if (register.IsDrained(target.Name, now))
        {
            return (null, $"refused: {target.Name} is drained by {register.Drained[target.Name].By}; undrain it first");
        }

        if (listing is not null && DnsGate.Judge(register, listing, service.IsFenced) is GateVerdict.Freeze freeze)
        {
            return (null, $"refused: the name is frozen: {freeze.Reason}");
        }

        var votes = Votes.Of(topology, register, view.Ballots, now);
        if (isBack && BackGate.Shut(topology, service, register, target, votes) is { } shut)
        {
            return (null, $"refused: {shut}");
        }

        var up = votes.CountUp(service, target.Name);
        if (up < votes.Majority && !command.Force)
        {
            return (null, $"refused: {up} of {votes.Observers} observers see {target.Name} up; force it if you must");
        }

        var plan = Plan.For(service, target, register.Epoch + 1, now, self, isBack ? "MoveBack" : "Command");
        var move = new Move(register.Serving, target.Name, isBack ? MoveKind.Back : MoveKind.Command, register.After(now), command.Force);
        return (register.WithPlan(plan) with { Moving = move }, $"moving {(isBack ? "back " : "")}to {target.Name}");
    }

    private static (Register? Next, string Says) PlanTo(Topology topology, Service service, Register register, ControlView view, Command command, Listing? listing, DateTimeOffset now)
    {
        if (service.Endpoint(command.To) is not { } target)
        {
            return (null, NoSuchEndpoint(service, command));
        }

        if (command.Minutes > Command.PlannedMoveMinutesMax)
        {
            return (null, $"refused: writes are fenced for {Command.PlannedMoveMinutesMax} minutes at the most");
        }

        if (listing is not null && DnsGate.Judge(register, listing, service.IsFenced) is GateVerdict.Freeze freeze)
        {
            return (null, $"refused: the name is frozen: {freeze.Reason}");
        }

        if (register.IsUnpublished || register.Planned is not null)
        {
            return (null, "refused: a move is under way already");
        }

        if (register.FenceToLift is { } fence)
        {
            return (null, $"refused: the last planned move's fence at {fence.Replica} is lifted at {fence.NotBefore:u}; order it then");
        }

        if (target.Name == register.Serving || service.Endpoint(register.Serving) is not { } source)
        {
            return (null, $"refused: {register.Serving} serves, and {(target.Name == register.Serving ? "is where you want to go" : "is no endpoint of the topology, so its writes cannot be fenced")}");
        }

        if (register.IsDrained(target.Name, now) || register.Pinned?.Order.IsInForce(now) == true)
        {
            return (null, "refused: a pin or a drain stands against it");
        }

        var votes = Votes.Of(topology, register, view.Ballots, now);
        var up = votes.CountUp(service, target.Name);
        return up < votes.Majority
            ? (null, $"refused: {up} of {votes.Observers} observers see {target.Name} up")
            : (register with { Planned = new PlannedMove(source.Name, source.Replica, target.Name, command.By, register.After(now), now.AddMinutes(command.Minutes ?? Command.PlannedMoveMinutes)) }, $"planned: fencing writes at {source.Name}");
    }

    private static (Register? Next, string Says) PinTo(Topology topology, Service service, Register register, ControlView view, Command command, DateTimeOffset now)
    {
        if (service.Endpoint(command.To) is not { } target)
        {
            return (null, NoSuchEndpoint(service, command));
        }

        var votes = Votes.Of(topology, register, view.Ballots, now);
        var up = votes.CountUp(service, target.Name);
        return up < votes.Majority && !command.Force && target.Name != register.Serving
            ? (null, $"refused: {up} of {votes.Observers} observers see {target.Name} up; force it if you must")
            : (register with { Pinned = new Pin(target.Name, command.Force, OrderOf(register, command, now)) }, $"pinned to {target.Name}{Replaces(register.Pinned?.Order, now)}");
    }

    private static (Register? Next, string Says) Drain(Service service, Register register, Command command, DateTimeOffset now)
    {
        if (service.Endpoint(command.To) is not { } endpoint)
        {
            return (null, NoSuchEndpoint(service, command));
        }

        if (register.Pinned is { } pin && pin.Order.IsInForce(now) && pin.Endpoint == endpoint.Name)
        {
            return (null, $"refused: the name is pinned to {endpoint.Name} by {pin.Order.By}; unpin it first");
        }

        var drained = register.Drained.Where(drain => drain.Value.IsInForce(now) && drain.Key != endpoint.Name).Append(new(endpoint.Name, OrderOf(register, command, now))).ToDictionary();
        return service.Endpoints.All(other => drained.ContainsKey(other.Name))
            ? (null, "refused: every other endpoint is drained; the name would have nowhere to go")
            : (register with { Drained = drained }, $"drained {endpoint.Name}{Replaces(register.Drained.GetValueOrDefault(endpoint.Name), now)}");
    }

    /// <summary>Names the operator whose order is replaced: no order ends in silence.</summary>
    private static string Replaces(Override? before, DateTimeOffset now) =>
        before?.IsInForce(now) != true ? "" : $"; in place of the same order by {before.By}, which stood {(before.Until is { } until ? $"until {until:u}" : "without an end")}";

    private static Override OrderOf(Register register, Command command, DateTimeOffset now) =>
        new(command.Id, command.By, register.After(now), command.Minutes is { } minutes ? now.AddMinutes(minutes) : null, command.Reason);

    private static string NoSuchEndpoint(Service service, Command command) =>
        $"refused: '{command.To}' is no endpoint; there are {string.Join(", ", service.Endpoints.Select(endpoint => endpoint.Name))}";

    private static (Register? Next, string Says) Adopt(Topology topology, Service service, Register? register, Command command, Listing listing, string self, DateTimeOffset now)
    {
        if (register is not null && DnsGate.Judge(register, listing, service.IsFenced) is not GateVerdict.Freeze)
        {
            return register.HasObservers(topology.Observers)
                ? (null, "refused: the name is as the register says; there is nothing to adopt")
                : (register with { Observers = topology.Observers, Paused = new Override(command.Id, command.By, now, null, "adopted") }, $"adopted the observers {string.Join(", ", topology.Observers)}, paused");
        }

        if (service.Endpoints.FirstOrDefault(endpoint => RecordSet.AreSame(Plan.SetsOf(service, endpoint), listing.Sets)) is not { } active)
        {
            return (null, "refused: the name's records are those of no configured endpoint; mend them or the topology first");
        }

        if (listing.Txt is { Values.Count: not 1 })
        {
            return (null, $"refused: {service.StateName} has several values; leave one or none");
        }

        if (listing.Txt is { Values: [{ Length: > TextMax }] })
        {
            return (null, $"refused: {service.StateName} is longer than {TextMax} characters, so it is not ours; remove it first");
        }

        var text = listing.Txt?.Values[0];
        var epoch = Math.Max(text is null ? 0 : StateTxt.TryParse(text)?.Epoch ?? 0, register?.Epoch ?? 0) + 1;
        var plan = Plan.Of(service, active.Name, listing.Sets, epoch, now, self, "Adopted");
        var next = register?.WithPlan(plan) ?? new Register { Service = service.Name, Rev = 1, Observers = topology.Observers, Plan = plan, Active = active.Name };
        return (next with
        {
            Active = active.Name,
            Observers = topology.Observers,
            Adopted = new Adoption(text, listing.Sets),
            Paused = new Override(command.Id, command.By, now, null, "adopted"),
        }, $"adopted {active.Name} at epoch {epoch}, paused");
    }
}
