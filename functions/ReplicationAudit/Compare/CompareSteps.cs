using System.Collections;
using System.Globalization;
using Failover.ControlPlane.Compares;
using Microsoft.Extensions.Logging;

namespace Failover.ReplicationAudit.Compare;

/// <summary>
/// Takes a comparison as far as it can be taken now: every region begins its own part of a phase, and its home goes on to the next when all have ended it.
/// It can be done at any time, by several at once, and again: once a minute it is, and so nothing that is lost stops it.
/// </summary>
public sealed class CompareSteps(CompareRegions regions, SegmentScan scan, CompareQueue queue, Findings findings, TimeProvider time, ILogger<CompareSteps> logger)
{
    /// <summary>A unit that nobody has worked on for so long after its time is asked for again.</summary>
    private static readonly TimeSpan OverdueAfter = TimeSpan.FromMinutes(3);

    /// <summary>How many of them in one go.</summary>
    private const int AskedAgainMax = 200;

    /// <summary>How many keys a list has, about, of which two are laid side by side in memory.</summary>
    private const int KeysAGroup = 20_000;

    private const int GroupsMax = 256;

    private const int SentAtOnce = 16;

    /// <summary>Does this region's part of all that any region is home of, and closes what has been compared.</summary>
    public async Task TakeAllAsync(CancellationToken cancellationToken)
    {
        var ended = new List<Comparison>();
        foreach (var (home, store) in regions.Comparisons)
        {
            await TryAsync(
                home,
                async () =>
                {
                    var all = await store.ReadNewestAsync(cancellationToken);
                    ended.AddRange(all.Where(comparison => comparison.Outcome is not null));
                    foreach (var comparison in all.Where(comparison => comparison.Outcome is null && comparison.Regions.Contains(regions.Here)))
                    {
                        await TryAsync(home, () => TakeAsync(comparison, cancellationToken, asksAgain: true), cancellationToken);
                    }
                },
                cancellationToken);
        }

        await findings.CloseComparedAsync(ended, regions.Units.Keys.ToList(), cancellationToken);
    }

    /// <summary>A region that cannot be read keeps no other comparison from going on.</summary>
    private async Task TryAsync(string home, Func<Task> act, CancellationToken cancellationToken)
    {
        try
        {
            await act();
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            Log.CompareFailed(logger, home, error);
        }
    }

    /// <summary>Takes one of them further.</summary>
    /// <param name="asksAgain">Whether what is overdue is asked for again: by the schedule, and nobody else.</param>
    public async Task TakeAsync(Comparison comparison, CancellationToken cancellationToken, bool asksAgain = false)
    {
        var isHome = comparison.Home == regions.Here;
        if (isHome && (time.GetUtcNow() - comparison.At > Comparison.Lifetime || !comparison.Regions.All(regions.Units.ContainsKey)))
        {
            await EndAsync(comparison, comparison with { Outcome = CompareOutcome.Incomplete }, cancellationToken);
            return;
        }

        switch (comparison.Phase)
        {
            case ComparePhase.Digest:
                await ReadTableAsync(comparison, asksAgain, cancellationToken);
                await (isHome ? DrillAsync(comparison, cancellationToken) : Task.CompletedTask);
                break;
            case ComparePhase.Drill:
                await ReadTableAsync(comparison, asksAgain, cancellationToken);
                await (isHome ? MatchAsync(comparison, cancellationToken) : Task.CompletedTask);
                break;
            case ComparePhase.Match when isHome && await AreDoneAsync(comparison, asksAgain, cancellationToken) is { IsDone: true }:
                await GoOnAsync(comparison, comparison with { Phase = ComparePhase.Check }, cancellationToken);
                break;
            case ComparePhase.Check when isHome && await AreDoneAsync(comparison, asksAgain, cancellationToken) is { IsDone: true } all:
                var outcome = all.Differences > 0 ? CompareOutcome.Different : CompareOutcome.Equal;
                await EndAsync(comparison, comparison with { Outcome = outcome, Candidates = all.Items, Differences = all.Differences }, cancellationToken);
                break;
        }
    }

    /// <summary>This region's part of a phase in which the table is read.</summary>
    private async Task ReadTableAsync(Comparison comparison, bool asksAgain, CancellationToken cancellationToken)
    {
        if (await regions.Own.ReadEndAsync(comparison.Id, comparison.Phase, cancellationToken) is not null)
        {
            return;
        }

        var units = new List<CompareUnit>();
        await foreach (var unit in regions.Own.ReadAllAsync(comparison.Id, comparison.Phase, cancellationToken))
        {
            units.Add(unit);
        }

        if (units.Count == 0 || units.Count < units[0].Of)
        {
            await DivideAsync(comparison, cancellationToken);
            return;
        }

        if (units.TrueForAll(unit => unit.IsDone))
        {
            byte[]? sums = null;
            if (comparison.Phase == ComparePhase.Digest)
            {
                var all = new BucketSums(comparison.BucketBits);
                foreach (var unit in units)
                {
                    all.Add(BucketSums.FromBytes((await regions.Own.ReadAsync(comparison.Id, comparison.Phase, unit.Name, cancellationToken))!.Value.Sums, comparison.BucketBits));
                }

                sums = all.ToBytes();
            }

            var totals = new CompareTotals(units.Sum(unit => unit.Items), units.Sum(unit => unit.Scanned), units.Sum(unit => unit.ReadUnits));
            await regions.Own.EndAsync(comparison.Id, comparison.Phase, totals, sums, time.GetUtcNow(), cancellationToken);
            return;
        }

        foreach (var unit in units.Where(_ => asksAgain))
        {
            await AskAgainAsync(comparison, unit, cancellationToken);
        }
    }

    /// <summary>How many segments there are is said by the first of them, and whoever added that: the table's size may be another one when it is asked again.</summary>
    private async Task DivideAsync(Comparison comparison, CancellationToken cancellationToken)
    {
        await regions.Own.AddAsync(comparison.Id, comparison.Phase, Segment(0, await scan.SegmentsAsync(comparison.ReadUnitsPerSecond, cancellationToken)), cancellationToken);
        var (first, _) = (await regions.Own.ReadAsync(comparison.Id, comparison.Phase, Segment(0, 0).Name, cancellationToken))!.Value;
        for (var number = 0; number < first.Of; number++)
        {
            var unit = Segment(number, first.Of);
            await regions.Own.AddAsync(comparison.Id, comparison.Phase, unit, cancellationToken);
            await queue.SendAsync(comparison, unit, TimeSpan.Zero, cancellationToken);
        }

        CompareUnit Segment(int number, int of) => new() { Name = number.ToString("D3", CultureInfo.InvariantCulture), Number = number, Of = of, DueAt = time.GetUtcNow() };
    }

    private async Task DrillAsync(Comparison comparison, CancellationToken cancellationToken)
    {
        var totals = new Dictionary<string, CompareTotals>();
        var unequal = new BitArray(1 << comparison.BucketBits);
        BucketSums? home = null;
        foreach (var region in comparison.Regions)
        {
            if (await regions.Units[region].ReadEndAsync(comparison.Id, ComparePhase.Digest, cancellationToken) is not var (total, bytes))
            {
                return;
            }

            totals[region] = total;
            var sums = BucketSums.FromBytes(bytes, comparison.BucketBits);
            home ??= sums;
            home.MarkUnequal(sums, unequal);
        }

        comparison = comparison with { Totals = totals, UnequalBuckets = unequal.Cast<bool>().Count(isUnequal => isUnequal) };
        if (comparison.UnequalBuckets == 0)
        {
            await EndAsync(comparison, comparison with { Outcome = CompareOutcome.Equal }, cancellationToken);
            return;
        }

        var keys = totals.Values.Max(total => total.Items) * comparison.UnequalBuckets / unequal.Length;
        await GoOnAsync(
            comparison,
            comparison with { Phase = ComparePhase.Drill, Unequal = UnequalBuckets.ToText(unequal), Groups = (int)Math.Clamp((keys / KeysAGroup) + 1, 1, GroupsMax) },
            cancellationToken);
    }

    private async Task MatchAsync(Comparison comparison, CancellationToken cancellationToken)
    {
        foreach (var region in comparison.Regions)
        {
            if (await regions.Units[region].ReadEndAsync(comparison.Id, ComparePhase.Drill, cancellationToken) is null)
            {
                return;
            }
        }

        // Its units are there before the phase is: none that is missing could be told from one that there never was.
        foreach (var some in Enumerable.Range(0, comparison.Groups).Select(Group).Chunk(SentAtOnce))
        {
            await Task.WhenAll(some.Select(unit => regions.Own.AddAsync(comparison.Id, ComparePhase.Match, unit, cancellationToken)));
        }

        await GoOnAsync(comparison, comparison with { Phase = ComparePhase.Match }, cancellationToken);
    }

    private CompareUnit Group(int number) => new() { Name = number.ToString("D5", CultureInfo.InvariantCulture), Number = number, DueAt = time.GetUtcNow() };

    /// <summary>Goes on to the next phase, if nobody else has, and asks for its first work.</summary>
    private async Task GoOnAsync(Comparison comparison, Comparison next, CancellationToken cancellationToken)
    {
        if (!await regions.Comparisons[comparison.Home].ChangeAsync(next, comparison.Phase, cancellationToken))
        {
            return;
        }

        switch (next.Phase)
        {
            case ComparePhase.Drill:
                await ReadTableAsync(next, asksAgain: false, cancellationToken);
                break;
            case ComparePhase.Match:
                foreach (var some in Enumerable.Range(0, next.Groups).Select(Group).Chunk(SentAtOnce))
                {
                    await Task.WhenAll(some.Select(unit => queue.SendAsync(next, unit, TimeSpan.Zero, cancellationToken)));
                }

                break;
        }
    }

    /// <summary>Whether all units of this phase are done, and what they came to; asks again for those that are overdue.</summary>
    private async Task<(bool IsDone, long Items, long Differences)> AreDoneAsync(Comparison comparison, bool asksAgain, CancellationToken cancellationToken)
    {
        var (isDone, items, differences, asked) = (true, 0L, 0L, 0);
        await foreach (var unit in regions.Own.ReadAllAsync(comparison.Id, comparison.Phase, cancellationToken))
        {
            (items, differences) = (items + unit.Items, differences + unit.Found.Count);
            if (!unit.IsDone)
            {
                isDone = false;
                if (!asksAgain || (await AskAgainAsync(comparison, unit, cancellationToken) && ++asked == AskedAgainMax))
                {
                    break;
                }
            }
        }

        return (isDone, items, differences);
    }

    private async Task<bool> AskAgainAsync(Comparison comparison, CompareUnit unit, CancellationToken cancellationToken)
    {
        if (unit.IsDone || time.GetUtcNow() - unit.DueAt < OverdueAfter)
        {
            return false;
        }

        await queue.SendAsync(comparison, unit, TimeSpan.Zero, cancellationToken);
        return true;
    }

    private async Task EndAsync(Comparison comparison, Comparison ended, CancellationToken cancellationToken)
    {
        var (now, found) = (time.GetUtcNow(), ended.Outcome == CompareOutcome.Different);

        // Told before it has ended: whatever fails between, it is told again, as the same.
        await (found ? findings.AddDivergenceAsync(ended, cancellationToken) : Task.CompletedTask);
        await regions.Comparisons[comparison.Home].ChangeAsync(ended with { Phase = ComparePhase.Done, EndedAt = now, Unequal = null }, comparison.Phase, cancellationToken);
    }
}
