using Amazon.DynamoDBv2;
using Failover.ControlPlane;
using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck;
using Failover.HealthCheck.Decision;
using Failover.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Failover.Simulation.Crowd;

/// <summary>F10: a region is lost with fifty services. The production follower, report and stores move them all, through a provider that throttles by load, in virtual time.</summary>
public sealed class CrowdTests(ITestOutputHelper output)
{
    private const int Services = 50;
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;
    private static readonly string[] Observers = ["o1", "o2", "o3"];

    /// <summary>"All moved within 20 s of the decision": of the moment when the first observer reads that a majority has seen the region lost.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Fifty_services_are_moved_within_twenty_seconds(int seed) => Moved(seed, null, TimeSpan.FromSeconds(20));

    /// <summary>The observer that takes the epochs reaches the table, and not the provider: the others go on in their next tick.</summary>
    [Theory]
    [InlineData(4, "o1")]
    [InlineData(40, "o2")]
    [InlineData(32, "o3")]
    public void An_observer_that_cannot_reach_the_provider_costs_one_tick_more(int seed, string cutOff) => Moved(seed, cutOff, TimeSpan.FromSeconds(25));

    private void Moved(int seed, string? cutOff, TimeSpan most)
    {
        var crowd = new World(seed, cutOff);
        crowd.Time.Run(() => crowd.RunAsync(TimeSpan.FromSeconds(70)));

        var took = crowd.MovedAfter ?? throw new InvalidOperationException("not all were moved");
        output.WriteLine($"seed {seed}: all moved after {took.TotalSeconds:0.0} s; throttled {crowd.Zone.Throttled}; at most {crowd.Zone.Asked.Max(asked => asked.Listings)} listings and {crowd.Zone.Asked.Max(asked => asked.Batches)} batches of one observer for one name");
        Assert.InRange(took, TimeSpan.Zero, most);
        Assert.All(crowd.Zone.Asked, asked => Assert.True(asked is { Listings: <= 2, Batches: <= 2 }, $"{asked}"));
        Assert.All(crowd.Registers(), register => Assert.True(register is { Active: "b", Moving: null, Publication.HeldAt: not null }, $"{register.Service}: {register.Moving}"));
    }

    /// <summary>The ballots are one partition for all services: three observers read it some times a second at most, and not fifty times.</summary>
    [Fact]
    public void Ballots_are_read_once_for_all_services()
    {
        var crowd = new World(1, null);
        crowd.Time.Run(() => crowd.RunAsync(TimeSpan.FromSeconds(70)));

        Assert.InRange(crowd.Tables.Queries["_observers"], 10, 3 * 70);
        Assert.InRange(crowd.Tables.Queries.Where(query => query.Key != "_observers").Sum(query => query.Value), Services * 3, int.MaxValue);
    }

    private sealed class World
    {
        private readonly Topology _topology;
        private readonly Random _random;
        private readonly string? _cutOff;
        private DateTimeOffset? _decidedAt;

        public World(int seed, string? cutOff)
        {
            _random = new Random(seed);
            _cutOff = cutOff;
            Time = new VirtualTime(Scene.Now);
            Zone = new AccountZone(Time, _random);
            Tables = new MemoryTables(Time, _random);
            _topology = Scene.Topology with
            {
                Observers = Observers,
                Services = [.. Enumerable.Range(0, Services).Select(i => Scene.Service with { Name = $"s{i:00}.example.test", LookUrl = new Uri($"http://s{i:00}.example.test/") })],
            };
        }

        public VirtualTime Time { get; }

        public AccountZone Zone { get; }

        public MemoryTables Tables { get; }

        /// <summary>From the decision to the last change of the zone.</summary>
        public TimeSpan? MovedAfter { get; private set; }

        private ControlStore Control => new(Tables, "control", TimeSpan.FromMinutes(1));

        public IEnumerable<Register> Registers()
        {
            var registers = new List<Register>();
            Time.Run(async () =>
            {
                foreach (var service in _topology.Services)
                {
                    registers.Add((await Control.ReadServiceAsync(service.Name, Token)).Register!);
                }
            });
            return registers;
        }

        public async Task RunAsync(TimeSpan length)
        {
            foreach (var service in _topology.Services)
            {
                var plan = Plan.For(service, service.Endpoint("a")!, 4, Scene.Now.AddHours(-1), "o3", "First");
                Zone.Begin(service.Name, new Listing(plan.Sets, plan.Txt));
                var facts = new Publication(Scene.Now.AddHours(-1), Scene.Now.AddHours(-1), Scene.Now.AddHours(-1));
                await Control.WriteRegisterAsync(new Register { Service = service.Name, Rev = 1, Observers = Observers, Plan = plan, Publication = facts, Active = "a" }, null, Token);
            }

            await Task.WhenAll([.. Observers.Select(observer => ObserveAsync(observer, length)), WatchAsync(length)]);
        }

        private async Task WatchAsync(TimeSpan length)
        {
            for (var end = Time.GetUtcNow() + length; Time.GetUtcNow() < end; await Task.Delay(TimeSpan.FromMilliseconds(20), Time, Token))
            {
                if (MovedAfter is null && _decidedAt is { } decided && _topology.Services.All(service => Zone.Held(service.Name).Txt!.Values[0].Contains("active=b", StringComparison.Ordinal)))
                {
                    MovedAfter = Time.GetUtcNow() - decided;
                }
            }
        }

        private async Task ObserveAsync(string observer, TimeSpan length)
        {
            var options = new HealthCheckOptions(observer, _topology, "items", "control", "journal", "");
            var report = new TickReport(
                options, new JournalStore(Tables, "journal", TimeSpan.FromMinutes(1)), new Metrics(new LineWriter(Stream.Null), Time), Time, NullLogger<TickReport>.Instance);
            var provider = Zone.For(observer, () => observer != _cutOff);
            var none = new Dictionary<string, IAmazonDynamoDB>();
            var follower = new Follower(
                options, Control, _ => provider, none, new MoveJournal(none, "journal", TimeSpan.FromMinutes(1), Time, NullLogger<MoveJournal>.Instance), report, Time, NullLogger<Follower>.Instance);
            string? token = null;
            var lost = _topology.Timing.LostAfterTicks;
            var ticks = new List<Task>();
            for (var tick = 0; tick * _topology.Timing.Interval < length; tick++)
            {
                var start = Scene.Now + (tick * _topology.Timing.Interval);
                var late = start.AddMilliseconds(_random.Next(3000)) - Time.GetUtcNow();
                await Task.Delay(late > TimeSpan.Zero ? late : TimeSpan.Zero, Time, Token);

                // In the second tick the last probe fails that makes the region lost; before it everything is known but that.
                var started = new Evidence(Time);
                var ballot = Ballot(observer, start, failures: lost - 1 + tick) with { Token = $"{observer}{tick}" };
                Assert.Equal(ConditionalWrite.Written, await Control.WriteBallotAsync(ballot, token, Token));
                token = ballot.Token;
                var ballots = new SharedBallots(Control, Time, _topology.Timing.Interval);
                ticks.Add(Task.WhenAll(_topology.Services.Select(service => FollowAsync(follower, service, ballot, ballots, started))));
            }

            await Task.WhenAll(ticks);
        }

        private async Task FollowAsync(Follower follower, Service service, Ballot ballot, SharedBallots ballots, Evidence started)
        {
            var look = new Look([Zone.Shown(service.Name), Zone.Shown(service.Name)], HttpOk: true, "");
            if (await follower.FollowAsync(service, ballot, listsNow: false, look, ballots, started, Token) is { } settled)
            {
                await follower.CheckAsync(service, settled, started, Token);
            }

            if (_decidedAt is null && (await Control.ReadServiceAsync(service.Name, Token)).Register!.Plan.Since is { } since && since > Scene.Now)
            {
                _decidedAt = since;
            }
        }

        private Ballot Ballot(string observer, DateTimeOffset start, int failures) => new()
        {
            Observer = observer,
            Start = start,
            At = Time.GetUtcNow(),
            ValidUntil = start.AddSeconds(30),
            Token = "",
            Topology = _topology.Digest,
            Services = _topology.Services.ToDictionary(service => service.Name, _ => (IReadOnlyDictionary<string, EndpointBallot>)new Dictionary<string, EndpointBallot>
            {
                ["a"] = new(Health.Down, failures, 0, 0, LastOk: false, null, start.AddSeconds(-60), "", ""),
                ["b"] = new(Health.Up, 0, 0, 100, LastOk: true, start.AddHours(-1), null, "", ""),
            }),
            Replicas = new Dictionary<string, ReplicaBallot>(),
            Data = new Dictionary<string, DataBallot>(),
        };
    }
}
