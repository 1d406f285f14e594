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
/// "A majority" is always of all configured observers, each with a fresh ballot; one and the same majority sees the serving endpoint down,
/// with its latest probe failed, and the target up. What holds the beginning of an automatic move is listed whole (<see cref="Holds"/>).
/// A move under way is judged by the same evidence, by a pause, a pin and observe-only; the other holds are for its beginning.
/// A move back under way is judged by its gate.
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

        var digest = topology.Digest;
        foreach (var ballot in fresh)
        {
            if (ballot.RuleVersion != Ballot.RuleVersionNow)
            {
                return Hold(Diagnosis.Contested, HoldReason.MixedVersions, "the observers decide by different rules");
            }

            // During a rollout: one would take what another withdraws.
            if (ballot.Topology is { } other && other != digest)
            {
                return Hold(Diagnosis.Contested, HoldReason.MixedVersions, $"{ballot.Observer} has another topology than the one that decides here");
            }
        }

        return register.Moving is { Kind: MoveKind.Back, LandedAt: null } back
            ? Back(topology, service, register, back, fresh, now)
            : Overrides.Asked(topology, service, register, fresh, now) ?? Leave(topology, service, register, fresh, now);
    }

    /// <summary>The ballots of configured observers that still count.</summary>
    public static List<Ballot> Fresh(Topology topology, IReadOnlyList<Ballot> ballots, DateTimeOffset now)
    {
        var fresh = new List<Ballot>(ballots.Count);
        for (var i = 0; i < ballots.Count; i++)
        {
            var ballot = ballots[i];
            if (now - ballot.At <= topology.Timing.BallotLifetime && topology.Observers.Contains(ballot.Observer))
            {
                fresh.Add(ballot);
            }
        }

        return fresh;
    }

    /// <summary>How many hold an endpoint up, with a clean run of at least <paramref name="cleanTicks"/>.</summary>
    public static int CountUp(List<Ballot> ballots, Service service, string endpoint, int cleanTicks = 0)
    {
        var count = 0;
        foreach (var ballot in ballots)
        {
            if (ballot.On(service.Name, endpoint) is { Health: Health.Up } view && view.CleanTicks >= cleanTicks)
            {
                count++;
            }
        }

        return count;
    }

    /// <summary>
    /// How much data a move from one endpoint to another can cost, in milliseconds: the age of the newest heartbeat of the one's replica that any observer
    /// has seen in the other's. What was written since may not have arrived. 0 within one replica; null if nobody knows.
    /// </summary>
    public static long? DataLossMs(Service service, string from, string to, IReadOnlyList<Ballot> fresh, DateTimeOffset now)
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
        for (var i = 0; i < fresh.Count; i++)
        {
            if (fresh[i].Replicas.TryGetValue(source, out var beats) && beats.NewestSeen.TryGetValue(target, out var seen) && seen is { } at
                && Math.Max(0, now.ToUnixTimeMilliseconds() - at) is var age && !(age >= least))
            {
                least = age;
            }
        }

        return least;
    }

    /// <summary>A move back under way stands while its gate is open, unless a pause came after it. Should the serving endpoint fail meanwhile, that counts too.</summary>
    private static Decision Back(Topology topology, Service service, Register register, Move back, List<Ballot> fresh, DateTimeOffset now)
    {
        if (register.Paused?.Stops(back.Since, now) == true)
        {
            return Hold(Diagnosis.Healthy, HoldReason.Paused, "an operator paused after the move back was ordered");
        }

        var shut = service.Endpoint(back.To) is not { } target ? $"{back.To} is no endpoint of the topology"
            : register.IsDrained(back.To, now) ? $"{back.To} is drained"
            : register.Pinned is { } pin && pin.Order.IsInForce(now) && pin.Endpoint != back.To ? $"the name is pinned to {pin.Endpoint}"
            : BackGate.Shut(topology, service, register, target, fresh);
        return shut is null ? new Decision(Verdict.MoveBack, back.To, Diagnosis.Healthy, [], $"{back.To} has long been up, and heartbeats are fresh both ways") { Kind = MoveKind.Back }
            : Leave(topology, service, register, fresh, now) is var leave && leave.Verdict == Verdict.Move ? leave
            : leave with { Held = [.. leave.Held, HoldReason.BackGateShut], Why = $"{shut}; {leave.Why}" };
    }

    private static Decision Leave(Topology topology, Service service, Register register, List<Ballot> fresh, DateTimeOffset now)
    {
        var serving = register.Serving;
        if (service.Endpoint(serving) is not { Replica: var replica })
        {
            return Hold(Diagnosis.Contested, HoldReason.NotInTopology, $"{serving} serves, and is no endpoint of the topology: nobody probes it");
        }

        var (down, failing) = (0, 0);
        IReadOnlyList<long>?[]? acked = null;
        List<Ballot>? leaving = null;
        foreach (var ballot in fresh)
        {
            var view = ballot.On(service.Name, serving);
            if (view.Health != Health.Down)
            {
                continue;
            }

            down++;
            if (!view.LastOk)
            {
                failing++;
                acked ??= AckedSlots(fresh, replica);
                if (IsToBeLeft(view, topology, acked))
                {
                    (leaving ??= new List<Ballot>(fresh.Count)).Add(ballot);
                }
            }
        }

        if (failing < topology.Majority)
        {
            return down >= topology.Majority ? Hold(Diagnosis.Contested, HoldReason.Intermittent, $"{serving} is down, but answered {fresh.Count - failing} of {fresh.Count} observers just now")
                : failing > 0 ? Hold(Diagnosis.Contested, null, $"{failing} of {topology.Observers.Count} observers see {serving} down")
                : Calm(topology, service, register, serving, replica, fresh, now);
        }

        var diagnosis = PathLived(topology, acked!, NewestSlot(topology, fresh)) ? Diagnosis.EndpointDown : Diagnosis.RegionLost;
        if (leaving is null || leaving.Count < topology.Majority)
        {
            return Hold(diagnosis, HoldReason.Detecting, $"{serving} is down, for {leaving?.Count ?? 0} of {topology.Majority} observers long enough");
        }

        if (Target(topology, service, register, leaving, now) is not { } target)
        {
            return Hold(Diagnosis.NoTarget, HoldReason.NoTarget, $"{serving} is down and no other endpoint is up: the last answer stays");
        }

        var dataLoss = DataLossMs(service, serving, target.Name, fresh, now);
        return Holds(topology, service, register, leaving, target, dataLoss, now) is { } held
            ? new Decision(Verdict.Hold, target.Name, diagnosis, held, $"{serving} is down; {target.Name} is up; held: {string.Join(", ", held)}") { Kind = MoveKind.Automatic, DataLossMs = dataLoss }
            : new Decision(Verdict.Move, target.Name, diagnosis, [], $"{serving} is down for {leaving.Count} of {topology.Observers.Count} observers; {target.Name} is up") { Kind = MoveKind.Automatic, DataLossMs = dataLoss };
    }

    /// <summary>The endpoint to move to: the one that is being moved to, else of the lowest priority number.</summary>
    internal static ServiceEndpoint? Target(Topology topology, Service service, Register register, List<Ballot> majority, DateTimeOffset now)
    {
        ServiceEndpoint? best = null;
        for (var i = 0; i < service.Endpoints.Count; i++)
        {
            var endpoint = service.Endpoints[i];
            if (endpoint.Name == register.Serving || register.IsDrained(endpoint.Name, now) || CountUp(majority, service, endpoint.Name) < topology.Majority)
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
        Topology topology, Service service, Register register, List<Ballot> majority, ServiceEndpoint target, long? dataLossMs, DateTimeOffset now)
    {
        List<HoldReason>? held = null;
        Add(HoldReason.ObserveOnly, service.Mode == FailoverMode.ObserveOnly);
        Add(HoldReason.Paused, register.Paused?.IsInForce(now) == true);
        Add(HoldReason.Pinned, register.Pinned?.Order.IsInForce(now) == true);
        if (register.Moving is { LandedAt: null })
        {
            return held;
        }

        // A region that is gone grows staler by the second, though no more is lost: what was too little to hold the move's beginning does not end it.
        Add(HoldReason.RpoGuard, service.Rpo.Prefer == RpoPreference.PreferData && !(dataLossMs <= service.Rpo.LimitSeconds * 1000L));

        Add(HoldReason.MaintenanceWindow, IsMaintained(service, now));
        Add(HoldReason.Flapping, WithdrawalsWithinAnHour(register, now) > WithdrawalsMax);

        // One automatic move a cool-down. One more only to an endpoint that has long been up; after that only by acknowledgement.
        Add(HoldReason.CoolDown, register.CoolDown is { } coolDown && coolDown.Until > now && coolDown.AutomaticMoves > 0
            && (coolDown.AutomaticMoves > 1 || CountUp(majority, service, target.Name, 3 * topology.Timing.UpAfterTicks) < topology.Majority));

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

    internal static int CountDown(List<Ballot> fresh, Service service, string endpoint)
    {
        var count = 0;
        foreach (var ballot in fresh)
        {
            if (ballot.On(service.Name, endpoint).Health == Health.Down)
            {
                count++;
            }
        }

        return count;
    }

    /// <summary>
    /// Enough failed ticks with a living data path, or enough whatever the diagnosis. Both count since the last clean run,
    /// so that a change of diagnosis restarts nothing.
    /// </summary>
    private static bool IsToBeLeft(EndpointBallot view, Topology topology, IReadOnlyList<long>?[] acked)
    {
        if (view.Failures >= topology.Timing.LostAfterTicks)
        {
            return true;
        }

        var lived = 0;
        for (var i = view.FailedSlots.Count - 1; i >= 0; i--)
        {
            if (PathLived(topology, acked, view.FailedSlots[i]) && ++lived >= topology.Timing.DownAfterTicks)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>By ballot: the slots in which a replica acknowledged its observer's heartbeat.</summary>
    private static IReadOnlyList<long>?[] AckedSlots(List<Ballot> fresh, string replica)
    {
        var acked = new IReadOnlyList<long>?[fresh.Count];
        for (var i = 0; i < acked.Length; i++)
        {
            acked[i] = fresh[i].Replicas.TryGetValue(replica, out var beats) ? beats.AckedSlots : null;
        }

        return acked;
    }

    /// <summary>Whether a majority's heartbeats into a replica were acknowledged in a slot.</summary>
    private static bool PathLived(Topology topology, IReadOnlyList<long>?[] acked, long slot)
    {
        var count = 0;
        foreach (var slots in acked)
        {
            // The newest stand last, and are asked for most.
            for (var i = (slots?.Count ?? 0) - 1; i >= 0 && slots![i] >= slot; i--)
            {
                if (slots[i] == slot)
                {
                    count++;
                    break;
                }
            }
        }

        return count >= topology.Majority;
    }

    /// <summary>The newest slot that a majority has voted in, or voted past.</summary>
    private static long NewestSlot(Topology topology, List<Ballot> fresh)
    {
        var newest = long.MinValue;
        foreach (var candidate in fresh)
        {
            var reached = 0;
            foreach (var ballot in fresh)
            {
                reached += ballot.Slot >= candidate.Slot ? 1 : 0;
            }

            newest = reached >= topology.Majority ? Math.Max(newest, candidate.Slot) : newest;
        }

        return newest;
    }

    private static Decision Calm(Topology topology, Service service, Register register, string serving, string replica, List<Ballot> fresh, DateTimeOffset now)
    {
        if (IsStalled(topology, replica, fresh))
        {
            return Hold(Diagnosis.ReplicationStalled, null, $"what is written at {serving} does not arrive elsewhere");
        }

        if (service.MoveBack != MoveBackMode.Automatic || register.Moving is not null || service.Home is not { } home || home.Name == serving || register.IsDrained(home.Name, now))
        {
            return Hold(Diagnosis.Healthy, null, $"{serving} is not seen down");
        }

        return BackGate.Shut(topology, service, register, home, fresh) is { } shut
            ? Hold(Diagnosis.Healthy, null, $"{serving} is not seen down; it is not moved back to {home.Name}: {shut}")
            : BackByItself(topology, service, register, home, fresh, now);
    }

    /// <summary>The gate is open, and nobody has ordered it. Nothing is lost by waiting: what would hold a move away holds this, and a cool-down does whoever began it.</summary>
    private static Decision BackByItself(Topology topology, Service service, Register register, ServiceEndpoint home, List<Ballot> fresh, DateTimeOffset now)
    {
        if (!BackGate.IsCompared(topology, service, register, home, fresh))
        {
            return new Decision(
                Verdict.Hold, home.Name, Diagnosis.Healthy, [HoldReason.NoDataGate], $"{home.Name} could serve again, but the tables have not been compared twice and found equal since the last move: compare them, or order the move back");
        }

        var held = register.CoolDown?.Until > now ? [HoldReason.CoolDown] : Holds(topology, service, register, fresh, home, DataLossMs(service, register.Serving, home.Name, fresh, now), now);
        return held is null
            ? new Decision(Verdict.MoveBack, home.Name, Diagnosis.Healthy, [], $"{home.Name} has long been up, heartbeats are fresh both ways, and the tables were equal twice") { Kind = MoveKind.Back }
            : Hold(Diagnosis.Healthy, null, $"{home.Name} could serve again; for now it waits: {string.Join(", ", held)}");
    }

    private static bool IsStalled(Topology topology, string source, List<Ballot> fresh)
    {
        var count = 0;
        foreach (var ballot in fresh)
        {
            if (ballot.Replicas.TryGetValue(source, out var beats) && AnyOlder(beats.LagMs, topology.Timing.BallotLifetime.TotalMilliseconds))
            {
                count++;
            }
        }

        return count >= topology.Majority;
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
