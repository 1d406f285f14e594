using Failover.ControlPlane;
using Failover.ItemRecord;

namespace Failover.ReplicationAudit.Losses;

/// <summary>What a move cost, from what the journals of both regions say.</summary>
public static class LossRule
{
    /// <summary>The writes that had not arrived when the move landed, each once, and which of them have not arrived yet.</summary>
    /// <param name="late">What came late to the region that was moved to.</param>
    /// <param name="missing">What the region that was left has not seen there, or has seen beaten since.</param>
    /// <param name="before">What was told before: what was missing when the move landed was, whatever became of it.</param>
    public static IReadOnlyList<LostKey> Lost(JournaledMove move, IEnumerable<LateArrival> late, IEnumerable<(string Key, string Version)> missing, IEnumerable<LostKey> before)
    {
        var lost = before.ToDictionary(key => (key.Key, key.Version), _ => false);
        foreach (var write in missing.Where(write => IsBefore(move, write.Version)))
        {
            lost[write] = true;
        }

        foreach (var arrival in late.Where(arrival => arrival.At > move.LandedAt && IsBefore(move, arrival.Version)))
        {
            lost[(arrival.Key, arrival.Version)] = false;
        }

        return [.. lost.OrderBy(write => write.Key.Version, StringComparer.Ordinal).ThenBy(write => write.Key.Key, StringComparer.Ordinal).Select(write => new LostKey(write.Key.Key, write.Key.Version, write.Value))];
    }

    /// <summary>Whether the write was made before the move landed, where it left.</summary>
    public static bool IsBefore(JournaledMove move, string? version) =>
        ItemVersion.TryParse(version, out var made) && made.Region == move.From.Replica && made.UnixMilliseconds <= move.LandedAt.ToUnixTimeMilliseconds();
}
