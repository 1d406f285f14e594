using System.Text.Json.Serialization;

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
/// An order. It is appended to the service's list of orders and answered once, by the tick that writes its id into the register.
/// </summary>
public sealed record Command
{
    /// <summary>Unique; at most <see cref="IdMax"/> characters.</summary>
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

    /// <summary>
    /// For <see cref="CommandKind.Resume"/>, <see cref="CommandKind.Unpin"/> and <see cref="CommandKind.Undrain"/>: the id of the order that it ends,
    /// so that it ends no other operator's later one.
    /// </summary>
    public string? Ends { get; init; }

    /// <summary>For people.</summary>
    public string? Reason { get; init; }

    /// <summary>
    /// Whether it stops what happens by itself: such an order holds in every epoch, is answered before the others of its tick, and finds room where the others find none.
    /// </summary>
    [JsonIgnore]
    public bool IsStopping => Kind is CommandKind.Pause or CommandKind.Pin or CommandKind.Drain;

    /// <summary>Whether it begins a move, or consents to one.</summary>
    [JsonIgnore]
    public bool IsStarting => Kind is CommandKind.Move or CommandKind.MoveBack or CommandKind.PlannedMove or CommandKind.Approve;

    /// <summary>Whether it ends a pause, a pin or a drain.</summary>
    [JsonIgnore]
    public bool IsEnding => Kind is CommandKind.Resume or CommandKind.Unpin or CommandKind.Undrain;

    /// <summary>
    /// Addresses the order to what an operator sees in that view: to its epoch, if the order starts something, and to the newest order that it can end.
    /// An epoch or an id that it names already stays.
    /// </summary>
    public Command MeantFor(ControlView view)
    {
        if (IsStopping)
        {
            return this;
        }

        return IsEnding ? this with { Ends = Ends ?? Ended(view) } : this with { IfEpoch = IfEpoch ?? view.Register?.Epoch };
    }

    private string? Ended(ControlView view)
    {
        var (kind, inForce) = Kind switch
        {
            CommandKind.Resume => (CommandKind.Pause, view.Register?.Paused),
            CommandKind.Unpin => (CommandKind.Pin, view.Register?.Pinned?.Order),
            _ => (CommandKind.Drain, view.Register?.Drained.GetValueOrDefault(To ?? "")),
        };
        var waiting = view.Pending.LastOrDefault(order => order.Kind == kind && (kind != CommandKind.Drain || order.To == To));
        return waiting?.Id ?? inForce?.OrderId;
    }

    /// <summary>What is wrong with it whatever the state of the service, and how to mend it; null if nothing is.</summary>
    public string? Mistake()
    {
        if (Id is not { Length: > 0 and <= IdMax })
        {
            return $"its id is not of 1 to {IdMax} characters";
        }

        if (By is not { Length: > 0 } || IsUnfit(By, NameMax))
        {
            return $"'by' is not of 1 to {NameMax} bytes of printable text";
        }

        foreach (var (name, text, max) in new[] { ("to", To, NameMax), ("ends", Ends, IdMax), ("reason", Reason, ReasonMax) })
        {
            if (IsUnfit(text, max))
            {
                return $"'{name}' is not of at most {max} bytes of printable text";
            }
        }

        return Minutes is < 1 or > MinutesMax ? $"'minutes' is {Minutes}, not 1 to {MinutesMax}" : null;
    }

    private static bool IsUnfit(string? text, int max) => text is not null && !Printable.Fits(text, max);

    /// <summary>The longest id. A UUID takes 36.</summary>
    public const int IdMax = 64;

    /// <summary>The longest name of a person or an endpoint, in bytes of JSON.</summary>
    public const int NameMax = 100;

    /// <summary>The longest reason, in bytes of JSON.</summary>
    public const int ReasonMax = 300;

    /// <summary>A pause, pin or drain for longer than a year is one without an end.</summary>
    public const int MinutesMax = 366 * 24 * 60;

    /// <summary>An order that nobody obeyed in time is not obeyed later, when the world has moved on.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    /// <summary>After how many minutes a planned move is given up, if the order does not say: nobody can write for so long.</summary>
    public const int PlannedMoveMinutes = 5;

    /// <summary>No fence stands longer than so many minutes, whatever the order says.</summary>
    public const int PlannedMoveMinutesMax = 15;
}
