using System.Net;
using System.Text.Json;
using Failover.ControlPlane;
using Failover.ControlPlane.Topologies;
using Failover.LocalHost.Dns;
using Failover.LocalHost.Network;
using Failover.LocalHost.Route53;

namespace Failover.Benchmarks;

/// <summary>What a tick looks at: an endpoint and anchors that answer, a name, its DNS server, and Route 53's API.</summary>
internal sealed class SmallWorld : IAsyncDisposable
{
    private const string Name = "app.example.test";
    private const string Address = "127.0.0.1";

    private readonly DirectoryInfo _scratch = Directory.CreateTempSubdirectory("benchmarks-");
    private readonly HostedZone _zone = new("Z1", "example.test.");
    private readonly Door _endpoint = new(new IPEndPoint(IPAddress.Loopback, 0), _ => Task.CompletedTask);
    private readonly Door _route53;
    private readonly DnsAuthority _dns;

    private SmallWorld()
    {
        _route53 = new Door(new IPEndPoint(IPAddress.Loopback, 0), new Route53Api(_zone, new Faults(TimeSpan.Zero), TimeProvider.System).HandleAsync);
        _zone.Apply([new ZoneChange("CREATE", new ZoneRecordSet(Name + ".", "A", 60, [Address]))]);
        DnsPort = LocalHost.Engines.Engine.FreePort();
        _dns = new DnsAuthority([new ServedZone(_zone.Name, () => _zone.Sets)], DnsPort, () => false);
    }

    public Topology Topology { get; private set; } = null!;

    public string TopologyFile => Path.Combine(_scratch.FullName, "topology.json");

    public Uri Route53 => new($"http://127.0.0.1:{_route53.Port}/");

    /// <summary>What a tick has written into the zone.</summary>
    public string? StateTxt => _zone.Find($"_failover.{Name}.", "TXT")?.Values[0];

    private int DnsPort { get; }

    public static async Task<SmallWorld> StartAsync()
    {
        var world = new SmallWorld();
        await world._endpoint.SetOpenAsync(true);
        await world._route53.SetOpenAsync(true);
        world.Topology = world.MakeTopology();
        await File.WriteAllTextAsync(world.TopologyFile, JsonSerializer.Serialize(world.Topology, TopologyJson.Default.Topology));
        return world;
    }

    public async ValueTask DisposeAsync()
    {
        await _endpoint.DisposeAsync();
        await _route53.DisposeAsync();
        _dns.Dispose();
        _scratch.Delete(recursive: true);
    }

    private Topology MakeTopology()
    {
        var url = new Uri($"http://127.0.0.1:{_endpoint.Port}/");
        return new Topology
        {
            Observers = ["us-east-1", "us-west-2", "us-east-2"],
            Replicas = ["us-east-1", "us-west-2"],
            Anchors = [Anchor("a"), Anchor("b")],
            AllowedNetworks = ["127.0.0.0/8"],
            Services =
            [
                new Service
                {
                    Name = Name,
                    HostedZoneId = _zone.Id,
                    AuthoritativeServers = [$"127.0.0.1:{DnsPort}"],
                    LookUrl = new Uri($"http://{Name}:{_endpoint.Port}/"),
                    Endpoints = [Endpoint("us-east-1", Address), Endpoint("us-west-2", "192.0.2.2")],
                },
            ],
        };

        Anchor Anchor(string name) => new() { Name = name, Url = url, Operator = name, Region = name };

        ServiceEndpoint Endpoint(string name, string address) =>
            new() { Name = name, Replica = name, ProbeUrl = url, Records = [new DnsTarget { Type = "A", Values = [address] }] };
    }
}
