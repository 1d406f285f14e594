namespace Failover.ItemRecord.Repair;

/// <summary>What is to be done about an item that regions hold differently.</summary>
public abstract record RepairPlan
{
    private RepairPlan()
    {
    }

    /// <summary>All regions hold the same.</summary>
    public sealed record Nothing : RepairPlan;

    /// <summary>What <paramref name="Region"/> holds is written again there, as the successor of what all regions hold.</summary>
    public sealed record Rewrite(string Region, StoredItem Item, SeenVersions Seen, string Why) : RepairPlan;

    /// <summary>Nobody can tell which is right: somebody has to prefer a region.</summary>
    public sealed record Undecided(string Why) : RepairPlan;
}

/// <summary>Which of several replicas' states of an item is right.</summary>
public static class RepairRule
{
    /// <summary>Decides.</summary>
    /// <param name="sides">By region: the item with all its attributes as it was read; null where there is none.</param>
    /// <param name="prefer">The region whose state is right where they contradict each other, and only there; null: none.</param>
    public static RepairPlan Decide(IReadOnlyDictionary<string, StoredItem?> sides, string? prefer, DateTimeOffset now)
    {
        var alive = sides.Where(side => side.Value is { } item && !(item.ExpiresAt <= now)).Select(side => (Region: side.Key, Item: side.Value!)).ToList();
        if (alive.Count == 0 || (alive.Count == sides.Count && alive.TrueForAll(side => AreEqual(side.Item, alive[0].Item))))
        {
            return new RepairPlan.Nothing();
        }

        var seen = alive.Aggregate(SeenVersions.None, (joined, side) => joined.Join(side.Item.SeenBySuccessor));
        // What follows all others is right whatever anybody prefers. Of several regions that hold it, its own: there its next write is made, as a rule.
        foreach (var (region, item) in alive.OrderBy(side => side.Item.Version?.Region == side.Region ? 0 : 1))
        {
            if (alive.TrueForAll(other => AreEqual(other.Item, item) || Follows(item, other.Item)))
            {
                var others = sides.Keys.Where(name => !alive.Exists(side => side.Region == name && AreEqual(side.Item, item))).Order(StringComparer.Ordinal);
                return Rewrite(region, item, $"it is missing in {string.Join(", ", others)}, or follows what is there");
            }
        }

        if (prefer is not null)
        {
            return alive.Find(side => side.Region == prefer) is { Item: { } preferred }
                ? Rewrite(prefer, preferred, $"{prefer} is preferred")
                : new RepairPlan.Undecided($"{prefer} is preferred, and has no such item; a delete goes through the API");
        }

        return new RepairPlan.Undecided(
            alive.Exists(side => side.Item.Version is null) ? "an item without a version cannot be put in order"
            : alive.Select(side => side.Item.Version).Distinct().Count() < alive.Count ? "the same version has different content: something other than the API has changed it"
            : "neither has seen the other: they are concurrent");

        RepairPlan.Rewrite Rewrite(string region, StoredItem item, string why) => new(region, item, item.Version is { } version ? seen.With(version) : seen, why);
    }

    /// <summary>Whether all of it is equal, what the system knows of it too.</summary>
    public static bool AreEqual(StoredItem one, StoredItem other) => AttributeEquality.AreEqual(one.ToAttributes(), other.ToAttributes());

    private static bool Follows(StoredItem item, StoredItem other) => other.Version is { } version && item.Version != version && item.Seen.Of(version.Region) is { } seen && seen >= version;
}
