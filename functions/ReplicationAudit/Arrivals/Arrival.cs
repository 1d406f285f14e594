namespace Failover.ReplicationAudit.Arrivals;

/// <summary>A version that came to this replica from another region, and how late.</summary>
/// <param name="Lag">At most so: from the version's time to the change here.</param>
public readonly record struct Arrival(string From, TimeSpan Lag)
{
    /// <summary>A stream rounds its times down to the second.</summary>
    public static readonly TimeSpan StreamPrecision = TimeSpan.FromSeconds(1);

    /// <summary>The arrival that a change in <paramref name="region"/>'s stream tells of, or null: the change was made here, or past the API.</summary>
    /// <param name="now">When the record is read. A stream rounds its times down to the second, so the change was before the end of that second, and before now.</param>
    public static Arrival? Of(ItemChange change, string region, DateTimeOffset now)
    {
        if (change.New?.Version is not { } version || version.Region == region || version == change.Old?.Version)
        {
            return null;
        }

        var latest = change.At + StreamPrecision < now ? change.At + StreamPrecision : now;
        var lag = latest - DateTimeOffset.FromUnixTimeMilliseconds(version.UnixMilliseconds);
        return new Arrival(version.Region, lag > TimeSpan.Zero ? lag : TimeSpan.Zero);
    }
}
