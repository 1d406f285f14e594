using System.Globalization;
using System.Xml.Linq;
using Failover.LocalHost.Network;

namespace Failover.LocalHost.Route53;

/// <summary>Route 53's API of 2013-04-01 over one hosted zone: list zones, get the zone, list sets, change sets, get a change.</summary>
internal sealed class Route53Api(HostedZone zone, Faults faults, TimeProvider time)
{
    public const string Root = "/2013-04-01";

    private const int ChangesMax = 1000;
    private const int ItemsMax = 300;

    private static readonly XNamespace Ns = "https://route53.amazonaws.com/doc/2013-04-01/";

    private long _changes;

    public async Task HandleAsync(HttpContext context)
    {
        if (!await Passage.AllowsAsync(context, faults.DnsApiDown()))
        {
            return;
        }

        var path = context.Request.Path.StartsWithSegments(Root, out var rest) ? rest.Value!.Trim('/').Split('/') : [];
        var (status, answer) = await AnswerAsync(context, path);
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/xml";
        context.Response.Headers["x-amzn-RequestId"] = Guid.NewGuid().ToString();
        await context.Response.WriteAsync(new XDeclaration("1.0", "UTF-8", null) + answer.ToString(SaveOptions.DisableFormatting));
    }

    private async Task<(int Status, XElement Answer)> AnswerAsync(HttpContext context, string[] path)
    {
        try
        {
            return (context.Request.Method, path) switch
            {
                ("GET", ["hostedzone"]) => (200, ListZones()),
                ("GET", ["hostedzone", var id]) when id == zone.Id => (200, GetZone()),
                ("GET", ["hostedzone", var id, "rrset"]) when id == zone.Id => (200, List(context.Request.Query)),
                ("POST", ["hostedzone", var id, "rrset"]) when id == zone.Id => Change(await XDocument.LoadAsync(context.Request.Body, LoadOptions.None, context.RequestAborted)),
                ("GET", ["change", var id]) => (200, new XElement(Ns + "GetChangeResponse", ChangeInfo(id))),
                (_, ["hostedzone", var id, ..]) when id != zone.Id => (404, Error("NoSuchHostedZone", $"No hosted zone found with ID: {id}")),
                _ => (400, Error("InvalidInput", $"{context.Request.Method} {context.Request.Path} is not spoken here.")),
            };
        }
        catch (System.Xml.XmlException error)
        {
            return (400, Error("InvalidInput", error.Message));
        }
    }

    private XElement ListZones() => new(
        Ns + "ListHostedZonesResponse", new XElement(Ns + "HostedZones", Zone()), new XElement(Ns + "IsTruncated", "false"), new XElement(Ns + "MaxItems", "100"));

    private XElement GetZone() => new(
        Ns + "GetHostedZoneResponse",
        Zone(),
        new XElement(Ns + "DelegationSet", new XElement(Ns + "NameServers", new XElement(Ns + "NameServer", "ns." + zone.Name.TrimEnd('.')))));

    private XElement Zone() => new(
        Ns + "HostedZone",
        new XElement(Ns + "Id", "/hostedzone/" + zone.Id),
        new XElement(Ns + "Name", zone.Name),
        new XElement(Ns + "CallerReference", "local"),
        new XElement(Ns + "Config", new XElement(Ns + "PrivateZone", "false")),
        new XElement(Ns + "ResourceRecordSetCount", zone.Sets.Count));

    private XElement List(IQueryCollection query)
    {
        var name = query["name"].FirstOrDefault() is { Length: > 0 } given ? Normal(given) : null;
        var type = query["type"].FirstOrDefault();
        var max = int.TryParse(query["maxitems"], NumberStyles.None, CultureInfo.InvariantCulture, out var asked) ? Math.Clamp(asked, 1, ItemsMax) : ItemsMax;
        var from = zone.Sets.Where(set => name is null
            || HostedZone.CompareNames(set.Name, name) is > 0
            || (set.Name == name && (type is null || string.CompareOrdinal(set.Type, type) >= 0))).ToList();
        var next = from.Count > max ? from[max] : null;
        return new XElement(
            Ns + "ListResourceRecordSetsResponse",
            new XElement(Ns + "ResourceRecordSets", from.Take(max).Select(set => new XElement(
                Ns + "ResourceRecordSet",
                new XElement(Ns + "Name", set.Name),
                new XElement(Ns + "Type", set.Type),
                set.Alias is { } alias
                    ? [new XElement(
                        Ns + "AliasTarget",
                        new XElement(Ns + "HostedZoneId", alias.HostedZoneId), new XElement(Ns + "DNSName", alias.DnsName), new XElement(Ns + "EvaluateTargetHealth", alias.EvaluateTargetHealth))]
                    : new[]
                    {
                        new XElement(Ns + "TTL", set.TtlSeconds),
                        new XElement(Ns + "ResourceRecords", set.Values.Select(value => new XElement(Ns + "ResourceRecord", new XElement(Ns + "Value", value)))),
                    }))),
            new XElement(Ns + "IsTruncated", next is null ? "false" : "true"),
            next is null ? null : new XElement(Ns + "NextRecordName", next.Name),
            next is null ? null : new XElement(Ns + "NextRecordType", next.Type),
            new XElement(Ns + "MaxItems", max));
    }

    private (int Status, XElement Answer) Change(XDocument request)
    {
        var changes = new List<ZoneChange>();
        foreach (var change in request.Descendants(Ns + "Change"))
        {
            var set = change.Element(Ns + "ResourceRecordSet");
            var alias = set?.Element(Ns + "AliasTarget") is { } target
                ? new ZoneAlias(target.Element(Ns + "HostedZoneId")?.Value ?? "", Normal(target.Element(Ns + "DNSName")?.Value ?? ""), (bool?)target.Element(Ns + "EvaluateTargetHealth") == true)
                : null;
            long ttl = 0;
            if (set?.Element(Ns + "Name")?.Value is not { } name || set.Element(Ns + "Type")?.Value is not { } type
                || (alias is null && !long.TryParse(set.Element(Ns + "TTL")?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out ttl)))
            {
                return (400, Error("InvalidInput", "A change needs a name, a type, and a TTL or an alias."));
            }

            changes.Add(new ZoneChange(
                change.Element(Ns + "Action")?.Value ?? "", new ZoneRecordSet(Normal(name), type, ttl, [.. set.Descendants(Ns + "Value").Select(value => value.Value)]) { Alias = alias }));
        }

        if (changes.Count is 0 or > ChangesMax)
        {
            return (400, Error("InvalidInput", $"A batch has 1 to {ChangesMax} changes, not {changes.Count}."));
        }

        return zone.Apply(changes) is { Count: > 0 } mistakes
            ? (400, Error("InvalidChangeBatch", $"[{string.Join(", ", mistakes)}]"))
            : (200, new XElement(Ns + "ChangeResourceRecordSetsResponse", ChangeInfo($"C{Interlocked.Increment(ref _changes):D12}")));
    }

    private XElement ChangeInfo(string id) => new(
        Ns + "ChangeInfo",
        new XElement(Ns + "Id", "/change/" + id),
        new XElement(Ns + "Status", "INSYNC"),
        new XElement(Ns + "SubmittedAt", time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)));

    private static XElement Error(string code, string message) => new(
        Ns + "ErrorResponse",
        new XElement(Ns + "Error", new XElement(Ns + "Type", "Sender"), new XElement(Ns + "Code", code), new XElement(Ns + "Message", message)),
        new XElement(Ns + "RequestId", Guid.NewGuid().ToString()));

    private static string Normal(string name) => name.TrimEnd('.').ToLowerInvariant() + ".";
}
