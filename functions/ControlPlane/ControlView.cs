using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;

namespace Failover.ControlPlane;

/// <summary>What one strongly consistent reading of the control table says of one service.</summary>
/// <param name="Register">Null if there is none.</param>
/// <param name="Command">The last order, obeyed or not; null if there never was one.</param>
public sealed record ControlView(Register? Register, Command? Command, IReadOnlyList<Ballot> Ballots);

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
