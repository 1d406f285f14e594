using System.Globalization;
using System.Net;
using Amazon.Route53.Model;
using Amazon.Runtime;
using Amazon.Runtime.Internal.Transform;

namespace Amazon.Route53.Internal;

internal sealed class ListUnmarshaller : Route53Unmarshaller
{
    public static readonly ListUnmarshaller Instance = new();

    public override AmazonWebServiceResponse Unmarshall(XmlUnmarshallerContext input)
    {
        var response = new ListResourceRecordSetsResponse();
        ToRoot(input);
        Children(input, name =>
        {
            switch (name)
            {
                case "ResourceRecordSets":
                    Children(input, _ => (response.ResourceRecordSets ??= []).Add(Set(input)));
                    break;
                case "IsTruncated":
                    response.IsTruncated = bool.Parse(input.ReadText());
                    break;
                case "NextRecordName":
                    response.NextRecordName = input.ReadText();
                    break;
                case "NextRecordType":
                    response.NextRecordType = input.ReadText();
                    break;
                case "NextRecordIdentifier":
                    response.NextRecordIdentifier = input.ReadText();
                    break;
                case "MaxItems":
                    response.MaxItems = input.ReadText();
                    break;
            }
        });
        return response;
    }

    private static ResourceRecordSet Set(XmlUnmarshallerContext input)
    {
        var set = new ResourceRecordSet();
        Children(input, name =>
        {
            switch (name)
            {
                case "Name":
                    set.Name = input.ReadText();
                    break;
                case "Type":
                    set.Type = input.ReadText();
                    break;
                case "SetIdentifier":
                    set.SetIdentifier = input.ReadText();
                    break;
                case "TTL":
                    set.TTL = long.Parse(input.ReadText(), CultureInfo.InvariantCulture);
                    break;
                case "ResourceRecords":
                    Children(input, _ => Children(input, _ => (set.ResourceRecords ??= []).Add(new ResourceRecord { Value = input.ReadText() })));
                    break;
                case "AliasTarget":
                    set.AliasTarget = Alias(input);
                    break;
            }
        });
        return set;
    }

    private static AliasTarget Alias(XmlUnmarshallerContext input)
    {
        var alias = new AliasTarget();
        Children(input, name =>
        {
            switch (name)
            {
                case "HostedZoneId":
                    alias.HostedZoneId = input.ReadText();
                    break;
                case "DNSName":
                    alias.DNSName = input.ReadText();
                    break;
                case "EvaluateTargetHealth":
                    alias.EvaluateTargetHealth = bool.Parse(input.ReadText());
                    break;
            }
        });
        return alias;
    }
}

internal sealed class ChangeUnmarshaller : Route53Unmarshaller
{
    public static readonly ChangeUnmarshaller Instance = new();

    public override AmazonWebServiceResponse Unmarshall(XmlUnmarshallerContext input)
    {
        var info = new ChangeInfo();
        ToRoot(input);
        Children(input, _ => Children(input, name =>
        {
            switch (name)
            {
                case "Id":
                    info.Id = input.ReadText();
                    break;
                case "Comment":
                    info.Comment = input.ReadText();
                    break;
            }
        }));
        return new ChangeResourceRecordSetsResponse { ChangeInfo = info };
    }
}

internal abstract class Route53Unmarshaller : XmlResponseUnmarshaller
{
    public override AmazonServiceException UnmarshallException(XmlUnmarshallerContext input, Exception innerException, HttpStatusCode statusCode)
    {
        var error = XmlErrorResponseUnmarshaller.GetInstance().Unmarshall(input);
        return error.Code switch
        {
            "InvalidChangeBatch" => new InvalidChangeBatchException(error.Message, innerException, error.Type, error.Code, error.RequestId, statusCode),
            "NoSuchHostedZone" => new NoSuchHostedZoneException(error.Message, innerException, error.Type, error.Code, error.RequestId, statusCode),
            "PriorRequestNotComplete" => new PriorRequestNotCompleteException(error.Message, innerException, error.Type, error.Code, error.RequestId, statusCode),
            _ => new AmazonRoute53Exception(error.Message, innerException, error.Type, error.Code, error.RequestId, statusCode),
        };
    }

    protected static void ToRoot(XmlUnmarshallerContext input)
    {
        while ((!input.IsStartElement || input.CurrentDepth != 1) && input.Read())
        {
        }
    }

    /// <summary>Visits each direct child of the element that the context is at, and leaves the context at that element's end.</summary>
    protected static void Children(XmlUnmarshallerContext input, Action<string> visit)
    {
        var depth = input.CurrentDepth;
        while (input.Read())
        {
            if (input.IsStartElement && !input.IsAttribute && input.CurrentDepth == depth + 1)
            {
                visit(input.CurrentElementName);
            }
            else if (input.IsEndElement && input.CurrentDepth < depth)
            {
                return;
            }
        }
    }
}
