using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;

namespace Failover.HealthCheck.Decision;

/// <summary>The changes of a register in the life of a move. Each raises <c>rev</c> by one; each change of mind takes a new epoch.</summary>
public static class Moves
{
    private static readonly TimeSpan WithdrawalsFor = TimeSpan.FromHours(1);

    /// <summary>The first register: what DNS has is what shall be. Null if the records are no configured endpoint's, or a state TXT is there already.</summary>
    public static Register? Begin(Topology topology, Service service, Listing listing, string self, DateTimeOffset now) =>
        listing.Txt is null && service.Endpoints.FirstOrDefault(endpoint => RecordSet.AreSame(Plan.SetsOf(service, endpoint), listing.Sets)) is { } endpoint
            ? new Register
            {
                Service = service.Name,
                Rev = 1,
                Observers = topology.Observers,
                Plan = Plan.Of(service, endpoint.Name, listing.Sets, 0, now, self, "First"),
                Publication = new Publication(SentAt: now, HeldAt: service.Lever == Lever.Switch ? now : null, PublishedAt: now),
                Active = endpoint.Name,
                Primary = service.Lever == Lever.Switch ? service.Home.Name : null,
            }
            : null;

    /// <summary>Takes the next epoch for a decided move. In place of one that is not published it counts as a withdrawal.</summary>
    public static Register Take(Topology topology, Service service, Register register, Decision decision, string self, DateTimeOffset now)
    {
        var why = decision.Kind switch { MoveKind.Automatic => decision.Diagnosis.ToString(), MoveKind.Back => nameof(Verdict.MoveBack), var kind => kind.ToString() };
        var plan = Plan.For(service, service.Endpoint(decision.To)!, register.Epoch + 1, now, self, why);
        var next = register.WithPlan(plan) with
        {
            Rev = register.Rev + 1,
            Moving = plan.Endpoint == register.Serving ? null : new Move(register.Serving, plan.Endpoint, decision.Kind, register.After(now)),
            Withdrawals = register is { IsUnpublished: true, Moving.Kind: MoveKind.Automatic } ? WithdrawalsWith(register, now) : register.Withdrawals,
        };

        // A move that was sent and may still surface counts on, though another plan takes its place.
        var moves = Decider.AutomaticMoves(register, now);
        if (moves > (register.CoolDown is { } coolDown && coolDown.Until > now ? coolDown.AutomaticMoves : 0))
        {
            next = next with { CoolDown = new CoolDown(now, now + topology.Timing.CoolDown, moves) };
        }

        // The fence of a planned move stands until that is published.
        return decision.Kind == MoveKind.Planned ? next with { Planned = register.Planned, FenceToLift = null } : next;
    }

    /// <summary>
    /// Withdraws a move that is not published, by a new epoch that keeps what the name has. What an operator began or stopped is not counted as flapping: that would hold the next failover off.
    /// Null where it is not known what the name has.
    /// </summary>
    /// <param name="listing">What the name has, where the move was sent and the provider can be asked exactly; null: what the active endpoint had.</param>
    public static Register? Withdraw(Service service, Register register, Listing? listing, string self, DateTimeOffset now)
    {
        var shown = register.Active;
        var sets = register.Known.LastOrDefault(plan => plan.Endpoint == shown)?.Sets ?? (service.Endpoint(shown) is { } active ? Plan.SetsOf(service, active) : null);
        if (listing is not null)
        {
            shown = listing.Txt is { Values: [var text] } && StateTxt.TryParse(text) is { } txt && register.Find(txt) is { } known ? known.Endpoint : shown;
            sets = listing.Sets;
        }

        if (sets is null || sets.Count == 0)
        {
            return null;
        }

        var move = register.Moving!;
        var paused = register.Paused?.IsInForce(now) == true;
        var isOrdered = paused || register.Pinned?.Order.IsInForce(now) == true || move.Kind is not MoveKind.Automatic;
        return register.WithPlan(Plan.Of(service, shown, sets, register.Epoch + 1, now, self, paused ? "Paused" : "Withdrawn")) with
        {
            Rev = register.Rev + 1,
            Withdraws = register.Publication.SentAt is null ? null : new WithdrawnPlan(register.Plan.Id, move.Kind),
            Active = shown,
            Withdrawals = isOrdered ? register.Withdrawals : WithdrawalsWith(register, now),
        };
    }

    /// <summary>The withdrawn move surfaced all the same: the next epoch keeps it.</summary>
    public static Register Keep(Service service, Register register, Plan surfaced, string self, DateTimeOffset now) =>
        register.WithPlan(Plan.Of(service, surfaced.Endpoint, surfaced.Sets, register.Epoch + 1, now, self, "Kept")) with
        {
            Rev = register.Rev + 1,
            Moving = surfaced.Endpoint == register.Active ? null : new Move(register.Active, surfaced.Endpoint, MoveKind.Kept, register.After(now)),
        };

    /// <summary>What is about to be done can become visible.</summary>
    /// <param name="baseline">The servers that still answer otherwise.</param>
    public static Register Sent(Register register, IEnumerable<string> baseline, DateTimeOffset now)
    {
        var seen = Seen(register, baseline);
        return seen with { Publication = seen.Publication with { SentAt = now } };
    }

    /// <summary>More servers were seen to answer otherwise.</summary>
    public static Register Seen(Register register, IEnumerable<string> servers) => register with
    {
        Rev = register.Rev + 1,
        Publication = register.Publication with { Baseline = [.. register.Publication.Baseline.Union(servers).Order(StringComparer.Ordinal)] },
    };

    /// <summary>The provider's API lists the plan, or took the batch that makes it so.</summary>
    public static Register Held(Register register, DateTimeOffset now) =>
        register with { Rev = register.Rev + 1, Publication = register.Publication with { HeldAt = register.Publication.HeldAt ?? now }, Adopted = null };

    /// <summary>A server shows the plan: from now on its endpoint serves, and the cool-down begins.</summary>
    public static Register Published(Register register, TimeSpan coolDown, DateTimeOffset now)
    {
        var published = register with { Rev = register.Rev + 1, Publication = register.Publication with { PublishedAt = now } };
        if (register.Moving is not { } move || move.From == move.To)
        {
            return published;
        }

        var before = register.CoolDown is { } last && last.Until > now ? last.AutomaticMoves : 0;
        return published with
        {
            LastMove = new PublishedMove(move.From, move.To, register.Epoch, now),
            CoolDown = new CoolDown(now, now + coolDown, before + (move.Kind is MoveKind.Automatic or MoveKind.Kept ? 1 : 0)),
        };
    }

    /// <summary>The move is verified: the name serves through its plan.</summary>
    /// <param name="ttlSeconds">How long resolvers may still give the old answer.</param>
    public static Register Done(Register register, DateTimeOffset now, int ttlSeconds) => register with
    {
        Rev = register.Rev + 1,
        Active = register.Moving!.To,
        Moving = null,
        Planned = register.Moving.Kind == MoveKind.Planned ? null : register.Planned,
        FenceToLift = register is { Moving.Kind: MoveKind.Planned, Planned: { } planned } ? new FenceToLift(planned.Replica, planned.Since, now.AddSeconds(ttlSeconds)) : register.FenceToLift,
        Adopted = null,
    };

    private static IReadOnlyList<DateTimeOffset> WithdrawalsWith(Register register, DateTimeOffset now) => [.. register.Withdrawals.Where(at => now - at < WithdrawalsFor), now];
}
