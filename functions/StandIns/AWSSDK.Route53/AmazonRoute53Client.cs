using Amazon.Route53.Internal;
using Amazon.Route53.Model;
using Amazon.Runtime;
using Amazon.Runtime.Internal;

namespace Amazon.Route53;

public class AmazonRoute53Client : AmazonServiceClient, IAmazonRoute53
{
    private static readonly IServiceMetadata Metadata = new Route53Metadata();

    public AmazonRoute53Client(AmazonRoute53Config config)
        : base(config)
    {
    }

    public AmazonRoute53Client(AWSCredentials credentials, AmazonRoute53Config clientConfig)
        : base(credentials, clientConfig)
    {
    }

    protected override IServiceMetadata ServiceMetadata => Metadata;

    public virtual Task<ListResourceRecordSetsResponse> ListResourceRecordSetsAsync(ListResourceRecordSetsRequest request, CancellationToken cancellationToken = default) =>
        InvokeAsync<ListResourceRecordSetsResponse>(
            request, new InvokeOptions { RequestMarshaller = Requests.List, ResponseUnmarshaller = ListUnmarshaller.Instance }, cancellationToken);

    public virtual Task<ChangeResourceRecordSetsResponse> ChangeResourceRecordSetsAsync(ChangeResourceRecordSetsRequest request, CancellationToken cancellationToken = default) =>
        InvokeAsync<ChangeResourceRecordSetsResponse>(
            request, new InvokeOptions { RequestMarshaller = Requests.Change, ResponseUnmarshaller = ChangeUnmarshaller.Instance }, cancellationToken);

    protected override void CustomizeRuntimePipeline(RuntimePipeline pipeline)
    {
        pipeline.RemoveHandler<EndpointResolver>();
        pipeline.AddHandlerAfter<Marshaller>(new Route53EndpointResolver());
        pipeline.AddHandlerAfter<Marshaller>(new Route53AuthResolver());
    }
}
