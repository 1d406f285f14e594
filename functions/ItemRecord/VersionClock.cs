using System.Security.Cryptography;

namespace Failover.ItemRecord;

/// <summary>
/// Issues versions: a hybrid logical clock, one per process. No two calls, in this process or another, give the same version,
/// even when clocks stand still: a process counts up, and processes differ in their writer id.
/// </summary>
public sealed class VersionClock
{
    private readonly TimeProvider _time;
    private readonly string _region;
    private readonly string _writer;
    private readonly TimeSpan? _aheadMax;
    private readonly Lock _lock = new();
    private long _milliseconds;
    private int _counter = -1;

    /// <param name="region">The region of the replica that this process writes to.</param>
    /// <param name="time">Where the physical part comes from.</param>
    /// <param name="writer">8 lower-case letters and digits that no other process has; drawn where left out.</param>
    /// <param name="aheadMax">How far a version that was seen may lie ahead of this process's own clock; null: any distance, for the tools by which people mend what a wrong clock has done.</param>
    public VersionClock(string region, TimeProvider time, string? writer = null, TimeSpan? aheadMax = null)
    {
        _aheadMax = aheadMax;
        _region = region;
        _time = time;
        _writer = writer ?? RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz0123456789", 8);
    }

    /// <summary>A version greater than every one issued before and than every one in <paramref name="seen"/>.</summary>
    /// <exception cref="ClockDriftException">One of them lies too far in the future: following it would drag this clock, and by it every other, along.</exception>
    public ItemVersion Next(SeenVersions seen)
    {
        lock (_lock)
        {
            var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
            if (_aheadMax is { } max && seen.All.Select(version => version.UnixMilliseconds - now).DefaultIfEmpty().Max() is var ahead && ahead > max.TotalMilliseconds)
            {
                throw new ClockDriftException(TimeSpan.FromMilliseconds(ahead), max);
            }

            Advance(now, -1);
            foreach (var version in seen.All)
            {
                Advance(version.UnixMilliseconds, version.Counter);
            }

            if (++_counter > ItemVersion.CounterMax)
            {
                _milliseconds++;
                _counter = 0;
            }

            return ItemVersion.Create(_milliseconds, _counter, _region, _writer);
        }
    }

    private void Advance(long milliseconds, int counter)
    {
        if (milliseconds > _milliseconds || (milliseconds == _milliseconds && counter > _counter))
        {
            (_milliseconds, _counter) = (milliseconds, counter);
        }
    }
}

/// <summary>A clock is wrong: this process's, or that of whoever wrote the item.</summary>
public sealed class ClockDriftException(TimeSpan ahead, TimeSpan max)
    : Exception($"A version of the item lies {ahead.TotalSeconds:0.0} s ahead of this process's clock; at most {max.TotalSeconds:0.0} s are followed.")
{
    /// <summary>How far the version lies ahead.</summary>
    public TimeSpan Ahead => ahead;
}
