namespace Failover.ItemRecord;

/// <summary>A moment by both clocks of a process: the monotonic one may stand still while Lambda has the process frozen, the other may be set.</summary>
/// <param name="Monotonic">Since some start.</param>
public readonly record struct Moment(TimeSpan Monotonic, DateTimeOffset Wall)
{
    /// <summary>Now.</summary>
    public static Moment Of(TimeProvider time) => new(time.GetElapsedTime(0), time.GetUtcNow());

    /// <summary>At least this much time has passed since then: the monotonic clock never runs ahead.</summary>
    public TimeSpan AtLeastSince(Moment earlier) => Monotonic - earlier.Monotonic;

    /// <summary>At most this much: by the clock that went more.</summary>
    public TimeSpan AtMostSince(Moment earlier) => Monotonic - earlier.Monotonic is var one && Wall - earlier.Wall is var other && one > other ? one : other;
}
