namespace Failover.ControlPlane.Registers;

/// <summary>All records of one name and type, as a DNS provider holds them.</summary>
/// <param name="Name">Without a trailing dot, in lower case.</param>
/// <param name="Type">A, AAAA, CNAME, TXT.</param>
/// <param name="TtlSeconds">Null where the provider sets it (an alias).</param>
/// <param name="Values">TXT values without their quotes.</param>
public sealed record RecordSet(string Name, string Type, long? TtlSeconds, IReadOnlyList<string> Values)
{
    /// <summary>Whether two sets are the same to DNS: the order of values means nothing.</summary>
    public bool IsSameAs(RecordSet other) =>
        ReferenceEquals(this, other)
        || (Name == other.Name && Type == other.Type && TtlSeconds == other.TtlSeconds && Values.Count == other.Values.Count
            && (Values.Count == 1 ? Values[0] == other.Values[0] : Values.Order(StringComparer.Ordinal).SequenceEqual(other.Values.Order(StringComparer.Ordinal))));

    /// <summary>Whether two collections hold the same sets, in any order.</summary>
    public static bool AreSame(IReadOnlyList<RecordSet> left, IReadOnlyList<RecordSet> right) =>
        left.Count == right.Count && (left.Count == 1 ? left[0].IsSameAs(right[0]) : left.All(set => right.Any(set.IsSameAs)));

    /// <summary>As a person reads it.</summary>
    public override string ToString() => $"{Name} {TtlSeconds} {Type} {string.Join(' ', Values)}";
}
