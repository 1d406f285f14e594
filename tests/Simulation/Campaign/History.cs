using Failover.ControlPlane.Registers;

namespace Failover.Simulation.Campaign;

/// <summary>What happened, as somebody outside could have written it down: the second oracle reads this alone.</summary>
internal sealed class History
{
    /// <summary>Ballots as they came to stand, in order.</summary>
    public List<BallotStored> Ballots { get; } = [];

    /// <summary>What the zone held, version by version; the first is the beginning.</summary>
    public List<ZoneChange> Zone { get; } = [];

    /// <summary>Registers as they came to stand.</summary>
    public List<RegisterStored> Registers { get; } = [];

    /// <summary>Orders of operators.</summary>
    public List<OrderGiven> Orders { get; } = [];

    /// <summary>Comparisons of the tables.</summary>
    public List<Compared> Comparisons { get; } = [];

    /// <summary>What clients met, every ten seconds.</summary>
    public List<Met> Met { get; } = [];

    /// <summary>How each tick ended.</summary>
    public List<TickEnded> Ticks { get; } = [];
}

/// <summary>A ballot came to stand.</summary>
/// <param name="Start">Which tick it was made in, in milliseconds like <paramref name="At"/>.</param>
/// <param name="Interval">Of its observer's topology then, in milliseconds.</param>
/// <param name="Ok">What the probes saw, endpoint by endpoint.</param>
/// <param name="Acked">Which replicas took a heartbeat.</param>
/// <param name="OtherRules">Whether it was made by other rules than those of this code.</param>
/// <param name="Topology">Its observer's topology then.</param>
internal sealed record BallotStored(long At, int Observer, long Start, long Interval, bool[] Ok, bool[] Acked, bool OtherRules, string Topology);

/// <summary>The zone changed.</summary>
/// <param name="By">The observer; null: a person.</param>
/// <param name="WriteStarted">When the request was begun.</param>
/// <param name="TickStarted">When the tick began that sent it.</param>
/// <param name="CutOff">Whether that tick had no answering anchor, or a wrong clock.</param>
/// <param name="Unseen">For each ordered pair, how much of the time since then the one took writes: what it did not, was not written.</param>
/// <param name="MissingSince">Since when a write is told as missing; null: none is.</param>
/// <param name="Behind">For each ordered pair of replicas, up to when what was written in the one was in the other.</param>
internal sealed record ZoneChange(
    long At, int? By, IReadOnlyList<RecordSet> Sets, IReadOnlyList<string> Txt, long WriteStarted, long TickStarted, bool CutOff, long[] Behind, long? FencedAt, long? NewestBeatAge, long? MissingSince, long[] Unseen);

/// <summary>A comparison of the tables ended.</summary>
internal sealed record Compared(long At, long CutOff, bool IsEqual);

/// <summary>A register came to stand.</summary>
internal sealed record RegisterStored(long At, long WriteStarted, long TickStarted, bool CutOff, Register Register);

/// <summary>An order reached the control table.</summary>
internal sealed record OrderGiven(long At, Command Command);

/// <summary>A tick came to its end.</summary>
/// <param name="OverdueSeconds">What its metric said.</param>
internal sealed record TickEnded(long At, int Observer, string Ending, IReadOnlyList<string> Held, double OverdueSeconds);

/// <summary>What clients met at some moment: the endpoint that most servers answered, and whether it served. -1: none.</summary>
internal sealed record Met(long At, int Endpoint, bool IsUp, bool IsFlapping);
