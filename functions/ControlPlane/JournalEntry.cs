using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;

namespace Failover.ControlPlane;

/// <summary>One line of the journal: what was decided or done, with the evidence from which it can be derived again.</summary>
public sealed record JournalEntry
{
    public required string Service { get; init; }

    public required DateTimeOffset At { get; init; }

    public required string Observer { get; init; }

    /// <summary>Which tick of the observer it was: <see cref="Ballot.Start"/> of its ballot.</summary>
    public required DateTimeOffset Start { get; init; }

    /// <summary>Null where the register could not be read, or there is none.</summary>
    public long? Epoch { get; init; }

    /// <summary>Hold, Move or MoveBack.</summary>
    public required string Decision { get; init; }

    public required string Diagnosis { get; init; }

    /// <summary>Why a detected failure was not acted on, by name.</summary>
    public required IReadOnlyList<string> Held { get; init; }

    public required string Why { get; init; }

    /// <summary>The rules that it was decided by: <see cref="Ballots.Ballot.RuleVersionNow"/> then.</summary>
    public int RuleVersion { get; init; }

    /// <summary>The endpoint that is, or would be, moved to.</summary>
    public string? To { get; init; }

    /// <summary>How much data the move can cost at most, in milliseconds of writes; null if nobody knows, or none is in question.</summary>
    public long? DataLossMs { get; init; }

    /// <summary>What the tick did about it, step by step.</summary>
    public required IReadOnlyList<string> Steps { get; init; }

    /// <summary>All that was decided on; null where nothing could be read.</summary>
    public JournalEvidence? Evidence { get; init; }
}

/// <summary>What a decision was derived from, as it was read.</summary>
/// <param name="Now">By the decider's clock.</param>
/// <param name="Orders">Those that waited for an answer; null if none did.</param>
public sealed record JournalEvidence(DateTimeOffset Now, Register? Register, IReadOnlyList<Command>? Orders, IReadOnlyList<Ballot> Ballots)
{
    private const int KnownMax = 2;

    /// <summary>What is written down of a view: of the ballots what they say of that service, and of the register all but answers to orders and the oldest plans, on which no decision rests. With fifty services it stays below 128 KB.</summary>
    public static JournalEvidence Of(DateTimeOffset now, ControlView view, string service)
    {
        List<Command> orders = [.. view.Pending];
        var register = view.Register;
        if (register is not null)
        {
            register = register with { Answered = [], Known = [.. register.Known.TakeLast(KnownMax)] };
        }

        return new JournalEvidence(now, register, orders.Count > 0 ? orders : null, [.. view.Ballots.Select(ballot => ballot.Of(service))]);
    }
}
