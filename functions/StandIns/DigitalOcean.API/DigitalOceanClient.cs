using DigitalOcean.API.Clients;
using DigitalOcean.API.Http;

namespace DigitalOcean.API;

public interface IDigitalOceanClient
{
    IDomainRecordsClient DomainRecords { get; }

    IDropletActionsClient DropletActions { get; }

    IDropletsClient Droplets { get; }

    ILoadBalancerClient LoadBalancers { get; }

    IRateLimit? Rates { get; }
}

public class DigitalOceanClient : IDigitalOceanClient
{
    public static readonly string DigitalOceanApiUrl = "https://api.digitalocean.com/v2/";

    private readonly Connection _connection;

    public DigitalOceanClient(string token)
    {
        _connection = new Connection(token);
        DomainRecords = new DomainRecordsClient(_connection);
        DropletActions = new DropletActionsClient(_connection);
        Droplets = new DropletsClient(_connection);
        LoadBalancers = new LoadBalancerClient(_connection);
    }

    public IDomainRecordsClient DomainRecords { get; private set; }

    public IDropletActionsClient DropletActions { get; private set; }

    public IDropletsClient Droplets { get; private set; }

    public ILoadBalancerClient LoadBalancers { get; private set; }

    public IRateLimit? Rates => _connection.Rates;
}
