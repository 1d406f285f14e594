using System.Runtime.CompilerServices;

namespace Failover.ItemRecord.Repair;

/// <summary>What became of one item.</summary>
public enum RepairState
{
    /// <summary>All regions hold the same.</summary>
    Equal,

    /// <summary>It would be written: this was a rehearsal.</summary>
    Planned,

    /// <summary>It was written, and every region has been read strongly and holds it.</summary>
    Repaired,

    /// <summary>It was written; some region does not show it yet.</summary>
    Written,

    /// <summary>Nobody can tell which is right.</summary>
    Undecided,

    /// <summary>It was written by others meanwhile, or nobody knows whether it was written: look again.</summary>
    Changed,
}

/// <summary>One line of a report.</summary>
/// <param name="Before">By region: the version that was there; null where there was none.</param>
/// <param name="Region">The region whose state was taken.</param>
/// <param name="Version">The version that was written.</param>
public sealed record RepairOutcome(string Key, RepairState State, IReadOnlyDictionary<string, string?> Before, string? Region, string? Version, string Why);

/// <summary>
/// Makes replicas equal again, an item at a time, by writing what is right once more where it is: replication does the rest. It is only ever asked for by a person.
/// </summary>
/// <param name="stores">By region.</param>
public sealed class ItemRepair(IReadOnlyDictionary<string, ItemStore> stores, TimeProvider time)
{
    private static readonly TimeSpan LooksEvery = TimeSpan.FromMilliseconds(500);

    private const int ItemsAtOnce = 16;

    /// <summary>Repairs items, each once, in the order of their keys; several at once, for each waits until it has arrived.</summary>
    public async IAsyncEnumerable<RepairOutcome> RepairAllAsync(
        IEnumerable<string> keys, string? prefer, bool applies, TimeSpan patience, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var some in keys.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Chunk(ItemsAtOnce))
        {
            foreach (var outcome in await Task.WhenAll(some.Select(key => RepairAsync(key, prefer, applies, patience, cancellationToken))))
            {
                yield return outcome;
            }
        }
    }

    /// <summary>Repairs one item.</summary>
    /// <param name="prefer">See <see cref="RepairRule.Decide"/>.</param>
    /// <param name="applies">False: it is only said what would be done.</param>
    /// <param name="patience">How long to wait until every region shows it.</param>
    public async Task<RepairOutcome> RepairAsync(string key, string? prefer, bool applies, TimeSpan patience, CancellationToken cancellationToken)
    {
        var sides = await ReadAsync(key, cancellationToken);
        var before = sides.ToDictionary(side => side.Key, side => side.Value?.Version?.Text);
        switch (RepairRule.Decide(sides, prefer, time.GetUtcNow()))
        {
            case RepairPlan.Undecided undecided:
                return new RepairOutcome(key, RepairState.Undecided, before, null, null, undecided.Why);
            case RepairPlan.Rewrite plan when !applies:
                return new RepairOutcome(key, RepairState.Planned, before, plan.Region, null, plan.Why);
            case RepairPlan.Rewrite plan:
                var result = await stores[plan.Region].RewriteAsync(plan.Item, plan.Seen, cancellationToken);
                return result is WriteResult.Written written
                    ? new RepairOutcome(key, await IsEverywhereAsync(written.Item, patience, cancellationToken) ? RepairState.Repaired : RepairState.Written, before, plan.Region, written.Item.Version!.Value.Text, plan.Why)
                    : new RepairOutcome(key, RepairState.Changed, before, plan.Region, null, result switch
                    {
                        WriteResult.Contended => "others wrote it meanwhile",
                        WriteResult.Fenced(var until) => $"a planned move has fenced writes in {plan.Region} until {until:u}",
                        _ => "the write was not acknowledged",
                    });
            default:
                return new RepairOutcome(key, RepairState.Equal, before, null, null, "all regions hold the same");
        }
    }

    private async Task<Dictionary<string, StoredItem?>> ReadAsync(string key, CancellationToken cancellationToken)
    {
        var items = await Task.WhenAll(stores.Select(async store => (store.Key, Item: await store.Value.ReadAsync(key, consistent: true, cancellationToken))));
        return items.ToDictionary(side => side.Key, side => side.Item);
    }

    private async Task<bool> IsEverywhereAsync(StoredItem written, TimeSpan patience, CancellationToken cancellationToken)
    {
        for (var start = time.GetTimestamp(); ;)
        {
            var sides = await ReadAsync(written.Id, cancellationToken);
            if (sides.Values.All(item => item is not null && (RepairRule.AreEqual(item, written) || item.Seen.Of(written.Version!.Value.Region) == written.Version)))
            {
                return true;
            }

            if (time.GetElapsedTime(start) >= patience)
            {
                return false;
            }

            await Task.Delay(LooksEvery, time, cancellationToken);
        }
    }
}
