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

    /// <summary>How many authoritative servers the name has.</summary>
    public const int Servers = 3;

    /// <summary>CloudWatch's period: the switch's alarms are judged once in each, by its largest value.</summary>
    private const long MetricPeriod = 60_000;

    /// <summary>Every observer needs six ticks to know, and three to settle what it then sees.</summary>
    private const int QuietTicks = 10;

    private readonly PriorityQueue<Action, (long At, long Order)> _events = new();
    private readonly List<Fault> _active = [];
    private readonly Dictionary<string, StoredBallot> _ballots = [];
    private readonly List<(long At, Listing Listing, long[] ShownAt)> _zone = [];
    private readonly int[] _shown = new int[Servers];
    private readonly List<(long At, bool Leave)>[] _metrics = [[], [], []];
    private readonly bool[] _alarms = new bool[3];
    private readonly (DateTimeOffset AsOf, DateTimeOffset? Since)?[] _remembered = new (DateTimeOffset, DateTimeOffset?)?[3];
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

        At(0, () => Compare(0));
        At(0, Meet);
        for (var observer = 0; observer < 3; observer++)
        {
            var who = observer;
            foreach (var interval in new[] { Setting.Timing.IntervalSeconds, Setting.Next?.Topology.Timing.IntervalSeconds ?? Setting.Timing.IntervalSeconds }.Distinct())
            {
                At(0, () => FireQueued(who, interval, 0));
            }

            At(0, () => FireSchedule(who));
            if (Setting.IsSwitch)
            {
                At(who * 7_000, () => Judge(who));
            }
        }
    }

    public static readonly DateTimeOffset Epoch = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);

    public Schedule Schedule { get; }

    public Setting Setting => Schedule.Setting;

    public Random Random { get; }

    public History History { get; } = new();

    public long Now { get; private set; }

    public Register? Register { get; private set; }

    public IReadOnlyList<Command> Orders { get; private set; } = [];

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

    /// <summary>What an observer hears of an authoritative server; null: nothing.</summary>
    public Listing? Answer(int server)
    {
        if (Is(FaultKind.ServerSilent, server))
        {
            return null;
        }

        var shown = Shown(server);
        if (!Is(FaultKind.TtlCountedDown, server))
        {
            return shown;
        }

        var ttl = Between(1, 60);
        return new Listing([.. shown.Sets.Select(set => set with { TtlSeconds = Math.Min(set.TtlSeconds ?? ttl, ttl) })], shown.Txt is { } txt ? txt with { TtlSeconds = Math.Min(txt.TtlSeconds ?? ttl, ttl) } : null);
    }

    /// <summary>Which endpoint has those sets; -1: none.</summary>
    public int EndpointOf(IReadOnlyList<RecordSet> sets)
    {
        for (var i = 0; i < Setting.Service.Endpoints.Count; i++)
        {
            if (sets is [{ Values: [var value] }] && Setting.SetsOf(i)[0].Values[0] == value)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>An observer's metric <c>LeavePrimary</c>, in its own region.</summary>
    public void Emit(int observer, bool leave) => _metrics[observer].Add((Now, leave));

    /// <summary>One region's alarm is judged: the largest value of the period; without data it stays as it was. Two of three alarms answer the secondary.</summary>
    private void Judge(int region)
    {
        var values = _metrics[region].Where(value => value.At > Now - MetricPeriod).ToList();
        _metrics[region].RemoveAll(value => value.At <= Now - MetricPeriod);
        if (values.Count > 0 && !Is(FaultKind.RegionLost, region))
        {
            _alarms[region] = values.Exists(value => value.Leave);
        }

        var answered = _alarms.Count(alarm => alarm) >= 2 ? 1 : 0;
        if (EndpointOf(Zone.Sets) != answered)
        {
            _zone.Add((Now, new Listing(Setting.SetsOf(answered), null), [.. Enumerable.Range(0, Servers).Select(Delay)]));
        }

        After(MetricPeriod, () => Judge(region));
    }

    /// <summary>When a server will answer what is changed now. A stale one does once it is healed.</summary>
    private long Delay(int server)
    {
        if (_zone.Count == 0)
        {
            return 0;
        }

        var slow = Is(FaultKind.DnsSlow, server) ? (long)(Active(FaultKind.DnsSlow) * 1000) : 0;
        var stale = _active.Where(fault => fault.Kind == FaultKind.ServerStale && fault.Whom == server).Select(fault => fault.To).DefaultIfEmpty(0).Max();
        return Math.Max(Math.Max(_zone[^1].ShownAt[server], stale), Now + Between(0, 2000) + slow);
    }

    /// <summary>What this observer is deployed with now.</summary>
    public Topology TopologyOf(int observer) => Setting.Next is { } next && next.Has(observer, Now) ? next.Topology : Setting.Topology;

    public StoredBallot? StoredBallot(int observer) => _ballots.GetValueOrDefault(Setting.Topology.Observers[observer]) ?? new StoredBallot(null, null);

    public ControlView View() => new(Register, Orders, [.. _ballots.Values.Select(stored => stored.Ballot!)]);

    public bool StoreBallot(int observer, Ballot ballot, string? previousToken, Topology topology, bool[] ok, bool[] acked)
    {
        var name = Setting.Topology.Observers[observer];
        if (_ballots.GetValueOrDefault(name)?.Token != previousToken)
        {
            return false;
        }

        _ballots[name] = new StoredBallot(ballot.Token, Is(FaultKind.MixedVersions, observer) ? ballot with { RuleVersion = ballot.RuleVersion + 1 } : ballot);
        History.Ballots.Add(new BallotStored(
            Now, observer, (long)(ballot.Start - Epoch).TotalMilliseconds, topology.Timing.IntervalSeconds * 1000, ok, acked, Is(FaultKind.MixedVersions, observer), ballot.Topology));
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
        _zone.Add((Now, new Listing(sets, txt), [.. Enumerable.Range(0, Servers).Select(Delay)]));
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

    private void At(long at, Action act) => _events.Enqueue(act, (at, _order++));

    /// <summary>What a region's journal says, as production code would have read it there.</summary>
    public DataBallot Journal(int region) => new(
        Is(FaultKind.WriteMissing, region),
        region == 1 ? [] : [.. Enumerable.Reverse(History.Comparisons).Take(6).Select(compared => new ComparedTables(["r0", "r1"], Epoch.AddMilliseconds(compared.CutOff), compared.IsEqual))]);

    /// <summary>What an observer's process remembers of its last tick. Now and then another process takes the tick, which remembers an older one, or nothing.</summary>
    public Unsettled UnsettledOf(int observer) =>
        Chance(0.3) || _remembered[observer] is not { } last ? Unsettled.Nothing
        : new Unsettled(last.AsOf, last.Since is { } since ? new Dictionary<string, DateTimeOffset> { [Setting.Name] = since } : new Dictionary<string, DateTimeOffset>());

    public void Remember(int observer, DateTimeOffset start, DateTimeOffset? since) => _remembered[observer] = (start, since);

    public DateTimeOffset? SinceOf(int observer, Ballot own) =>
        _remembered[observer] is { } last && last.AsOf > own.Unsettled.AsOf ? last.Since
        : own.Unsettled.Since.TryGetValue(Setting.Name, out var since) ? since : null;

    private void Meet()
    {
        var answers = Enumerable.Range(0, Servers).Where(server => !Is(FaultKind.ServerSilent, server)).Select(server => EndpointOf(Shown(server).Sets)).ToList();
        var most = answers.GroupBy(endpoint => endpoint).OrderByDescending(alike => alike.Count()).Select(alike => alike.Key).FirstOrDefault(-1);
        var isFlapping = Is(FaultKind.EndpointFlaps, most);
        History.Met.Add(new Met(Now, most, most < 0 || isFlapping || Serves(most), isFlapping));
        After(10_000, Meet);
    }

    /// <summary>Somebody compares the tables now and then.</summary>
    private void Compare(int turn)
    {
        if (!Is(FaultKind.RegionLost))
        {
            History.Comparisons.Add(new Compared(Now, Now - 20_000, !Is(FaultKind.WriteMissing)));
        }

        After(70_000, () => Compare(turn + 1));
    }

    /// <summary>The ticks of one interval that the queue delivers: those of the topology that the observer has, or had two minutes ago, for what was queued then still comes.</summary>
    private void FireQueued(int observer, int interval, long due)
    {
        if (IntervalOf(observer, Now) == interval || IntervalOf(observer, Math.Max(0, Now - 120_000)) == interval)
        {
            var trouble = Active(FaultKind.ScheduleTrouble);
            if (!Chance(trouble) && !IsQueueDown(observer))
            {
                After(Between(0, 1500), () => Tick(observer, due));
            }

            if (Chance(trouble) && !IsQueueDown(observer))
            {
                After(Between(0, 25_000), () => Tick(observer, due));
            }
        }

        At(due + (interval * 1000), () => FireQueued(observer, interval, due + (interval * 1000)));
    }

    /// <summary>The schedule's own tick, once a minute at any second of it.</summary>
    private void FireSchedule(int observer)
    {
        After(Between(0, 59_000), () =>
        {
            var interval = IntervalOf(observer, Now) * 1000;
            Tick(observer, Now / interval * interval);
        });
        After(60_000, () => FireSchedule(observer));
    }

    private int IntervalOf(int observer, long at) =>
        Setting.Next is { } next && next.Has(observer, at) ? next.Topology.Timing.IntervalSeconds : Setting.Timing.IntervalSeconds;

    /// <summary>Of one region's queue, or of all.</summary>
    private bool IsQueueDown(int observer) => Is(FaultKind.TickQueueDown, observer) || Is(FaultKind.TickQueueDown, 3);

    private void Tick(int observer, long start)
    {
        if (IsAlive(observer))
        {
            Ticks++;
            new SimTick(this, _bug, observer, Epoch.AddMilliseconds(start)).Run();
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
                // The operator looks, thinks, and orders; others do so meanwhile.
                var order = _bug.MeantFor(fault.Order!, View()) with { At = Epoch.AddMilliseconds(Now) };
                After(Between(0, 5_000), () => Append(order));
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

    private void Append(Command order)
    {
        if (!Is(FaultKind.ControlDown))
        {
            Orders = [.. _bug.ReplacesOrders ? [] : Orders.Where(other => Register?.AnswerTo(other.Id) is null), order];
            History.Orders.Add(new OrderGiven(Now, order));
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
