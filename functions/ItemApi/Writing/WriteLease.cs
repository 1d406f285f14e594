using Failover.ItemRecord;

namespace Failover.ItemApi.Writing;

/// <summary>What the register said, read strongly.</summary>
/// <param name="Epoch">The current move.</param>
/// <param name="Endpoint">The endpoint that shall serve.</param>
/// <param name="IsMine">Whether this region's replica is behind it.</param>
/// <param name="Sent">Before the read was sent.</param>
/// <param name="Received">After it was answered.</param>
internal sealed record Reading(long Epoch, string Endpoint, bool IsMine, Moment Sent, Moment Received);

/// <summary>
/// The right of one process to write, where one region only writes (<c>WRITE_MODE=ActivePassive</c>). Pure: readings and moments in, an answer out.
/// </summary>
/// <remarks>
/// A reading gives the right from the moment before it was sent, for the length of the lease, and every write must end within it: so the region that is left writes nothing once a lease has passed since the
/// register changed. The region that is entered waits for that, a whole lease from its own first reading of the new epoch; or, if availability is preferred, it does not. A process that starts later need not wait
/// again: the first that has waited says so in a row of its own replica (<c>isOpened</c>). No two machines' clocks are compared.
/// </remarks>
internal sealed record WriteLease(Reading Last, Moment OpensFrom, bool IsOpen)
{
    /// <summary>The lease after a reading.</summary>
    /// <param name="last">The lease before it; null: this is the first.</param>
    /// <param name="isOpened">Another process of this region has waited in this epoch; or nobody waits.</param>
    public static WriteLease After(WriteLease? last, Reading reading, bool isOpened)
    {
        // Epochs are dense: from one of ours to the next of ours nobody else had the right in between.
        return last is { Last.IsMine: true } && reading.IsMine && reading.Epoch - last.Last.Epoch is 0 or 1
            ? last with { Last = reading, IsOpen = last.IsOpen || isOpened }
            : new WriteLease(reading, reading.Received, reading.IsMine && isOpened);
    }

    /// <summary>How long a write may still take, now; zero or less: there is no right to write.</summary>
    public TimeSpan Left(TimeSpan lease, Moment now) => Last.IsMine && IsOpenAt(lease, now) ? lease - now.AtMostSince(Last.Sent) : TimeSpan.Zero;

    /// <summary>Whether this region has waited long enough.</summary>
    public bool IsOpenAt(TimeSpan lease, Moment now) => IsOpen || now.AtLeastSince(OpensFrom) >= lease;
}
