using System.Collections.Immutable;
using Amazon.DynamoDBv2.Model;

namespace Failover.ItemRecord;

/// <summary>
/// What a write had seen: for each region, the newest version from that region among its ancestors.
/// With it a lost update can be named: a version is lost where it was replaced by one that had not seen it.
/// </summary>
public sealed class SeenVersions
{
    private readonly ImmutableSortedDictionary<string, ItemVersion> _byRegion;

    private SeenVersions(ImmutableSortedDictionary<string, ItemVersion> byRegion) => _byRegion = byRegion;

    /// <summary>Of a write that follows nothing.</summary>
    public static SeenVersions None { get; } = new(ImmutableSortedDictionary.Create<string, ItemVersion>(StringComparer.Ordinal));

    /// <summary>The newest version seen of each region.</summary>
    public IEnumerable<ItemVersion> All => _byRegion.Values;

    /// <summary>The newest version seen of a region, or null.</summary>
    public ItemVersion? Of(string region) => _byRegion.TryGetValue(region, out var version) ? version : null;

    /// <summary>What a successor has seen: all that this write had, and the write itself.</summary>
    public SeenVersions With(ItemVersion own) => new(_byRegion.SetItem(own.Region, own));

    /// <summary>What has seen all that either has: of each region the newer.</summary>
    public SeenVersions Join(SeenVersions other) =>
        other.All.Aggregate(this, (joined, version) => joined.Of(version.Region) is { } known && known >= version ? joined : joined.With(version));

    /// <summary>Reads the stored map. Entries that are not versions are passed over: they are not ours.</summary>
    public static SeenVersions FromAttribute(AttributeValue? attribute)
    {
        var builder = None._byRegion.ToBuilder();
        foreach (var (region, value) in attribute?.M ?? [])
        {
            if (ItemVersion.TryParse(value.S, out var version))
            {
                builder[region] = version;
            }
        }

        return builder.Count == 0 ? None : new SeenVersions(builder.ToImmutable());
    }

    /// <summary>The map as stored.</summary>
    public AttributeValue ToAttribute() =>
        new() { M = _byRegion.ToDictionary(pair => pair.Key, pair => new AttributeValue(pair.Value.Text)), IsMSet = true };
}
