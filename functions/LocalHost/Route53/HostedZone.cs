using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using SetKey = (string Name, string Type, string Identifier);

namespace Failover.LocalHost.Route53;

/// <summary>
/// A hosted zone with Route 53's semantics: a batch is applied whole or not at all; DELETE must match the current set exactly,
/// time to live included; CREATE of a set that exists is refused.
/// </summary>
public sealed class HostedZone
{
    private readonly Lock _lock = new();
    private ImmutableSortedDictionary<SetKey, ZoneRecordSet> _sets =
        ImmutableSortedDictionary.Create<SetKey, ZoneRecordSet>(Comparer<SetKey>.Create(Compare));

    /// <param name="name">The zone's apex, with a trailing dot.</param>
    public HostedZone(string id, string name)
    {
        (Id, Name) = (id, name);
        Add(new ZoneRecordSet(name, "NS", 172800, ["ns." + name]));
        Add(new ZoneRecordSet(name, "SOA", 900, [$"ns.{name} hostmaster.{name} 1 7200 900 1209600 60"]));
    }

    public string Id { get; }

    public string Name { get; }

    /// <summary>All sets, in Route 53's order: by name with its labels reversed, then by type, then by identifier. A snapshot.</summary>
    public IReadOnlyCollection<ZoneRecordSet> Sets => [.. _sets.Values];

    /// <summary>The set of a name and type, and of an identifier where it has one; null if there is none.</summary>
    public ZoneRecordSet? Find(string name, string type, string identifier = "") => _sets.GetValueOrDefault((name, type, identifier));

    /// <summary>The sets from a name on, or from one of its types, or from one of their identifiers: a page of Route 53's list begins
    /// there.</summary>
    public IReadOnlyList<ZoneRecordSet> From(string name, string type, string identifier) =>
        [.. _sets.Where(set => Compare(set.Key, (name, type, identifier)) >= 0).Select(set => set.Value)];

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

                var key = KeyOf(set);
                var current = sets.GetValueOrDefault(key);
                switch (action)
                {
                    case "DELETE" when current is null:
                        mistakes.Add($"Tried to delete resource record set [{Described(set)}] but it was not found");
                        break;
                    case "DELETE" when !current.IsSameAs(set):
                        mistakes.Add(
                            $"Tried to delete resource record set [{Described(set)}] "
                            + "but the values provided do not match the current values");
                        break;
                    case "DELETE":
                        sets = sets.Remove(key);
                        break;
                    case "CREATE" when current is not null:
                        mistakes.Add($"Tried to create resource record set [{Described(set)}] but it already exists");
                        break;
                    case "CREATE" or "UPSERT":
                        sets = sets.SetItem(key, set);
                        break;
                    default:
                        mistakes.Add($"'{action}' is no action; it is CREATE, DELETE or UPSERT");
                        break;
                }
            }

            mistakes.AddRange(sets.Keys.Where(key => key.Type == "CNAME" && sets.Keys.Any(other => other.Name == key.Name && other.Type != "CNAME"))
                .Select(key => $"RRSet of type CNAME with DNS name {key.Name} is not permitted as it conflicts with other records with the same DNS name"));
            mistakes.AddRange(sets.Values.GroupBy(set => (set.Name, set.Type)).Select(group => Conflict([.. group])).OfType<string>());
            if (mistakes.Count > 0)
            {
                return mistakes;
            }

            _sets = sets;
            return [];
        }
    }

    private void Add(ZoneRecordSet set) => _sets = _sets.Add(KeyOf(set), set);

    private static SetKey KeyOf(ZoneRecordSet set) => (set.Name, set.Type, set.Routing?.Identifier ?? "");

    private static int Compare(SetKey left, SetKey right)
    {
        var names = ZoneName.Compare(left.Name, right.Name);
        if (names != 0)
        {
            return names;
        }

        var types = string.CompareOrdinal(left.Type, right.Type);
        return types != 0 ? types : string.CompareOrdinal(left.Identifier, right.Identifier);
    }

    private static string Described(ZoneRecordSet set) =>
        $"name='{set.Name}', type='{set.Type}'" + (set.Routing is { } routing ? $", set identifier='{routing.Identifier}'" : "");

    /// <summary>Why the sets of one name and type cannot stand beside each other: they share one policy, or there is one set
    /// without.</summary>
    private static string? Conflict(IReadOnlyList<ZoneRecordSet> sets)
    {
        if (sets.Count == 1 || sets.Select(set => set.Routing?.Policy).Distinct().Count() == 1)
        {
            return null;
        }

        var identifier = sets[^1].Routing!.Identifier;
        return $"RRSet with DNS name {sets[0].Name}, type {sets[0].Type}, SetIdentifier {identifier} "
            + "cannot be created as other RRSets exist with the same name and type.";
    }

    private string? Mistake(ZoneRecordSet set)
    {
        if (set.Name != Name && !set.Name.EndsWith("." + Name, StringComparison.Ordinal))
        {
            return $"RRSet with DNS name {set.Name} is not permitted in zone {Name}";
        }

        if (set.Routing?.Mistake is { } mistake)
        {
            return $"RRSet [{Described(set)}]: {mistake}";
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

        if (set.Type == "TXT")
        {
            return set.Values.Select(value => TxtValue.Parse(value).Mistake is { } wrong
                ? $"Invalid Resource Record: 'FATAL problem: {wrong} encountered with '{value}''"
                : null)
                .FirstOrDefault(mistake => mistake is not null);
        }

        return set.Values.FirstOrDefault(value => !IsValue(set.Type, value)) is { } bad
            ? $"Invalid Resource Record: '{bad}' is no {set.Type} value"
            : null;
    }

    private static bool IsValue(string type, string value) => type switch
    {
        "A" => IPAddress.TryParse(value, out var four) && four.AddressFamily == AddressFamily.InterNetwork,
        "AAAA" => IPAddress.TryParse(value, out var six) && six.AddressFamily == AddressFamily.InterNetworkV6,
        _ => value.Length > 0,
    };
}
