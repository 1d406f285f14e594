using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Amazon.DynamoDBv2;
using Failover.ControlPlane;
using Failover.ControlPlane.Topologies;
using Failover.LocalHost.Aws;
using Failover.LocalHost.Dns;
using Failover.LocalHost.Engines;
using Failover.LocalHost.Functions;
using Failover.LocalHost.Network;
using Failover.LocalHost.Page;
using Failover.LocalHost.Processes;
using Failover.LocalHost.Regions;
using Failover.LocalHost.Replication;
using Failover.LocalHost.Route53;
using Failover.LocalHost.Streams;

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

    /// <summary>Two regions serve, the third observes only.</summary>
    public static readonly IReadOnlyList<string> RegionNames = ["us-east-1", "us-west-2", "us-east-2"];

    public const int ServingRegions = 2;

    private readonly List<IAsyncDisposable> _owned = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _loops = [];
    private readonly SemaphoreSlim _faultTurn = new(1);
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly Undertaker _undertaker = new();

    private World(WorldOptions options)
    {
        Options = options;
        RunDirectory = Directory.CreateTempSubdirectory("failover-").FullName;
        _undertaker.Owns(RunDirectory);
        Faults = new Faults(options.Lag);
        Zone = new HostedZone(ZoneId, "example.test.");
        Route53 = new Route53Api(Zone, Faults, _time);
    }

    public WorldOptions Options { get; }

    /// <summary>Where the functions' logs and topologies are; it goes with the world.</summary>
    public string RunDirectory { get; }

    public Faults Faults { get; }

    public HostedZone Zone { get; }

    public Route53Api Route53 { get; }

    public IReadOnlyList<Region> Regions { get; private set; } = [];

    /// <summary>The engine of the strongly consistent control table: one for all regions.</summary>
    public Engine Control { get; private set; } = null!;

    public Replicator Replicator { get; private set; } = null!;

    /// <summary>The control table, for the page and for commands.</summary>
    public ControlStore ControlStore { get; private set; } = null!;

    /// <summary>Each region's journal, for the page.</summary>
    public IReadOnlyList<JournalStore> Journals { get; private set; } = [];

    /// <summary>The topology as the first region's observer has it.</summary>
    public Topology Topology { get; private set; } = null!;

    public IEnumerable<FunctionHost> Functions => Regions.SelectMany(region => region.Functions);

    /// <summary>Starts everything; when it returns, all of it listens.</summary>
    /// <exception cref="InvalidOperationException">Something cannot start; the message says what to do.</exception>
    public static async Task<World> StartAsync(WorldOptions options, CancellationToken cancellationToken)
    {
        CheckAddresses(options.Ports);
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

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
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
        Zone.Apply([new ZoneChange("CREATE", new ZoneRecordSet(ServiceName + ".", "A", TtlSeconds, [Ports.Address(1)]))]);
        foreach (var observer in Enumerable.Range(1, RegionNames.Count))
        {
            Own(new DnsAuthority(Zone, Options.Ports.DnsRoad(observer), () => IsCutOff(observer)));
        }

        Own(new DnsAuthority(Zone, Options.Ports.Dns, () => false));
        var regions = new List<Region>();
        for (var number = 1; number <= RegionNames.Count; number++)
        {
            regions.Add(await StartRegionAsync(number, cancellationToken));
        }

        Regions = regions;
        Topology = TopologyFile.Load(TopologyPath(1));
        ControlStore = new ControlStore(ClientOf(Control), ControlTable, TimeSpan.FromSeconds(2));
        Journals = [.. Regions.Select(region => new JournalStore(ClientOf(region.Engine), JournalTable, TimeSpan.FromSeconds(2)))];
        Replicator = Own(new Replicator([.. Regions.Take(ServingRegions)], ItemsTable, Faults, _time));
        await ListenAsync(new IPEndPoint(IPAddress.Loopback, Options.Ports.Route53), Route53.HandleAsync);
        await ListenAsync(new IPEndPoint(IPAddress.Loopback, Options.Ports.Page), new ControlApi(this, _time).HandleAsync);
        Replicator.Start();
        foreach (var region in Regions)
        {
            _loops.Add(region.RunScheduleAsync(Faults, _stop.Token));
            _loops.Add(region.RunTickQueueAsync(Faults, _stop.Token));
            if (region.ReplicationAudit is { } audit)
            {
                _loops.Add(new StreamTrigger(
                    new TableStream(region.Engine, ItemsTable),
                    region.Name,
                    async batch => (await audit.InvokeAsync(batch)).Payload,
                    () => Faults.RegionDown(region.Name) is not null || !audit.IsUp,
                    _time).RunAsync(_stop.Token));
            }
        }
    }

    private const int TtlSeconds = 5;

    private async Task<Region> StartRegionAsync(int number, CancellationToken cancellationToken)
    {
        var name = RegionNames[number - 1];
        var engine = Own(await Engine.StartAsync(_undertaker, Options.Engine, cancellationToken));
        await engine.CreateTableAsync(JournalTable, "kind", "id", stream: false, cancellationToken);
        await File.WriteAllTextAsync(TopologyPath(number), LocalTopology.For(number, Options, RegionNames, TtlSeconds), cancellationToken);
        var queue = $"http://127.0.0.1:{Options.Ports.Aws(number)}/000000000000/ticks";
        var region = new Region(name, number, engine, queue, _time) { HealthCheck = Own(Function(number, "HealthCheck", "schedule every minute; queue of ticks", 2 * Options.Interval, 3)) };
        await ListenAsync(region, isEndpoint: false, new IPEndPoint(IPAddress.Loopback, Options.Ports.Aws(number)), new AwsDoor(region, this).HandleAsync);

        // The observer's own way to the anchors: somewhere out in the world, which an isolated observer does not reach.
        await ListenAsync(new IPEndPoint(IPAddress.Loopback, Options.Ports.ProbeRoad(number)), context => AnchorAsync(context, number));
        if (number > ServingRegions)
        {
            return region;
        }

        await engine.CreateTableAsync(ItemsTable, "id", null, stream: true, cancellationToken);
        var itemApi = region.ItemApi = Own(Function(number, "ItemApi", $"http://127.0.0.1:{Options.Ports.ItemApi(number)}/", TimeSpan.FromSeconds(10), 8));
        region.ReplicationAudit = Own(Function(number, "ReplicationAudit", "stream of the items table", TimeSpan.FromSeconds(30), 1));
        var address = IPAddress.Parse(Ports.Address(number));
        await ListenAsync(region, isEndpoint: true, new IPEndPoint(IPAddress.Loopback, Options.Ports.ItemApi(number)), Serve);
        await ListenAsync(region, isEndpoint: true, new IPEndPoint(address, Options.Ports.Service), Serve);
        foreach (var observer in Enumerable.Range(1, RegionNames.Count))
        {
            await ListenAsync(region, isEndpoint: true, new IPEndPoint(address, Options.Ports.ProbeRoad(observer)), async context =>
            {
                if (await Passage.AllowsAsync(context, observer != number && IsCutOff(observer) ? FaultMode.Hang : null))
                {
                    await Serve(context);
                }
            });
        }

        return region;

        async Task Serve(HttpContext context)
        {
            if (await Passage.AllowsAsync(context, Faults.EndpointDown(name)))
            {
                await HttpApi.HandleAsync(context, itemApi);
            }
        }
    }

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
                    ["TICK_QUEUE_URL"] = door + "/000000000000/ticks",
                    ["TOPOLOGY_FILE"] = TopologyPath(number),
                    ["DOTNET_TieredPGO"] = "0",
                },
                timeout,
                concurrency,
                trigger),
            _undertaker,
            RunDirectory);
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
                foreach (var (door, isEndpoint) in region.Doors)
                {
                    await door.SetOpenAsync((isEndpoint ? Faults.EndpointDown(region.Name) : down) != FaultMode.Refuse);
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

    private async Task ListenAsync(Region region, bool isEndpoint, IPEndPoint address, RequestDelegate handler) =>
        region.Doors.Add((await ListenAsync(address, handler), isEndpoint));

    private async Task<Door> ListenAsync(IPEndPoint address, RequestDelegate handler)
    {
        var door = Own(new Door(address, handler));
        await door.SetOpenAsync(true);
        return door;
    }

    /// <summary>The page sees the world from outside: it asks the engines themselves, not through a region's door, which may be shut.</summary>
    private AmazonDynamoDBClient ClientOf(Engine engine) =>
        Own(new AmazonDynamoDBClient("local", "local", new AmazonDynamoDBConfig { ServiceURL = engine.Address.ToString(), AuthenticationRegion = RegionNames[0] }));

    private string TopologyPath(int number) => Path.Combine(RunDirectory, $"{RegionNames[number - 1]}-topology.json");

    private T Own<T>(T owned)
        where T : notnull
    {
        _owned.Add(owned as IAsyncDisposable ?? new Owned((IDisposable)owned));
        return owned;
    }

    private static void CheckAddresses(Ports ports)
    {
        foreach (var number in Enumerable.Range(1, ServingRegions))
        {
            try
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(IPAddress.Parse(Ports.Address(number)), 0));
            }
            catch (SocketException)
            {
                throw new InvalidOperationException(
                    $"This system has no address {Ports.Address(number)}. Add it: on macOS 'sudo ifconfig lo0 alias {Ports.Address(number)} up'.");
            }
        }

        var network = IPGlobalProperties.GetIPGlobalProperties();
        var taken = network.GetActiveTcpListeners().Concat(network.GetActiveUdpListeners()).Select(listener => listener.Port).ToHashSet();
        int[] wanted = [ports.Dns, ports.Service, ports.Page, ports.Route53, .. Enumerable.Range(1, 3).SelectMany(k => new[] { ports.Aws(k), ports.DnsRoad(k), ports.ProbeRoad(k) }), ports.ItemApi(1), ports.ItemApi(2)];
        if (wanted.Where(taken.Contains).ToList() is { Count: > 0 } busy)
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
