using Amazon.Runtime;

namespace Amazon.Route53
{
    public abstract class AmazonRoute53Request : AmazonWebServiceRequest;
}

namespace Amazon.Route53.Model
{
    public class ListResourceRecordSetsRequest : AmazonRoute53Request
    {
        public string? HostedZoneId { get; set; }

        public string? StartRecordName { get; set; }

        public RRType? StartRecordType { get; set; }

        public string? StartRecordIdentifier { get; set; }

        public string? MaxItems { get; set; }
    }

    /// <summary>An empty page has no list at all.</summary>
    public class ListResourceRecordSetsResponse : AmazonWebServiceResponse
    {
        public List<ResourceRecordSet>? ResourceRecordSets { get; set; }

        public bool? IsTruncated { get; set; }

        public string? NextRecordName { get; set; }

        public RRType? NextRecordType { get; set; }

        public string? NextRecordIdentifier { get; set; }

        public string? MaxItems { get; set; }
    }

    public class ChangeResourceRecordSetsRequest : AmazonRoute53Request
    {
        public string? HostedZoneId { get; set; }

        public ChangeBatch? ChangeBatch { get; set; }
    }

    public class ChangeResourceRecordSetsResponse : AmazonWebServiceResponse
    {
        public ChangeInfo? ChangeInfo { get; set; }
    }

    public class ChangeInfo
    {
        public string? Id { get; set; }

        public string? Comment { get; set; }
    }

    public class ChangeBatch
    {
        public List<Change>? Changes { get; set; }

        public string? Comment { get; set; }
    }

    public class Change
    {
        public ChangeAction? Action { get; set; }

        public ResourceRecordSet? ResourceRecordSet { get; set; }
    }

    public class ResourceRecordSet
    {
        public string? Name { get; set; }

        public RRType? Type { get; set; }

        public string? SetIdentifier { get; set; }

        public long? TTL { get; set; }

        public List<ResourceRecord>? ResourceRecords { get; set; }

        public AliasTarget? AliasTarget { get; set; }
    }

    public class ResourceRecord
    {
        public string? Value { get; set; }
    }

    public class AliasTarget
    {
        public string? HostedZoneId { get; set; }

        public string? DNSName { get; set; }

        public bool? EvaluateTargetHealth { get; set; }
    }
}
