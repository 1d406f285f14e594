using System.Globalization;
using Amazon.DynamoDBv2.Model;

namespace Failover.ItemRecord;

/// <summary>
/// The row by which one observer measures replication from one replica: it is written there only, and read everywhere. It lies in the items table, because only that table's rows
/// measure its replication.
/// </summary>
public static class HeartbeatRow
{
    /// <summary>When it was written by its observer's clock, in Unix milliseconds.</summary>
    public const string At = "at";

    private const string Prefix = "_heartbeat#";

    public static string IdOf(string replica, string observer) => $"{Prefix}{replica}#{observer}";

    /// <summary>The observer whose row this is, if it is a heartbeat of <paramref name="replica"/>; else null.</summary>
    public static string? ObserverOf(string id, string replica) =>
        IdOf(replica, "") is var mine && id.StartsWith(mine, StringComparison.Ordinal) ? id[mine.Length..] : null;

    /// <summary>The row's time; null where there is no row, or none of ours.</summary>
    public static long? Read(IReadOnlyDictionary<string, AttributeValue>? row) =>
        long.TryParse(row?.GetValueOrDefault(At)?.N, NumberStyles.None, CultureInfo.InvariantCulture, out var at) ? at : null;
}
