using Failover.ControlPlane;
using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;

namespace Failover.Simulation.Campaign;

/// <summary>
/// The world outside the code: endpoints, replicas, the control table, a zone and its servers, clocks; all of it in one thread, on a clock that jumps
/// from event to event. What it answers is DynamoDB's and Route 53's semantics: linearizable conditional writes, batches of exact deletions and creations.
/// </summary>
internal sealed class SimWorld
{
    private const long CallTimeout = 2000;

    /// <summary>Every observer needs six ticks to know, and three to settle what it then sees.</summary>
    private const int QuietTicks = 10;

    private readonly PriorityQueue<Action, (long At, long Order)> _events = new();
    private readonly List<Fault> _active = [];
    private readonly Dictionary<string, StoredBallot> _ballots = [];
    private readonly List<(long At, Listing Listing, long[] ShownAt)> _zone = [];
    private readonly int[] _shown = new int[2];
    private readonly long[,] _visibleUpTo = new long[2, 2];

    /// <summary>By replica: when it took no writes. Two faults that overlap are one.</summary>
    private readonly List<(long From, long To)>[] _downs = [[], []];
    private readonly List<(long At, long Beat)>[,] _beats = new List<(long, long)>[3, 2];
    private readonly Bug _bug;
    private long _order;
    private Listing? _beforeEdit;

    public SimWorld(Schedule schedule, Bug? bug)
    {
        Schedule = schedule;
        Random = new Random(schedule.Seed ^ 0x5eed);
        _bug = bug ?? Bug.None;
        for (var i = 0; i < 3; i++)
        {
            (_beats[i, 0], _beats[i, 1]) = ([], []);
        }

        SetZone(schedule.Setting.SetsOf(0), null, null, 0, 0, cutOff: false);
        foreach (var fault in schedule.Faults)
        {
            At(fault.From, () => Begin(fault));
            At(fault.To, () => End(fault));
        }

        At(0, () => FireSlot(0));
    }

    public static readonly DateTimeOffset Epoch = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);

    public Schedule Schedule { get; }

    public Setting Setting => Schedule.Setting;

    public Random Random { get; }

    public History History { get; } = new();

    public long Now { get; private set; }

    public Register? Register { get; private set; }

    public Command? Command { get; private set; }

    public Listing Zone => _zone[^1].Listing;

    public long Ticks { get; private set; }

    /// <summary>Whether what stands in the zone is a person's, and not put back.</summary>
    public bool IsEdited => _beforeEdit is not null;

    /// <summary>Runs to the end, or until something is settled before it.</summary>
    /// <param name="isSettled">Asked every few ticks once the last fault is well past.</param>
    public void Run(Func<bool> isSettled)
    {
        var ask = Schedule.FaultsEnd + (QuietTicks * 10_000);
        while (_events.TryDequeue(out var act, out var when) && when.At <= Schedule.End)
        {
            if (when.At > ask)
            {
                if (isSettled())
                {
                    break;
                }

                ask += 50_000;
            }

            Now = when.At;
            act();
        }
    }

    public void After(long delay, Action act) => At(Now + delay, act);

    /// <summary>Whether chance has it, with that share.</summary>
    public bool Chance(double share) => share > 0 && Random.NextDouble() < share;

    public long Between(int min, int max) => Random.Next(min, max + 1);

    /// <summary>An observer's wall clock.</summary>
    public DateTimeOffset Clock(int observer) => Epoch.AddMilliseconds(Now) + Skew(observer);

    public TimeSpan Skew(int observer)
    {
        var skew = TimeSpan.Zero;
        foreach (var fault in _active)
        {
            if (fault.Kind == FaultKind.ClockSkewed && fault.Whom == observer)
            {
                skew += TimeSpan.FromSeconds(fault.Strength);
            }
        }

        return skew;
    }

    /// <summary>The strongest fault of a kind that is active against somebody; 0 if none is.</summary>
    public double Active(FaultKind kind, int? whom = null)
    {
        double strength = 0;
        foreach (var fault in _active)
        {
            if (fault.Kind == kind && (whom is null || fault.Whom == whom))
            {
                strength = Math.Max(strength, Math.Max(fault.Strength, 0.01));
            }
        }

        return strength;
    }

    public bool Is(FaultKind kind, int? whom = null) => Active(kind, whom) > 0;

    public bool IsAlive(int observer) => !Is(FaultKind.ObserverDead, observer) && !Is(FaultKind.RegionLost, observer);

    public bool SeesNothing(int observer) => IsIsolated(observer) || Is(FaultKind.EgressLost, observer);

    public bool IsIsolated(int observer) => Is(FaultKind.ObserverIsolated, observer);

    /// <summary>Whether an endpoint serves clients now.</summary>
    public bool Serves(int endpoint) =>
        !Is(FaultKind.EndpointDown, endpoint) && !Is(FaultKind.AllEndpointsDown) && !Is(FaultKind.RegionLost, Setting.RegionOf(endpoint)) && !Chance(Active(FaultKind.EndpointFlaps, endpoint));

    public bool Sees(int observer, int endpoint)
    {
        foreach (var fault in _active)
        {
            if (fault.Kind == FaultKind.PartialPartition && fault.Whom == endpoint && (int)fault.Strength == observer)
            {
                return false;
            }
        }

        return !SeesNothing(observer) && Serves(endpoint);
    }

    public bool TakesData(int observer, int replica) => !IsIsolated(observer) && !Is(FaultKind.RegionLost, replica) && !Is(FaultKind.ReplicaDown, replica);

    public void Beat(int observer, int replica, long beat) => _beats[observer, replica].Add((Now, beat));

    /// <summary>The newest heartbeat of an observer in a replica that another replica shows.</summary>
    public long? NewestBeat(int observer, int origin, int at)
    {
        var upTo = VisibleUpTo(origin, at);
        var beats = _beats[observer, origin];
        for (var i = beats.Count - 1; i >= 0; i--)
        {
            if (beats[i].At <= upTo)
            {
                return beats[i].Beat;
            }
        }

        return null;
    }

    /// <summary>Up to when what was written in one replica is in another.</summary>
    public long VisibleUpTo(int origin, int at)
    {
        if (origin == at)
        {
            return Now;
        }

        if (!Is(FaultKind.ReplicationPaused, origin) && !Is(FaultKind.RegionLost) && !Is(FaultKind.ReplicaDown))
        {
            _visibleUpTo[origin, at] = Math.Max(_visibleUpTo[origin, at], Now - 200 - (long)(Active(FaultKind.ReplicationSlow, origin) * 1000));
        }

        return _visibleUpTo[origin, at];
    }

    /// <summary>For how long a replica took writes that another has not shown.</summary>
    private long Unseen(int origin, int at)
    {
        var from = VisibleUpTo(origin, at);
        var down = _downs[origin].Sum(span => Math.Max(0, Math.Min(span.To, Now) - Math.Max(span.From, from)));
        return Now - from - (long)down;
    }

    /// <summary>What an authoritative server answers now.</summary>
    public Listing Shown(int server)
    {
        var i = _shown[server];
        while (i + 1 < _zone.Count && _zone[i + 1].ShownAt[server] <= Now)
        {
            i++;
        }

        _shown[server] = i;
        return _zone[i].Listing;
    }

    /// <summary>What this observer is deployed with now.</summary>
    public Topology TopologyOf(int observer) => Setting.Next is { } next && next.Has(observer, Now) ? next.Topology : Setting.Topology;

    public StoredBallot? StoredBallot(int observer) => _ballots.GetValueOrDefault(Setting.Topology.Observers[observer]) ?? new StoredBallot(null, null);

    public ControlView View() => new(Register, Command, [.. _ballots.Values.Select(stored => stored.Ballot!)]);

    public bool StoreBallot(int observer, Ballot ballot, long? previousSlot, bool[] ok, bool[] acked)
    {
        var name = Setting.Topology.Observers[observer];
        if (_ballots.GetValueOrDefault(name)?.Slot != previousSlot && !_bug.CountsASlotTwice)
        {
            return false;
        }

        _ballots[name] = new StoredBallot(ballot.Slot, Is(FaultKind.MixedVersions, observer) ? ballot with { RuleVersion = ballot.RuleVersion + 1 } : ballot);
        History.Ballots.Add(new BallotStored(Now, observer, ballot.Slot, ok, acked, Is(FaultKind.MixedVersions, observer), ballot.Topology!));
        return true;
    }

    public bool StoreRegister(Register next, long? expectedRev, long writeStarted, long tickStarted, bool cutOff)
    {
        if (Register?.Rev != expectedRev && !_bug.IgnoresRev)
        {
            return false;
        }

        Register = next;
        History.Registers.Add(new RegisterStored(Now, writeStarted, tickStarted, cutOff, next));
        return true;
    }

    /// <summary>Route 53's batch: all of it or nothing; a deletion must match exactly, a creation must find nothing.</summary>
    public bool Batch(IReadOnlyList<RecordChange> batch, int by, long writeStarted, long tickStarted, bool cutOff)
    {
        List<RecordSet> sets = [.. Zone.Sets, .. Zone.Txt is { } txt ? [txt] : Array.Empty<RecordSet>()];
        foreach (var change in batch)
        {
            var i = sets.FindIndex(set => set.Name == change.Set.Name && set.Type == change.Set.Type);
            if (_bug.Upserts)
            {
                if (i >= 0)
                {
                    sets.RemoveAt(i);
                }
            }
            else if (change.IsCreate ? i >= 0 : i < 0 || !sets[i].IsSameAs(change.Set))
            {
                return false;
            }
            else if (!change.IsCreate)
            {
                sets.RemoveAt(i);
            }

            if (change.IsCreate)
            {
                sets.Add(change.Set);
            }
        }

        SetZone([.. sets.Where(set => set.Type != "TXT")], sets.FirstOrDefault(set => set.Type == "TXT"), by, writeStarted, tickStarted, cutOff);
        return true;
    }

    public long? FencedAt { get; set; }

    public void SetZone(IReadOnlyList<RecordSet> sets, RecordSet? txt, int? by, long writeStarted, long tickStarted, bool cutOff)
    {
        var slow = (long)(Active(FaultKind.DnsSlow) * 1000);
        long Delay(int server) => Math.Max(_zone.Count == 0 ? 0 : _zone[^1].ShownAt[server], Now + (_zone.Count == 0 ? 0 : Between(0, 2000) + (Is(FaultKind.DnsSlow, server) ? slow : 0)));
        _zone.Add((Now, new Listing(sets, txt), [Delay(0), Delay(1)]));
        long? newest = null;
        for (var observer = 0; observer < 3; observer++)
        {
            if (NewestBeat(observer, 0, 1) is { } beat)
            {
                newest = Math.Max(newest ?? 0, beat);
            }
        }

        History.Zone.Add(new ZoneChange(
            Now, by, sets, txt?.Values ?? [], writeStarted, tickStarted, cutOff, [VisibleUpTo(0, 1), VisibleUpTo(1, 0)], FencedAt,
            newest is { } at ? Epoch.ToUnixTimeMilliseconds() + Now - at : null,
            _active.Where(fault => fault.Kind == FaultKind.WriteMissing).Select(fault => (long?)fault.From).Min(),
            [Unseen(0, 1), Unseen(1, 0)]));
    }

    /// <summary>One call: there, its effect, and back; then the tick goes on.</summary>
    /// <param name="fails">Whether it never arrives.</param>
    /// <param name="trouble">With which share it is dropped, comes late, or is answered and not heard.</param>
    public void Call(SimTick tick, bool fails, double trouble, Func<bool> effect, Action<CallEnd> then)
    {
        if (fails)
        {
            tick.GoOn(CallTimeout, () => then(CallEnd.Unknown));
            return;
        }

        if (Chance(trouble))
        {
            switch (Random.Next(4))
            {
                case 0:
                    tick.GoOn(Between(5, 200), () => then(CallEnd.Throttled));
                    return;
                case 1:
                    break;
                case 2:
                    After(Between(5, 200), () => effect());
                    break;
                default:
                    // Still on its way when its sender has given up: for minutes, if it must be.
                    After((long)(Math.Pow(Random.NextDouble(), 3) * 300_000), () => effect());
                    break;
            }

            tick.GoOn(CallTimeout, () => then(CallEnd.Unknown));
            return;
        }

        // A process may fall asleep with its request half sent.
        var asleep = Chance(Active(FaultKind.Pauses) / 4) ? (long)(Math.Pow(Random.NextDouble(), 2) * 300_000) : 0;
        After(Between(5, 100) + asleep, () =>
        {
            var took = effect();
            tick.GoOn(Between(5, 100), () => then(took ? CallEnd.Done : CallEnd.Refused));
        });
    }

    private const int SlotsAComparison = 7;

    private void At(long at, Action act) => _events.Enqueue(act, (at, _order++));

    /// <summary>What a region's journal says, as production code would have read it there.</summary>
    public DataBallot Journal(int region) => new(
        Is(FaultKind.WriteMissing, region),
        region == 1 ? [] : [.. Enumerable.Reverse(History.Comparisons).Take(6).Select(compared => new ComparedTables(["r0", "r1"], Epoch.AddMilliseconds(compared.CutOff), compared.IsEqual))]);

    private void FireSlot(long slot)
    {
        // Somebody compares the tables now and then.
        if (slot % SlotsAComparison == 0 && !Is(FaultKind.RegionLost))
        {
            History.Comparisons.Add(new Compared(Now, Now - 20_000, !Is(FaultKind.WriteMissing)));
        }

        var first = Epoch.ToUnixTimeSeconds() / Setting.Timing.IntervalSeconds;
        for (var observer = 0; observer < 3; observer++)
        {
            var (who, trouble) = (observer, Active(FaultKind.ScheduleTrouble));
            if (!Chance(trouble))
            {
                After(Between(0, 1500), () => Tick(who, first + slot));
            }

            if (Chance(trouble))
            {
                After(Between(0, 25_000), () => Tick(who, first + slot));
            }
        }

        After(Setting.Timing.IntervalSeconds * 1000, () => FireSlot(slot + 1));
    }

    private void Tick(int observer, long slot)
    {
        if (IsAlive(observer))
        {
            Ticks++;
            new SimTick(this, _bug, observer, slot).Run();
        }
    }

    private void Begin(Fault fault)
    {
        VisibleUpTo(0, 1);
        VisibleUpTo(1, 0);
        if (fault.Kind is FaultKind.RegionLost or FaultKind.ReplicaDown)
        {
            var since = _downs[fault.Whom].Count > 0 ? Math.Max(Now, _downs[fault.Whom][^1].To) : Now;
            _downs[fault.Whom].Add((since, Math.Max(since, fault.To)));
        }

        _active.Add(fault);
        switch (fault.Kind)
        {
            case FaultKind.Order when !Is(FaultKind.ControlDown):
                Command = fault.Order! with { At = Epoch.AddMilliseconds(Now), IfEpoch = Chance(0.5) ? Register?.Epoch : null };
                History.Orders.Add(new OrderGiven(Now, Command));
                break;
            case FaultKind.HumanEdit when !IsEdited && Zone.Txt is not null:
                _beforeEdit = Zone;
                var human = new RecordSet(Setting.Name, "A", 60, ["198.51.100.7"]);
                var (sets, txt) = Random.Next(5) switch
                {
                    0 => (Zone.Sets, null),
                    1 => (Zone.Sets, Zone.Txt with { Values = ["hello"] }),
                    2 => (Setting.SetsOf(1), Zone.Txt),
                    _ => ([human], Zone.Txt),
                };
                SetZone(sets, txt, null, Now, Now, cutOff: false);
                break;
        }
    }

    private void End(Fault fault)
    {
        VisibleUpTo(0, 1);
        VisibleUpTo(1, 0);
        _active.Remove(fault);
        if (fault.Kind == FaultKind.HumanEdit && _beforeEdit is { } before)
        {
            if (History.Zone[^1].By is null)
            {
                SetZone(before.Sets, before.Txt, null, Now, Now, cutOff: false);
            }

            _beforeEdit = null;
        }
    }
}

/// <summary>How a call ended for who made it.</summary>
internal enum CallEnd
{
    Done,
    Refused,
    Throttled,
    Unknown,
}
