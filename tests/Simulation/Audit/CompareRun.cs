using System.Collections.Immutable;
using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane;
using Failover.ControlPlane.Compares;
using Failover.ItemRecord;

namespace Failover.Simulation.Audit;

/// <summary>A seeded run in which the tables are compared twice: in the middle of traffic and trouble, and in the calm after it.</summary>
internal sealed class CompareRun
{
    private const int BusyAt = 300;
    private const int CorruptedAt = 1900;
    private const int CalmAt = 2000;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private readonly AuditRun _run;
    private readonly Random _random;
    private readonly TimeSpan _settle;
    private readonly string _home;

    public CompareRun(int seed, int writes, TimeSpan? settle = null)
    {
        _random = new Random(seed + 2);
        _run = new AuditRun(seed, writes, AuditBug.None) { KeepsFailing = seed % 2 == 0, OnStep = StepAsync };
        _settle = settle ?? _run.MissingAfter;
        _home = _run.Table.Names.ElementAt(_random.Next(_run.Table.Names.Count));
    }

    public AuditRun Audit => _run;

    public (Comparison Comparison, IReadOnlyList<Difference> Differences) InTraffic { get; private set; }

    public (Comparison Comparison, IReadOnlyList<Difference> Differences) InCalm { get; private set; }

    public int Corrupted { get; private set; }

    private CompareStore Store => new(new MemoryDynamo(_run.Table.Tables(_home), _ => CallFault.None), "Journal", Timeout);

    public async Task RunAsync()
    {
        await _run.RunAsync();
        var comparisons = (await Store.ReadNewestAsync(CancellationToken.None)).Reverse().ToList();
        InTraffic = (comparisons[0], await DifferencesAsync(comparisons[0]));
        InCalm = (comparisons[1], await DifferencesAsync(comparisons[1]));
    }

    /// <summary>What is wrong with the comparisons; null: nothing.</summary>
    public async Task<string?> BrokenAsync()
    {
        if (InCalm.Comparison.Outcome is not (CompareOutcome.Equal or CompareOutcome.Different) || InTraffic.Comparison.Outcome is null)
        {
            return $"a comparison has not ended: in traffic {InTraffic.Comparison.Phase}, in calm {InCalm.Comparison.Phase}";
        }

        var truth = Truth().ToImmutableSortedSet();
        var told = InCalm.Differences.Select(difference => $"{difference.Key} {difference.Kind} {difference.Peer}").ToImmutableSortedSet();
        if (!truth.SetEquals(told))
        {
            return $"differences: {string.Join("; ", truth.Except(told))} not told; {string.Join("; ", told.Except(truth))} told wrongly";
        }

        if (InCalm.Comparison.Differences != truth.Count || (InCalm.Comparison.Outcome == CompareOutcome.Equal) != (truth.Count == 0))
        {
            return $"{truth.Count} differences, and it says {InCalm.Comparison.Outcome} with {InCalm.Comparison.Differences}";
        }

        // What replication lost may be told while there is traffic; what is only in flight may not.
        var lost = _run.Table.Drops.Select(drop => drop.Key).ToHashSet();
        if (InTraffic.Differences.FirstOrDefault(difference => !lost.Contains(difference.Key)) is { } wrong)
        {
            return $"in traffic {wrong.Key} is told, which replication has not lost: {wrong}";
        }

        return await BrokenFindingsAsync();
    }

    private async Task<string?> BrokenFindingsAsync()
    {
        var all = (await _run.FindingsAsync()).SelectMany(region => region.Value).ToList();
        if (all.FirstOrDefault(finding => finding.Kind == FindingKind.AuditGap && finding.Span!.To <= InCalm.Comparison.CutOff && finding.Closed is null) is { } gap)
        {
            return $"the gap {gap.Why} is covered, and open";
        }

        var diverged = all.Where(finding => finding.Kind == FindingKind.Divergence && finding.Closed is null).ToList();
        return diverged.Count > 0 == (InCalm.Differences.Count > 0) || InTraffic.Differences.Count > 0 ? null : $"{diverged.Count} open divergences";
    }

    private IEnumerable<string> Truth()
    {
        var now = _run.Now;
        foreach (var peer in InCalm.Comparison.Peers)
        {
            var (here, there) = (Items(_home), Items(peer));
            foreach (var key in here.Keys.Union(there.Keys).Where(key => !ItemAttributes.IsReserved(key)))
            {
                var (home, other) = (here.GetValueOrDefault(key), there.GetValueOrDefault(key));
                if ((home is null || other is null || !AttributeEquality.AreEqual(home, other)) && (IsAlive(home, now) || IsAlive(other, now)))
                {
                    yield return $"{key} {(other is null ? DifferenceKind.Missing : home is null ? DifferenceKind.Extra : DifferenceKind.Changed)} {peer}";
                }
            }
        }
    }

    private Dictionary<string, Dictionary<string, AttributeValue>> Items(string region) => _run.Table.Tables(region).Rows["Items"].Values.ToDictionary(item => item[ItemAttributes.Id].S);

    private static bool IsAlive(Dictionary<string, AttributeValue>? item, DateTimeOffset now) => item is not null && !(StoredItem.FromAttributes(item).ExpiresAt <= now);

    private async Task StepAsync(bool isCalm, int step)
    {
        if (isCalm && step == CorruptedAt && _random.Next(2) == 0)
        {
            for (var i = _random.Next(1, 4); i > 0; i--)
            {
                var region = _run.Table.Names.ElementAt(_random.Next(_run.Table.Names.Count));
                var keys = Items(region).Keys.Where(key => !ItemAttributes.IsReserved(key)).ToList();
                _run.Table.Corrupt(region, keys[_random.Next(keys.Count)]);
                Corrupted++;
            }
        }

        if (isCalm ? step == CalmAt : step == BusyAt)
        {
            string[] regions = [_home, .. _run.Table.Names.Where(name => name != _home)];
            var cutOff = isCalm ? _run.Now - _settle : _run.Now.AddSeconds(-_random.Next(60));
            await Store.AddAsync(Comparison.Ask(regions, "test", items: 4000, readUnitsPerSecond: _random.Next(1, 200), _settle, _run.Now, cutOff) with { Seed = _random.NextInt64() }, CancellationToken.None);
        }
    }

    private async Task<IReadOnlyList<Difference>> DifferencesAsync(Comparison comparison)
    {
        var differences = new List<Difference>();
        await foreach (var difference in Store.ReadDifferencesAsync(comparison.Id, CancellationToken.None))
        {
            differences.Add(difference);
        }

        return differences;
    }
}
