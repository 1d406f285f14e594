using System.Collections.Concurrent;
using System.Net;
using Amazon.DynamoDBv2;
using Amazon.Route53;
using Amazon.Runtime;
using Failover.ControlPlane;
using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Topologies;
using Failover.Testing;
using Failover.HealthCheck.Dns;
using Failover.HealthCheck.Probing;
using Failover.HealthCheck.Tests.Decision;
using Failover.Hosting;
using Failover.LocalHost.Network;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Failover.HealthCheck.Tests;

/// <summary>A tick's vote over a real control table: what a schedule that fires twice, late or too early does to the counts. Endpoint a fails, b serves.</summary>
public sealed class TickTests : IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    private readonly FakeTimeProvider _time = new(World.Now);
    private readonly ConcurrentBag<(string Operation, long Bytes)> _counted = [];
    private bool _anchorsAnswer = true;
    private bool _aFails = true;
    private TestEngine _engine = null!;
    private Door _endpoints = null!;
    private Topology _topology = null!;
    private ControlStore _control = null!;
    private Tick _tick = null!;
    private string _journal = null!;

    private DateTimeOffset Start => _topology.Timing.StartAt(_time.GetUtcNow());

    public async ValueTask InitializeAsync()
    {
        _engine = await TestEngine.StartAsync();
        _endpoints = new Door(new IPEndPoint(IPAddress.Loopback, 0), context =>
        {
            context.Response.StatusCode = context.Request.Path.Value == "/a" && _aFails ? 500 : 200;
            if (context.Request.Path.Value == "/anchor" && !_anchorsAnswer)
            {
                context.Abort();
            }

            return Task.CompletedTask;
        });
        await _endpoints.SetOpenAsync(true);
        Uri At(string path) => new($"http://127.0.0.1:{_endpoints.Port}/{path}");
        var service = World.Service with
        {
            AuthoritativeServers = ["127.0.0.1:9"],
            Endpoints = [.. World.Service.Endpoints.Take(2).Select(endpoint => endpoint with { ProbeUrl = At(endpoint.Name) })],
        };
        _topology = World.Topology with
        {
            Replicas = ["a", "b"],
            Services = [service],
            Anchors = [new Anchor { Name = "x", Url = At("anchor"), Operator = "x", Region = "x" }],
            Timing = new Timing(ProbeTimeoutMilliseconds: 1000),
        };
        _journal = await _engine.TableAsync("kind", "id");
        var options = new HealthCheckOptions("o1", _topology, await _engine.TableAsync("id"), await _engine.TableAsync("service", "record"), _journal, "");
        var timeout = TimeSpan.FromSeconds(5);
        _control = new ControlStore(CountedClient(), options.ControlTable, timeout);
        var prober = new HttpProber(ProbeDeadlines.Of(_topology.Timing), [IPNetwork.Parse("127.0.0.0/8")], _time);
        var report = new TickReport(options, new JournalStore(CountedClient(), options.JournalTable, timeout), new Metrics(new LineWriter(Stream.Null), _time), _time, NullLogger<TickReport>.Instance);
        var route53 = new AmazonRoute53Client(
            new BasicAWSCredentials("test", "test"), new AmazonRoute53Config { ServiceURL = "http://127.0.0.1:9", AuthenticationRegion = "us-east-1", MaxErrorRetry = 0 });
        _tick = new Tick(
            options,
            _control,
            prober,
            new LoadBalancers(null!, timeout, _time, NullLogger<LoadBalancers>.Instance),
            new Heartbeats(_topology.Replicas.ToDictionary(replica => replica, _ => (IAmazonDynamoDB)CountedClient()), options.ItemsTable, "o1", _time, timeout),
            new DataJournals(_topology.Replicas.ToDictionary(replica => replica, _ => (IAmazonDynamoDB)CountedClient()), _journal, timeout),
            new AuthoritativeLook(prober, TimeSpan.FromMilliseconds(100)),
            new Follower(options, _control, _ => new Route53Records(route53), new Dictionary<string, IAmazonDynamoDB>(), new MoveJournal(new Dictionary<string, IAmazonDynamoDB>(), _journal, timeout, _time, NullLogger<MoveJournal>.Instance), report, _time, NullLogger<Follower>.Instance),
            report,
            new ServerClock(_time),
            _time,
            NullLogger<Tick>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        await _endpoints.DisposeAsync();
        await _engine.DisposeAsync();
    }

    [Fact]
    public async Task A_tick_that_comes_twice_or_at_the_wrong_time_is_counted_once()
    {
        await _tick.RunAsync(Start, Token);
        await _tick.RunAsync(Start, Token);
        await _tick.RunAsync(Start - (2 * _topology.Timing.Interval), Token);
        await _tick.RunAsync(Start + (30 * _topology.Timing.Interval), Token);
        var one = await BallotAsync();
        _time.Advance(_topology.Timing.Interval);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _tick.RunAsync(Start, Token)));
        var two = await BallotAsync();

        Assert.Equal((1, Health.Unknown, 1), (one.On(World.Name, "a").Failures, one.On(World.Name, "a").Health, one.On(World.Name, "b").CleanTicks));
        Assert.Equal((2, 2), (two.On(World.Name, "a").Failures, two.On(World.Name, "b").CleanTicks));
        Assert.True(two.Replicas["a"].Acked);
    }

    [Fact]
    public async Task A_missed_tick_is_no_failure_and_no_success()
    {
        await _tick.RunAsync(Start, Token);
        _time.Advance(2 * _topology.Timing.Interval);
        await _tick.RunAsync(Start, Token);

        Assert.Equal((2, 2), ((await BallotAsync()).On(World.Name, "a").Failures, (await BallotAsync()).On(World.Name, "b").CleanTicks));
    }

    [Fact]
    public async Task An_observer_that_no_anchor_answers_does_not_vote()
    {
        _anchorsAnswer = false;
        await _tick.RunAsync(Start, Token);

        Assert.Equal((null, null), await _control.ReadBallotAsync("o1", Token));
    }

    /// <summary>Through the store and back: what was decided comes out again.</summary>
    [Fact]
    public async Task What_a_tick_journals_can_be_derived_again()
    {
        await _control.WriteRegisterAsync(World.Register() with { Service = World.Name }, null, Token);
        await _control.WriteBallotAsync(World.Ballot("o2", "a:2- b:+") with { Topology = _topology.Digest }, null, Token);
        for (var i = 0; i < 6; i++)
        {
            await _tick.RunAsync(Start, Token);
            _time.Advance(_topology.Timing.Interval);
        }

        var journal = await new JournalStore(_engine.Client(), _journal, TimeSpan.FromSeconds(5)).ReadAsync(World.Name, 100, Token);
        var replayed = HealthCheck.Decision.Replay.Again(_topology, journal);

        Assert.Equal(6, replayed.Count);
        Assert.All(replayed, decision => Assert.True(decision.IsSame, decision.Decision.Why));
        Assert.Contains(replayed, decision => decision.Entry.Held.Contains("NoQuorum"));
        Assert.Contains(replayed, decision => decision.Entry.Diagnosis == "Healthy" || decision.Entry.Diagnosis == "Contested");
    }

    /// <summary>Sick or well, a tick makes the same calls, and what they carry differs by what a failure is described with. A tick that works more when all is failing fails with it.</summary>
    [Fact]
    public async Task A_tick_works_the_same_sick_or_well()
    {
        await _control.WriteRegisterAsync(World.Register("b") with { Service = World.Name }, null, Token);
        for (var i = 0; i < 20; i++)
        {
            await TickAsync();
        }

        var sick = await TickAsync();
        _aFails = false;
        for (var i = 0; i < 20; i++)
        {
            await TickAsync();
        }

        var well = await TickAsync();

        Assert.Equal(Health.Up, (await BallotAsync()).On(World.Name, "a").Health);
        Assert.Equal(well.Calls, sick.Calls);
        Assert.InRange(sick.Bytes - well.Bytes, -1000, 1000);
        Assert.True(well.Bytes > 2000);

        async Task<(string Calls, long Bytes)> TickAsync()
        {
            _counted.Clear();
            await _tick.RunAsync(Start, Token);
            _time.Advance(_topology.Timing.Interval);
            return (string.Join(' ', _counted.Select(call => call.Operation).Order(StringComparer.Ordinal)), _counted.Sum(call => call.Bytes));
        }
    }

    /// <summary>All services used to be listed in one and the same tick.</summary>
    [Theory]
    [InlineData(10)]
    [InlineData(7)]
    [InlineData(60)]
    public void Every_name_is_listed_once_in_ten_minutes_and_fifty_of_them_not_at_once(int seconds)
    {
        var services = Enumerable.Range(0, 50).Select(i => World.Service with { Name = $"service-{i}.example.test" }).ToList();
        var starts = Enumerable.Range(0, 6 * 3600 / seconds).Select(i => World.Now.AddSeconds(i * seconds)).ToList();
        var due = starts.Zip(starts.Skip(1), (before, start) => services.Count(service => Tick.IsListingDue(service, before, start))).ToList();

        Assert.InRange(due.Sum(), 35 * 50, 36 * 50);
        Assert.True(due.Max() <= 5 + (50 * seconds / 300), $"{due.Max()} at once");
        Assert.False(Tick.IsListingDue(services[0], null, World.Now));
    }

    private sealed class Counter(ConcurrentBag<(string Operation, long Bytes)> counted) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(new Handler(counted));

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

        private sealed class Handler(ConcurrentBag<(string Operation, long Bytes)> counted) : DelegatingHandler(new SocketsHttpHandler())
        {
            protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            {
                counted.Add((request.Headers.GetValues("X-Amz-Target").Single().Split('.')[1], request.Content!.Headers.ContentLength ?? 0));
                return base.SendAsync(request, cancellationToken);
            }
        }
    }

    private AmazonDynamoDBClient CountedClient() => new(
        "local", "local", new AmazonDynamoDBConfig { ServiceURL = _engine.Address.ToString(), AuthenticationRegion = "us-east-1", HttpClientFactory = new Counter(_counted) });

    private async Task<Ballot> BallotAsync() => (await _control.ReadBallotAsync("o1", Token)).Ballot!;
}
