using DigitalOcean.API.Http;
using DigitalOcean.API.Models.Responses;
using Action = DigitalOcean.API.Models.Responses.Action;

namespace DigitalOcean.API.Clients;

public interface IDomainRecordsClient
{
    Task<IReadOnlyList<DomainRecord>> GetAll(string domainName);

    Task<DomainRecord> Create(string domainName, Models.Requests.DomainRecord record);

    Task<DomainRecord> Get(string domainName, long recordId);

    Task Delete(string domainName, long recordId);

    Task<DomainRecord> Update(string domainName, long recordId, Models.Requests.UpdateDomainRecord updateRecord);
}

public interface ILoadBalancerClient
{
    Task<IReadOnlyList<LoadBalancer>> GetAll();
}

public interface IDropletsClient
{
    Task<IReadOnlyList<Droplet>> GetAll();

    Task<Droplet> Get(long dropletId);
}

public interface IDropletActionsClient
{
    Task<Action> PowerOff(long dropletId);

    Task<Action> PowerOn(long dropletId);
}

internal sealed class DomainRecordsClient(Connection connection) : IDomainRecordsClient
{
    public Task<IReadOnlyList<DomainRecord>> GetAll(string domainName) => connection.GetPaginated<DomainRecord>(At(domainName), "domain_records");

    public Task<DomainRecord> Create(string domainName, Models.Requests.DomainRecord record) =>
        connection.ExecuteRequest<DomainRecord>(At(domainName), record, "domain_record", HttpMethod.Post);

    public Task<DomainRecord> Get(string domainName, long recordId) => connection.ExecuteRequest<DomainRecord>($"{At(domainName)}/{recordId}", null, "domain_record");

    public Task Delete(string domainName, long recordId) => connection.ExecuteRaw($"{At(domainName)}/{recordId}", null, HttpMethod.Delete);

    public Task<DomainRecord> Update(string domainName, long recordId, Models.Requests.UpdateDomainRecord updateRecord) =>
        connection.ExecuteRequest<DomainRecord>($"{At(domainName)}/{recordId}", updateRecord, "domain_record", HttpMethod.Put);

    private static string At(string domainName) => $"domains/{Uri.EscapeDataString(domainName)}/records";
}

internal sealed class LoadBalancerClient(Connection connection) : ILoadBalancerClient
{
    public Task<IReadOnlyList<LoadBalancer>> GetAll() => connection.GetPaginated<LoadBalancer>("load_balancers", "load_balancers");
}

internal sealed class DropletsClient(Connection connection) : IDropletsClient
{
    public Task<IReadOnlyList<Droplet>> GetAll() => connection.GetPaginated<Droplet>("droplets", "droplets");

    public Task<Droplet> Get(long dropletId) => connection.ExecuteRequest<Droplet>($"droplets/{dropletId}", null, "droplet");
}

internal sealed class DropletActionsClient(Connection connection) : IDropletActionsClient
{
    public Task<Action> PowerOff(long dropletId) => ActAsync(dropletId, "power_off");

    public Task<Action> PowerOn(long dropletId) => ActAsync(dropletId, "power_on");

    private Task<Action> ActAsync(long dropletId, string type) =>
        connection.ExecuteRequest<Action>($"droplets/{dropletId}/actions", new Models.Requests.DropletAction { Type = type }, "action", HttpMethod.Post);
}
