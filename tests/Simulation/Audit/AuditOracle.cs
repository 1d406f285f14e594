using Failover.ControlPlane;

namespace Failover.Simulation.Audit;

/// <summary>
/// Judges a run by what the model knows and the audit cannot: which write led to which, what replication lost, what was never read. It asks nothing of the audit but its findings.
/// </summary>
internal static class AuditOracle
{
    /// <summary>The first rule that a run breaks; null if it breaks none.</summary>
    public static string? Broken(AuditRun run, IReadOnlyDictionary<string, IReadOnlyList<Finding>> found)
    {
        foreach (var (region, findings) in found)
        {
            if ((OfLosses(run, region, findings) ?? OfArrivals(run, region, findings) ?? OfTime(run, region, findings) ?? OfLeftovers(run, region, findings)) is { } broken)
            {
                return $"{region}: {broken}";
            }
        }

        return Diverged(run, found);
    }

    /// <summary>Where regions hold different things at the end, some region tells of a write that is missing.</summary>
    private static string? Diverged(AuditRun run, IReadOnlyDictionary<string, IReadOnlyList<Finding>> found)
    {
        var told = found.Values.SelectMany(findings => findings).Where(finding => finding is { Kind: FindingKind.MissingWrite, Closed: null }).Select(finding => finding.Key).ToHashSet();
        return run.Trimmed.Count > 0 ? null : run.Table.Names.SelectMany(region => run.Table.History(region).Keys).Distinct()
            .FirstOrDefault(key => run.Table.Names.Select(region => Held(run, region, key)).Distinct().Count() > 1 && !told.Contains(key)) is { } diverged
                ? $"regions differ, and nobody tells: {diverged}{Histories(run, diverged)}" : null;
    }

    /// <summary>What readers see of a key; what is past its time nobody sees.</summary>
    private static string? Held(AuditRun run, string region, string key) =>
        run.Table.History(region).GetValueOrDefault(key)?[^1] is not { IsRemoval: false } present || present.Write?.ExpiresAt <= run.Now ? null : present.Write?.Version.Text ?? "foreign";

    /// <summary>Every version of a region that was replaced there by one that does not descend from it is told, and no other.</summary>
    private static string? OfLosses(AuditRun run, string region, IReadOnlyList<Finding> findings)
    {
        var expected = new Dictionary<(FindingKind, string, string), bool>();

        // What cannot be judged from outside: what was trimmed before its batch was done may have been read, or not.
        var unsure = new HashSet<(FindingKind, string, string)>();
        foreach (var (key, history) in run.Table.History(region))
        {
            for (var i = 0; i + 1 < history.Count; i++)
            {
                var (lost, next) = (history[i].Write, history[i + 1]);
                if (lost is null || history[i].IsRemoval || lost.Version.Region != region)
                {
                    continue;
                }

                FindingKind? kind = next switch
                {
                    { IsRemoval: true } => lost.ExpiresAt <= next.At ? null : FindingKind.LostUpdate,
                    { Write: null } => FindingKind.ForeignEdit,
                    { Write: { } same } when same == lost => next.IsEdit ? FindingKind.ForeignEdit : null,
                    { Write: { } winner } => winner.DescendsFrom(lost) || lost.ExpiresAt?.ToUnixTimeMilliseconds() <= winner.Version.UnixMilliseconds ? null : FindingKind.LostUpdate,
                };
                // What another program edited has its version and is not what was written: whether the edit's loss is the write's, nobody can say.
                if (history[i].IsEdit && next.Write is not null && next.Write != lost)
                {
                    unsure.Add((FindingKind.LostUpdate, key, lost.Version.Text));
                }

                if (kind is { } told)
                {
                    if (history.Skip(i + 1).Any(later => IsUnread(run, region, later.Number)))
                    {
                        unsure.Add((told, key, lost.Version.Text));
                    }

                    // Closed where a later version here leads back to it, past none of this region's; or where it comes back itself.
                    expected[(told, key, lost.Version.Text)] = told == FindingKind.LostUpdate && Enumerable.Range(i + 1, history.Count - i - 1).Any(later =>
                        history[later].Write is { } write && history[later - 1].Write is var before
                        && ((NearestOf(write, region) == lost && before != lost && (before is null || NearestOf(before, region) != lost))
                            || (write == lost && before is not null && before != lost && NearestOf(lost, before.Version.Region) != before)));
                }
            }
        }

        var found = findings.Where(finding => finding.Kind is FindingKind.LostUpdate or FindingKind.Duplicate or FindingKind.ForeignEdit)
            .ToDictionary(finding => (finding.Kind, finding.Key!, finding.Loser!.Version!), finding => finding.Closed is not null);
        return expected.Keys.FirstOrDefault(key => !found.ContainsKey(key) && !unsure.Contains(key)) is { Item2: not null } missed ? $"not told: {missed}{Histories(run, missed.Item2)}"
            : found.Keys.FirstOrDefault(key => !expected.ContainsKey(key) && !unsure.Contains(key)) is { Item2: not null } invented ? $"told, and not so: {invented}{Histories(run, invented.Item2)}"
            : found.FirstOrDefault(pair => !unsure.Contains(pair.Key) && expected[pair.Key] != pair.Value).Key is { Item2: not null } wrong ? $"{(expected[wrong] ? "should be closed" : "should be open")}: {wrong}{Histories(run, wrong.Item2)}"
            : null;
    }

    /// <summary>A write is told as missing only if replication lost something of its key; it is open exactly while its region holds it and the peer has not got it.</summary>
    private static string? OfArrivals(AuditRun run, string region, IReadOnlyList<Finding> findings)
    {
        var open = new HashSet<(string Peer, string Key, string Version)>();
        var either = new HashSet<(string Peer, string Key, string Version)>();
        foreach (var (key, history) in run.Table.History(region))
        {
            if (history[^1] is not { IsRemoval: false, Write: { } write } || write.Version.Region != region)
            {
                continue;
            }

            foreach (var peer in run.Table.Names.Where(peer => peer != region))
            {
                // What was there once may have been seen there, whatever beat it later; the winner is then missing here, and its own region says so.
                var there = run.Table.History(peer).GetValueOrDefault(key) ?? [];
                if (!(write.ExpiresAt <= run.Now && (there.Count == 0 || there[^1].IsRemoval)) && (there.Count == 0 || !Has(there[^1])))
                {
                    (there.Any(Has) || IsUnread(run, region, history.First(present => present.Write == write).Number) ? either : open).Add((peer, key, write.Version.Text));
                }

                bool Has(Present present) => present.Write == write || present.Write?.DescendsFrom(write) == true;
            }
        }

        foreach (var finding in findings.Where(finding => finding.Kind == FindingKind.MissingWrite))
        {
            if (!run.Table.Drops.Any(drop => drop.Key == finding.Key))
            {
                return $"told as missing, and nothing of it was lost: {finding.Id} at {finding.Peer}: {finding.Why} at {finding.At:T}, {run.Link} stood still from the second minute on for {run.Paused}{Histories(run, finding.Key!)}";
            }

            var told = (finding.Peer!, finding.Key!, finding.Loser!.Version!);
            if (finding.Closed is null != open.Remove(told) && !either.Contains(told))
            {
                return $"{(finding.Closed is null ? "still told as missing, and is not" : "closed, and still missing")}: {finding.Id} at {finding.Peer}{Histories(run, finding.Key!)}";
            }
        }

        return open.Count > 0 ? $"missing, and not told: {open.First()}{Histories(run, open.First().Key)}" : null;
    }

    private static string? OfTime(AuditRun run, string region, IReadOnlyList<Finding> findings)
    {
        var gaps = findings.Count(finding => finding.Kind == FindingKind.AuditGap);

        // A gap shows where a heartbeat is read after others that were not, and those after one that was.
        List<bool> read = [.. run.Table.IsOwnHeartbeat(region).Index().Where(record => record.Item).Select(record => !IsUnread(run, region, record.Index))];
        var trimmed = Enumerable.Range(1, Math.Max(0, read.Count - 1)).Count(i => read[i] && !read[i - 1] && read.Take(i).Contains(true));
        if (gaps != trimmed)
        {
            return $"{trimmed} stretches of the stream with heartbeats in them were never read, and {gaps} gaps are told";
        }

        var stalls = findings.Where(finding => finding.Kind == FindingKind.StalledReplication).ToList();
        return stalls.Any(stall => stall.Closed is null) ? "a stall is over, and still told"
            : stalls.Count > 0 && run.Paused < TimeSpan.FromSeconds(60) ? $"a stall is told, and replication stood still for {run.Paused}"
            : null;
    }

    /// <summary>Nothing waits for ever: what is still pending is what is still missing.</summary>
    private static string? OfLeftovers(AuditRun run, string region, IReadOnlyList<Finding> findings)
    {
        var rows = run.Table.Tables(region).Rows["Journal"];
        var pending = rows.Where(row => row.Key.Item1.StartsWith("pending#", StringComparison.Ordinal)).Select(row => row.Value["body"].S).ToList();
        var open = findings.Where(finding => finding is { Kind: FindingKind.MissingWrite, Closed: null }).Select(finding => finding.Loser!.Version!).ToHashSet();
        return rows.Keys.Any(key => key.Item1.StartsWith("parked#", StringComparison.Ordinal)) ? "a batch is still set aside, and no peer is stalled"
            : pending.FirstOrDefault(body => !open.Any(version => body.Contains(version, StringComparison.Ordinal))) is { } idle ? $"still pending, and not missing: {idle}"
            : pending.Count > run.Auditors[region].Queue.Count ? $"{pending.Count} batches are pending, and {run.Auditors[region].Queue.Count} messages will ask for them"
            : null;
    }

    /// <summary>What a key has been, region by region.</summary>
    private static string Histories(AuditRun run, string key) => string.Concat(run.Table.Names.Select(region =>
        $"\n  {region}: {string.Join(" ", run.Table.History(region).GetValueOrDefault(key)?.Select(present => $"\n    {present.At:T} record {present.Number}: {(present.IsRemoval ? "removed" : $"{present.Write?.Version.Text ?? "foreign"}{(present.IsEdit ? ", edited" : "")} after {present.Write?.Parent?.Version.Text}, until {present.Write?.ExpiresAt:T}")}") ?? [])}"))
        + string.Concat(run.Table.Drops.Where(drop => drop.Key == key).Select(drop => $"\n  lost from {drop.From} to {drop.To}: {drop.Write.Version.Text}{(drop.BroughtAt is { } at ? $", brought at {at:T}" : "")}"));

    /// <summary>The newest write of a region among those that led to this one.</summary>
    private static Acknowledged? NearestOf(Acknowledged write, string region)
    {
        var ancestor = write.Parent;
        while (ancestor is not null && ancestor.Version.Region != region)
        {
            ancestor = ancestor.Parent;
        }

        return ancestor;
    }

    private static bool IsUnread(AuditRun run, string region, int number) => run.Trimmed.Any(trim => trim.Region == region && number >= trim.From && number < trim.To);
}
