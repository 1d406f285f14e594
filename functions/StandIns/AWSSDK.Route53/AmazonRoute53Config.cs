using Amazon.Route53.Internal;
using Amazon.Runtime;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal;
using Amazon.Util.Internal;

namespace Amazon.Route53;

public class AmazonRoute53Config : ClientConfig
{
    private static readonly string Agent = InternalSDKUtils.BuildUserAgentString("Route_53", "4.0.0");

    public AmazonRoute53Config()
        : base(new DefaultConfigurationProvider(Defaults()))
    {
        base.ServiceId = ServiceId;
        AuthenticationServiceName = RegionEndpointServiceName;
        EndpointProvider = new Route53EndpointProvider();
    }

    /// <summary>Names the setting AWS_ENDPOINT_URL_ROUTE_53.</summary>
    public static new string ServiceId => "Route 53";

    public override string RegionEndpointServiceName => "route53";

    public override string ServiceVersion => "2013-04-01";

    public override string UserAgent => Agent;

    public override Endpoint DetermineServiceOperationEndpoint(ServiceOperationEndpointParameters parameters)
    {
        var context = new RequestContext(false, null)
        {
            ClientConfig = this,
            OriginalRequest = parameters.Request,
            Request = new DefaultRequest(parameters.Request, ServiceId) { AlternateEndpoint = parameters.AlternateEndpoint },
        };
        return new Route53EndpointResolver().GetEndpoint(new Amazon.Runtime.Internal.ExecutionContext(context, null));
    }

    private static IEnumerable<IDefaultConfiguration> Defaults() =>
        new[]
        {
            DefaultConfigurationMode.Standard, DefaultConfigurationMode.InRegion, DefaultConfigurationMode.CrossRegion,
            DefaultConfigurationMode.Mobile, DefaultConfigurationMode.Auto,
        }.Select(mode => new DefaultConfiguration
        {
            Name = mode,
            RetryMode = RequestRetryMode.Standard,
            ConnectTimeout = TimeSpan.FromMilliseconds(3100),
            TlsNegotiationTimeout = TimeSpan.FromMilliseconds(3100),
        });
}
