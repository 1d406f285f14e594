using Failover.ControlPlane.Registers;

namespace Failover.Simulation.Campaign;

/// <summary>What a fault does while it lasts. Observer k of three lives in region k; regions 0 and 1 serve, with endpoints and a replica each.</summary>
internal enum FaultKind
{
    EndpointDown,
    EndpointFlaps,
    AllEndpointsDown,
    RegionLost,
    ReplicaDown,
    ReplicationPaused,
    ReplicationSlow,

    /// <summary>The audit of a region has told a missing write, and comparisons find that the tables differ.</summary>
    WriteMissing,
    ObserverDead,
    ObserverIsolated,

    /// <summary>One observer's way out is gone, to endpoints and anchors alike; the control table it still reaches.</summary>
    EgressLost,

    /// <summary>One observer does not see an endpoint that clients do see.</summary>
    PartialPartition,
    ControlDown,
    ControlRegionLost,
    ControlFlaky,
    DnsApiDown,
    DnsApiFlaky,
    DnsSlow,

    /// <summary>An authoritative server answers nobody: it is lame, unreachable, or gone.</summary>
    ServerSilent,

    /// <summary>An authoritative server answers what it answered when the fault began.</summary>
    ServerStale,

    /// <summary>Answers of servers count their time to live down, as behind a cache.</summary>
    TtlCountedDown,

    /// <summary>Looking around takes seconds.</summary>
    LooksSlow,

    /// <summary>The queue of ticks is gone: one tick a minute, at any second of it.</summary>
    TickQueueDown,
    ClockSkewed,

    /// <summary>Processes sleep in the middle of a tick, for seconds or minutes, inside a write too.</summary>
    Pauses,
    Crashes,

    /// <summary>Ticks that are missed, late, or come twice.</summary>
    ScheduleTrouble,
    MixedVersions,
    HumanEdit,
    Order,
}

/// <summary>One fault.</summary>
/// <param name="From">Milliseconds since the schedule's beginning.</param>
/// <param name="Whom">Which endpoint, region or observer.</param>
/// <param name="Strength">A share from 0 to 1, or seconds of skew or lag.</param>
internal sealed record Fault(FaultKind Kind, long From, long To, int Whom, double Strength, Command? Order = null)
{
    public override string ToString() => $"{From / 1000.0,7:0.0} to {To / 1000.0:0.0} s: {Kind} {Whom} {Strength:0.00} {(Order is null ? "" : $"{Order.Kind} {Order.To}")}";
}

/// <summary>Everything that a seed decides beforehand. What happens in between (latencies, which call is lost) is drawn from the same seed as it comes.</summary>
internal sealed record Schedule(int Seed, Setting Setting, IReadOnlyList<Fault> Faults, long FaultsEnd, long End)
{
    private const int Tick = 10_000;

    /// <summary>After the last fault: long enough for every observer to know, for the longest detection, a withdrawal, a planned move given up, and three ticks.</summary>
    private const int QuietTicks = 40;

    /// <summary>Draws a schedule.</summary>
    public static Schedule Draw(int seed)
    {
        var random = new Random(seed);
        var setting = Setting.Draw(random);
        var faults = new List<Fault>();
        var count = random.Next(1, 8);
        for (var i = 0; i < count; i++)
        {
            faults.Add(DrawFault(random, setting, 8 + random.Next(0, 24)));
        }

        // Somebody who edits may mean it.
        foreach (var edit in faults.Where(fault => fault.Kind == FaultKind.HumanEdit && fault.Strength > 0.2).ToList())
        {
            faults.Add(new Fault(FaultKind.Order, edit.From + (2 * Tick), edit.From + (2 * Tick), 0, 0, DrawOrder(random, setting) with { Kind = CommandKind.Adopt }));
            faults.Add(new Fault(FaultKind.Order, edit.From + (5 * Tick), edit.From + (5 * Tick), 0, 0, DrawOrder(random, setting) with { Kind = CommandKind.Resume }));
        }

        // Operators do not wait for each other.
        foreach (var order in faults.Where(fault => fault.Kind == FaultKind.Order && random.Next(3) == 0).ToList())
        {
            var at = order.From + random.Next(3_000);
            faults.Add(new Fault(FaultKind.Order, at, at, 0, 0, DrawOrder(random, setting)));
        }

        // Once in a while the control plane is gone for seven hours, as Route 53's was in December 2021.
        if (random.Next(200) == 0)
        {
            var kind = random.Next(2) == 0 ? FaultKind.ControlDown : FaultKind.DnsApiDown;
            faults.Add(new Fault(kind, 12 * Tick, (12 + (7 * 360)) * Tick, 0, 1));
        }

        var end = faults.Max(fault => fault.To);
        return new Schedule(seed, setting, faults, end, end + Quiet(setting));
    }

    private static long Quiet(Setting setting) => QuietTicks * Tick * (setting.IsSwitch ? 3 : 2);

    /// <summary>A schedule of these faults alone.</summary>
    public static Schedule Of(int seed, Setting setting, params Fault[] faults)
    {
        var end = faults.Length == 0 ? 20 * Tick : faults.Max(fault => fault.To);
        return new Schedule(seed, setting, faults, end, end + Quiet(setting));
    }

    private static Fault DrawFault(Random random, Setting setting, int tick)
    {
        var kind = Kinds[random.Next(Kinds.Length)];
        var from = (tick * (long)Tick) + random.Next(Tick);
        var to = from + (long)(Math.Pow(random.NextDouble(), 1.5) * 24 * Tick) + 1000;
        return kind switch
        {
            FaultKind.EndpointDown or FaultKind.PartialPartition => new Fault(kind, from, to, random.Next(random.Next(setting.Service.Endpoints.Count) + 1), random.Next(3)),
            FaultKind.EndpointFlaps => new Fault(kind, from, to, random.Next(setting.Service.Endpoints.Count), 0.2 + (0.6 * random.NextDouble())),
            FaultKind.RegionLost or FaultKind.ReplicaDown or FaultKind.ReplicationPaused or FaultKind.WriteMissing => new Fault(kind, from, to, random.Next(2), 1),
            FaultKind.ReplicationSlow => new Fault(kind, from, to, random.Next(2), 60 * random.NextDouble()),
            FaultKind.ClockSkewed => new Fault(kind, from, to, random.Next(3), (random.NextDouble() * 20) - 10),
            FaultKind.DnsSlow => new Fault(kind, from, to, random.Next(SimWorld.Servers), 60 * random.NextDouble()),
            FaultKind.ServerSilent or FaultKind.ServerStale or FaultKind.TtlCountedDown => new Fault(kind, from, random.Next(3) == 0 ? to + 600_000 : to, random.Next(SimWorld.Servers), 1),
            FaultKind.TickQueueDown => new Fault(kind, from, to + 120_000, random.Next(4), 1),
            FaultKind.Order => new Fault(kind, from, from, 0, 0, DrawOrder(random, setting)),
            _ => new Fault(kind, from, to, random.Next(3), 0.1 + (0.4 * random.NextDouble())),
        };
    }

    private static Command DrawOrder(Random random, Setting setting)
    {
        var kind = Orders[random.Next(Orders.Length)];
        return new Command
        {
            Id = $"order-{random.Next()}",
            Kind = kind,
            By = "op",
            At = default,
            To = setting.Service.Endpoints[random.Next(setting.Service.Endpoints.Count)].Name,
            Force = random.Next(4) == 0,
            Minutes = random.Next(1, 4),
        };
    }

    private static readonly FaultKind[] Kinds =
    [
        // What moves names comes more often than what merely disturbs.
        FaultKind.EndpointDown, FaultKind.EndpointDown, FaultKind.EndpointDown, FaultKind.RegionLost, FaultKind.RegionLost, FaultKind.Order, FaultKind.Pauses, FaultKind.ServerSilent, .. Enum.GetValues<FaultKind>(),
    ];

    private static readonly CommandKind[] Orders =
    [
        CommandKind.Move, CommandKind.MoveBack, CommandKind.MoveBack, CommandKind.Ack, CommandKind.Pause, CommandKind.Resume, CommandKind.Approve,
        CommandKind.Pin, CommandKind.Unpin, CommandKind.Drain, CommandKind.Undrain, CommandKind.PlannedMove, CommandKind.Adopt,
    ];
}
