using System.Globalization;
using System.Xml.Linq;
using Failover.LocalHost.Network;

namespace Failover.LocalHost.Route53;

/// <summary>Route 53's API of 2013-04-01 over one hosted zone: list zones, get the zone, list sets, change sets, get a change.</summary>
/// <param name="limit">The account's limit of requests; null: there is none.</param>
internal sealed class Route53Api(HostedZone zone, Faults faults, TimeProvider time, RequestLimit? limit = null)
{
    public const string Root = "/2013-04-01";

    private const int ChangesMax = 1000;
    private const int ItemsMax = 300;

    internal static readonly XNamespace Ns = "https://route53.amazonaws.com/doc/2013-04-01/";

    private long _changes;

    public async Task HandleAsync(HttpContext context)
    {
        if (!await Passage.AllowsAsync(context, faults.DnsApiDown()))
        {
            return;
        }

        var path = context.Request.Path.StartsWithSegments(Root, out var rest) ? rest.Value!.Trim('/').Split('/') : [];
        var (status, answer) = limit?.TryTake() == false ? (400, Error("Throttling", "Rate exceeded")) : await AnswerAsync(context, path);
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
                ("GET", ["hostedzone", var id, "rrset"]) when id == zone.Id => List(context.Request.Query),
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

    /// <summary>A page of the list: from the name, type and identifier that are asked for, or from the next after them.</summary>
    private (int Status, XElement Answer) List(IQueryCollection query)
    {
        var (name, type, identifier) = (Given("name"), Given("type"), Given("identifier"));
        if ((type is not null && name is null) || (identifier is not null && type is null))
        {
            return (400, Error("InvalidInput", "A type needs a name, and an identifier needs both."));
        }

        if (type is not null && !RecordSetXml.Types.Contains(type))
        {
            var types = string.Join(", ", RecordSetXml.Types);
            return (400, Error("InvalidInput", $"Value '{type}' at 'type' failed to satisfy constraint: Member must be one of [{types}]"));
        }

        var max = ItemsMax;
        if (Given("maxitems") is { } asked && (!int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out max) || max == 0))
        {
            return (400, Error(
                "InvalidInput", $"Value '{asked}' at 'maxItems' failed to satisfy constraint: Member must be a number of at least 1"));
        }

        max = Math.Min(max, ItemsMax);
        var from = name is null ? [.. zone.Sets] : zone.From(ZoneName.Normal(name), type ?? "", identifier ?? "");
        var next = from.Count > max ? from[max] : null;
        return (200, new XElement(
            Ns + "ListResourceRecordSetsResponse",
            new XElement(Ns + "ResourceRecordSets", from.Take(max).Select(RecordSetXml.Of)),
            new XElement(Ns + "IsTruncated", next is not null),
            next is null ? null : new XElement(Ns + "NextRecordName", next.Name),
            next is null ? null : new XElement(Ns + "NextRecordType", next.Type),
            next?.Routing is null ? null : new XElement(Ns + "NextRecordIdentifier", next.Routing.Identifier),
            new XElement(Ns + "MaxItems", max)));

        string? Given(string parameter) => query[parameter].FirstOrDefault() is { Length: > 0 } given ? given : null;
    }

    private (int Status, XElement Answer) Change(XDocument request)
    {
        var changes = new List<ZoneChange>();
        foreach (var element in request.Descendants(Ns + "Change"))
        {
            var (change, mistake) = RecordSetXml.Read(element);
            if (change is null)
            {
                return (400, Error("InvalidInput", mistake!));
            }

            changes.Add(change);
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
}
