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
/// down, but answers just now                  | any | Hold(Intermittent)
/// down                     | none up          | Hold(NoTarget)          the last answer stays, and alarms
/// drained, or not the one pinned | up         | Move                    an operator's override wins
/// any, a planned move is ordered | up         | Hold(Backlog), then Move
/// </code>
/// "A majority" is always of all the register's observers, each with a ballot that counts (<see cref="Votes"/>); one and the same majority sees the serving endpoint down
/// and the target up, each with its latest probe, and the observer that decides is one of it. A failed tick is one "with a living data path" if the same tick's own heartbeat into the endpoint's replica was acknowledged.
/// What holds the beginning of an automatic move is listed whole (<see cref="Holds"/>).
/// A move under way is judged by the same evidence, by a pause, a pin and observe-only; the other holds are for its beginning.
/// A move back under way is judged by its gate.
/// </remarks>
public static class Decider
{
    /// <summary>More withdrawals within an hour than this hold.</summary>
    public const int WithdrawalsMax = 3;

    /// <summary>What to do about <paramref name="service"/>.</summary>
    /// <param name="self">The observer that decides.</param>
    public static Decision Decide(Topology topology, Service service, Register register, IReadOnlyList<Ballot> ballots, string self, DateTimeOffset now)
    {
        var votes = Votes.Of(topology, register, ballots, now);
        if (!votes.IsQuorum)
        {
            return votes.Counted.Count + votes.OfOtherVersions >= votes.Majority
                ? Hold(Diagnosis.Contested, HoldReason.MixedVersions, $"{votes.Counted.Count} of {votes.Observers} observers have a ballot by these rules and this topology, {votes.OfOtherVersions} by others; {votes.Majority} must agree")
                : Hold(Diagnosis.Contested, HoldReason.NoQuorum, $"{votes.Counted.Count} of {votes.Observers} observers have a ballot that counts; {votes.Majority} are needed");
        }

        return register.IsUnpublished && register.Moving is { Kind: MoveKind.Back } back
            ? Back(topology, service, register, back, votes, self, now)
            : Overrides.Asked(service, register, votes, now) ?? Leave(topology, service, register, votes, self, now);
    }

    /// <summary>
    /// How much data a move from one endpoint to another can cost, in milliseconds: the age of the newest heartbeat of the one's replica that any observer
    /// has seen in the other's. What was written since may not have arrived. 0 within one replica; null if nobody knows.
    /// </summary>
    public static long? DataLossMs(Service service, string from, string to, Votes votes, DateTimeOffset now)
    {
        if (service.Endpoint(from)?.Replica is not { } source || service.Endpoint(to)?.Replica is not { } target)
        {
            return null;
        }

        if (source == target)
        {
            return 0;
        }

        long? least = null;
        for (var i = 0; i < votes.Counted.Count; i++)
        {
            if (votes.Counted[i].Replicas.TryGetValue(source, out var beats) && beats.NewestSeen.TryGetValue(target, out var seen) && seen is { } at
                && Math.Max(0, now.ToUnixTimeMilliseconds() - at) is var age && !(age >= least))
            {
                least = age;
            }
        }

        return least;
    }

    /// <summary>A move back under way stands while its gate is open, unless a pause came after it. Should the serving endpoint fail meanwhile, that counts too.</summary>
    private static Decision Back(Topology topology, Service service, Register register, Move back, Votes votes, string self, DateTimeOffset now)
    {
        if (register.Paused?.Stops(back.Since, now) == true)
        {
            return Hold(Diagnosis.Healthy, HoldReason.Paused, "an operator paused after the move back was ordered");
        }

        if (WhyNotBack(topology, service, register, back, votes, now) is not { } shut)
        {
            return new Decision(Verdict.MoveBack, back.To, Diagnosis.Healthy, [], $"{back.To} has long been up, and heartbeats are fresh both ways") { Kind = MoveKind.Back };
        }

        var leave = Leave(topology, service, register, votes, self, now);
        return leave.Verdict == Verdict.Move ? leave : leave with { Held = [.. leave.Held, HoldReason.BackGateShut], Why = $"{shut}; {leave.Why}" };
    }

    private static string? WhyNotBack(Topology topology, Service service, Register register, Move back, Votes votes, DateTimeOffset now)
    {
        if (service.Endpoint(back.To) is not { } target)
        {
            return $"{back.To} is no endpoint of the topology";
        }

        if (register.IsDrained(back.To, now))
        {
            return $"{back.To} is drained";
        }

        return register.Pinned is { } pin && pin.Order.IsInForce(now) && pin.Endpoint != back.To
            ? $"the name is pinned to {pin.Endpoint}"
            : BackGate.Shut(topology, service, register, target, votes);
    }

    private static Decision Leave(Topology topology, Service service, Register register, Votes votes, string self, DateTimeOffset now)
    {
        var serving = register.Serving;
        if (service.Endpoint(serving) is not { Replica: var replica })
        {
            return Hold(Diagnosis.Contested, HoldReason.NotInTopology, $"{serving} serves, and is no endpoint of the topology: nobody probes it");
        }

        var failing = votes.CountFailing(service, serving);
        if (failing < votes.Majority)
        {
            return NotFailing(topology, service, register, serving, replica, failing, votes, now);
        }

        var reaching = 0;
        var leaving = new List<Ballot>(votes.Counted.Count);
        foreach (var ballot in votes.Counted)
        {
            var view = ballot.On(service.Name, serving);
            if (!view.IsFailing)
            {
                continue;
            }

            reaching += ballot.Reaches(replica) ? 1 : 0;
            if (view.Lived >= topology.Timing.DownAfterTicks || view.Failures >= topology.Timing.LostAfterTicks)
            {
                leaving.Add(ballot);
            }
        }

        var diagnosis = reaching >= votes.Majority ? Diagnosis.EndpointDown : Diagnosis.RegionLost;
        if (leaving.Count < votes.Majority)
        {
            return Hold(diagnosis, HoldReason.Detecting, $"{serving} is down, for {leaving.Count} of {votes.Majority} observers long enough");
        }

        var majority = votes with { Counted = leaving };
        if (Target(service, register, majority, now) is not { } target)
        {
            return Hold(Diagnosis.NoTarget, HoldReason.NoTarget, $"{serving} is down and no other endpoint is up: the last answer stays");
        }

        var dataLoss = DataLossMs(service, serving, target.Name, votes, now);
        if (Holds(topology, service, register, majority, target, dataLoss, now) is { } held)
        {
            return new Decision(Verdict.Hold, target.Name, diagnosis, held, $"{serving} is down; {target.Name} is up; held: {string.Join(", ", held)}") { Kind = MoveKind.Automatic, DataLossMs = dataLoss };
        }

        // Two ballots can have grown old together; what the decider has just seen with its own eyes has not.
        return leaving.Exists(ballot => ballot.Observer == self)
            ? new Decision(Verdict.Move, target.Name, diagnosis, [], $"{serving} is down for {leaving.Count} of {votes.Observers} observers; {target.Name} is up") { Kind = MoveKind.Automatic, DataLossMs = dataLoss }
            : Hold(diagnosis, HoldReason.Detecting, $"{serving} is down for {leaving.Count} of {votes.Observers} observers, and not for this one: they move it");
    }

    private static Decision NotFailing(Topology topology, Service service, Register register, string serving, string replica, int failing, Votes votes, DateTimeOffset now)
    {
        if (votes.CountDown(service, serving) >= votes.Majority)
        {
            return Hold(Diagnosis.Contested, HoldReason.Intermittent, $"{serving} is down, but answered {votes.Counted.Count - failing} of {votes.Counted.Count} observers just now");
        }

        return failing > 0 ? Hold(Diagnosis.Contested, null, $"{failing} of {votes.Observers} observers see {serving} down") : Calm(topology, service, register, serving, replica, votes, now);
    }

    /// <summary>The endpoint to move to: the one that is being moved to, else of the lowest priority number.</summary>
    internal static ServiceEndpoint? Target(Service service, Register register, Votes majority, DateTimeOffset now)
    {
        ServiceEndpoint? best = null;
        for (var i = 0; i < service.Endpoints.Count; i++)
        {
            var endpoint = service.Endpoints[i];
            if (endpoint.Name == register.Serving || register.IsDrained(endpoint.Name, now) || majority.CountUp(service, endpoint.Name) < majority.Majority)
            {
                continue;
            }

            if (endpoint.Name == register.Moving?.To)
            {
                return endpoint;
            }

            if (best is null || endpoint.Priority < best.Priority || (endpoint.Priority == best.Priority && string.CompareOrdinal(endpoint.Name, best.Name) < 0))
            {
                best = endpoint;
            }
        }

        return best;
    }

    /// <summary>All that stands against an automatic move; null if nothing does.</summary>
    private static List<HoldReason>? Holds(
        Topology topology, Service service, Register register, Votes majority, ServiceEndpoint target, long? dataLossMs, DateTimeOffset now)
    {
        List<HoldReason>? held = null;
        Add(HoldReason.ObserveOnly, service.Mode == FailoverMode.ObserveOnly);
        Add(HoldReason.Paused, register.Paused?.IsInForce(now) == true);
        Add(HoldReason.Pinned, register.Pinned?.Order.IsInForce(now) == true);
        // A move that goes on is not begun; one that was sent and is sent elsewhere is a move more.
        if (register.IsUnpublished && (target.Name == register.Moving!.To || register.Publication.SentAt is null))
        {
            return held;
        }

        // A region that is gone grows staler by the second, though no more is lost: what was too little to hold the move's beginning does not end it.
        Add(HoldReason.RpoGuard, service.Rpo.Prefer == RpoPreference.PreferData && !(dataLossMs <= service.Rpo.LimitSeconds * 1000L));

        Add(HoldReason.MaintenanceWindow, IsMaintained(service, now));
        Add(HoldReason.TooManyWithdrawals, WithdrawalsWithinAnHour(register, now) > WithdrawalsMax);

        // One automatic move a cool-down. One more only to an endpoint that has long been up; after that only by acknowledgement.
        var moves = AutomaticMoves(register, now);
        Add(HoldReason.CoolDown, moves > 1 || (moves == 1 && majority.CountUp(service, target.Name, 3 * topology.Timing.UpAfterTicks * topology.Timing.Interval) < majority.Majority));

        // Consent is asked for what would be done, not for what something else holds.
        Add(HoldReason.AwaitingApproval, held is null && service.Mode == FailoverMode.Approve && register.Approved?.IsInForce(now) != true);
        return held;

        void Add(HoldReason reason, bool holds)
        {
            if (holds)
            {
                (held ??= []).Add(reason);
            }
        }
    }

    /// <summary>Automatic moves within the cool-down. One that was sent may still surface, so it counts: while it is under way, and after its withdrawal until that is held.</summary>
    internal static int AutomaticMoves(Register register, DateTimeOffset now)
    {
        var counted = register.CoolDown is { } coolDown && coolDown.Until > now ? coolDown.AutomaticMoves : 0;
        var isWithdrawn = register.Withdraws is { Kind: MoveKind.Automatic } && register.Publication is { HeldAt: null, PublishedAt: null };
        var isUnderWay = register is { IsUnpublished: true, Moving.Kind: MoveKind.Automatic, Publication.SentAt: not null };
        return counted + (isWithdrawn || isUnderWay ? 1 : 0);
    }

    private static bool IsMaintained(Service service, DateTimeOffset now)
    {
        foreach (var window in service.Maintenance)
        {
            if (window.IsOpen(now))
            {
                return true;
            }
        }

        return false;
    }

    private static int WithdrawalsWithinAnHour(Register register, DateTimeOffset now)
    {
        var count = 0;
        foreach (var at in register.Withdrawals)
        {
            if (now - at < TimeSpan.FromHours(1))
            {
                count++;
            }
        }

        return count;
    }

    private static Decision Calm(Topology topology, Service service, Register register, string serving, string replica, Votes votes, DateTimeOffset now)
    {
        if (IsStalled(topology, replica, votes))
        {
            return Hold(Diagnosis.ReplicationStalled, null, $"what is written at {serving} does not arrive elsewhere");
        }

        if (service.MoveBack != MoveBackMode.Automatic || register.Moving is not null || service.Home is not { } home || home.Name == serving || register.IsDrained(home.Name, now))
        {
            return Hold(Diagnosis.Healthy, null, $"{serving} is not seen down");
        }

        return BackGate.Shut(topology, service, register, home, votes) is { } shut
            ? Hold(Diagnosis.Healthy, null, $"{serving} is not seen down; it is not moved back to {home.Name}: {shut}")
            : BackByItself(topology, service, register, home, votes, now);
    }

    /// <summary>The gate is open, and nobody has ordered it. Nothing is lost by waiting: what would hold a move away holds this, and a cool-down does whoever began it.</summary>
    private static Decision BackByItself(Topology topology, Service service, Register register, ServiceEndpoint home, Votes votes, DateTimeOffset now)
    {
        if (!BackGate.IsCompared(service, register, home, votes))
        {
            return new Decision(
                Verdict.Hold, home.Name, Diagnosis.Healthy, [HoldReason.NoDataGate], $"{home.Name} could serve again, but the tables have not been compared twice and found equal since the last move: compare them, or order the move back");
        }

        var held = register.CoolDown?.Until > now ? [HoldReason.CoolDown] : Holds(topology, service, register, votes, home, DataLossMs(service, register.Serving, home.Name, votes, now), now);
        return held is null
            ? new Decision(Verdict.MoveBack, home.Name, Diagnosis.Healthy, [], $"{home.Name} has long been up, heartbeats are fresh both ways, and the tables were equal twice") { Kind = MoveKind.Back }
            : Hold(Diagnosis.Healthy, null, $"{home.Name} could serve again; for now it waits: {string.Join(", ", held)}");
    }

    private static bool IsStalled(Topology topology, string source, Votes votes)
    {
        var count = 0;
        foreach (var ballot in votes.Counted)
        {
            if (ballot.Replicas.TryGetValue(source, out var beats) && AnyOlder(beats.LagMs, topology.Timing.BallotLifetime.TotalMilliseconds))
            {
                count++;
            }
        }

        return count >= votes.Majority;
    }

    private static bool AnyOlder(IReadOnlyDictionary<string, long?> lags, double limitMs)
    {
        foreach (var lag in lags)
        {
            if (lag.Value > limitMs)
            {
                return true;
            }
        }

        return false;
    }

    internal static Decision Hold(Diagnosis diagnosis, HoldReason? reason, string why) =>
        new(Verdict.Hold, null, diagnosis, reason is { } named ? [named] : [], why);
}
