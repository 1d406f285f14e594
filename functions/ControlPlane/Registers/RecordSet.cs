using System.Text.Json.Serialization;

namespace Failover.ControlPlane.Registers;

/// <summary>All records of one name and type, as a DNS provider holds them.</summary>
/// <param name="Name">Without a trailing dot, in lower case.</param>
/// <param name="Type">A, AAAA, CNAME, HTTPS, TXT.</param>
/// <param name="TtlSeconds">Null where the provider sets it (an alias).</param>
/// <param name="Values">TXT values without their quotes; empty for an alias.</param>
public sealed record RecordSet(string Name, string Type, long? TtlSeconds, IReadOnlyList<string> Values)
{
    /// <summary>What Route 53 answers with in place of values.</summary>
    public Alias? Alias { get; init; }

    /// <summary>Whether the provider's API alone tells what it is: servers answer the addresses behind an alias, and an HTTPS record in another form.</summary>
    [JsonIgnore]
    public bool IsOpaque => Alias is not null || Type == "HTTPS";

    /// <summary>Whether two sets are the same to DNS: the order of values means nothing, nor does the last dot of a name.</summary>
    public bool IsSameAs(RecordSet other) =>
        ReferenceEquals(this, other)
        || (Name == other.Name && Type == other.Type && TtlSeconds == other.TtlSeconds && Values.Count == other.Values.Count
            && (Alias is null ? other.Alias is null : other.Alias is { } alias && Alias.IsSameAs(alias))
            && (Values.Count == 1 ? Same(Values[0], other.Values[0]) : Values.Select(Canonical).Order(StringComparer.Ordinal).SequenceEqual(other.Values.Select(Canonical).Order(StringComparer.Ordinal))));

    /// <summary>Whether one of its values means the same as <paramref name="value"/>.</summary>
    public bool Holds(string value) => Values.Any(own => Same(own, value));

    /// <summary>Whether two collections hold the same sets, in any order.</summary>
    public static bool AreSame(IReadOnlyList<RecordSet> left, IReadOnlyList<RecordSet> right) =>
        left.Count == right.Count && (left.Count == 1 ? left[0].IsSameAs(right[0]) : left.All(set => right.Any(set.IsSameAs)));

    /// <summary>As a person reads it.</summary>
    public override string ToString() => $"{Name} {TtlSeconds} {Type} {(Alias is null ? string.Join(' ', Values) : $"alias {Alias.DnsName}")}";

    private bool Same(string left, string right) => left == right || (Type == "CNAME" && Canonical(left) == Canonical(right));

    private string Canonical(string value) => Type == "CNAME" ? value.TrimEnd('.').ToLowerInvariant() : value;
}

/// <summary>Route 53's alias: the name has what another name has.</summary>
/// <param name="HostedZoneId">The zone of the other name: each kind of AWS endpoint has one a region.</param>
/// <param name="EvaluateTargetHealth">Whether Route 53 drops the answer while it takes the target for unhealthy. Who decides here is this system.</param>
public sealed record Alias(string HostedZoneId, string DnsName, bool EvaluateTargetHealth = false)
{
    /// <summary>Whether both mean the same.</summary>
    public bool IsSameAs(Alias other) =>
        HostedZoneId == other.HostedZoneId && EvaluateTargetHealth == other.EvaluateTargetHealth
        && string.Equals(DnsName.TrimEnd('.'), other.DnsName.TrimEnd('.'), StringComparison.OrdinalIgnoreCase);
}
