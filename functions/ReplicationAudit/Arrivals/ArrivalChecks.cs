using System.Collections.Concurrent;
using System.Text.Json;
using Amazon.SQS;
using Amazon.SQS.Model;
using Failover.ControlPlane;
using Failover.Hosting;
using Microsoft.Extensions.Logging;

namespace Failover.ReplicationAudit.Arrivals;

/// <summary>
/// Asks each peer whether the writes of this region have arrived, and again of those that have not, until each is settled.
/// The journal holds what is pending; a message a batch, sent again and again with a growing delay, says when to look.
/// </summary>
public sealed class ArrivalChecks(
    Replicas replicas, PendingStore store, Findings findings, ArrivalLimits limits, IAmazonSQS sqs, string queueUrl, TimeSpan callTimeout, Metrics metrics, TimeProvider time,
    ILogger<ArrivalChecks> logger)
{
    /// <summary>A version, and what JSON puts around it.</summary>
    private const int BytesAWrite = 200;

    /// <summary>A peer that did not answer is not waited for again by this process before then.</summary>
    private static readonly TimeSpan GoneFor = TimeSpan.FromSeconds(10);

    /// <summary>How many batches of one peer are taken up again in one go, and how many of them at once.</summary>
    private const int ResumedMax = 200;
    private const int ResumedAtOnce = 8;

    /// <summary>A long stall leaves a batch for each second and more: there is another go as long as this leaves the invocation time to end.</summary>
    private static readonly TimeSpan ResumesFor = TimeSpan.FromSeconds(10);

    /// <summary>A message that has not come so long after its time has been lost, or was never sent: between a batch's row and its message a process can end.</summary>
    private static readonly TimeSpan OverdueAfter = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<string, long> _goneSince = new();

    /// <summary>Asks every peer for the writes of a stream batch: of each key the newest, if it was made here.</summary>
    public async Task BeginAsync(IReadOnlyList<PendingWrite> writes, CancellationToken cancellationToken)
    {
        if (writes.Count > 0)
        {
            await Task.WhenAll(replicas.Peers.Select(peer => BeginAsync(peer, writes, cancellationToken)));
        }
    }

    /// <summary>Asks again for what is left of a batch.</summary>
    public async Task CheckAsync(PendingMessage message, CancellationToken cancellationToken)
    {
        if (await store.ReadAsync(message.Peer, message.Id, cancellationToken) is not { } batch)
        {
            return;
        }

        if (await TryReadAsync(batch.Peer, () => replicas.ReadPeerAsync(batch.Peer, batch.Writes.Select(write => write.Key), cancellationToken), cancellationToken) is not { } view)
        {
            await store.ParkAsync(batch, cancellationToken);
            return;
        }

        var here = await replicas.ReadHereAsync(PendingFold.Unsettled(batch.Writes, view.Items).Select(write => write.Key), cancellationToken);
        var outcome = PendingFold.Judge(batch, replicas.Region, view, here, limits, time.GetUtcNow());
        foreach (var (write, state) in outcome.Settled)
        {
            await findings.CloseMissingAsync(batch.Peer, write, state, cancellationToken);
        }

        foreach (var write in outcome.Missing)
        {
            await findings.AddMissingAsync(batch.Peer, write, here.Items[write.Key], view.Items.GetValueOrDefault(write.Key), cancellationToken);
        }

        if (outcome.Left is not { } left)
        {
            await store.DeleteAsync(batch, cancellationToken);
        }
        else if (outcome.Delay is not { } delay)
        {
            await store.ParkAsync(left, cancellationToken);
        }
        else if (await store.ReplaceAsync(left, time.GetUtcNow() + delay, cancellationToken))
        {
            await SendAsync(left, delay, cancellationToken);
        }
    }

    /// <summary>
    /// Takes up the batches that waited for a peer, which is no longer stalled: their deadlines count anew, for what has piled up takes its time. And those that nobody asks for any more.
    /// </summary>
    public async Task ResumeAsync(string peer, CancellationToken cancellationToken)
    {
        var (now, start) = (time.GetUtcNow(), time.GetTimestamp());
        IReadOnlyList<PendingBatch> parked;
        do
        {
            parked = await store.ReadParkedAsync(peer, ResumedMax, cancellationToken);
            foreach (var some in parked.Chunk(ResumedAtOnce))
            {
                await Task.WhenAll(some.Select(batch => ResumeAsync(batch with { Since = now, Checks = 0 }, now, cancellationToken)));
            }
        }
        while (parked.Count == ResumedMax && time.GetElapsedTime(start) < ResumesFor);

        foreach (var batch in await store.ReadOverdueAsync(peer, now - OverdueAfter, ResumedMax, cancellationToken))
        {
            if (await store.ReplaceAsync(batch, now, cancellationToken))
            {
                await SendAsync(batch, TimeSpan.Zero, cancellationToken);
            }
        }
    }

    private async Task ResumeAsync(PendingBatch batch, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await store.AddAsync(batch, now, cancellationToken);
        await SendAsync(batch, TimeSpan.Zero, cancellationToken);
        await store.ForgetParkedAsync(batch, cancellationToken);
    }

    private async Task BeginAsync(string peer, IReadOnlyList<PendingWrite> writes, CancellationToken cancellationToken)
    {
        var view = await TryReadAsync(peer, () => replicas.ReadItemsAsync(peer, writes.Select(write => write.Key), cancellationToken), cancellationToken);
        List<PendingWrite> left = view is null ? [.. writes] : [.. PendingFold.Unsettled(writes, view)];
        foreach (var row in Chunks.BySize(left, write => (write.Key.Length * Chunks.BytesACharacterMax) + BytesAWrite))
        {
            var batch = PendingBatch.Of(peer, row);
            var delay = ArrivalLimits.DelayBefore(1);
            await store.AddAsync(batch, time.GetUtcNow() + delay, cancellationToken);
            await SendAsync(batch, delay, cancellationToken);
        }

        metrics.Emit([("From", replicas.Region), ("To", peer)], new Metric("WritesAudited", "Count", writes.Count), new Metric("WritesPending", "Count", left.Count));
    }

    /// <summary>Null where the peer does not answer: then what is pending waits until it does.</summary>
    private async Task<T?> TryReadAsync<T>(string peer, Func<Task<T>> read, CancellationToken cancellationToken)
        where T : class
    {
        if (_goneSince.TryGetValue(peer, out var since) && time.GetElapsedTime(since) < GoneFor)
        {
            return null;
        }

        try
        {
            return await read();
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            _goneSince[peer] = time.GetTimestamp();
            Log.PeerUnreadable(logger, peer, error);
            return null;
        }
    }

    private async Task SendAsync(PendingBatch batch, TimeSpan delay, CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(callTimeout);
        await sqs.SendMessageAsync(
            new SendMessageRequest(queueUrl, JsonSerializer.Serialize(new AuditMessage { Pending = new PendingMessage(batch.Peer, batch.Id) }, JsonContext.Default.AuditMessage))
            {
                DelaySeconds = (int)delay.TotalSeconds,
            },
            deadline.Token);
    }
}
