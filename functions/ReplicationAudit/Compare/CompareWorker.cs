using System.Globalization;
using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane;
using Failover.ControlPlane.Compares;
using Failover.ItemRecord;
using Failover.ReplicationAudit.Arrivals;

namespace Failover.ReplicationAudit.Compare;

/// <summary>
/// Works on one unit of a comparison. Whatever interrupts it, the unit is as it was before, or after: what it wrote besides can be written again.
/// </summary>
public sealed class CompareWorker(CompareRegions regions, SegmentScan scan, Replicas replicas, CompareQueue queue, CompareSteps steps, ArrivalLimits limits, TimeProvider time)
{
    /// <summary>Few enough that both sides of large items are read in one go.</summary>
    private const int CandidatesAUnit = 25;

    /// <summary>Versions and hashes of both sides, and what JSON puts around them.</summary>
    private const int BytesACandidate = 1500;

    private const int AtOnce = 8;

    private static readonly TimeSpan MatchesFor = TimeSpan.FromSeconds(10);

    /// <summary>Works on the unit that the message names, unless it is done.</summary>
    public async Task WorkAsync(CompareMessage message, CancellationToken cancellationToken)
    {
        if (await regions.Comparisons[message.Home].ReadAsync(message.Id, cancellationToken) is not { Outcome: null } comparison
            || (comparison.Phase != message.Phase && (comparison.Phase, message.Phase) is not (ComparePhase.Match, ComparePhase.Check))
            || await regions.Own.ReadAsync(message.Id, message.Phase, message.Unit, cancellationToken) is not var (unit, sums)
            || unit.IsDone || unit.Revision != message.Revision)
        {
            return;
        }

        // Some lists may still be laid side by side while what others came to is checked already.
        comparison = comparison with { Phase = message.Phase };
        switch (message.Phase)
        {
            case ComparePhase.Digest:
                await DigestAsync(comparison, unit, sums, cancellationToken);
                break;
            case ComparePhase.Drill:
                await DrillAsync(comparison, unit, cancellationToken);
                break;
            case ComparePhase.Match:
                await MatchAsync(comparison, unit, cancellationToken);
                break;
            default:
                await CheckAsync(comparison, unit, cancellationToken);
                break;
        }
    }

    private async Task DigestAsync(Comparison comparison, CompareUnit unit, byte[]? stored, CancellationToken cancellationToken)
    {
        var hasher = new ItemHasher(comparison.Seed);
        var sums = stored is null ? new BucketSums(comparison.BucketBits) : BucketSums.FromBytes(stored, comparison.BucketBits);
        var items = 0L;
        var progress = await ScanAsync(comparison, unit, item =>
        {
            if (CompareScope.Covers(comparison, item))
            {
                items++;
                sums.Add(hasher.OfKey(item[ItemAttributes.Id].S), hasher.Of(item));
            }
        }, cancellationToken);
        await KeepAsync(comparison, unit, progress, items, sums.ToBytes(), cancellationToken);
    }

    private async Task DrillAsync(Comparison comparison, CompareUnit unit, CancellationToken cancellationToken)
    {
        var hasher = new ItemHasher(comparison.Seed);
        var unequal = new UnequalBuckets(comparison.Unequal!, comparison.Groups, comparison.BucketBits);
        var lists = new Dictionary<int, KeyList>();
        var full = new List<(int Group, byte[] Keys)>();
        var items = 0L;
        var progress = await ScanAsync(comparison, unit, item =>
        {
            if (!CompareScope.Covers(comparison, item) || unequal.GroupOf(hasher.OfKey(item[ItemAttributes.Id].S)) is not { } group)
            {
                return;
            }

            items++;
            if (!lists.TryGetValue(group, out var list))
            {
                lists[group] = list = new KeyList();
            }

            list.Add(item[ItemAttributes.Id].S, hasher.Of(item));
            if (list.Length >= Chunks.RowBytesMax)
            {
                full.Add((group, list.Take()));
            }
        }, cancellationToken);

        // Of two that read the same segment at once, each keeps parts of its own: the one that is not believed has told some keys twice.
        var reading = Guid.NewGuid().ToString("N");
        full.AddRange(lists.Where(list => list.Value.Length > 0).Select(list => (list.Key, list.Value.Take())));
        foreach (var some in full.Select((part, number) => (part, number)).Chunk(AtOnce))
        {
            await Task.WhenAll(some.Select(one => regions.Own.AddKeysAsync(
                comparison.Id, one.part.Group, string.Create(CultureInfo.InvariantCulture, $"{unit.Name}#{reading}#{one.number:D5}"), one.part.Keys, time.GetUtcNow(), cancellationToken)));
        }

        await KeepAsync(comparison, unit, progress, items, sums: null, cancellationToken);
    }

    private Task<SegmentProgress> ScanAsync(Comparison comparison, CompareUnit unit, Action<Dictionary<string, AttributeValue>> each, CancellationToken cancellationToken) =>
        scan.ReadAsync(unit.Number, unit.Of, unit.Cursor, comparison.ReadUnitsPerSecond / unit.Of, each, cancellationToken);

    private async Task KeepAsync(Comparison comparison, CompareUnit unit, SegmentProgress progress, long items, byte[]? sums, CancellationToken cancellationToken)
    {
        var next = unit with
        {
            Cursor = progress.Cursor,
            IsDone = progress.IsEnd,
            Items = unit.Items + items,
            Scanned = unit.Scanned + progress.Scanned,
            ReadUnits = unit.ReadUnits + progress.ReadUnits,
            DueAt = time.GetUtcNow() + progress.Delay,
        };
        await NextAsync(comparison, next, progress.Delay, sums, cancellationToken);
    }

    /// <summary>Lays two lists side by side, as far as there is time for; a unit of candidates is named by its first key, so that what is done again is the same.</summary>
    private async Task MatchAsync(Comparison comparison, CompareUnit unit, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        var here = await ReadAsync(comparison.Home);
        foreach (var peer in comparison.Peers.SkipWhile(peer => unit.Peer is not null && peer != unit.Peer))
        {
            var there = await ReadAsync(peer);
            var keys = KeyList.Differing(Keys(here), Keys(there)).Where(key => unit.Cursor is null || string.CompareOrdinal(key, unit.Cursor) > 0);
            foreach (var some in Chunks.BySize(keys, key => (key.Length * Chunks.BytesACharacterMax) + BytesACandidate, CandidatesAUnit).Chunk(AtOnce))
            {
                await Task.WhenAll(some.Select(async part =>
                {
                    var candidates = new CompareUnit
                    {
                        Name = string.Create(CultureInfo.InvariantCulture, $"{unit.Name}#{peer}#{new ItemHasher(comparison.Seed).OfKey(part[0]):x32}"),
                        Peer = peer,
                        Candidates = [.. part.Select(key => new CompareCandidate(key))],
                        DueAt = time.GetUtcNow(),
                    };
                    await regions.Own.AddAsync(comparison.Id, ComparePhase.Check, candidates, cancellationToken);
                    await queue.SendAsync(comparison with { Phase = ComparePhase.Check }, candidates, TimeSpan.Zero, cancellationToken);
                }));
                if (time.GetElapsedTime(start) > MatchesFor)
                {
                    await NextAsync(comparison, unit with { Peer = peer, Cursor = some[^1][^1], DueAt = time.GetUtcNow() }, TimeSpan.Zero, sums: null, cancellationToken);
                    return;
                }
            }

            unit = unit with { Cursor = null };
        }

        await NextAsync(comparison, unit with { IsDone = true }, TimeSpan.Zero, sums: null, cancellationToken);

        async Task<List<byte[]>> ReadAsync(string region)
        {
            var parts = new List<byte[]>();
            await foreach (var part in regions.Units[region].ReadKeysAsync(comparison.Id, unit.Number, cancellationToken))
            {
                parts.Add(part);
            }

            return parts;
        }

        static IEnumerable<(string, UInt128)> Keys(List<byte[]> parts) => parts.SelectMany(KeyList.Read);
    }

    private async Task CheckAsync(Comparison comparison, CompareUnit unit, CancellationToken cancellationToken)
    {
        var settle = TimeSpan.FromSeconds(comparison.SettleSeconds);
        if (unit.Since is not null && unit.Candidates.Count == 0)
        {
            await TellAsync(comparison, unit, cancellationToken);
            return;
        }

        if (unit.Since + settle is { } until && until > time.GetUtcNow())
        {
            await queue.SendAsync(comparison, unit, until - time.GetUtcNow(), cancellationToken);
            return;
        }

        var hasher = new ItemHasher(comparison.Seed);
        var keys = unit.Candidates.Select(candidate => candidate.Key).ToList();
        var there = await replicas.ReadStronglyAsync(unit.Peer!, keys, cancellationToken);
        var here = await replicas.ReadStronglyAsync(replicas.Region, keys, cancellationToken);
        var now = time.GetUtcNow();
        var isFirst = unit.Since is null || StallRule.IsStalled(replicas.Region, here, there, limits.StalledAfter);
        var (left, differences) = (new List<CompareCandidate>(), new List<Difference>());
        foreach (var candidate in unit.Candidates)
        {
            var (homeItem, peerItem) = (here.Items.GetValueOrDefault(candidate.Key), there.Items.GetValueOrDefault(candidate.Key));
            var (home, peer) = (SideOf(homeItem, hasher), SideOf(peerItem, hasher));
            var read = candidate with { Home = home, Peer = peer };
            switch (isFirst && home?.Hash != peer?.Hash ? CandidateState.Unclear : CandidateRule.Judge(candidate, home, peer, homeItem?.ExpiresAt <= now, peerItem?.ExpiresAt <= now))
            {
                case CandidateState.Different:
                    differences.Add(new Difference(candidate.Key, CandidateRule.KindOf(home, peer), unit.Peer!, home?.Version, peer?.Version));
                    break;
                case CandidateState.Unclear:
                    left.Add(isFirst ? read : read with { Checks = candidate.Checks + 1 });
                    break;
            }
        }

        var next = unit with
        {
            Candidates = left,
            Since = now,
            DueAt = now + (left.Count > 0 ? settle : TimeSpan.Zero),
            Found = [.. unit.Found, .. differences],
            Items = Math.Max(unit.Items, unit.Candidates.Count),
        };
        if (left.Count > 0 || next.Found.Count == 0)
        {
            await NextAsync(comparison, next with { IsDone = left.Count == 0 }, settle, sums: null, cancellationToken);
        }
        else if (await regions.Own.ReplaceAsync(comparison.Id, comparison.Phase, next, sums: null, cancellationToken))
        {
            await TellAsync(comparison, next with { Revision = next.Revision + 1 }, cancellationToken);
        }
    }

    /// <summary>Writes what a unit has found into the result, and ends it: found is kept in the unit first, so that the result says what is counted.</summary>
    private async Task TellAsync(Comparison comparison, CompareUnit unit, CancellationToken cancellationToken)
    {
        await regions.Comparisons[comparison.Home].PutDifferencesAsync(comparison.Id, unit.Name, unit.Found, time.GetUtcNow(), cancellationToken);
        await NextAsync(comparison, unit with { IsDone = true }, TimeSpan.Zero, sums: null, cancellationToken);
    }

    private static CompareSide? SideOf(ItemSnapshot? item, ItemHasher hasher) =>
        item is null ? null : new CompareSide(item.Version?.Text, hasher.Of(item.Attributes).ToString("x32", CultureInfo.InvariantCulture), [.. item.Seen.All.Select(seen => seen.Text)]);

    private async Task NextAsync(Comparison comparison, CompareUnit next, TimeSpan delay, byte[]? sums, CancellationToken cancellationToken)
    {
        if (!await regions.Own.ReplaceAsync(comparison.Id, comparison.Phase, next, sums, cancellationToken))
        {
            // Somebody else has worked on it meanwhile, and says what comes next.
            return;
        }

        if (!next.IsDone)
        {
            await queue.SendAsync(comparison, next with { Revision = next.Revision + 1 }, delay, cancellationToken);
        }
        else if (comparison.Phase is ComparePhase.Digest or ComparePhase.Drill)
        {
            // The last one takes it further. Of the others there can be many: their end is noticed within a minute.
            await steps.TakeAsync(comparison, cancellationToken);
        }
    }
}
