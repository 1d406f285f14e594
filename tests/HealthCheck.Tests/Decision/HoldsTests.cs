using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;

namespace Failover.HealthCheck.Tests.Decision;

/// <summary>Every named reason by which a service's own rules hold a failure that all three observers see: endpoint a is down, b and c are up.</summary>
public class HoldsTests
{
    private const string Down = "a:9- b:+ c:+";

    /// <summary>A Monday, 08:00 UTC.</summary>
    private static readonly DateTimeOffset Now = World.Now;

    [Fact]
    public void A_service_that_is_only_observed_moves_nothing_and_says_what_it_would() =>
        AssertHeld(HoldReason.ObserveOnly, World.Service with { Mode = FailoverMode.ObserveOnly });

    [Theory]
    [InlineData(DayOfWeek.Monday, "08:00", 1, true)]
    [InlineData(DayOfWeek.Monday, "07:00", 61, true)]
    [InlineData(DayOfWeek.Monday, "07:00", 60, false)]
    [InlineData(DayOfWeek.Monday, "08:01", 60, false)]
    [InlineData(DayOfWeek.Sunday, "20:00", 721, true)]
    [InlineData(DayOfWeek.Sunday, "08:00", 1440, false)]
    [InlineData(DayOfWeek.Tuesday, "08:00", 60, false)]
    public void A_maintenance_window_holds_while_it_is_open(DayOfWeek day, string start, int minutes, bool open)
    {
        var service = World.Service with { Maintenance = [new MaintenanceWindow(day, start, minutes)] };
        if (open)
        {
            AssertHeld(HoldReason.MaintenanceWindow, service);
        }
        else
        {
            AssertMoves(service);
        }
    }

    [Fact]
    public void A_window_at_the_end_of_the_week_reaches_into_the_next() =>
        Assert.True(new MaintenanceWindow(DayOfWeek.Saturday, "23:30", 60).IsOpen(new DateTimeOffset(2026, 11, 22, 0, 29, 0, TimeSpan.Zero)));

    [Fact]
    public void A_service_that_prefers_data_waits_while_the_move_could_cost_more_than_its_limit()
    {
        var service = World.Service with { Rpo = new RpoRule(RpoPreference.PreferData, LimitSeconds: 60) };

        AssertHeld(HoldReason.RpoGuard, service, newest: Now.AddSeconds(-61), dataLossMs: 61_000);
        AssertHeld(HoldReason.RpoGuard, service, newest: null, dataLossMs: null);
        Assert.Equal(60_000, AssertMoves(service, newest: Now.AddSeconds(-60)).DataLossMs);
        Assert.Equal(61_000, AssertMoves(World.Service, newest: Now.AddSeconds(-61)).DataLossMs);
    }

    [Fact]
    public void The_bound_on_lost_data_takes_the_newest_heartbeat_of_any_observer()
    {
        Ballot[] ballots = [World.Ballot("o1", Down).Seen(Now.AddSeconds(-90)), World.Ballot("o2", Down).Seen(Now.AddSeconds(-40)), World.Ballot("o3", Down).Seen(null)];

        Assert.Equal(40_000, Decider.DataLossMs(World.Service, "a", "b", Of(ballots), Now));
        Assert.Equal(0, Decider.DataLossMs(World.Service, "a", "a", Of(ballots), Now));
        Assert.Null(Decider.DataLossMs(World.Service, "b", "a", Of(ballots), Now));
        Assert.Null(Decider.DataLossMs(World.Service, "gone", "a", Of(ballots), Now));

        static Votes Of(IReadOnlyList<Ballot> ballots) => Votes.Of(World.Topology, World.Register(), ballots, Now);
    }

    [Fact]
    public void The_guard_holds_the_beginning_of_a_move_and_ends_none()
    {
        var service = World.Service with { Rpo = new RpoRule(RpoPreference.PreferData, LimitSeconds: 60), Maintenance = [new MaintenanceWindow(DayOfWeek.Monday, "08:00", 9)] };
        var moving = World.Register() with { Moving = new Move("a", "b", MoveKind.Automatic, Now), Publication = World.Sent };

        Assert.Equal([HoldReason.RpoGuard, HoldReason.MaintenanceWindow], Decide(service, World.Register(), Now.AddSeconds(-61)).Held);
        Assert.True(Decide(service, moving, Now.AddSeconds(-61)).MovesTo("b"));
    }

    [Fact]
    public void A_move_that_needs_approval_waits_for_it_and_no_longer_than_it_lasts()
    {
        var service = World.Service with { Mode = FailoverMode.Approve };
        var approved = World.Register() with { Approved = new Override("o", "op", Now, Now.AddMinutes(10), null) };

        AssertHeld(HoldReason.AwaitingApproval, service);
        Assert.True(Decide(service, approved).MovesTo("b"));
        Assert.Equal([HoldReason.AwaitingApproval], Decide(service, approved with { Approved = approved.Approved! with { Until = Now } }).Held);
        Assert.Null(approved.WithPlan(World.Plan("b", 5)).Approved);
    }

    [Fact]
    public void All_that_holds_is_told_and_approval_is_asked_for_only_when_nothing_else_does()
    {
        var service = World.Service with { Mode = FailoverMode.Approve, Maintenance = [new MaintenanceWindow(DayOfWeek.Monday, "08:00", 9)] };
        var register = World.Register() with { Paused = new Override("o", "op", Now, null, null), CoolDown = new CoolDown(Now, Now.AddHours(1), 2) };

        Assert.Equal([HoldReason.Paused, HoldReason.MaintenanceWindow, HoldReason.CoolDown], Decide(service, register).Held);
    }

    [Fact]
    public void What_serves_and_is_no_endpoint_of_the_topology_is_told() =>
        Assert.Equal([HoldReason.NotInTopology], Decide(World.Service, World.Register() with { Active = "gone" }, says: "a:+ b:+ c:+").Held);

    /// <summary>During a rollout one would take what another withdraws. Addresses by which an observer reaches things may differ.</summary>
    [Fact]
    public void Observers_that_have_other_topologies_hold()
    {
        Ballot[] Of(Topology topology) => [.. Ballots(Down, null).Select((ballot, i) => ballot with { Topology = i == 0 ? World.Topology.Digest : topology.Digest })];
        var renamed = World.Topology with { Services = [World.Service with { Endpoints = [.. World.Service.Endpoints.Skip(1)] }] };
        var elsewhere = World.Topology with { Services = [World.Service with { LookUrl = new Uri("http://other.example.test/") }] };

        Assert.Equal([HoldReason.MixedVersions], Decider.Decide(World.Topology, World.Service, World.Register(), Of(renamed), "o1", Now).Held);
        Assert.Equal([HoldReason.MixedVersions], Decider.Decide(World.Topology, World.Service, World.Register(), Of(World.Topology with { Timing = new Timing(DownAfterTicks: 4) }), "o1", Now).Held);
        Assert.True(Decider.Decide(World.Topology, World.Service, World.Register(), Of(elsewhere), "o1", Now).MovesTo("b"));
    }

    [Fact]
    public void A_pin_holds_a_failure_of_the_endpoint_that_it_names_and_runs_out()
    {
        var pinned = World.Register() with { Pinned = new Pin("a", Force: false, new Override("o", "op", Now, Now.AddMinutes(1), null)) };

        Assert.Equal([HoldReason.Pinned], Decide(World.Service, pinned).Held);
        Assert.True(Decide(World.Service, pinned with { Pinned = pinned.Pinned! with { Order = pinned.Pinned.Order with { Until = Now } } }).MovesTo("b"));
    }

    [Fact]
    public void A_pin_to_another_endpoint_is_followed_where_that_is_up_or_forced()
    {
        var pinned = World.Register() with { Pinned = new Pin("c", Force: false, new Override("o", "op", Now, null, null)) };
        var forced = pinned with { Pinned = pinned.Pinned! with { Force = true } };

        Assert.Equal((Verdict.Move, "c", MoveKind.Override), Brief(Decide(World.Service, pinned, says: "a:+ b:+ c:+")));
        Assert.Equal([HoldReason.NoTarget], Decide(World.Service, pinned, says: "a:+ b:+ c:9-").Held);
        Assert.Equal((Verdict.Move, "c", MoveKind.Override), Brief(Decide(World.Service, forced, says: "a:+ b:+ c:9-")));
        Assert.Equal([HoldReason.NoTarget], Decide(World.Service, forced with { Pinned = forced.Pinned! with { Endpoint = "gone" } }, says: "a:+ b:+ c:+").Held);
        Assert.Equal([HoldReason.Paused], Decide(World.Service, pinned with { Paused = new Override("o", "op", Now, null, null) }, says: "a:+ b:+ c:+").Held);
    }

    [Fact]
    public void A_drained_endpoint_is_left_and_never_chosen()
    {
        Dictionary<string, Override> Drain(string endpoint) => new() { [endpoint] = new Override("o", "op", Now, Now.AddMinutes(1), null) };

        Assert.Equal((Verdict.Move, "b", MoveKind.Override), Brief(Decide(World.Service, World.Register() with { Drained = Drain("a") }, says: "a:+ b:+ c:+")));
        Assert.Equal((Verdict.Move, "c", MoveKind.Automatic), Brief(Decide(World.Service, World.Register() with { Drained = Drain("b") })));
        Assert.Equal([HoldReason.NoTarget], Decide(World.Service, World.Register() with { Drained = Drain("b") }, says: "a:9- b:+ c:9-").Held);
        Assert.Equal(Verdict.Hold, Decide(World.Service, World.Register() with { Drained = Drain("a") }, says: "a:+ b:9- c:9-").Verdict);
        Assert.True(Decide(World.Service, World.Register() with { Drained = new Dictionary<string, Override> { ["b"] = new("o", "op", Now.AddMinutes(-2), Now, null) } }).MovesTo("b"));
    }

    [Fact]
    public void An_automatic_move_back_is_refused_for_want_of_a_comparison_of_the_tables()
    {
        var service = World.Service with { MoveBack = MoveBackMode.Automatic };
        var topology = World.Topology with { Timing = new Timing(StableMinutes: 0) };
        Ballot[] level = [.. Ballots("a:+ b:+ c:+", null).Select(ballot => ballot with
        {
            Topology = topology.Digest,
            Replicas = ballot.Replicas.ToDictionary(replica => replica.Key, replica => replica.Value with { LagMs = new Dictionary<string, long?> { ["a"] = 0, ["b"] = 0 } }),
        })];

        var decision = Decider.Decide(topology, service, World.Register("b"), level, "o1", Now);

        Assert.Equal((Verdict.Hold, "a"), (decision.Verdict, decision.To));
        Assert.Equal([HoldReason.NoDataGate], decision.Held);
        Assert.Empty(Decider.Decide(topology, World.Service, World.Register("b"), level, "o1", Now).Held);
        Assert.Empty(Decider.Decide(topology, service, World.Register("b"), [.. Ballots("a:+ b:+ c:+", null).Select(ballot => ballot with { Topology = topology.Digest })], "o1", Now).Held);
        Assert.Empty(Decider.Decide(topology, service, World.Register(), level, "o1", Now).Held);
    }

    private static (Verdict, string?, MoveKind) Brief(HealthCheck.Decision.Decision decision) => (decision.Verdict, decision.To, decision.Kind);

    private static void AssertHeld(HoldReason reason, Service service, DateTimeOffset? newest = null, long? dataLossMs = null)
    {
        var decision = Decide(service, World.Register(), newest);
        Assert.Equal([reason], decision.Held);
        Assert.Equal((Verdict.Hold, "b", Diagnosis.EndpointDown, dataLossMs), (decision.Verdict, decision.To, decision.Diagnosis, decision.DataLossMs));
    }

    private static HealthCheck.Decision.Decision AssertMoves(Service service, DateTimeOffset? newest = null)
    {
        var decision = Decide(service, World.Register(), newest);
        Assert.True(decision.MovesTo("b"), decision.Why);
        return decision;
    }

    private static HealthCheck.Decision.Decision Decide(Service service, Register register, DateTimeOffset? newest = null, string says = Down) =>
        Decider.Decide(World.Topology, service, register, Ballots(says, newest), "o1", Now);

    private static Ballot[] Ballots(string says, DateTimeOffset? newest) => [.. World.Topology.Observers.Select(observer => World.Ballot(observer, says).Seen(newest))];
}
