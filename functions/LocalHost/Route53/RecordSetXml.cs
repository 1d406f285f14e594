using System.Globalization;
using System.Xml.Linq;

namespace Failover.LocalHost.Route53;

/// <summary>Record sets in the XML of Route 53's API.</summary>
internal static class RecordSetXml
{
    /// <summary>The types that Route 53 knows.</summary>
    public static readonly IReadOnlyList<string> Types =
        ["SOA", "A", "TXT", "NS", "CNAME", "MX", "NAPTR", "PTR", "SRV", "SPF", "AAAA", "CAA", "DS", "TLSA", "SSHFP", "SVCB", "HTTPS"];

    private static readonly string[] NotSpoken = ["GeoLocation", "GeoProximityLocation", "CidrRoutingConfig", "TrafficPolicyInstanceId"];

    private static readonly XNamespace Ns = Route53Api.Ns;

    /// <summary>A set as it is listed: its members in Route 53's order.</summary>
    public static XElement Of(ZoneRecordSet set) => new(
        Ns + "ResourceRecordSet",
        new XElement(Ns + "Name", set.Name),
        new XElement(Ns + "Type", set.Type),
        set.Routing is { } routing
            ? [new XElement(Ns + "SetIdentifier", routing.Identifier), new XElement(Ns + routing.Policy, routing.Value)]
            : Array.Empty<XElement>(),
        set.Alias is null
            ? [
                new XElement(Ns + "TTL", set.TtlSeconds),
                new XElement(Ns + "ResourceRecords", set.Values.Select(
                    value => new XElement(Ns + "ResourceRecord", new XElement(Ns + "Value", value)))),
            ]
            : Array.Empty<XElement>(),
        set.Alias is { } alias
            ? new XElement(
                Ns + "AliasTarget",
                new XElement(Ns + "HostedZoneId", alias.HostedZoneId),
                new XElement(Ns + "DNSName", alias.DnsName),
                new XElement(Ns + "EvaluateTargetHealth", alias.EvaluateTargetHealth))
            : null,
        set.HealthCheckId is null ? null : new XElement(Ns + "HealthCheckId", set.HealthCheckId));

    /// <summary>Reads one change of a batch; the text says what is wrong otherwise.</summary>
    public static (ZoneChange? Change, string? Mistake) Read(XElement change)
    {
        var set = change.Element(Ns + "ResourceRecordSet");
        var alias = set?.Element(Ns + "AliasTarget") is { } target ? ReadAlias(target) : null;
        long ttl = 0;
        if (set?.Element(Ns + "Name")?.Value is not { } name || set.Element(Ns + "Type")?.Value is not { } type
            || (alias is null && !long.TryParse(set.Element(Ns + "TTL")?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out ttl)))
        {
            return (null, "A change needs a name, a type, and a TTL or an alias.");
        }

        if (NotSpoken.FirstOrDefault(element => set.Element(Ns + element) is not null) is { } unknown)
        {
            return (null, $"{unknown} is not spoken here.");
        }

        var (routing, mistake) = ReadRouting(set);
        if (mistake is not null)
        {
            var (action, identifier) = (change.Element(Ns + "Action")?.Value, set.Element(Ns + "SetIdentifier")?.Value ?? "null");
            return (null, $"{mistake} in Change with [Action={action}, Name={name}, Type={type}, SetIdentifier={identifier}]");
        }

        return (
            new ZoneChange(
                change.Element(Ns + "Action")?.Value ?? "",
                new ZoneRecordSet(ZoneName.Normal(name), type, ttl, [.. set.Descendants(Ns + "Value").Select(value => value.Value)])
                {
                    Alias = alias,
                    Routing = routing,
                    HealthCheckId = set.Element(Ns + "HealthCheckId")?.Value,
                }),
            null);
    }

    private static ZoneAlias ReadAlias(XElement target) => new(
        target.Element(Ns + "HostedZoneId")?.Value ?? "",
        ZoneName.Normal(target.Element(Ns + "DNSName")?.Value ?? ""),
        (bool?)target.Element(Ns + "EvaluateTargetHealth") == true);

    private static (ZoneRouting? Routing, string? Mistake) ReadRouting(XElement set)
    {
        var identifier = set.Element(Ns + "SetIdentifier")?.Value;
        var policies = ZoneRouting.Policies.Select(policy => set.Element(Ns + policy)).OfType<XElement>().ToList();
        return (identifier, policies) switch
        {
            (null, []) => (null, null),
            (null, _) => (null, "Invalid request: Missing field 'SetIdentifier'"),
            (_, [var policy]) => (new ZoneRouting(identifier, policy.Name.LocalName, policy.Value), null),
            (_, []) => (null, $"Invalid request: Expected exactly one of [{string.Join(", ", ZoneRouting.Policies)}], but found none"),
            _ => (null, $"Invalid request: Expected exactly one of [{string.Join(", ", ZoneRouting.Policies)}], but found more than one"),
        };
    }
}
