namespace Failover.ControlPlane.Registers;

/// <summary>What an operator can ask for.</summary>
public enum CommandKind
{
    /// <summary>Nothing that this version knows: it is refused.</summary>
    Unknown = 0,

    /// <summary>Let another endpoint serve.</summary>
    Move,

    /// <summary>Let the endpoint serve that should, once it is safe: it has long been up, and heartbeats are fresh both ways.</summary>
    MoveBack,

    /// <summary>A person has seen the last move: clear the cool-down and the count of withdrawals.</summary>
    Ack,

    /// <summary>Move nothing automatically.</summary>
    Pause,

    /// <summary>End the pause.</summary>
    Resume,

    /// <summary>Take the world's DNS as it is for the truth, and pause.</summary>
    Adopt,

    /// <summary>Let the move be made that waits for approval.</summary>
    Approve,

    /// <summary>Let an endpoint serve whatever its health.</summary>
    Pin,

    /// <summary>End the pin.</summary>
    Unpin,

    /// <summary>Let an endpoint not serve, nor be moved to.</summary>
    Drain,

    /// <summary>End the drain of an endpoint.</summary>
    Undrain,

    /// <summary>Fence writes at the replica that is left, wait until what was written has arrived, then move.</summary>
    PlannedMove,
}

/// <summary>
/// An order, written to the one <c>command</c> record of a service and obeyed once, by the tick that writes its id into the register.
/// </summary>
public sealed record Command
{
    /// <summary>Unique.</summary>
    public required string Id { get; init; }

    public required CommandKind Kind { get; init; }

    /// <summary>Who asks.</summary>
    public required string By { get; init; }

    /// <summary>When; older than <see cref="Lifetime"/> it is refused.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The epoch that the operator looked at; with another one the command is refused. Null: any.</summary>
    public long? IfEpoch { get; init; }

    /// <summary>The endpoint that the order is about. For <see cref="CommandKind.MoveBack"/> it may be null: the one of the lowest priority number.</summary>
    public string? To { get; init; }

    /// <summary>For <see cref="CommandKind.Move"/> and <see cref="CommandKind.Pin"/>: also to an endpoint that no majority sees up.</summary>
    public bool Force { get; init; }

    /// <summary>
    /// How long a pause, pin or drain is in force; null: until it is ended. For <see cref="CommandKind.PlannedMove"/>: after how long it is given up,
    /// and writes are accepted again; null: <see cref="PlannedMoveMinutes"/>.
    /// </summary>
    public int? Minutes { get; init; }

    /// <summary>For people.</summary>
    public string? Reason { get; init; }

    /// <summary>An order that nobody obeyed in time is not obeyed later, when the world has moved on.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    /// <summary>After how many minutes a planned move is given up, if the order does not say: nobody can write for so long.</summary>
    public const int PlannedMoveMinutes = 5;

    /// <summary>No fence stands longer than so many minutes, whatever the order says.</summary>
    public const int PlannedMoveMinutesMax = 15;
}
