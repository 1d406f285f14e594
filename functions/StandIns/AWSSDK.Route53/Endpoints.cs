using Amazon.Runtime;
using Amazon.Runtime.Credentials.Internal;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Auth;

namespace Amazon.Route53.Internal;

internal sealed class Route53Metadata : IServiceMetadata
{
    public string ServiceId => AmazonRoute53Config.ServiceId;

    public IDictionary<string, string> OperationNameMapping { get; } = new Dictionary<string, string>();
}

internal sealed class Route53AuthResolver : BaseAuthResolverHandler
{
    protected override List<IAuthSchemeOption> ResolveAuthOptions(IExecutionContext executionContext) => AuthSchemeOption.DEFAULT_SIGV4;
}

/// <summary>Route 53 is global: one host, signed for us-east-1, whatever the client's region.</summary>
internal sealed class Route53EndpointProvider : IEndpointProvider
{
    public Endpoint ResolveEndpoint(EndpointParameters parameters) =>
        parameters["Endpoint"] is string custom
            ? new Endpoint(custom)
            : new Endpoint("https://route53.amazonaws.com")
            {
                Attributes = new PropertyBag
                {
                    ["authSchemes"] = new List<object>
                    {
                        new PropertyBag { ["name"] = "sigv4", ["signingName"] = "route53", ["signingRegion"] = "us-east-1" },
                    },
                },
            };
}

internal sealed class Route53EndpointResolver : BaseEndpointResolver
{
    protected override void ServiceSpecificHandler(IExecutionContext executionContext, EndpointParameters parameters) =>
        InjectHostPrefix(executionContext.RequestContext);

    protected override EndpointParameters MapEndpointsParameters(IRequestContext requestContext) =>
        new Route53EndpointParameters { ["Endpoint"] = requestContext.ClientConfig.ServiceURL };

    private sealed class Route53EndpointParameters : EndpointParameters;
}
