using System.Collections.Immutable;
using Failover.LocalHost.Route53;

namespace Failover.LocalHost.DigitalOcean;

/// <summary>One record of a domain.</summary>
/// <param name="Name">Below the domain; <c>@</c> is the domain itself.</param>
/// <param name="Data">The name of a host is without a dot at its end; <c>@</c> is the domain itself.</param>
public sealed record DomainRecord(long Id, string Type, string Name, string Data, int Ttl)
{
    /// <summary>Whether the data of a type is a host's name.</summary>
    public static bool NamesAHost(string type) => type is "CNAME" or "MX" or "NS" or "SRV" or "CAA";
}

/// <summary>A droplet: on, or off.</summary>
public sealed record Droplet(long Id, string Name, bool IsOn);

/// <summary>A load balancer with its droplets.</summary>
public sealed record LoadBalancer(string Id, string Name, string Region, string Ip, ImmutableArray<long> Droplets, string Status = "active");

/// <summary>What one DigitalOcean account holds. Every record is changed for itself: nothing here is atomic, or conditional.</summary>
public sealed class DigitalOceanCloud(string domain)
{
    private readonly Lock _lock = new();
    private ImmutableSortedDictionary<long, DomainRecord> _records = ImmutableSortedDictionary<long, DomainRecord>.Empty;
    private ImmutableSortedDictionary<long, Droplet> _droplets = ImmutableSortedDictionary<long, Droplet>.Empty;
    private long _lastId = 1000;

    public string Domain => domain;

    public IReadOnlyCollection<DomainRecord> Records => [.. _records.Values];

    public IReadOnlyCollection<Droplet> Droplets => [.. _droplets.Values];

    public ImmutableArray<LoadBalancer> LoadBalancers { get; private set; } = [];

    /// <summary>The domain as a DNS server has it.</summary>
    public IReadOnlyCollection<ZoneRecordSet> Sets =>
    [
        .. _records.Values.GroupBy(record => (record.Name, record.Type)).Select(group => new ZoneRecordSet(
            group.Key.Name == "@" ? domain + "." : $"{group.Key.Name}.{domain}.",
            group.Key.Type,
            group.Min(record => record.Ttl),
            [.. group.Select(Value)])),
    ];

    private string Value(DomainRecord record) => record.Type switch
    {
        "TXT" => TxtValue.Quote(record.Data),
        _ when DomainRecord.NamesAHost(record.Type) && record.Data == "@" => domain + ".",
        _ => record.Data,
    };

    public DomainRecord Create(string type, string name, string data, int ttl)
    {
        lock (_lock)
        {
            var record = new DomainRecord(++_lastId, type, name, data, ttl);
            _records = _records.Add(record.Id, record);
            return record;
        }
    }

    public DomainRecord? Update(long id, Func<DomainRecord, DomainRecord> change)
    {
        lock (_lock)
        {
            if (!_records.TryGetValue(id, out var record))
            {
                return null;
            }

            _records = _records.SetItem(id, change(record) with { Id = id });
            return _records[id];
        }
    }

    public bool Delete(long id)
    {
        lock (_lock)
        {
            var there = _records.ContainsKey(id);
            _records = _records.Remove(id);
            return there;
        }
    }

    public void Add(LoadBalancer balancer, params ReadOnlySpan<Droplet> droplets)
    {
        lock (_lock)
        {
            LoadBalancers = LoadBalancers.Add(balancer);
            foreach (var droplet in droplets)
            {
                _droplets = _droplets.Add(droplet.Id, droplet);
            }
        }
    }

    public void SetStatus(string id, string status)
    {
        lock (_lock)
        {
            LoadBalancers = [.. LoadBalancers.Select(balancer => balancer.Id == id ? balancer with { Status = status } : balancer)];
        }
    }

    /// <summary>Switches a droplet; false if there is none.</summary>
    public bool SetPower(long id, bool isOn)
    {
        lock (_lock)
        {
            if (!_droplets.TryGetValue(id, out var droplet))
            {
                return false;
            }

            _droplets = _droplets.SetItem(id, droplet with { IsOn = isOn });
            return true;
        }
    }

    /// <summary>Whether a balancer has anybody to hand a request to.</summary>
    public bool Serves(string balancerId) =>
        LoadBalancers.FirstOrDefault(balancer => balancer.Id == balancerId) is { Status: "active" } balancer && balancer.Droplets.Any(id => _droplets[id].IsOn);
}
