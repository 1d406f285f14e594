using Failover.Hosting;
using Failover.ReplicationAudit.Arrivals;
using Microsoft.Extensions.Logging;

namespace Failover.ReplicationAudit.Continuity;

/// <summary>
/// What no stream record can tell, looked at once a minute: whether a peer is stalled, and is back; and whether this region's own stream is read at all.
/// </summary>
public sealed class Patrol(Replicas replicas, ArrivalChecks checks, WatchStore watch, Findings findings, ArrivalLimits limits, Metrics metrics, ILogger<Patrol> logger)
{
    /// <summary>Streams keep 24 hours (DynamoDB's figure): what is read later than this may be gone before it is read.</summary>
    public static readonly TimeSpan LateAfter = TimeSpan.FromHours(23);

    private readonly string _region = replicas.Region;

    /// <summary>One round. A peer that fails does not keep the others from being looked at.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var here = await replicas.ReadHereAsync([], cancellationToken);
        var remembered = await watch.ReadAsync(cancellationToken);
        foreach (var peer in replicas.Peers)
        {
            await LookAtPeerAsync(peer, here, remembered, cancellationToken);
        }

        await LookAtStreamAsync(here, remembered, cancellationToken);
    }

    private async Task LookAtPeerAsync(string peer, ReplicaView here, IReadOnlyDictionary<string, long> remembered, CancellationToken cancellationToken)
    {
        ReplicaView there;
        try
        {
            there = await replicas.ReadPeerAsync(peer, [], cancellationToken);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            Log.PeerUnreadable(logger, peer, error);
            metrics.Emit([("From", _region), ("To", peer)], new Metric("PeerUnreadable", "Count", 1));
            return;
        }

        var (beats, shown) = (here.Heartbeats[_region], there.Heartbeats[_region]);
        var newest = shown.Values.Select(at => (long?)at).Max();
        var lag = StallRule.Lag(beats, shown);
        if (lag == TimeSpan.MaxValue)
        {
            // A peer that shows none is as far behind as it is known to have shown none.
            newest = await SinceAsync(WatchStore.Silent(peer), beats.Values.Max(), remembered, cancellationToken);
            lag = TimeSpan.FromMilliseconds(beats.Values.Max() - newest.Value);
        }

        if (lag is { } known)
        {
            metrics.Emit([("From", _region), ("To", peer)], new Metric("HeartbeatLag", "Milliseconds", known.TotalMilliseconds));
        }

        var name = WatchStore.Stalled(peer);
        if (lag > limits.StalledAfter)
        {
            await findings.AddStallAsync(peer, TimeOf(await SinceAsync(name, newest!.Value, remembered, cancellationToken)), cancellationToken);
            return;
        }

        if (remembered.TryGetValue(name, out var since))
        {
            await findings.CloseStallAsync(peer, TimeOf(since), cancellationToken);
            await watch.ForgetAsync(name, cancellationToken);
        }

        if (!StallRule.IsStalled(_region, here, there, limits.StalledAfter))
        {
            await checks.ResumeAsync(peer, cancellationToken);
        }
    }

    /// <summary>Since when something is told: remembered before it is told, so that whatever fails between, one and the same finding is told again, and closed.</summary>
    private async Task<long> SinceAsync(string name, long first, IReadOnlyDictionary<string, long> remembered, CancellationToken cancellationToken)
    {
        if (!remembered.TryGetValue(name, out var since))
        {
            since = first;
            await watch.RememberAsync(name, since, cancellationToken);
        }

        return since;
    }

    private static DateTimeOffset TimeOf(long unixMilliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds);

    private async Task LookAtStreamAsync(ReplicaView here, IReadOnlyDictionary<string, long> remembered, CancellationToken cancellationToken)
    {
        foreach (var (observer, newest) in here.Heartbeats[_region])
        {
            if (!remembered.TryGetValue(WatchStore.Handled(observer), out var handled))
            {
                continue;
            }

            var behind = TimeSpan.FromMilliseconds(Math.Max(0, newest - handled));
            metrics.Emit([("Region", _region), ("Observer", observer)], new Metric("StreamBehind", "Milliseconds", behind.TotalMilliseconds));
            var late = WatchStore.Late(observer);
            if (behind >= LateAfter)
            {
                var from = TimeOf(await SinceAsync(late, handled, remembered, cancellationToken));
                await findings.AddGapAsync(
                    late, from, TimeOf(newest), $"The stream has not been read since {from:u}; it keeps 24 hours.", key: null, record: null, cancellationToken);
            }
            else if (remembered.TryGetValue(late, out var told))
            {
                // What was trimmed after all, the chain of heartbeats has told as a gap of its own.
                await findings.CloseGapAsync(late, TimeOf(told), "ReadAfterAll", cancellationToken);
                await watch.ForgetAsync(late, cancellationToken);
            }
        }
    }
}
