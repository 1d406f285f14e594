using Failover.ControlPlane;
using Failover.ControlPlane.Ballots;

namespace Failover.HealthCheck;

/// <summary>
/// The ballots that all services of one tick decide on. They are one partition for all services, so fifty services that move at once read it once a second and not fifty times.
/// Made anew in each tick, after its own vote: it never holds a reading from before that.
/// </summary>
/// <param name="interval">Of the ticks: evidence lives as long, and may not be old before it is used.</param>
public sealed class SharedBallots(ControlStore control, TimeProvider time, TimeSpan interval)
{
    private readonly TimeSpan _lifetime = interval < TimeSpan.FromSeconds(4) ? interval / 4 : TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private (Evidence ReadAt, Task<IReadOnlyList<Ballot>> Ballots)? _last;

    /// <summary>The ballots, as they were read at most a second ago.</summary>
    /// <returns>With them the moment when the reading began.</returns>
    public async Task<(Evidence ReadAt, IReadOnlyList<Ballot> Ballots)> ReadAsync(CancellationToken cancellationToken)
    {
        (Evidence ReadAt, Task<IReadOnlyList<Ballot>> Ballots) reading;
        lock (_lock)
        {
            reading = _last is { Ballots: { IsFaulted: false, IsCanceled: false } } last && last.ReadAt.Age < _lifetime ? last : new(new Evidence(time), control.ReadBallotsAsync(cancellationToken));
            _last = reading;
        }

        return (reading.ReadAt, await reading.Ballots);
    }
}
