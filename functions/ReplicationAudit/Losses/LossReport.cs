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
public sealed class LossReport(
    Replicas replicas,
    MoveStore moves,
    LateArrivals late,
    IReadOnlyDictionary<string, PendingStore> pendingOf,
    IReadOnlyDictionary<string, JournalStore> journalOf,
    IReadOnlyDictionary<string, WatchStore> watchOf,
    ArrivalLimits limits,
    Metrics metrics,
    TimeProvider time,
    ILogger<LossReport> logger)
{
    private const int MovesMax = 10;

    /// <summary>What is still missing after so long does not come by itself.</summary>
    private static readonly TimeSpan CountedFor = ArrivalLimits.Watched + TimeSpan.FromHours(1);

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
        var arrived = new List<LateArrival>();
        await foreach (var arrival in late.ReadAsync(move.From.Replica, move.LandedAt, cancellationToken))
        {
            arrived.Add(arrival);
        }

        var now = time.GetUtcNow();
        var (pending, isSettled) = await PendingAsync(move, cancellationToken);
        var keys = LossRule.Lost(move, arrived, pending);
        var loss = new MoveLoss(
            move.Service, move.Epoch, move.LandedAt, keys.Count, keys.Count(key => key.IsStillMissing), isSettled || now - move.LandedAt > CountedFor, now);
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
    /// What the region that was left has not seen here, of before the move; and whether its stream has been read and all of that was told as missing: then the backlog is through.
    /// </summary>
    private async Task<(IReadOnlyList<PendingWrite> Pending, bool IsSettled)> PendingAsync(JournaledMove move, CancellationToken cancellationToken)
    {
        try
        {
            var store = pendingOf[move.From.Replica];
            var writes = new List<PendingWrite>();
            foreach (var batch in (await store.ReadPendingAsync(replicas.Region, int.MaxValue, cancellationToken)).Concat(await store.ReadParkedAsync(replicas.Region, int.MaxValue, cancellationToken)))
            {
                writes.AddRange(batch.Writes.Where(write => LossRule.IsBefore(move, write.Version)));
            }

            // What is watched no longer, after a day, is open as a finding.
            foreach (var finding in await journalOf[move.From.Replica].ReadHoldingAsync(int.MaxValue, cancellationToken))
            {
                if (finding is { Kind: FindingKind.MissingWrite, Key: { } key, Loser.Version: { } version } && finding.Peer == replicas.Region && LossRule.IsBefore(move, version))
                {
                    writes.Add(new PendingWrite(key, version, IsFound: true));
                }
            }

            // Its audit has read its stream up to after the move, and of what it found there nothing is under way any more.
            var handled = (await watchOf[move.From.Replica].ReadAsync(cancellationToken)).Where(row => WatchStore.IsHandled(row.Key)).Select(row => row.Value).ToList();
            var isRead = handled.Count > 0 && handled.TrueForAll(beat => beat > (move.LandedAt + limits.MissingAfter).ToUnixTimeMilliseconds());
            return (writes, isRead && writes.TrueForAll(write => write.IsFound));
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            // It is still gone: what is known here is what has come so far.
            Log.PeerUnreadable(logger, move.From.Replica, error);
            return ([], false);
        }
    }
}
