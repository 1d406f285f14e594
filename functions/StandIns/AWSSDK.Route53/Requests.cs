using System.Globalization;
using System.Text;
using System.Xml;
using Amazon.Route53.Model;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Transform;
using Amazon.Util;

namespace Amazon.Route53.Internal;

/// <summary>The two operations as HTTP requests. The order of XML elements is the schema's: Route 53 validates it.</summary>
internal static class Requests
{
    private const string Version = "2013-04-01";
    private const string Namespace = "https://route53.amazonaws.com/doc/2013-04-01/";

    public static readonly IMarshaller<IRequest, AmazonWebServiceRequest> List = new Marshaller<ListResourceRecordSetsRequest>(list =>
    {
        var request = Start(list, "GET", "rrset", list.HostedZoneId);
        (string Name, string? Value)[] parameters =
        [
            ("name", list.StartRecordName), ("type", list.StartRecordType?.Value), ("identifier", list.StartRecordIdentifier), ("maxitems", list.MaxItems),
        ];
        foreach (var (name, value) in parameters)
        {
            if (value is not null)
            {
                request.Parameters.Add(name, value);
            }
        }

        request.UseQueryString = true;
        return request;
    });

    public static readonly IMarshaller<IRequest, AmazonWebServiceRequest> Change = new Marshaller<ChangeResourceRecordSetsRequest>(change =>
    {
        var request = Start(change, "POST", "rrset/", change.HostedZoneId);
        using var buffer = new MemoryStream();
        using (var xml = XmlWriter.Create(buffer, new XmlWriterSettings { Encoding = new UTF8Encoding(false), OmitXmlDeclaration = true }))
        {
            xml.WriteStartElement("ChangeResourceRecordSetsRequest", Namespace);
            xml.WriteStartElement("ChangeBatch");
            Text(xml, "Comment", change.ChangeBatch?.Comment);
            xml.WriteStartElement("Changes");
            foreach (var one in change.ChangeBatch?.Changes ?? [])
            {
                xml.WriteStartElement("Change");
                Text(xml, "Action", one.Action?.Value);
                Write(xml, one.ResourceRecordSet ?? new ResourceRecordSet());
                xml.WriteEndElement();
            }

            xml.WriteEndDocument();
        }

        request.Content = buffer.ToArray();
        request.Headers[HeaderKeys.ContentTypeHeader] = "application/xml";
        request.Headers[HeaderKeys.XAmzApiVersion] = Version;
        return request;
    });

    private static DefaultRequest Start(AmazonWebServiceRequest original, string method, string path, string? zone)
    {
        ArgumentNullException.ThrowIfNull(zone);
        var request = new DefaultRequest(original, "Amazon.Route53") { HttpMethod = method, ResourcePath = $"/{Version}/hostedzone/{{Id}}/{path}" };

        // Route 53 itself hands out ids as "/hostedzone/Z..." and takes them in either form.
        const string Prefix = "/hostedzone/";
        request.AddPathResource("{Id}", zone.StartsWith(Prefix, StringComparison.Ordinal) ? zone[Prefix.Length..] : zone);
        return request;
    }

    private static void Write(XmlWriter xml, ResourceRecordSet set)
    {
        xml.WriteStartElement("ResourceRecordSet");
        Text(xml, "Name", set.Name);
        Text(xml, "Type", set.Type?.Value);
        Text(xml, "SetIdentifier", set.SetIdentifier);
        Text(xml, "TTL", set.TTL?.ToString(CultureInfo.InvariantCulture));
        if (set.ResourceRecords is { } records)
        {
            xml.WriteStartElement("ResourceRecords");
            foreach (var record in records)
            {
                xml.WriteStartElement("ResourceRecord");
                Text(xml, "Value", record.Value);
                xml.WriteEndElement();
            }

            xml.WriteEndElement();
        }

        if (set.AliasTarget is { } alias)
        {
            xml.WriteStartElement("AliasTarget");
            Text(xml, "HostedZoneId", alias.HostedZoneId);
            Text(xml, "DNSName", alias.DNSName);
            Text(xml, "EvaluateTargetHealth", alias.EvaluateTargetHealth == true ? "true" : "false");
            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }

    private static void Text(XmlWriter xml, string name, string? value)
    {
        if (value is not null)
        {
            xml.WriteElementString(name, value);
        }
    }

    private sealed class Marshaller<T>(Func<T, IRequest> make) : IMarshaller<IRequest, AmazonWebServiceRequest>
        where T : AmazonWebServiceRequest
    {
        public IRequest Marshall(AmazonWebServiceRequest input) => make((T)input);
    }
}
