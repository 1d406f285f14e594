using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;

namespace Failover.HealthCheck.Tests.Decision;

/// <summary>Endpoint b serves, and a is to serve again: when the gate is open, and what shuts it. A tick is 10 s, a stable run 10 minutes.</summary>
public class BackGateTests
{
    private const int StableTicks = 60;

    private static readonly Register ServedByB = World.Register("b");

    /// <summary>What three observers say of a: clean ticks, and the lag from a to b and from b to a, in milliseconds.</summary>
    internal static IReadOnlyList<Ballot> Ballots(int cleanTicks = StableTicks, long? lagAB = 0, long? lagBA = 0, int observers = 3) =>
    [
        .. new[] { "o1", "o2", "o3" }.Select((observer, i) => i < observers ? Says(observer, cleanTicks, lagAB, lagBA) : Says(observer, StableTicks, 0, 0)),
    ];

    [Fact]
    public void It_is_open_when_the_target_has_long_been_up_and_heartbeats_are_fresh_both_ways() => Assert.Null(Shut(Ballots()));

    [Theory]
    [InlineData(StableTicks - 1, 0L, 0L, "up for 10 minutes")]
    [InlineData(0, 0L, 0L, "up for 10 minutes")]
    [InlineData(StableTicks, 10_001L, 0L, "fresh heartbeats")]
    [InlineData(StableTicks, 0L, 10_001L, "fresh heartbeats")]
    [InlineData(StableTicks, null, 0L, "fresh heartbeats")]
    [InlineData(StableTicks, 0L, null, "fresh heartbeats")]
    public void A_majority_that_is_not_sure_shuts_it(int cleanTicks, long? lagAB, long? lagBA, string says)
    {
        Assert.Contains(says, Shut(Ballots(cleanTicks, lagAB, lagBA, observers: 2)), StringComparison.Ordinal);
        Assert.Null(Shut(Ballots(cleanTicks, lagAB, lagBA, observers: 1)));
    }

    [Fact]
    public void One_and_the_same_majority_must_see_all_of_it() =>
        Assert.NotNull(Shut([Says("o1", StableTicks, 0, 0), Says("o2", StableTicks, 99_999, 0), Says("o3", 3, 0, 0)]));

    [Fact]
    public void The_lag_of_one_interval_is_fresh() => Assert.Null(Shut(Ballots(lagAB: 10_000, lagBA: 10_000)));

    /// <summary>A missing write, a gap or a divergence, in either region's journal; or a journal that nobody could read.</summary>
    [Theory]
    [InlineData("a", true)]
    [InlineData("b", true)]
    [InlineData("a", false)]
    [InlineData("b", false)]
    public void An_open_finding_or_an_unread_journal_shuts_it(string replica, bool isRead)
    {
        Ballot Held(Ballot ballot)
        {
            var data = new Dictionary<string, DataBallot>(ballot.Data!);
            data.Remove(replica);
            return ballot with { Data = isRead ? new Dictionary<string, DataBallot>(data) { [replica] = new(Holds: true, []) } : data };
        }

        var ballots = Ballots();
        Assert.Contains("no missing write", Shut([Held(ballots[0]), Held(ballots[1]), ballots[2]]), StringComparison.Ordinal);
        Assert.Null(Shut([Held(ballots[0]), ballots[1], ballots[2]]));
        Assert.Contains("no missing write", Shut([.. ballots.Select(ballot => ballot with { Data = null! })]), StringComparison.Ordinal);
    }

    private static readonly ComparedTables[] Equal = [new(["a", "b"], World.Now.AddMinutes(20), true), new(["b", "a", "c"], World.Now.AddMinutes(10), true)];

    public static TheoryData<bool, ComparedTables[]> Comparisons { get; } = new()
    {
        { true, Equal },
        { true, [.. Equal, new(["a", "b"], World.Now.AddMinutes(5), false)] },
        { true, [new(["a", "c"], World.Now.AddMinutes(30), false), .. Equal] },
        { false, [] },
        { false, [Equal[0]] },
        { false, [Equal[0], Equal[0]] },
        { false, [Equal[0], Equal[0] with { CutOff = Equal[0].CutOff.AddSeconds(-59) }] },
        { false, [new(["a", "b"], World.Now.AddMinutes(30), false), .. Equal] },
        { false, [Equal[0], Equal[1] with { IsEqual = false }] },
        { false, [Equal[0], Equal[1] with { CutOff = World.Now }] },
        { false, [Equal[0], Equal[1] with { Regions = ["a", "c"] }] },
    };

    [Theory]
    [MemberData(nameof(Comparisons))]
    public void By_itself_it_asks_for_two_equal_comparisons_since_the_last_move(bool isCompared, ComparedTables[] compared)
    {
        Assert.Equal(isCompared ? Verdict.MoveBack : Verdict.Hold, ByItself(ServedByB, compared).Verdict);
        Assert.Equal(isCompared ? [] : [HoldReason.NoDataGate], ByItself(ServedByB, compared).Held);
    }

    [Fact]
    public void By_itself_it_waits_for_the_end_of_a_cool_down_and_for_people()
    {
        Assert.Equal(("a", MoveKind.Back), (ByItself(ServedByB, Equal).To, ByItself(ServedByB, Equal).Kind));
        Waits(ServedByB with { CoolDown = new CoolDown(World.Now.AddMinutes(-1), World.Now.AddMinutes(1), 0) });
        Waits(ServedByB with { Paused = new Override("o", "op", World.Now, null, null) });
        Waits(ServedByB, service => service with { Mode = FailoverMode.ObserveOnly });
        Waits(ServedByB, service => service with { Mode = FailoverMode.Approve });
        Assert.Equal(Verdict.MoveBack, ByItself(ServedByB with { CoolDown = new CoolDown(World.Now.AddMinutes(-2), World.Now.AddMinutes(-1), 1) }, Equal).Verdict);
        Assert.Equal([HoldReason.NoDataGate], ByItself(ServedByB with { LastMove = new PublishedMove("a", "b", 4, World.Now.AddMinutes(10)) }, Equal).Held);

        void Waits(Register register, Func<Service, Service>? change = null)
        {
            var decision = ByItself(register, Equal, change);
            Assert.Equal((Verdict.Hold, Diagnosis.Healthy), (decision.Verdict, decision.Diagnosis));
            Assert.Empty(decision.Held);
        }
    }

    [Fact]
    public void By_itself_it_says_what_it_waits_for()
    {
        var service = World.Service with { MoveBack = MoveBackMode.Automatic };
        Assert.Contains("fresh heartbeats", Decider.Decide(World.Topology, service, ServedByB, Ballots(lagAB: null), "o1", World.Now).Why, StringComparison.Ordinal);
    }

    [Fact]
    public void A_majority_must_have_read_the_comparisons()
    {
        IReadOnlyList<Ballot> ballots = [.. Ballots().Select((ballot, i) => i == 0 ? Compared(ballot, Equal) : ballot)];
        var service = World.Service with { MoveBack = MoveBackMode.Automatic };
        Assert.Equal([HoldReason.NoDataGate], Decider.Decide(World.Topology, service, ServedByB, ballots, "o1", World.Now).Held);
    }

    private static HealthCheck.Decision.Decision ByItself(Register register, ComparedTables[] compared, Func<Service, Service>? change = null)
    {
        var service = World.Service with { MoveBack = MoveBackMode.Automatic };
        return Decider.Decide(World.Topology, change?.Invoke(service) ?? service, register, [.. Ballots().Select(ballot => Compared(ballot, compared))], "o1", World.Now);
    }

    private static Ballot Compared(Ballot ballot, ComparedTables[] compared) => ballot with { Data = new Dictionary<string, DataBallot>(ballot.Data!) { ["b"] = new(Holds: false, compared) } };

    [Fact]
    public void Endpoints_of_one_replica_need_no_heartbeats()
    {
        var service = World.Service with { Endpoints = [.. World.Service.Endpoints.Select(endpoint => endpoint with { Replica = "a" })] };

        Assert.Null(BackGate.Shut(World.Topology, service, ServedByB, service.Endpoint("a")!, VotesOf(ServedByB, Ballots(lagAB: null, lagBA: null))));
    }

    /// <summary>Found by the simulator, seed 1006210: some servers had answered b for ten seconds, and an order to move back to a took a for its own source.</summary>
    [Fact]
    public void A_move_under_way_that_some_servers_may_have_answered_needs_fresh_heartbeats_too()
    {
        var leaving = World.Register("a").WithPlan(World.Plan("b", 5)) with { Moving = new Move("a", "b", MoveKind.Command, World.Now) };

        Assert.Contains("fresh heartbeats", BackGate.Shut(World.Topology, World.Service, leaving, World.Service.Endpoint("a")!, VotesOf(leaving, Ballots(lagBA: 123_000))), StringComparison.Ordinal);
        Assert.Null(BackGate.Shut(World.Topology, World.Service, leaving, World.Service.Endpoint("a")!, VotesOf(leaving, Ballots())));
    }

    [Fact]
    public void A_move_back_under_way_stands_while_it_is_open() => Assert.Equal((Verdict.MoveBack, "a"), Decide(MovingBack(), Ballots()));

    [Fact]
    public void A_move_back_under_way_is_given_up_when_it_shuts()
    {
        var decision = Decider.Decide(World.Topology, World.Service, MovingBack(), Ballots(lagBA: null), "o1", World.Now);

        Assert.Equal((Verdict.Hold, HoldReason.BackGateShut), (decision.Verdict, Assert.Single(decision.Held)));
    }

    [Fact]
    public void A_move_back_whose_origin_fails_meanwhile_goes_on_as_a_move_away()
    {
        IReadOnlyList<Ballot> down = [.. new[] { "o1", "o2", "o3" }.Select(observer => World.Ballot(observer, "a:+ b:9-"))];

        Assert.Equal((Verdict.Move, "a"), Decide(MovingBack(), down));
    }

    [Fact]
    public void An_outage_of_both_is_told_beside_the_gate_that_shut()
    {
        IReadOnlyList<Ballot> down = [.. new[] { "o1", "o2", "o3" }.Select(observer => World.Ballot(observer, "a:9- b:9-"))];
        var decision = Decider.Decide(World.Topology, World.Service, MovingBack(), down, "o1", World.Now);

        Assert.Equal((Verdict.Hold, Diagnosis.NoTarget), (decision.Verdict, decision.Diagnosis));
        Assert.Equal([HoldReason.NoTarget, HoldReason.BackGateShut], decision.Held);
    }

    [Fact]
    public void A_pause_stops_a_move_back_that_was_ordered_before_it()
    {
        Assert.Equal((Verdict.Hold, null), Decide(MovingBack() with { Paused = new Override("o", "op", World.Now, null, null) }, Ballots()));
        Assert.Equal((Verdict.MoveBack, "a"), Decide(MovingBack() with { Paused = new Override("o", "op", World.Now.AddMinutes(-1), null, null) }, Ballots()));
    }

    [Fact]
    public void A_move_back_is_not_counted_as_an_automatic_move()
    {
        var done = Moves.Done(Moves.Published(MovingBack(), TimeSpan.FromHours(1), World.Now), World.Now, 60);

        Assert.Equal(("a", 0), (done.Active, done.CoolDown!.AutomaticMoves));
    }

    [Fact]
    public void A_move_back_that_is_given_up_is_no_flapping()
    {
        var withdrawn = Moves.Withdraw(World.Service, MovingBack(), new Listing(ServedByB.Plan.Sets, ServedByB.Plan.Txt), "o1", World.Now)!;

        Assert.Equal((6, "b"), (withdrawn.Epoch, withdrawn.Plan.Endpoint));
        Assert.Empty(withdrawn.Withdrawals);
    }

    [Fact]
    public void Home_is_the_endpoint_of_the_lowest_priority_number() => Assert.Equal("a", World.Service.Home.Name);

    private static Register MovingBack() => ServedByB.WithPlan(World.Plan("a", 5)) with { Moving = new Move("b", "a", MoveKind.Back, World.Now) };

    private static (Verdict, string?) Decide(Register register, IReadOnlyList<Ballot> ballots)
    {
        var decision = Decider.Decide(World.Topology, World.Service, register, ballots, "o1", World.Now);
        return (decision.Verdict, decision.To);
    }

    private static string? Shut(IReadOnlyList<Ballot> ballots) => BackGate.Shut(World.Topology, World.Service, ServedByB, World.Service.Endpoint("a")!, VotesOf(ServedByB, ballots));

    private static Votes VotesOf(Register register, IReadOnlyList<Ballot> ballots) => Votes.Of(World.Topology, register, ballots, World.Now);

    private static Ballot Says(string observer, int cleanTicks, long? lagAB, long? lagBA)
    {
        var ballot = World.Ballot(observer, "a:+ b:++");
        return ballot with
        {
            Services = new Dictionary<string, IReadOnlyDictionary<string, EndpointBallot>>
            {
                [World.Name] = new Dictionary<string, EndpointBallot>(ballot.Services[World.Name]) { ["a"] = ballot.On(World.Name, "a") with { CleanTicks = cleanTicks, CleanSince = World.Now.AddSeconds(-10 * cleanTicks) } },
            },
            Replicas = new Dictionary<string, ReplicaBallot> { ["a"] = Lag("b", lagAB), ["b"] = Lag("a", lagBA) },
        };
    }

    private static ReplicaBallot Lag(string to, long? milliseconds) => new(Acked: true, [], new Dictionary<string, long?>(), new Dictionary<string, long?> { [to] = milliseconds });
}
