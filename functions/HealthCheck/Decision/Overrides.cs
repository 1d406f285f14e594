using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;

namespace Failover.HealthCheck.Decision;

/// <summary>
/// What operators' orders in force ask for: they are state that decisions follow, and not moves that somebody must remember (docs/decisions/0007).
/// A pause stops what was ordered before it.
/// </summary>
public static class Overrides
{
    /// <summary>
    /// How long after a fence stands a write may still get into the table that passed before: a writer believes for 2 s what it read of the fence,
    /// its call may take some seconds, and the clocks of who saw the fence and of who wrote the heartbeat may be 3 s off, each to its side.
    /// </summary>
    public static readonly TimeSpan FenceSettles = TimeSpan.FromSeconds(15);

    /// <summary>What an operator's orders in force ask for, whatever the health of the endpoint that serves; null if they ask for nothing.</summary>
    public static Decision? Asked(Service service, Register register, Votes votes, DateTimeOffset now)
    {
        var serving = register.Serving;
        if (register.Pinned is { } pin && pin.Order.IsInForce(now))
        {
            return pin.Endpoint == serving ? null
                : register.Paused?.Stops(pin.Order.Since, now) == true ? Decider.Hold(Diagnosis.Healthy, HoldReason.Paused, $"an operator paused after the pin to {pin.Endpoint}")
                : (pin.Force && service.Endpoint(pin.Endpoint) is not null) || votes.CountUp(service, pin.Endpoint) >= votes.Majority ? Move(pin.Endpoint, $"{pin.Order.By} pinned the name to {pin.Endpoint}")
                : Decider.Hold(Diagnosis.NoTarget, HoldReason.NoTarget, $"the name is pinned to {pin.Endpoint}, which is not up");
        }

        if (register.IsDrained(serving, now))
        {
            var drain = register.Drained[serving];
            return register.Paused?.Stops(drain.Since, now) == true ? Decider.Hold(Diagnosis.Healthy, HoldReason.Paused, $"an operator paused after the drain of {serving}")
                : Decider.Target(service, register, votes, now) is { } target ? Move(target.Name, $"{drain.By} drained {serving}")
                : Decider.Hold(Diagnosis.NoTarget, HoldReason.NoTarget, $"{serving} is drained, and no other endpoint is up");
        }

        // A planned move is made of a healthy world; should it fail meanwhile, that is judged as ever.
        return register.Planned is { } planned && planned.From == serving && planned.Until > now && votes.CountDown(service, serving) < votes.Majority
            ? Plan(service, register, planned, votes, now)
            : null;

        Decision Move(string to, string why) => new(Verdict.Move, to, Diagnosis.Healthy, [], why) { Kind = MoveKind.Override, DataLossMs = Decider.DataLossMs(service, serving, to, votes, now) };
    }

    private static Decision Plan(Service service, Register register, PlannedMove planned, Votes votes, DateTimeOffset now)
    {
        if (register.Paused?.Stops(planned.Since, now) == true)
        {
            return Decider.Hold(Diagnosis.Healthy, HoldReason.Paused, "an operator paused after the planned move was ordered");
        }

        if (register.IsDrained(planned.To, now) || votes.CountUp(service, planned.To) < votes.Majority)
        {
            return Decider.Hold(Diagnosis.NoTarget, HoldReason.NoTarget, $"the planned move to {planned.To} waits: it is not up");
        }

        if (planned.FencedAt is not { } fencedAt)
        {
            return Decider.Hold(Diagnosis.Healthy, HoldReason.Backlog, $"the planned move to {planned.To} waits for its fence");
        }

        var (source, target) = (service.Endpoint(planned.From)?.Replica, service.Endpoint(planned.To)?.Replica);
        var through = 0;
        foreach (var ballot in votes.Counted)
        {
            // Written when nothing else could be any more.
            if (source == target || (source is not null && target is not null && ballot.Replicas.TryGetValue(source, out var beats)
                && beats.NewestSeen.TryGetValue(target, out var seen) && seen >= (fencedAt + FenceSettles).ToUnixTimeMilliseconds()))
            {
                through++;
            }
        }

        return through < votes.Majority
            ? Decider.Hold(Diagnosis.Healthy, HoldReason.Backlog, $"the planned move to {planned.To} waits: for {through} of {votes.Majority} observers heartbeats that were written after the fence have arrived")
            : new Decision(Verdict.Move, planned.To, Diagnosis.Healthy, [], $"{planned.By} planned the move to {planned.To}; writes are fenced, and heartbeats that were written after that have arrived") { Kind = MoveKind.Planned, DataLossMs = Decider.DataLossMs(service, planned.From, planned.To, votes, now) };
    }
}
