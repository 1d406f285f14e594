using Failover.ControlPlane;
using Failover.ControlPlane.Compares;
using Failover.Hosting;
using Failover.ItemRecord;
using Failover.ReplicationAudit.Arrivals;
using Failover.ReplicationAudit.Compare;
using Failover.ReplicationAudit.LostUpdates;
using Microsoft.Extensions.Logging;

namespace Failover.ReplicationAudit;

/// <summary>Writes what is found into the journal, and counts it when it was new there.</summary>
/// <param name="redacted">Attributes of items whose values no finding shows.</param>
public sealed class Findings(JournalStore journal, Metrics metrics, string region, IReadOnlySet<string> redacted, TimeProvider time, ILogger<Findings> logger)
{
    private const int ClosedInOneRound = 200;

    /// <summary>Judges one change.</summary>
    public async Task JudgeAsync(ItemChange change, CancellationToken cancellationToken)
    {
        if (LostUpdateRule.Judge(change, region) is { } loss)
        {
            await AddAsync(
                new Finding
                {
                    Id = Finding.IdOf(loss.Kind, change.Id, loss.Loser.Text),
                    Kind = loss.Kind,
                    Region = region,
                    Key = change.Id,
                    At = change.At,
                    Loser = Image(change.Old),
                    Winner = Image(change.New),
                    WinnerHadSeen = change.New?.Seen.Of(region)?.Text,
                    Why = loss.Why,
                },
                cancellationToken);
        }

        if (LostUpdateRule.Revived(change, region) is { } revived)
        {
            await CloseAsync(FindingKind.LostUpdate, Finding.IdOf(FindingKind.LostUpdate, change.Id, revived.Text), "Kept", change.New!.Version?.Text, cancellationToken);
            await CloseAsync(FindingKind.Duplicate, Finding.IdOf(FindingKind.Duplicate, change.Id, revived.Text), "Kept", change.New!.Version?.Text, cancellationToken);
        }
    }

    /// <summary>Tells that a write has not reached a peer by its deadline.</summary>
    /// <param name="here">The write, as its own region holds it.</param>
    /// <param name="there">What the peer shows in its place.</param>
    public Task AddMissingAsync(string peer, PendingWrite write, ItemSnapshot here, ItemSnapshot? there, CancellationToken cancellationToken) =>
        AddAsync(
            new Finding
            {
                Id = MissingId(peer, write),
                Kind = FindingKind.MissingWrite,
                Region = region,
                Peer = peer,
                Key = write.Key,
                At = time.GetUtcNow(),
                Loser = Image(here),
                Winner = Image(there),
                WinnerHadSeen = there?.Seen.Of(region)?.Text,
                Why = there is null ? $"{peer} does not have the item." : $"{peer} has {there.Version?.Text ?? "an item without a version"}, which has not seen it.",
            },
            cancellationToken);

    /// <summary>Closes what <see cref="AddMissingAsync"/> told.</summary>
    public async Task CloseMissingAsync(string peer, PendingWrite write, ArrivalState state, CancellationToken cancellationToken)
    {
        if (await CloseAsync(FindingKind.MissingWrite, MissingId(peer, write), state.ToString(), null, cancellationToken) && state == ArrivalState.Arrived)
        {
            var late = time.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(PendingFold.VersionOf(write).UnixMilliseconds);
            metrics.Emit([("From", region), ("To", peer)], new Metric("MissingWriteArrivedAfter", "Milliseconds", late.TotalMilliseconds));
        }
    }

    /// <summary>Tells a time of which it is not known that everything in it was audited.</summary>
    /// <param name="subject">What tells it apart from others that begin at the same time.</param>
    /// <param name="record">The stream record, where it is one that cannot be read.</param>
    public Task AddGapAsync(string subject, DateTimeOffset from, DateTimeOffset to, string why, string? key, string? record, CancellationToken cancellationToken) =>
        AddAsync(
            new Finding
            {
                Id = Finding.IdOf(FindingKind.AuditGap, subject, from),
                Kind = FindingKind.AuditGap,
                Region = region,
                Key = key,
                At = time.GetUtcNow(),
                Span = new FindingSpan(from, to),
                Record = record,
                Why = why,
            },
            cancellationToken);

    /// <summary>Closes a gap that <see cref="AddGapAsync"/> told.</summary>
    public Task CloseGapAsync(string subject, DateTimeOffset from, string @as, CancellationToken cancellationToken) =>
        CloseAsync(FindingKind.AuditGap, Finding.IdOf(FindingKind.AuditGap, subject, from), @as, null, cancellationToken);

    /// <summary>Tells that a peer shows none of this region's newer heartbeats.</summary>
    /// <param name="since">The newest that it shows: one stall is one finding.</param>
    public Task AddStallAsync(string peer, DateTimeOffset since, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return AddAsync(
            new Finding
            {
                Id = Finding.IdOf(FindingKind.StalledReplication, StallOf(peer), since),
                Kind = FindingKind.StalledReplication,
                Region = region,
                Peer = peer,
                At = now,
                Span = new FindingSpan(since, now),
                Why = $"{region} takes writes, and {peer} shows none of its heartbeats after {since:u}.",
            },
            cancellationToken);
    }

    /// <summary>Closes what <see cref="AddStallAsync"/> told.</summary>
    public Task CloseStallAsync(string peer, DateTimeOffset since, CancellationToken cancellationToken) =>
        CloseAsync(FindingKind.StalledReplication, Finding.IdOf(FindingKind.StalledReplication, StallOf(peer), since), "Resumed", null, cancellationToken);

    /// <summary>Tells that a comparison found differences; which, its result says.</summary>
    public async Task AddDivergenceAsync(Comparison comparison, CancellationToken cancellationToken) =>
        await AddAsync(
            new Finding
            {
                Id = Finding.IdOf(FindingKind.Divergence, comparison.Id, comparison.At),
                Kind = FindingKind.Divergence,
                Region = region,
                At = time.GetUtcNow(),
                Span = new FindingSpan(comparison.CutOff, comparison.CutOff),
                Why = $"{comparison.Differences} items differ between {region} and {string.Join(", ", comparison.Peers)}: see comparison {comparison.Id}.",
            },
            cancellationToken);

    /// <summary>Closes what comparisons have settled.</summary>
    /// <param name="comparisons">Such as have ended.</param>
    public async Task CloseComparedAsync(IReadOnlyList<Comparison> comparisons, IReadOnlyCollection<string> replicas, CancellationToken cancellationToken)
    {
        foreach (var finding in await journal.TidyHoldingAsync(ClosedInOneRound, time.GetUtcNow(), cancellationToken))
        {
            if (comparisons.Select(comparison => CompareScope.Closes(comparison, finding, region, replicas)).FirstOrDefault(@as => @as is not null) is { } closed)
            {
                await CloseAsync(finding.Kind, finding.Id, closed, null, cancellationToken);
            }
        }
    }

    private string StallOf(string peer) => $"{region} to {peer}";

    private static string MissingId(string peer, PendingWrite write) => Finding.IdOf(FindingKind.MissingWrite, $"{peer}/{write.Key}", write.Version);

    private async Task AddAsync(Finding finding, CancellationToken cancellationToken)
    {
        if (await journal.AddFindingAsync(finding, cancellationToken))
        {
            Log.Found(logger, finding.Kind, finding.Id, finding.Why);
            metrics.Emit([("Region", region)], new Metric(finding.Kind.ToString(), "Count", 1));
        }
    }

    private async Task<bool> CloseAsync(FindingKind kind, string id, string @as, string? by, CancellationToken cancellationToken)
    {
        var closed = await journal.CloseFindingAsync(kind, id, new FindingClosure(@as, by, time.GetUtcNow()), cancellationToken);
        if (closed)
        {
            Log.Closed(logger, id, @as);
        }

        return closed;
    }

    private ItemImage? Image(ItemSnapshot? item) => item is null ? null : new ItemImage(item.Version?.Text, DynamoDbJson.ToElement(Redaction.Of(item.Attributes, redacted)));
}
