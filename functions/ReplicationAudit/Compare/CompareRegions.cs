using Failover.ControlPlane.Compares;

namespace Failover.ReplicationAudit.Compare;

/// <summary>The journals of all regions, as far as comparisons lie in them.</summary>
/// <param name="Here">The region of this function: the only one in whose journal it writes.</param>
/// <param name="Comparisons">By home.</param>
/// <param name="Units">By the region that works on them.</param>
public sealed record CompareRegions(string Here, IReadOnlyDictionary<string, CompareStore> Comparisons, IReadOnlyDictionary<string, CompareUnits> Units)
{
    /// <summary>What this region works on.</summary>
    public CompareUnits Own => Units[Here];
}
