using System.Net;
using System.Text;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Amazon.Route53;
using Amazon.Runtime;
using Failover.ControlPlane;
using Failover.ControlPlane.Registers;
using Failover.Testing;
using Failover.HealthCheck.Decision;
using Failover.HealthCheck.Dns;
using Failover.HealthCheck.Tests.Decision;
using Failover.Hosting;
using Failover.ItemRecord;
using Failover.LocalHost.Network;
using Failover.LocalHost.Route53;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Failover.HealthCheck.Tests;

/// <summary>A move under way, followed through a real control table and LocalHost's Route 53: and a process that sleeps in the middle of it.</summary>
public sealed class FollowerTests : IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;
    private static readonly Plan Before = World.Plan("a", 4);
    private static readonly Register Moving = World.Register().WithPlan(World.Plan("b", 5)) with { Moving = new Move("a", "b", MoveKind.Automatic, World.Now) };

    private readonly FakeTimeProvider _time = new(World.Now);
    private readonly HostedZone _zone = new("Z1", "example.test.");
    private TestEngine _engine = null!;
    private Door _door = null!;
    private string _control = null!;
    private string _journal = null!;
    private string _items = null!;
    private readonly MemoryStream _output = new();
    private string? _denied;
    private string? _throttled;
    private int _throttles;
    private Look _look = new([new Listing(Before.Sets, Before.Txt)], HttpOk: true, "");
    private TickReport? _report;
    private Follower? _process;
    private bool _isOneProcess;
    private string _says = "a:9- b:+";

    public async ValueTask InitializeAsync()
    {
        _engine = await TestEngine.StartAsync();
        (_control, _journal, _items) = (await _engine.TableAsync("service", "record"), await _engine.TableAsync("kind", "id"), await _engine.TableAsync("id"));
        var store = new ControlStore(_engine.Client(), _control, TimeSpan.FromSeconds(5));
        await store.WriteRegisterAsync(Moving, null, Token);
        foreach (var observer in World.Topology.Observers)
        {
            await store.WriteBallotAsync(World.Ballot(observer, "a:9- b:+"), null, Token);
        }

        _zone.Apply([.. Before.Sets.Append(Before.Txt).Select(set => new ZoneChange(
            "CREATE", new ZoneRecordSet(set.Name + ".", set.Type, set.TtlSeconds!.Value, [.. set.Values.Select(value => set.Type == "TXT" ? $"\"{value}\"" : value)])))]);
        var route53 = new Route53Api(_zone, new Faults(TimeSpan.Zero), TimeProvider.System);
        _door = new Door(new IPEndPoint(IPAddress.Loopback, 0), async context =>
        {
            if (context.Request.Method == _throttled && _throttles-- > 0)
            {
                context.Response.StatusCode = 400;
                await context.Response.WriteAsync("<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>");
                return;
            }

            if (context.Request.Method == _denied)
            {
                context.Response.StatusCode = 403;
                await context.Response.WriteAsync("<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>");
                return;
            }

            await route53.HandleAsync(context);
        });
        await _door.SetOpenAsync(true);
    }

    public async ValueTask DisposeAsync()
    {
        await _door.DisposeAsync();
        await _engine.DisposeAsync();
    }

    [Fact]
    public async Task A_move_that_still_stands_is_applied()
    {
        await FollowAsync(sleepAfterRead: 0);

        Assert.Equal("192.0.2.2", Assert.Single(_zone.Find(World.Name + ".", "A")!.Values));
        Assert.Contains("epoch=5", _zone.Find("_failover." + World.Name + ".", "TXT")!.Values[0], StringComparison.Ordinal);
    }

    /// <summary>The first read is two queries; the next within a second is one, and the one before the apply.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_decider_that_slept_for_minutes_after_reading_changes_nothing(int sleepAfterRead)
    {
        await FollowAsync(sleepAfterRead);

        Assert.Equal("192.0.2.1", Assert.Single(_zone.Find(World.Name + ".", "A")!.Values));
        Assert.Equal(Moving.Rev, (await new ControlStore(_engine.Client(), _control, TimeSpan.FromSeconds(5)).ReadAsync(World.Name, Token)).Register!.Rev);
    }

    /// <summary>Through the store of items: the follower fences, the API's store refuses, and the register says since when.</summary>
    [Fact]
    public async Task A_planned_move_fences_writes_at_the_replica_that_is_left()
    {
        var control = await PlannedAsync();
        var store = new ItemStore(_engine.Client(), _items, "a", new VersionClock("a", _time), _time, TimeSpan.FromSeconds(5));

        await FollowAsync(sleepAfterRead: 0);

        Assert.Equal(World.Now, (await control.ReadAsync(World.Name, Token)).Register!.Planned!.FencedAt);
        Assert.Equal(new WriteResult.Fenced(World.Now.AddMinutes(5)), await store.PutAsync("x", new Dictionary<string, AttributeValue>(), null, Precondition.None, Token));
    }

    [Fact]
    public async Task A_fence_that_is_not_acknowledged_is_no_fence()
    {
        var control = await PlannedAsync();
        _items = "no-such-table";

        await FollowAsync(sleepAfterRead: 0);

        Assert.Null((await control.ReadAsync(World.Name, Token)).Register!.Planned!.FencedAt);
    }

    [Fact]
    public async Task A_tick_that_began_minutes_ago_writes_nothing()
    {
        var slow = new FakeTimeProvider(World.Now);
        var started = new Evidence(slow);
        slow.Advance(TimeSpan.FromMinutes(5));

        await FollowAsync(sleepAfterRead: 0, started);

        Assert.Equal("192.0.2.1", Assert.Single(_zone.Find(World.Name + ".", "A")!.Values));
    }

    /// <summary>IAM cannot forbid the deletion of an address alone: the code does, and what is left undone is told.</summary>
    [Fact]
    public async Task A_plan_that_would_leave_the_name_empty_is_refused_and_becomes_overdue()
    {
        await new ControlStore(_engine.Client(), _control, TimeSpan.FromSeconds(5)).WriteRegisterAsync(
            Moving with { Rev = Moving.Rev + 1, Plan = Moving.Plan with { Sets = [] } }, Moving.Rev, Token);

        await OverdueAfterThreeTicksAsync();

        Assert.Equal("192.0.2.1", Assert.Single(_zone.Find(World.Name + ".", "A")!.Values));
    }

    /// <summary>F5: with Route 53's API away the listing failed before the apply, and no alarm told of it. A denied batch is its relative.</summary>
    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    public async Task A_move_that_cannot_be_carried_out_becomes_overdue_whichever_call_fails_and_one_that_is_does_not(string denied)
    {
        _denied = denied;
        var shown = _look;
        _look = new Look([null], HttpOk: true, "");
        await OverdueAfterThreeTicksAsync();
        Assert.Equal("192.0.2.1", Assert.Single(_zone.Find(World.Name + ".", "A")!.Values));

        (_denied, _look) = (null, shown);
        await FollowAsync(sleepAfterRead: 0);
        _output.SetLength(0);
        await FollowAsync(sleepAfterRead: 0);
        Assert.Equal("192.0.2.2", Assert.Single(_zone.Find(World.Name + ".", "A")!.Values));
        Assert.Contains("\"OverdueSeconds\":[0]", Encoding.UTF8.GetString(_output.ToArray()), StringComparison.Ordinal);
    }

    /// <summary>While nothing moves the plans are checked: first when the process starts, then an hour later; while one would be refused every five minutes.</summary>
    [Fact]
    public async Task In_quiet_times_a_plan_that_would_be_refused_is_an_alarm()
    {
        var control = new ControlStore(_engine.Client(), _control, TimeSpan.FromSeconds(5));
        await control.WriteRegisterAsync(World.Register() with { Rev = Moving.Rev + 1, Plan = Before, Publication = new Publication(World.Now, World.Now, World.Now) }, Moving.Rev, Token);
        (_isOneProcess, _says, _denied) = (true, "a:+ b:+ c:+", "POST");
        Assert.Equal("all", await RefusedAsync(0));
        _denied = null;
        Assert.Equal("all", await RefusedAsync(299));
        Assert.Equal("none", await RefusedAsync(1));
        _denied = "POST";
        Assert.Equal("none", await RefusedAsync(3599));
        Assert.Equal("all", await RefusedAsync(1));

        async Task<string> RefusedAsync(int afterSeconds)
        {
            _time.Advance(TimeSpan.FromSeconds(afterSeconds));
            foreach (var observer in World.Topology.Observers)
            {
                var stored = await control.ReadBallotAsync(observer, Token);
                await control.WriteBallotAsync(World.Ballot(observer, _says).MadeAt(_time.GetUtcNow()) with { Token = Guid.NewGuid().ToString() }, stored.Token, Token);
            }

            // The check comes after the report; the next tick reports it.
            await FollowAsync(sleepAfterRead: 0);
            _output.SetLength(0);
            await FollowAsync(sleepAfterRead: 0);
            return Encoding.UTF8.GetString(_output.ToArray()) is var told && told.Contains("\"PlansRefused\":[0]", StringComparison.Ordinal) ? "none" : told.Contains("\"PlansRefused\":[3]", StringComparison.Ordinal) ? "all" : told;
        }
    }

    /// <summary>F10: a throttled listing gave the whole tick up.</summary>
    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    public async Task What_is_throttled_is_tried_again_within_the_tick(string throttled)
    {
        (_throttled, _throttles) = (throttled, 2);
        _look = throttled == "GET" ? new Look([null], HttpOk: true, "") : _look;
        var following = FollowAsync(sleepAfterRead: 0);
        while (!following.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(20));
            await Task.WhenAny(following, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Token));
        }

        await following;
        Assert.True(_throttles < 0);
        Assert.Equal("192.0.2.2", Assert.Single(_zone.Find(World.Name + ".", "A")!.Values));
    }

    /// <summary>The servers show what the last plan left: its replacement is as conditional without a listing as with one.</summary>
    [Fact]
    public async Task Where_the_servers_show_the_plan_before_a_move_needs_no_listing()
    {
        _denied = "GET";
        await FollowAsync(sleepAfterRead: 0);

        Assert.Equal("192.0.2.2", Assert.Single(_zone.Find(World.Name + ".", "A")!.Values));
    }

    private async Task OverdueAfterThreeTicksAsync()
    {
        await FollowAsync(sleepAfterRead: 0);
        Assert.Contains("\"OverdueSeconds\":[0]", Encoding.UTF8.GetString(_output.ToArray()), StringComparison.Ordinal);
        _output.SetLength(0);
        foreach (var seconds in new[] { 10, 10, 10 })
        {
            _time.Advance(TimeSpan.FromSeconds(seconds));
            await FollowAsync(sleepAfterRead: 0);
        }

        Assert.Contains("\"OverdueSeconds\":[10]", Encoding.UTF8.GetString(_output.ToArray()), StringComparison.Ordinal);
    }

    /// <summary>A planned move from a to b was ordered in a healthy world.</summary>
    private async Task<ControlStore> PlannedAsync()
    {
        var control = new ControlStore(_engine.Client(), _control, TimeSpan.FromSeconds(5));
        await control.WriteRegisterAsync(
            World.Register() with { Rev = Moving.Rev + 1, Planned = new PlannedMove("a", "a", "b", "op", World.Now, World.Now.AddMinutes(5)) }, Moving.Rev, Token);
        foreach (var observer in World.Topology.Observers)
        {
            await control.WriteBallotAsync(World.Ballot(observer, "a:+ b:+") with { Token = observer + "2" }, observer, Token);
        }

        return control;
    }

    private async Task FollowAsync(int sleepAfterRead, Evidence? started = null)
    {
        var client = new AmazonDynamoDBClient("local", "local", new AmazonDynamoDBConfig
        {
            ServiceURL = _engine.Address.ToString(),
            AuthenticationRegion = "us-east-1",
            HttpClientFactory = new Sleeper(sleepAfterRead, () => _time.Advance(TimeSpan.FromMinutes(5))),
        });
        var options = new HealthCheckOptions("o1", World.Topology, _items, _control, _journal, "");
        var report = _report ??= new TickReport(
            options, new JournalStore(_engine.Client(), _journal, TimeSpan.FromSeconds(5)), new Metrics(new LineWriter(_output), _time), _time, NullLogger<TickReport>.Instance);
        var follower = _process ?? new Follower(
            options, new ControlStore(client, _control, TimeSpan.FromSeconds(5)), _ => new Route53Records(new AmazonRoute53Client(
                new BasicAWSCredentials("test", "test"),
                new AmazonRoute53Config { ServiceURL = $"http://127.0.0.1:{_door.Port}", AuthenticationRegion = "us-east-1", MaxErrorRetry = 0 })),
            new Dictionary<string, IAmazonDynamoDB> { ["a"] = _engine.Client() },
            new MoveJournal(new Dictionary<string, IAmazonDynamoDB>(), _journal, TimeSpan.FromSeconds(5), _time, NullLogger<MoveJournal>.Instance), report, _time, NullLogger<Follower>.Instance);
        _process = _isOneProcess ? follower : null;
        var settled = await follower.FollowAsync(World.Service, World.Ballot("o1", _says).MadeAt(_time.GetUtcNow()), listsNow: false, _look, new SharedBallots(new ControlStore(client, _control, TimeSpan.FromSeconds(5)), _time, World.Topology.Timing.Interval), started ?? new Evidence(_time), Token);
        if (settled is not null)
        {
            await follower.CheckAsync(World.Service, settled, started ?? new Evidence(_time), Token);
        }
    }

    /// <summary>A process that sleeps after its n-th query was answered, and before it reads the answer.</summary>
    private sealed class Sleeper(int query, Action sleep) : HttpClientFactory
    {
        private int _queries;

        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(new Handler(this));

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

        private void Answered()
        {
            if (Interlocked.Increment(ref _queries) == query)
            {
                sleep();
            }
        }

        private sealed class Handler(Sleeper sleeper) : DelegatingHandler(new SocketsHttpHandler())
        {
            protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            {
                var response = await base.SendAsync(request, cancellationToken);
                if (request.Headers.GetValues("X-Amz-Target").Single().EndsWith(".Query", StringComparison.Ordinal))
                {
                    sleeper.Answered();
                }

                return response;
            }
        }
    }
}
