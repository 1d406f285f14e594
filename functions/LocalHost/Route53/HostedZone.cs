using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace Failover.LocalHost.Route53;

/// <summary>One record set of a zone. The name ends with a dot.</summary>
public sealed record ZoneRecordSet(string Name, string Type, long TtlSeconds, ImmutableArray<string> Values)
{
    /// <summary>In place of values and time to live: the name has what another name of the zone has.</summary>
    public ZoneAlias? Alias { get; init; }

    /// <summary>Whether two sets are the same; values are compared as a set, as Route 53 does.</summary>
    public bool IsSameAs(ZoneRecordSet other) =>
        Name == other.Name && Type == other.Type && TtlSeconds == other.TtlSeconds && Alias == other.Alias && Values.Order(StringComparer.Ordinal).SequenceEqual(other.Values.Order(StringComparer.Ordinal));
}

/// <summary>An alias.</summary>
/// <param name="DnsName">With a trailing dot.</param>
public sealed record ZoneAlias(string HostedZoneId, string DnsName, bool EvaluateTargetHealth);

/// <summary>One change of a batch.</summary>
public sealed record ZoneChange(string Action, ZoneRecordSet Set);

/// <summary>
/// A hosted zone with Route 53's semantics: a batch is applied whole or not at all; DELETE must match the current set exactly,
/// time to live included; CREATE of a set that exists is refused.
/// </summary>
public sealed class HostedZone
{
    private readonly Lock _lock = new();
    private ImmutableSortedDictionary<(string Name, string Type), ZoneRecordSet> _sets =
        ImmutableSortedDictionary.Create<(string, string), ZoneRecordSet>(Comparer<(string Name, string Type)>.Create(
            (left, right) => CompareNames(left.Name, right.Name) is var names && names != 0 ? names : string.CompareOrdinal(left.Type, right.Type)));

    /// <param name="name">The zone's apex, with a trailing dot.</param>
    public HostedZone(string id, string name)
    {
        (Id, Name) = (id, name);
        Add(new ZoneRecordSet(name, "NS", 172800, ["ns." + name]));
        Add(new ZoneRecordSet(name, "SOA", 900, [$"ns.{name} hostmaster.{name} 1 7200 900 1209600 60"]));
    }

    public string Id { get; }

    public string Name { get; }

    /// <summary>All sets, in Route 53's order: by name with its labels reversed, then by type. A snapshot.</summary>
    public IReadOnlyCollection<ZoneRecordSet> Sets => [.. _sets.Values];

    /// <summary>The set of a name and type, or null.</summary>
    public ZoneRecordSet? Find(string name, string type) => _sets.GetValueOrDefault((name, type));

    /// <summary>Whether any set has that name, or a name below it.</summary>
    public bool Exists(string name) => _sets.Keys.Any(key => key.Name == name || key.Name.EndsWith("." + name, StringComparison.Ordinal));

    /// <summary>Applies a batch, or tells every reason why it cannot be; then nothing has changed.</summary>
    public IReadOnlyList<string> Apply(IReadOnlyList<ZoneChange> changes)
    {
        lock (_lock)
        {
            var sets = _sets;
            var mistakes = new List<string>();
            foreach (var (action, set) in changes)
            {
                if (Mistake(set) is { } mistake)
                {
                    mistakes.Add(mistake);
                    continue;
                }

                var current = sets.GetValueOrDefault((set.Name, set.Type));
                switch (action)
                {
                    case "DELETE" when current is null:
                        mistakes.Add($"Tried to delete resource record set [name='{set.Name}', type='{set.Type}'] but it was not found");
                        break;
                    case "DELETE" when !current.IsSameAs(set):
                        mistakes.Add($"Tried to delete resource record set [name='{set.Name}', type='{set.Type}'] but the values provided do not match the current values");
                        break;
                    case "DELETE":
                        sets = sets.Remove((set.Name, set.Type));
                        break;
                    case "CREATE" when current is not null:
                        mistakes.Add($"Tried to create resource record set [name='{set.Name}', type='{set.Type}'] but it already exists");
                        break;
                    case "CREATE" or "UPSERT":
                        sets = sets.SetItem((set.Name, set.Type), set);
                        break;
                    default:
                        mistakes.Add($"'{action}' is no action; it is CREATE, DELETE or UPSERT");
                        break;
                }
            }

            mistakes.AddRange(sets.Keys.Where(key => key.Type == "CNAME" && sets.Keys.Any(other => other.Name == key.Name && other.Type != "CNAME"))
                .Select(key => $"RRSet of type CNAME with DNS name {key.Name} is not permitted as it conflicts with other records with the same DNS name"));
            if (mistakes.Count > 0)
            {
                return mistakes;
            }

            _sets = sets;
            return [];
        }
    }

    private void Add(ZoneRecordSet set) => _sets = _sets.Add((set.Name, set.Type), set);

    private string? Mistake(ZoneRecordSet set)
    {
        if (set.Name != Name && !set.Name.EndsWith("." + Name, StringComparison.Ordinal))
        {
            return $"RRSet with DNS name {set.Name} is not permitted in zone {Name}";
        }

        if (set.Alias is not null)
        {
            return set.Values.IsEmpty ? null : $"RRSet [{set.Name} {set.Type}] has an alias and values";
        }

        if (set.Values.IsEmpty)
        {
            return $"RRSet [{set.Name} {set.Type}] has no values";
        }

        if (set.Values.Distinct().Count() != set.Values.Length)
        {
            return $"Duplicate Resource Record in [{set.Name} {set.Type}]";
        }

        return set.Values.FirstOrDefault(value => !IsValue(set.Type, value)) is { } wrong ? $"Invalid Resource Record: '{wrong}' is no {set.Type} value" : null;
    }

    private static bool IsValue(string type, string value) => type switch
    {
        "A" => IPAddress.TryParse(value, out var four) && four.AddressFamily == AddressFamily.InterNetwork,
        "AAAA" => IPAddress.TryParse(value, out var six) && six.AddressFamily == AddressFamily.InterNetworkV6,
        "TXT" => value is ['"', .. var text, '"'] && text.Length <= 255 && !text.Contains('"', StringComparison.Ordinal),
        _ => value.Length > 0,
    };

    /// <summary>Route 53's order of names: label by label from the right.</summary>
    public static int CompareNames(string left, string right)
    {
        var (a, b) = (left.TrimEnd('.').Split('.'), right.TrimEnd('.').Split('.'));
        for (var i = 1; i <= Math.Min(a.Length, b.Length); i++)
        {
            if (string.CompareOrdinal(a[^i], b[^i]) is var order && order != 0)
            {
                return order;
            }
        }

        return a.Length - b.Length;
    }
}
