using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;
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

    [Fact]
    public void Endpoints_of_one_replica_need_no_heartbeats()
    {
        var service = World.Service with { Endpoints = [.. World.Service.Endpoints.Select(endpoint => endpoint with { Replica = "a" })] };

        Assert.Null(BackGate.Shut(World.Topology, service, ServedByB, service.Endpoint("a")!, Ballots(lagAB: null, lagBA: null)));
    }

    /// <summary>Found by the simulator, seed 1006210: some servers had answered b for ten seconds, and an order to move back to a took a for its own source.</summary>
    [Fact]
    public void A_move_under_way_that_some_servers_may_have_answered_needs_fresh_heartbeats_too()
    {
        var leaving = World.Register("a").WithPlan(World.Plan("b", 5)) with { Moving = new Move("a", "b", MoveKind.Command, World.Now) };

        Assert.Contains("fresh heartbeats", BackGate.Shut(World.Topology, World.Service, leaving, World.Service.Endpoint("a")!, Ballots(lagBA: 123_000)), StringComparison.Ordinal);
        Assert.Null(BackGate.Shut(World.Topology, World.Service, leaving, World.Service.Endpoint("a")!, Ballots()));
    }

    [Fact]
    public void A_move_back_under_way_stands_while_it_is_open() => Assert.Equal((Verdict.MoveBack, "a"), Decide(MovingBack(), Ballots()));

    [Fact]
    public void A_move_back_under_way_is_given_up_when_it_shuts()
    {
        var decision = Decider.Decide(World.Topology, World.Service, MovingBack(), Ballots(lagBA: null), World.Now);

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
        var decision = Decider.Decide(World.Topology, World.Service, MovingBack(), down, World.Now);

        Assert.Equal((Verdict.Hold, Diagnosis.NoTarget), (decision.Verdict, decision.Diagnosis));
        Assert.Equal([HoldReason.NoTarget, HoldReason.BackGateShut], decision.Held);
    }

    [Fact]
    public void A_pause_stops_a_move_back_that_was_ordered_before_it()
    {
        Assert.Equal((Verdict.Hold, null), Decide(MovingBack() with { Paused = new Override("op", World.Now, null, null) }, Ballots()));
        Assert.Equal((Verdict.MoveBack, "a"), Decide(MovingBack() with { Paused = new Override("op", World.Now.AddMinutes(-1), null, null) }, Ballots()));
    }

    [Fact]
    public void A_move_back_is_not_counted_as_an_automatic_move()
    {
        var landed = Moves.Landed(MovingBack(), verified: true, TimeSpan.FromHours(1), World.Now, 60);

        Assert.Equal(("a", 0), (landed.Active, landed.CoolDown!.AutomaticMoves));
    }

    [Fact]
    public void A_move_back_that_is_given_up_is_no_flapping()
    {
        var withdrawn = Moves.Withdraw(World.Service, MovingBack(), new Listing(ServedByB.Plan.Sets, ServedByB.Plan.Txt), TimeSpan.FromHours(1), "o1", World.Now)!;

        Assert.Equal((6, "b"), (withdrawn.Epoch, withdrawn.Plan.Endpoint));
        Assert.Empty(withdrawn.Withdrawals);
    }

    [Fact]
    public void Home_is_the_endpoint_of_the_lowest_priority_number() => Assert.Equal("a", World.Service.Home.Name);

    private static Register MovingBack() => ServedByB.WithPlan(World.Plan("a", 5)) with { Moving = new Move("b", "a", MoveKind.Back, World.Now) };

    private static (Verdict, string?) Decide(Register register, IReadOnlyList<Ballot> ballots)
    {
        var decision = Decider.Decide(World.Topology, World.Service, register, ballots, World.Now);
        return (decision.Verdict, decision.To);
    }

    private static string? Shut(IReadOnlyList<Ballot> ballots) => BackGate.Shut(World.Topology, World.Service, ServedByB, World.Service.Endpoint("a")!, ballots);

    private static Ballot Says(string observer, int cleanTicks, long? lagAB, long? lagBA)
    {
        var ballot = World.Ballot(observer, "a:+ b:++");
        return ballot with
        {
            Services = new Dictionary<string, IReadOnlyDictionary<string, EndpointBallot>>
            {
                [World.Name] = new Dictionary<string, EndpointBallot>(ballot.Services[World.Name]) { ["a"] = ballot.On(World.Name, "a") with { CleanTicks = cleanTicks } },
            },
            Replicas = new Dictionary<string, ReplicaBallot> { ["a"] = Lag("b", lagAB), ["b"] = Lag("a", lagBA) },
        };
    }

    private static ReplicaBallot Lag(string to, long? milliseconds) => new([], [], new Dictionary<string, long?>(), new Dictionary<string, long?> { [to] = milliseconds });
}
