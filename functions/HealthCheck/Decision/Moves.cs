using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;

namespace Failover.HealthCheck.Decision;

/// <summary>The changes of a register in the life of a move. Each raises <c>rev</c> by one; each change of mind takes a new epoch.</summary>
public static class Moves
{
    /// <summary>The first register: what DNS has is what shall be. Null if the records are no configured endpoint's, or a state TXT is there already.</summary>
    public static Register? Begin(Service service, Listing listing, string self, DateTimeOffset now) =>
        listing.Txt is null && service.Endpoints.FirstOrDefault(endpoint => RecordSet.AreSame(Plan.SetsOf(service, endpoint), listing.Sets)) is { } endpoint
            ? new Register
            {
                Service = service.Name,
                Rev = 1,
                Plan = Plan.Of(service, endpoint.Name, listing.Sets, 0, now, self, "First"),
                Active = endpoint.Name,
                Primary = service.Lever == Lever.Switch ? service.Home.Name : null,
            }
            : null;

    /// <summary>Takes the next epoch for a decided move.</summary>
    public static Register Take(Service service, Register register, Decision decision, string self, DateTimeOffset now)
    {
        var why = decision.Kind switch { MoveKind.Automatic => decision.Diagnosis.ToString(), MoveKind.Back => nameof(Verdict.MoveBack), var kind => kind.ToString() };
        var plan = Plan.For(service, service.Endpoint(decision.To)!, register.Epoch + 1, now, self, why);
        var next = register.WithPlan(plan) with { Rev = register.Rev + 1, Moving = new Move(register.Serving, plan.Endpoint, decision.Kind, now) };

        // The fence of a planned move stands until that has landed.
        return decision.Kind == MoveKind.Planned ? next with { Planned = register.Planned, FenceToLift = null } : next;
    }

    /// <summary>
    /// Withdraws a move that has not landed, with a new epoch that keeps what the listing shows. If that is the move's own plan, it has landed, and is marked so.
    /// Null where the listing is foreign. Where a listing proves nothing (no conditional write, or no write at all), what the active endpoint had is ordered again. What an operator began or stopped is not counted as flapping: that would hold the next failover off.
    /// </summary>
    /// <param name="listing">Null with the lever <c>Switch</c>.</param>
    public static Register? Withdraw(Service service, Register register, Listing? listing, TimeSpan coolDown, string self, DateTimeOffset now)
    {
        var shown = register.Moving?.From ?? register.Active;
        var sets = register.Known.LastOrDefault(plan => plan.Endpoint == shown)?.Sets ?? (service.Endpoint(shown) is { } active ? Plan.SetsOf(service, active) : null);
        if (listing is not null)
        {
            if (DnsGate.Judge(register, listing, service.IsFenced) is var verdict && verdict is GateVerdict.Nothing)
            {
                return Landed(register, verified: false, coolDown, now, service.TtlSeconds);
            }

            if (verdict is GateVerdict.Freeze || listing.Sets.Count == 0)
            {
                return null;
            }

            if (service.IsFenced)
            {
                shown = verdict is GateVerdict.Keep keep ? keep.Landed.Endpoint
                    : listing.Txt is { Values: [var text] } && StateTxt.TryParse(text) is { } txt && register.Find(txt) is { } known ? known.Endpoint
                    : shown;
                sets = listing.Sets;
            }
        }

        if (sets is null)
        {
            return null;
        }

        var paused = register.Paused?.IsInForce(now) == true;
        var ordered = paused || register.Pinned?.Order.IsInForce(now) == true || register.Moving?.Kind is not MoveKind.Automatic;
        var plan = Plan.Of(service, shown, sets, register.Epoch + 1, now, self, paused ? "Paused" : "Withdrawn");
        return register.WithPlan(plan) with
        {
            Rev = register.Rev + 1,
            Withdraws = register.Plan.Id,
            Active = shown,
            Withdrawals = ordered ? register.Withdrawals : [.. register.Withdrawals.Where(at => now - at < TimeSpan.FromHours(1)), now],
        };
    }

    /// <summary>The withdrawn move landed all the same: the next epoch keeps it.</summary>
    public static Register Keep(Service service, Register register, Plan landed, string self, DateTimeOffset now) =>
        register.WithPlan(Plan.Of(service, landed.Endpoint, landed.Sets, register.Epoch + 1, now, self, "Kept")) with
        {
            Rev = register.Rev + 1,
            Moving = landed.Endpoint == register.Active ? null : new Move(register.Active, landed.Endpoint, MoveKind.Kept, now),
        };

    /// <summary>Marks that the world shows the plan, which starts the cool-down; verified over HTTP too, the move is done.</summary>
    /// <param name="ttlSeconds">How long resolvers may still give the old answer.</param>
    public static Register Landed(Register register, bool verified, TimeSpan coolDown, DateTimeOffset now, int ttlSeconds)
    {
        var move = register.Moving!;
        var landed = move.LandedAt is not null || move.From == move.To ? register : register with
        {
            LastMove = new LandedMove(move.From, move.To, register.Epoch, now),
            CoolDown = new CoolDown(
                now,
                now + coolDown,
                (register.CoolDown is { } before && before.Until > now ? before.AutomaticMoves : 0) + (move.Kind is MoveKind.Automatic or MoveKind.Kept ? 1 : 0)),
        };
        return landed with
        {
            Rev = register.Rev + 1,
            Active = verified ? move.To : register.Active,
            Moving = verified ? null : move with { LandedAt = move.LandedAt ?? now },
            Planned = verified ? null : register.Planned,
            FenceToLift = verified && register.Planned is { } planned ? new FenceToLift(planned.Replica, planned.Since, now.AddSeconds(ttlSeconds)) : register.FenceToLift,
            Adopted = null,
        };
    }
}
