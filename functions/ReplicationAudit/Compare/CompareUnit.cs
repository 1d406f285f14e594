using Failover.ControlPlane.Compares;

namespace Failover.ReplicationAudit.Compare;

/// <summary>A part of a comparison that one invocation works on at a time: a segment of a table, a list of keys, some keys that are read again.</summary>
public sealed record CompareUnit
{
    /// <summary>Tells it apart within its phase.</summary>
    public required string Name { get; init; }

    /// <summary>Which one it is, of <see cref="Of"/>: the segment, or the list.</summary>
    public int Number { get; init; }

    public int Of { get; init; }

    /// <summary>Raised by each change, and every change asks for the last: of two that work on the same unit one is believed.</summary>
    public long Revision { get; init; }

    public bool IsDone { get; init; }

    /// <summary>When somebody should work on it again. Long after that, the message that would have said so was lost.</summary>
    public required DateTimeOffset DueAt { get; init; }

    /// <summary>The key after which a segment is read on; null at its beginning.</summary>
    public string? Cursor { get; init; }

    public long Items { get; init; }

    public long Scanned { get; init; }

    public double ReadUnits { get; init; }

    /// <summary>The region with which candidates are compared.</summary>
    public string? Peer { get; init; }

    public IReadOnlyList<CompareCandidate> Candidates { get; init; } = [];

    /// <summary>When the candidates' sides were read last; null: never.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>What of the candidates has turned out to differ.</summary>
    public IReadOnlyList<Difference> Found { get; init; } = [];
}

/// <summary>Says that it is time to work on a unit.</summary>
/// <param name="Revision">The unit's when it was sent: a message that comes late or twice is about what is done already.</param>
public sealed record CompareMessage(string Home, string Id, ComparePhase Phase, string Unit, long Revision);
