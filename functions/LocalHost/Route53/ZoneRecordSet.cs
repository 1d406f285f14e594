using System.Collections.Immutable;

namespace Failover.LocalHost.Route53;

/// <summary>One record set of a zone. The name ends with a dot.</summary>
public sealed record ZoneRecordSet(string Name, string Type, long TtlSeconds, ImmutableArray<string> Values)
{
    /// <summary>In place of values and time to live: the name has what another name of the zone has.</summary>
    public ZoneAlias? Alias { get; init; }

    /// <summary>How the set shares its name and type with others; null where it has them alone.</summary>
    public ZoneRouting? Routing { get; init; }

    /// <summary>The health check that the set carries: kept, and not followed.</summary>
    public string? HealthCheckId { get; init; }

    /// <summary>Whether two sets are the same; values are compared as a set, as Route 53 does.</summary>
    public bool IsSameAs(ZoneRecordSet other) =>
        Name == other.Name && Type == other.Type && TtlSeconds == other.TtlSeconds && Alias == other.Alias && Routing == other.Routing
            && HealthCheckId == other.HealthCheckId
        && Values.Order(StringComparer.Ordinal).SequenceEqual(other.Values.Order(StringComparer.Ordinal));
}
