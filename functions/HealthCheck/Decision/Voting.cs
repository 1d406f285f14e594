using Failover.ControlPlane;
using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Probing;

namespace Failover.HealthCheck.Decision;

/// <summary>
/// How one tick comes to its vote, as a state machine without I/O like <see cref="Mover"/>.
/// </summary>
/// <remarks>
/// <code>
/// the tick was made already, or is not now -> skip (a stored ballot from ahead of the clock was made by a wrong one, and is replaced)
/// -> look around -> no anchor answers, or the clock is wrong -> no vote
/// -> fold into the ballot before -> write it in that one's place
///    written        -> voted
///    not answered   -> no vote: it may count later, but not for this tick
///    refused        -> read: an earlier try of this very ballot -> voted; this tick's or a later one -> skip; an older one -> fold again, three times at most
/// </code>
/// </remarks>
public sealed record Voting
{
    /// <summary>How far off DynamoDB's clock an observer's may be.</summary>
    public static readonly TimeSpan SkewMax = TimeSpan.FromSeconds(3);

    private const int AttemptsMax = 3;

    private Voting(Topology topology, string observer, TickId tick) => (Topology, Observer, Tick) = (topology, observer, tick);

    private Topology Topology { get; }

    private string Observer { get; }

    private TickId Tick { get; }

    private StoredBallot? Stored { get; init; }

    private Observation? Seen { get; init; }

    private int Attempts { get; init; }

    /// <summary>This tick's ballot, or the one before it while there is none.</summary>
    public Ballot? Own { get; private init; }

    /// <summary>When this observer's tick before this one was; null if there was none.</summary>
    public DateTimeOffset? Before => Stored?.Ballot?.Start;

    /// <summary>Begins a tick.</summary>
    /// <param name="stored">This observer's ballot; null if it cannot be read.</param>
    public static (Voting State, VoteStep Step) Start(Topology topology, string observer, TickId tick, StoredBallot? stored, DateTimeOffset now)
    {
        var voting = new Voting(topology, observer, tick) { Stored = stored, Own = stored?.Ballot };
        if (tick.Start > now + SkewMax || now - tick.Start >= 2 * topology.Timing.Interval)
        {
            return voting.End(VoteEnding.Skipped, "not now");
        }

        return voting.IsMade(stored, now) ? voting.End(VoteEnding.Skipped, "made already") : (voting, new VoteStep.LookAround());
    }

    /// <summary>Goes on after looking around.</summary>
    public (Voting State, VoteStep Step) Next(Observation seen, DateTimeOffset now) =>
        Stored is null ? End(VoteEnding.NoVote, "the control table cannot be read")
            : !seen.AnyAnchorAnswers ? End(VoteEnding.NoVote, "no anchor answers: this observer is cut off")
            : seen.ClockSkew.Duration() > SkewMax ? End(VoteEnding.NoVote, $"the clock is {seen.ClockSkew.TotalSeconds:0.0} s off")
            : (this with { Seen = seen }).Write(now);

    /// <summary>Goes on after writing the ballot.</summary>
    public (Voting State, VoteStep Step) Next(ConditionalWrite write) => write switch
    {
        ConditionalWrite.Written => End(VoteEnding.Voted, ""),
        ConditionalWrite.Unknown => End(VoteEnding.NoVote, "the ballot was not acknowledged"),
        _ => (this, new VoteStep.ReadBallot()),
    };

    /// <summary>Goes on after reading the ballot again; null if it cannot be read.</summary>
    public (Voting State, VoteStep Step) Next(StoredBallot? stored, DateTimeOffset now)
    {
        if (stored is null)
        {
            return End(VoteEnding.NoVote, "the ballot was refused, and cannot be read");
        }

        if (stored.Token == Tick.Token)
        {
            return End(VoteEnding.Voted, "an earlier try of the ballot stands");
        }

        if (IsMade(stored, now))
        {
            return End(VoteEnding.Skipped, "another tick was faster");
        }

        return Attempts >= AttemptsMax ? End(VoteEnding.NoVote, "other ticks kept writing the ballot") : (this with { Stored = stored }).Write(now);
    }

    private bool IsMade(StoredBallot? stored, DateTimeOffset now) => stored?.Ballot is { } ballot && ballot.Start >= Tick.Start && ballot.Start <= now + SkewMax;

    private (Voting State, VoteStep Step) Write(DateTimeOffset now)
    {
        var ballot = BallotFold.Next(Topology, Observer, Stored!.Ballot, Tick, Seen!, now);
        return (this with { Own = ballot, Attempts = Attempts + 1 }, new VoteStep.WriteBallot(ballot, Stored.Token));
    }

    private (Voting State, VoteStep Step) End(VoteEnding ending, string why) => (this, new VoteStep.End(ending, why));
}

/// <summary>An observer's ballot as the control table has it.</summary>
/// <param name="Token">Null if there is none.</param>
/// <param name="Ballot">Null also where another version wrote it in a form that this one cannot read.</param>
public sealed record StoredBallot(string? Token, Ballot? Ballot);

/// <summary>One tick of an observer.</summary>
/// <param name="Start">The time that it stands for.</param>
/// <param name="Token">Random, one for each time that the tick is delivered: the ballot's.</param>
public sealed record TickId(DateTimeOffset Start, string Token);

/// <summary>All that a tick saw when it looked around.</summary>
/// <param name="Probes">By service, then endpoint.</param>
/// <param name="ClockSkew">This machine's clock against DynamoDB's.</param>
/// <param name="Data">By replica whose journal answered.</param>
public sealed record Observation(
    IReadOnlyDictionary<(string Service, string Endpoint), ProbeResult> Probes, HeartbeatRound Round, bool AnyAnchorAnswers, TimeSpan ClockSkew, IReadOnlyDictionary<string, DataBallot> Data)
{
    /// <summary>What this process remembers of its last tick; the ballot before may know of a newer one.</summary>
    public Unsettled Unsettled { get; init; } = Unsettled.Nothing;
}

/// <summary>How a tick's vote ended.</summary>
public enum VoteEnding
{
    /// <summary>The ballot stands: this tick may decide and apply.</summary>
    Voted,

    /// <summary>It does not, or the observer is cut off: this tick decides nothing and touches nothing.</summary>
    NoVote,

    /// <summary>The tick was made already, or is not now.</summary>
    Skipped,
}

/// <summary>What the vote wants done next.</summary>
public abstract record VoteStep
{
    private VoteStep()
    {
    }

    /// <summary>Probe, beat, ask the anchors.</summary>
    public sealed record LookAround : VoteStep;

    /// <summary>Store the ballot in place of exactly the one with that token.</summary>
    public sealed record WriteBallot(Ballot Ballot, string? PreviousToken) : VoteStep;

    /// <summary>Read this observer's ballot again.</summary>
    public sealed record ReadBallot : VoteStep;

    /// <summary>That was it.</summary>
    public sealed record End(VoteEnding Ending, string Why) : VoteStep;
}
