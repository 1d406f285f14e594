using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;

namespace Failover.ControlPlane;

/// <summary>What one strongly consistent reading of the control table says of one service.</summary>
/// <param name="Register">Null if there is none.</param>
/// <param name="Orders">The orders in the order in which they were given, answered ones among them.</param>
public sealed record ControlView(Register? Register, IReadOnlyList<Command> Orders, IReadOnlyList<Ballot> Ballots)
{
    /// <summary>The orders that the register does not answer.</summary>
    public IEnumerable<Command> Pending => Orders.Where(order => Register?.AnswerTo(order.Id) is null);
}

/// <summary>What became of an order on its way into the list.</summary>
public enum OrderWrite
{
    /// <summary>It is in the list, or was, and is answered.</summary>
    Written,

    /// <summary>It was not written: so many wait already that no observer answers.</summary>
    Full,

    /// <summary>It was not written: others gave orders at every try.</summary>
    Contended,

    /// <summary>The control table did not answer in time: it may be in the list, and may still come to be.</summary>
    Unknown,
}

/// <summary>How a conditional write ended.</summary>
public enum ConditionalWrite
{
    /// <summary>It stands.</summary>
    Written,

    /// <summary>The condition did not hold; nothing was written by this call (an earlier try of it may have been).</summary>
    Refused,

    /// <summary>No answer: it may stand, and may still come to stand.</summary>
    Unknown,
}
