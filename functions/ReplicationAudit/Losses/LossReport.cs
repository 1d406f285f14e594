using Failover.ControlPlane;
using Failover.Hosting;
using Failover.ReplicationAudit.Arrivals;
using Failover.ReplicationAudit.Continuity;
using Microsoft.Extensions.Logging;

namespace Failover.ReplicationAudit.Losses;

/// <summary>The recovery point of each move to this region, in two numbers: what was missing when it landed, and what is still missing. Counted once a minute until nothing changes any more.</summary>
/// <param name="moves">This region's, where the moves are, and what they cost.</param>
/// <param name="pendingOf">What each region has not seen elsewhere, in its own journal.</param>
/// <param name="journalOf">Each region's findings.</param>
/// <param name="watchOf">Up to where each region's stream has been read.</param>
/// <param name="observers">Who writes the heartbeats by which that is known.</param>
public sealed class LossReport(
    Replicas replicas,
    MoveStore moves,
    LateArrivals late,
    IReadOnlyDictionary<string, PendingStore> pendingOf,
    IReadOnlyDictionary<string, JournalStore> journalOf,
    IReadOnlyDictionary<string, WatchStore> watchOf,
    IReadOnlyList<string> observers,
    ArrivalLimits limits,
    Metrics metrics,
    TimeProvider time,
    ILogger<LossReport> logger)
{
    private const int MovesMax = 10;

    /// <summary>Of the region that was left, so many findings are looked at: the newest, by the time of what they are about.</summary>
    private const int FindingsMax = 5000;

    /// <summary>Counts each move to this region that is not final.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var known = await moves.ReadNewestAsync(MovesMax, cancellationToken);
        var told = (await moves.ReadLossesAsync(MovesMax, cancellationToken)).ToDictionary(loss => (loss.Service, loss.Epoch));
        foreach (var move in known.Where(move => move.To.Replica == replicas.Region && move.From.Replica != replicas.Region && replicas.Peers.Contains(move.From.Replica)))
        {
            var before = told.GetValueOrDefault((move.Service, move.Epoch));
            if (before?.IsFinal != true)
            {
                await CountAsync(move, before, cancellationToken);
            }
        }
    }

    private async Task CountAsync(JournaledMove move, MoveLoss? before, CancellationToken cancellationToken)
    {
        // The other region first: what it has seen here since is in this region's stream, if it is not in this list.
        var missing = await MissingAsync(move, cancellationToken);
        var arrived = new List<LateArrival>();
        await foreach (var arrival in late.ReadAsync(move.From.Replica, move.LandedAt, cancellationToken))
        {
            arrived.Add(arrival);
        }

        var earlier = new List<LostKey>();
        if (before is not null)
        {
            await foreach (var key in moves.ReadKeysAsync(before, cancellationToken))
            {
                earlier.Add(key);
            }
        }

        // Nobody can ask it now: what was told as missing still is, as far as is known.
        var now = time.GetUtcNow();
        var keys = LossRule.Lost(move, arrived, missing?.Writes ?? [.. earlier.Where(key => key.IsStillMissing).Select(key => (key.Key, key.Version))], earlier);
        DateTimeOffset? settledAt = missing?.IsSettled == true ? before?.SettledAt ?? now : null;
        var loss = new MoveLoss(
            move.Service, move.Epoch, move.LandedAt, keys.Count, keys.Count(key => key.IsStillMissing), missing is not null, settledAt, settledAt is { } at && await IsReadUpToAsync(replicas.Region, at, cancellationToken), now);
        if (before is not null && before with { At = now } == loss)
        {
            return;
        }

        await moves.WriteLossAsync(loss, keys, cancellationToken);
        Log.MoveCost(logger, move.Service, move.Epoch, loss.MissingAtMove, loss.StillMissing, loss.IsFinal);
        metrics.Emit(
            [("Service", move.Service), ("From", move.From.Replica), ("To", move.To.Replica)],
            new Metric("MissingAtMove", "Count", loss.MissingAtMove),
            new Metric("StillMissing", "Count", loss.StillMissing));
    }

    /// <summary>
    /// What the region that was left has not seen here, of before the move, or has seen beaten since; and whether its stream has been read and all that was under way was told as missing: then the backlog is through. Null: it cannot be asked.
    /// </summary>
    private async Task<(IReadOnlyList<(string Key, string Version)> Writes, bool IsSettled)?> MissingAsync(JournaledMove move, CancellationToken cancellationToken)
    {
        try
        {
            var (store, from) = (pendingOf[move.From.Replica], move.From.Replica);
            List<PendingWrite> pending =
            [
                .. (await store.ReadPendingAsync(replicas.Region, int.MaxValue, cancellationToken)).Concat(await store.ReadParkedAsync(replicas.Region, int.MaxValue, cancellationToken))
                    .SelectMany(batch => batch.Writes).Where(write => LossRule.IsBefore(move, write.Version)),
            ];

            // What is watched no longer, after a day; and what came too late to win.
            var told = (await journalOf[from].ReadFindingsAsync(FindingsMax, cancellationToken)).Where(finding =>
                finding.Key is not null && LossRule.IsBefore(move, finding.Loser?.Version)
                && ((finding.Kind == FindingKind.MissingWrite && finding.Peer == replicas.Region && finding.Closed is null)
                    || (finding.Kind == FindingKind.LostUpdate && finding.At > move.LandedAt && finding.Closed is null)));
            var isSettled = pending.TrueForAll(write => write.IsFound) && await IsReadUpToAsync(from, move.LandedAt + limits.MissingAfter, cancellationToken);
            return ([.. pending.Select(write => (write.Key, write.Version)).Concat(told.Select(finding => (finding.Key!, finding.Loser!.Version!))).Distinct()], isSettled);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            Log.PeerUnreadable(logger, move.From.Replica, error);
            return null;
        }
    }

    /// <summary>Whether a region's audit has read its stream up to then: by the heartbeats of every observer that has been read off it at all.</summary>
    private async Task<bool> IsReadUpToAsync(string region, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var watch = await watchOf[region].ReadAsync(cancellationToken);
        List<long> read = [.. observers.Select(WatchStore.Handled).Where(watch.ContainsKey).Select(name => watch[name])];
        return read.Count > 0 && read.TrueForAll(beat => beat > at.ToUnixTimeMilliseconds());
    }
}
