using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;

namespace Failover.HealthCheck.Decision;

/// <summary>
/// Decides from values alone; the same inputs give the same decision everywhere, and the register settles races.
/// </summary>
/// <remarks>
/// <code>
/// the endpoint that serves | another endpoint | decision
/// up, or not known         | any              | Hold                    absence is never a vote
/// down, fewer than a majority say so          | Hold(Contested)
/// down, 3 failed ticks with a living data path| up | Move               EndpointDown
/// down, 6 failed ticks                        | up | Move               RegionLost: a move can cost data, so it must stay lost longer
/// down, not yet so many                       | any | Hold(Detecting)
/// down                     | none up          | Hold(NoTarget)          the last answer stays, and alarms
/// </code>
/// "A majority" is always of all configured observers, each with a fresh ballot; one and the same majority sees the serving endpoint down,
/// with its latest probe failed, and the target up. Over that stand, in order: no quorum, mixed versions, a pause, a cool-down, flapping.
/// A move under way is judged by the same evidence, without cool-down and flapping: those held off its beginning. A move back under way is judged by its gate.
/// </remarks>
public static class Decider
{
    /// <summary>More withdrawals within an hour than this hold.</summary>
    public const int WithdrawalsMax = 3;

    /// <summary>What to do about <paramref name="service"/>.</summary>
    public static Decision Decide(Topology topology, Service service, Register register, IReadOnlyList<Ballot> ballots, DateTimeOffset now)
    {
        var fresh = Fresh(topology, ballots, now);
        if (fresh.Count < topology.Majority)
        {
            return Hold(Diagnosis.Contested, HoldReason.NoQuorum, $"{fresh.Count} of {topology.Observers.Count} observers have a fresh ballot; {topology.Majority} are needed");
        }

        if (fresh.Any(ballot => ballot.RuleVersion != Ballot.RuleVersionNow))
        {
            return Hold(Diagnosis.Contested, HoldReason.MixedVersions, "the observers decide by different rules");
        }

        return register.Moving is { Kind: MoveKind.Back, LandedAt: null } back
            ? Back(topology, service, register, back, fresh, now)
            : Leave(topology, service, register, fresh, now);
    }

    /// <summary>A move back under way stands while its gate is open, unless a pause came after it. Should the serving endpoint fail meanwhile, that counts too.</summary>
    private static Decision Back(Topology topology, Service service, Register register, Move back, IReadOnlyList<Ballot> fresh, DateTimeOffset now)
    {
        if (register.Paused?.Stops(back, now) == true)
        {
            return Hold(Diagnosis.Healthy, HoldReason.Paused, "an operator paused after the move back was ordered");
        }

        var shut = service.Endpoint(back.To) is { } target ? BackGate.Shut(topology, service, register, target, fresh) : $"{back.To} is no endpoint of the topology";
        return shut is null ? new Decision(Verdict.MoveBack, back.To, Diagnosis.Healthy, [], $"{back.To} has long been up, and heartbeats are fresh both ways")
            : Leave(topology, service, register, fresh, now) is var leave && leave.Verdict == Verdict.Move ? leave
            : leave with { Held = [.. leave.Held, HoldReason.BackGateShut], Why = $"{shut}; {leave.Why}" };
    }

    private static Decision Leave(Topology topology, Service service, Register register, IReadOnlyList<Ballot> fresh, DateTimeOffset now)
    {
        var serving = register.Serving;
        var down = fresh.Where(ballot => ballot.On(service.Name, serving) is { Health: Health.Down, LastOk: false }).ToList();
        if (down.Count < topology.Majority)
        {
            return down.Count > 0
                ? Hold(Diagnosis.Contested, null, $"{down.Count} of {topology.Observers.Count} observers see {serving} down")
                : Calm(topology, service, serving, fresh);
        }

        var replica = service.Endpoint(serving)?.Replica;
        var diagnosis = replica is not null && PathLived(topology, fresh, replica, NewestSlot(topology, fresh)) ? Diagnosis.EndpointDown : Diagnosis.RegionLost;
        var leaving = down.Where(ballot => IsToBeLeft(ballot.On(service.Name, serving), topology, fresh, replica)).ToList();
        if (leaving.Count < topology.Majority)
        {
            return Hold(diagnosis, HoldReason.Detecting, $"{serving} is down, for {leaving.Count} of {topology.Majority} observers long enough");
        }

        var target = service.Endpoints
            .Where(endpoint => endpoint.Name != serving && CountUp(leaving, service, endpoint.Name) >= topology.Majority)
            .OrderBy(endpoint => endpoint.Name == register.Moving?.To ? 0 : 1).ThenBy(endpoint => endpoint.Priority).ThenBy(endpoint => endpoint.Name, StringComparer.Ordinal).FirstOrDefault();
        if (target is null)
        {
            return Hold(Diagnosis.NoTarget, HoldReason.NoTarget, $"{serving} is down and no other endpoint is up: the last answer stays");
        }

        return Held(topology, service, register, leaving, target, now) is { } reason
            ? new Decision(Verdict.Hold, target.Name, diagnosis, [reason], $"{serving} is down; {target.Name} is up; held: {reason}")
            : new Decision(Verdict.Move, target.Name, diagnosis, [], $"{serving} is down for {leaving.Count} of {topology.Observers.Count} observers; {target.Name} is up");
    }

    /// <summary>The ballots of configured observers that still count.</summary>
    public static IReadOnlyList<Ballot> Fresh(Topology topology, IReadOnlyList<Ballot> ballots, DateTimeOffset now) =>
        [.. ballots.Where(ballot => topology.Observers.Contains(ballot.Observer) && now - ballot.At <= topology.Timing.BallotLifetime)];

    /// <summary>How many hold an endpoint up, with a clean run of at least <paramref name="cleanTicks"/>.</summary>
    public static int CountUp(IReadOnlyList<Ballot> ballots, Service service, string endpoint, int cleanTicks = 0) =>
        ballots.Count(ballot => ballot.On(service.Name, endpoint) is { Health: Health.Up } view && view.CleanTicks >= cleanTicks);

    private static HoldReason? Held(Topology topology, Service service, Register register, IReadOnlyList<Ballot> majority, ServiceEndpoint target, DateTimeOffset now)
    {
        if (register.Paused?.IsInForce(now) == true)
        {
            return HoldReason.Paused;
        }

        if (register.Moving is { LandedAt: null })
        {
            return null;
        }

        if (register.Withdrawals.Count(at => now - at < TimeSpan.FromHours(1)) > WithdrawalsMax)
        {
            return HoldReason.Flapping;
        }

        // One automatic move a cool-down. One more only to an endpoint that has long been up; after that only by acknowledgement.
        return register.CoolDown is { } coolDown && coolDown.Until > now && coolDown.AutomaticMoves > 0
            && (coolDown.AutomaticMoves > 1 || CountUp(majority, service, target.Name, 3 * topology.Timing.UpAfterTicks) < topology.Majority)
            ? HoldReason.CoolDown
            : null;
    }

    /// <summary>
    /// Enough failed ticks with a living data path, or enough whatever the diagnosis. Both count since the last clean run,
    /// so that a change of diagnosis restarts nothing.
    /// </summary>
    private static bool IsToBeLeft(EndpointBallot view, Topology topology, IReadOnlyList<Ballot> fresh, string? replica) =>
        view.Failures >= topology.Timing.LostAfterTicks
        || (replica is not null && view.FailedSlots.Count(slot => PathLived(topology, fresh, replica, slot)) >= topology.Timing.DownAfterTicks);

    /// <summary>Whether a majority's heartbeats into the replica were acknowledged in a slot.</summary>
    private static bool PathLived(Topology topology, IReadOnlyList<Ballot> fresh, string replica, long slot) =>
        fresh.Count(ballot => ballot.Replicas.TryGetValue(replica, out var beats) && beats.AckedSlots.Contains(slot)) >= topology.Majority;

    /// <summary>The newest slot that a majority has voted in.</summary>
    private static long NewestSlot(Topology topology, IReadOnlyList<Ballot> fresh) => fresh.Select(ballot => ballot.Slot).OrderDescending().ElementAt(topology.Majority - 1);

    private static Decision Calm(Topology topology, Service service, string serving, IReadOnlyList<Ballot> fresh)
    {
        var stalled = service.Endpoint(serving)?.Replica is { } source && fresh.Count(ballot =>
            ballot.Replicas.TryGetValue(source, out var beats) && beats.LagMs.Values.Any(lag => lag > topology.Timing.BallotLifetime.TotalMilliseconds)) >= topology.Majority;
        return stalled
            ? Hold(Diagnosis.ReplicationStalled, null, $"what is written at {serving} does not arrive elsewhere")
            : Hold(Diagnosis.Healthy, null, $"{serving} is not seen down");
    }

    private static Decision Hold(Diagnosis diagnosis, HoldReason? reason, string why) =>
        new(Verdict.Hold, null, diagnosis, reason is { } named ? [named] : [], why);
}
