using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Amazon.DynamoDBv2;
using Failover.ControlPlane;
using Failover.ControlPlane.Compares;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.LocalHost.Aws;
using Failover.LocalHost.DigitalOcean;
using Failover.LocalHost.Dns;
using Failover.LocalHost.Engines;
using Failover.LocalHost.Functions;
using Failover.LocalHost.Network;
using Failover.LocalHost.Page;
using Failover.LocalHost.Processes;
using Failover.LocalHost.Regions;
using Failover.LocalHost.Replication;
using Failover.LocalHost.Rollouts;
using Failover.LocalHost.Route53;
using Failover.LocalHost.Streams;
using Failover.LocalHost.Switches;

namespace Failover.LocalHost;

/// <summary>
/// The whole world on one machine: regions with their engines, functions and doors, replication between them, Route 53 and DNS, and what breaks it.
/// The functions are the real ones, in processes of their own; only their environment is different from AWS's.
/// </summary>
internal sealed class World : IAsyncDisposable
{
    public const string ItemsTable = "Items";
    public const string ControlTable = "Control";
    public const string JournalTable = "Journal";
    public const string ServiceName = "app.example.test";
    public const string ZoneId = "Z0LOCALHOST";
    public const string TokenParameter = "/failover/digitalocean-token";
    public const string Token = "local-digitalocean";

    /// <summary>Two regions serve, the third observes only.</summary>
    public static readonly IReadOnlyList<string> RegionNames = ["us-east-1", "us-west-2", "us-east-2"];

    public const int ServingRegions = 2;

    private readonly List<IAsyncDisposable> _owned = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _loops = [];
    private readonly SemaphoreSlim _faultTurn = new(1);
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly Undertaker _undertaker = new();

    private readonly RollingChange _rollingChange;

    private World(WorldOptions options)
    {
        _rollingChange = new RollingChange(RegionNames, DeployAsync, _time);
        Options = options;
        RunDirectory = Directory.CreateTempSubdirectory("failover-").FullName;
        _undertaker.Owns(RunDirectory);
        Faults = new Faults(options.Lag);
        Zone = new HostedZone(ZoneId, "example.test.");
        Switches = new SwitchBoard(options.MetricPeriod, _time);
        DigitalOceanApi = new DigitalOceanApi(DigitalOcean, Token, _time);
        Route53 = new Route53Api(Zone, Faults, _time, new RequestLimit(Route53RequestsPerSecond, Route53Burst, _time));
    }

    public WorldOptions Options { get; }

    /// <summary>Where the functions' logs and topologies are; it goes with the world.</summary>
    public string RunDirectory { get; }

    public Faults Faults { get; }

    public HostedZone Zone { get; }

    public Route53Api Route53 { get; }

    /// <summary>What hangs on the metrics of services that are moved by the switch.</summary>
    public SwitchBoard Switches { get; }

    /// <summary>How late replication is, as the audits measure it.</summary>
    public ReplicationLags Lags { get; } = new();

    public DigitalOceanCloud DigitalOcean { get; } = new(LocalServices.DigitalOceanDomain);

    public DigitalOceanApi DigitalOceanApi { get; }

    /// <summary>What DNS answers for everything now.</summary>
    public IReadOnlyList<ServedZone> ServedZones =>
    [
        new(Zone.Name, () => [.. Zone.Sets, .. (Topology?.Services ?? []).Where(service => service.Lever == Lever.Switch).SelectMany(Switched)]),
        new(LocalServices.DigitalOceanDomain + ".", () => DigitalOcean.Sets),
    ];

    public IReadOnlyList<Region> Regions { get; private set; } = [];

    /// <summary>The engine of the strongly consistent control table: one for all regions.</summary>
    public Engine Control { get; private set; } = null!;

    public Replicator Replicator { get; private set; } = null!;

    /// <summary>The control table, for the page and for commands.</summary>
    public ControlStore ControlStore { get; private set; } = null!;

    /// <summary>Each region's journal, for the page.</summary>
    public IReadOnlyList<JournalStore> Journals { get; private set; } = [];

    /// <summary>The comparisons whose home is the first region, for the page.</summary>
    public CompareStore Comparisons { get; private set; } = null!;

    /// <summary>What each region's audit says of the moves to it, for the page.</summary>
    public IReadOnlyList<MoveStore> Moves { get; private set; } = [];

    /// <summary>The topology as the first region's observer has it.</summary>
    public Topology Topology { get; private set; } = null!;

    public IEnumerable<FunctionHost> Functions => Regions.SelectMany(region => region.Functions);

    /// <summary>Starts everything; when it returns, all of it listens.</summary>
    /// <exception cref="InvalidOperationException">Something cannot start; the message says what to do.</exception>
    public static async Task<World> StartAsync(WorldOptions options, CancellationToken cancellationToken)
    {
        CheckAddresses(options);
        var world = new World(options);
        try
        {
            await world.StartAsync(cancellationToken);
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>Brings a fault into force; it is when this returns.</summary>
    public async Task<Fault> BreakAsync(Fault fault)
    {
        var named = Faults.Add(fault);
        await ApplyFaultsAsync();
        return named;
    }

    /// <summary>Heals one fault, or all; false if there is none of that id.</summary>
    public async Task<bool> HealAsync(string? id)
    {
        var found = true;
        if (id is null)
        {
            Faults.Clear();
        }
        else
        {
            found = Faults.Remove(id);
        }

        await ApplyFaultsAsync();
        return found;
    }

    /// <summary>Whether a change of the interval is under way.</summary>
    public bool IsRollingOut => _rollingChange.IsRunning;

    /// <summary>Starts to give every region another interval, one after the other; false while an earlier change runs.</summary>
    public bool StartRollout(RolloutRequest wanted) => _rollingChange.TryStart(wanted, _stop.Token);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _rollingChange.Last;
        await Task.WhenAll(_loops.Select(loop => loop.ContinueWith(_ => { }, TaskScheduler.Default)));
        foreach (var owned in Enumerable.Reverse(_owned))
        {
            await owned.DisposeAsync();
        }

        _stop.Dispose();
        _faultTurn.Dispose();
        _undertaker.Dispose();
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        Control = Own(await Engine.StartAsync(_undertaker, Options.Engine, cancellationToken));
        await Control.CreateTableAsync(ControlTable, "service", "record", stream: false, cancellationToken);
        foreach (var observer in Enumerable.Range(1, RegionNames.Count))
        {
            await WriteTopologyAsync(observer, Options.Interval);
        }

        Topology = TopologyFile.Load(TopologyPath(1));
        FillZones();
        StartDnsServers();
        var regions = new List<Region>();
        for (var number = 1; number <= RegionNames.Count; number++)
        {
            regions.Add(await StartRegionAsync(number, cancellationToken));
        }

        Regions = regions;
        ControlStore = new ControlStore(ClientOf(Control), ControlTable, TimeSpan.FromSeconds(2));
        Journals = [.. Regions.Select(region => new JournalStore(ClientOf(region.Engine), JournalTable, TimeSpan.FromSeconds(2)))];
        Comparisons = new CompareStore(ClientOf(Regions[0].Engine), JournalTable, TimeSpan.FromSeconds(2));
        Moves = [.. Regions.Take(ServingRegions).Select(region => new MoveStore(ClientOf(region.Engine), JournalTable, TimeSpan.FromSeconds(2)))];
        Replicator = Own(new Replicator([.. Regions.Take(ServingRegions)], ItemsTable, Faults, _time));
        await ListenAsync(new IPEndPoint(IPAddress.Loopback, Options.Ports.Route53), Route53.HandleAsync);
        await ListenAsync(new IPEndPoint(IPAddress.Loopback, Options.Ports.DigitalOcean), DigitalOceanApi.HandleAsync);
        await ListenAsync(new IPEndPoint(IPAddress.Loopback, Options.Ports.Page), new ControlApi(this, _time).HandleAsync);
        Replicator.Start();
        foreach (var region in Regions)
        {
            _loops.Add(region.RunScheduleAsync(region.HealthCheck, TimeSpan.FromMinutes(1), Faults, _stop.Token));
            _loops.Add(region.RunTickQueueAsync(Faults, _stop.Token));
            if (region.ReplicationAudit is { } audit)
            {
                // Every minute on AWS: nobody at a terminal waits for as many of them as a comparison takes.
                _loops.Add(region.RunScheduleAsync(audit, TimeSpan.FromSeconds(5), Faults, _stop.Token));
                _loops.Add(region.RunAuditQueueAsync(Faults, _stop.Token));
                _loops.Add(new StreamTrigger(
                    new TableStream(region.Engine, ItemsTable),
                    region.Name,
                    async batch => (await audit.InvokeAsync(batch)).Payload,
                    () => Faults.RegionDown(region.Name) is not null || !audit.IsUp,
                    _time).RunAsync(_stop.Token));
            }
        }
    }

    /// <summary>Every service's name as it is at the start: at its home endpoint.</summary>
    private void FillZones()
    {
        foreach (var service in Topology.Services.Where(service => service.Lever == Lever.Records))
        {
            foreach (var set in Plan.SetsOf(service, service.Home))
            {
                if (service.IsFenced)
                {
                    Zone.Apply(
                        [new ZoneChange("CREATE", new ZoneRecordSet(set.Name + ".", set.Type, set.TtlSeconds!.Value, [.. set.Values]))]);
                }
                else
                {
                    DigitalOcean.Create(
                        set.Type, set.Name[..^(LocalServices.DigitalOceanDomain.Length + 1)], set.Values[0], (int)set.TtlSeconds!.Value);
                }
            }
        }
    }

    /// <summary>Each server listens for people, and for every observer on a port of its own.</summary>
    private void StartDnsServers()
    {
        foreach (var server in Enumerable.Range(1, Ports.DnsServers))
        {
            Own(new DnsAuthority(ServedZones, Options.Ports.Dns(server), () => Faults.IsDnsServerSilent(server)));
            foreach (var observer in Enumerable.Range(1, RegionNames.Count))
            {
                Own(new DnsAuthority(
                    ServedZones, Options.Ports.DnsRoad(observer, server), () => IsCutOff(observer) || Faults.IsDnsServerSilent(server)));
            }
        }
    }

    private const int TtlSeconds = 5;

    private const int Route53RequestsPerSecond = 10;
    private const int Route53Burst = 50;

    /// <summary>People at a terminal do not wait for the minutes that are the default.</summary>
    private int StalledAfterSeconds => Math.Max(7, (int)(3 * Options.Interval).TotalSeconds);

    private async Task<Region> StartRegionAsync(int number, CancellationToken cancellationToken)
    {
        var name = RegionNames[number - 1];
        var engine = Own(await Engine.StartAsync(_undertaker, Options.Engine, cancellationToken));
        await engine.CreateTableAsync(JournalTable, "kind", "id", stream: false, cancellationToken);
        var region = new Region(name, number, engine, QueueRoot(number), _time)
        {
            HealthCheck = Own(Function(number, "HealthCheck", "schedule every minute; queue of ticks", TickTimeout(Options.Interval), 3)),
            Interval = Options.Interval,
        };
        await ListenAsync(region, endpoint: null, new IPEndPoint(IPAddress.Loopback, Options.Ports.Aws(number)), new AwsDoor(region, this).HandleAsync);

        // The observer's own way to the anchors: somewhere out in the world, which an isolated observer does not reach.
        await ListenAsync(new IPEndPoint(IPAddress.Loopback, Options.Ports.ProbeRoad(number)), context => AnchorAsync(context, number));
        if (number > ServingRegions)
        {
            return region;
        }

        await engine.CreateTableAsync(ItemsTable, "id", null, stream: true, cancellationToken);
        var itemApi = region.ItemApi = Own(Function(number, "ItemApi", $"http://127.0.0.1:{Options.Ports.ItemApi(number)}/", TimeSpan.FromSeconds(10), 8));
        region.ReplicationAudit = Own(Function(number, "ReplicationAudit", "stream of the items table; its queue; schedule every minute", TimeSpan.FromSeconds(30), 4));
        await ListenAsync(region, name, new IPEndPoint(IPAddress.Loopback, Options.Ports.ItemApi(number)), Serve);
        await ListenToWorldAsync(region, name, Ports.Address(number), Serve);
        if (Topology.Services.SelectMany(service => service.Endpoints).FirstOrDefault(endpoint => endpoint.LoadBalancerId == LocalServices.BalancerId(number)) is { } balanced)
        {
            await StartBalancerAsync(region, balanced.Name, context => HttpApi.HandleAsync(context, itemApi));
        }

        return region;

        async Task Serve(HttpContext context)
        {
            if (await Passage.AllowsAsync(context, Faults.EndpointDown(name) ?? Faults.EndpointGone(name)))
            {
                await HttpApi.HandleAsync(context, itemApi);
            }
        }
    }

    /// <summary>A load balancer of DigitalOcean's before a region's item API, with two droplets that can be switched off.</summary>
    private async Task StartBalancerAsync(Region region, string endpoint, RequestDelegate serve)
    {
        var id = LocalServices.BalancerId(region.Number);
        DigitalOcean.Add(
            new DigitalOcean.LoadBalancer(id, "lb-" + endpoint, endpoint, LocalServices.BalancerAddress(region.Number), [(region.Number * 100) + 1, (region.Number * 100) + 2]),
            new Droplet((region.Number * 100) + 1, endpoint + "-1", IsOn: true),
            new Droplet((region.Number * 100) + 2, endpoint + "-2", IsOn: true));
        await ListenToWorldAsync(region, endpoint, LocalServices.BalancerAddress(region.Number), async context =>
        {
            if (!await Passage.AllowsAsync(context, Faults.RegionDown(region.Name) ?? Faults.EndpointDown(endpoint) ?? Faults.EndpointGone(endpoint)))
            {
                return;
            }

            if (DigitalOcean.Serves(id))
            {
                await serve(context);
            }
            else
            {
                context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            }
        });
    }

    /// <summary>An address that clients reach, and every observer by a road of its own.</summary>
    private async Task ListenToWorldAsync(Region region, string endpoint, string address, RequestDelegate serve)
    {
        var ip = IPAddress.Parse(address);
        await ListenAsync(region, endpoint, new IPEndPoint(ip, Options.Ports.Service), serve);
        foreach (var observer in Enumerable.Range(1, RegionNames.Count))
        {
            await ListenAsync(region, endpoint, new IPEndPoint(ip, Options.Ports.ProbeRoad(observer)), async context =>
            {
                if (await Passage.AllowsAsync(context, observer != region.Number && IsCutOff(observer) ? FaultMode.Hang : null))
                {
                    await serve(context);
                }
            });
        }
    }

    private IEnumerable<ZoneRecordSet> Switched(Service service)
    {
        var endpoint = Switches.IsPrimaryAnswered(service.Name, RegionNames) ? service.Home : service.Endpoints.First(other => other.Name != service.Home.Name);
        return Plan.SetsOf(service, endpoint).Select(set => new ZoneRecordSet(set.Name + ".", set.Type, set.TtlSeconds!.Value, [.. set.Values]));
    }

    private async Task WriteTopologyAsync(int observer, TimeSpan interval)
    {
        // A process that starts meanwhile reads the old file or the new one, and never half of one.
        var draft = TopologyPath(observer) + ".new";
        await File.WriteAllTextAsync(draft, LocalTopology.For(observer, Options with { Interval = interval }, RegionNames, TtlSeconds));
        File.Move(draft, TopologyPath(observer), overwrite: true);
    }

    /// <summary>Deploys a region's observer with another interval.</summary>
    private async Task DeployAsync(string name, TimeSpan interval)
    {
        var region = Regions.Single(region => region.Name == name);
        await WriteTopologyAsync(region.Number, interval);
        await region.HealthCheck.DeployAsync(region.HealthCheck.Definition with { Timeout = TickTimeout(interval) });
        region.Interval = interval;
        if (region.Number == 1)
        {
            Topology = TopologyFile.Load(TopologyPath(1));
        }
    }

    private static TimeSpan TickTimeout(TimeSpan interval) => 2 * interval;

    private FunctionHost Function(int number, string name, string trigger, TimeSpan timeout, int concurrency)
    {
        var door = $"http://127.0.0.1:{Options.Ports.Aws(number)}";
        return new FunctionHost(
            new FunctionDefinition(
                name,
                RegionNames[number - 1],
                Outputs.Executable(name),
                new Dictionary<string, string>
                {
                    ["AWS_ENDPOINT_URL"] = door,
                    ["AWS_ACCESS_KEY_ID"] = "local",
                    ["AWS_SECRET_ACCESS_KEY"] = "local",
                    ["ITEMS_TABLE"] = ItemsTable,
                    ["CONTROL_TABLE"] = ControlTable,
                    ["JOURNAL_TABLE"] = JournalTable,
                    ["TICK_QUEUE_URL"] = QueueRoot(number) + "ticks",
                    ["AUDIT_QUEUE_URL"] = QueueRoot(number) + "audit",
                    ["REPLICA_REGIONS"] = string.Join(',', RegionNames.Take(ServingRegions)),
                    ["OBSERVER_REGIONS"] = string.Join(',', RegionNames),
                    ["MISSING_AFTER_SECONDS"] = $"{StalledAfterSeconds + 30}",
                    ["STALLED_AFTER_SECONDS"] = $"{StalledAfterSeconds}",
                    ["TOPOLOGY_FILE"] = TopologyPath(number),
                    ["DIGITALOCEAN_TOKEN_PARAMETER"] = TokenParameter,
                    ["DIGITALOCEAN_API_URL"] = door + DigitalOceanApi.Root + "/",
                    ["SERVICE_NAME"] = Topology.Services[0].Name,
                    ["SERVICE_ENDPOINTS"] = string.Join(',', Topology.Services[0].Endpoints.Where(endpoint => endpoint.Replica == RegionNames[number - 1]).Select(endpoint => endpoint.Name)),
                    ["WRITE_MODE"] = Options.WriteMode,
                    ["AUTHORIZATION"] = "off",
                    ["DOTNET_TieredPGO"] = "0",
                },
                timeout,
                concurrency,
                trigger),
            _undertaker,
            RunDirectory,
            line =>
            {
                Switches.Read(RegionNames[number - 1], line);
                Lags.Read(line);
            });
    }

    private async Task AnchorAsync(HttpContext context, int observer)
    {
        if (await Passage.AllowsAsync(context, IsCutOff(observer) ? FaultMode.Hang : null))
        {
            await context.Response.WriteAsync("ok");
        }
    }

    private bool IsCutOff(int observer) => Faults.IsIsolated(RegionNames[observer - 1]);

    private async Task ApplyFaultsAsync()
    {
        await _faultTurn.WaitAsync();
        try
        {
            foreach (var region in Regions)
            {
                var down = Faults.RegionDown(region.Name);
                foreach (var (door, endpoint) in region.Doors)
                {
                    await door.SetOpenAsync((down ?? (endpoint is null ? null : Faults.EndpointDown(endpoint))) != FaultMode.Refuse);
                }

                foreach (var function in region.Functions)
                {
                    await function.SetUpAsync(down is null);
                }
            }
        }
        finally
        {
            _faultTurn.Release();
        }
    }

    private async Task ListenAsync(Region region, string? endpoint, IPEndPoint address, RequestDelegate handler) =>
        region.Doors.Add((await ListenAsync(address, handler), endpoint));

    private async Task<Door> ListenAsync(IPEndPoint address, RequestDelegate handler)
    {
        var door = Own(new Door(address, handler));
        await door.SetOpenAsync(true);
        return door;
    }

    /// <summary>The page sees the world from outside: it asks the engines themselves, not through a region's door, which may be shut.</summary>
    private AmazonDynamoDBClient ClientOf(Engine engine) =>
        Own(new AmazonDynamoDBClient("local", "local", new AmazonDynamoDBConfig { ServiceURL = engine.Address.ToString(), AuthenticationRegion = RegionNames[0] }));

    private string QueueRoot(int number) => $"http://127.0.0.1:{Options.Ports.Aws(number)}/000000000000/";

    private string TopologyPath(int number) => Path.Combine(RunDirectory, $"{RegionNames[number - 1]}-topology.json");

    private T Own<T>(T owned)
        where T : notnull
    {
        _owned.Add(owned as IAsyncDisposable ?? new Owned((IDisposable)owned));
        return owned;
    }

    private static void CheckAddresses(WorldOptions options)
    {
        var ports = options.Ports;
        var numbers = Enumerable.Range(1, ServingRegions).ToList();
        foreach (var address in numbers.Select(Ports.Address).Concat(options.Services > 2 ? numbers.Select(LocalServices.BalancerAddress) : []))
        {
            try
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
            }
            catch (SocketException)
            {
                throw new InvalidOperationException($"This system has no address {address}. Add it: on macOS 'sudo ifconfig lo0 alias {address} up'.");
            }
        }

        var network = IPGlobalProperties.GetIPGlobalProperties();
        var taken = network.GetActiveTcpListeners().Concat(network.GetActiveUdpListeners()).Select(listener => listener.Port).ToHashSet();
        if (ports.All(RegionNames.Count, ServingRegions).Where(taken.Contains).ToList() is { Count: > 0 } busy)
        {
            throw new InvalidOperationException($"Another program has port {string.Join(", ", busy)}. Shift all ports together: --port-base {ports.Base + 1000}");
        }
    }

    private sealed record Owned(IDisposable Disposable) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            Disposable.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
