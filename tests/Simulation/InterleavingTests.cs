using Failover.ControlPlane.Registers;
using Failover.HealthCheck.Decision;

namespace Failover.Simulation;

/// <summary>
/// Two deciders in every interleaving, over the production mover: a failure, a move under way, a withdrawal, an operator's orders, a human's edit,
/// a lost register; in each, writes dropped, answered too late or not at all, and deciders that die. <c>SIMULATION_DECIDERS=3</c> lets three decide, which takes minutes.
/// </summary>
public class InterleavingTests(ITestOutputHelper output)
{
    private static readonly Register Settled = Scene.Settled(4);
    private static readonly Register SettledAtB = Scene.Settled(4, "b");
    private static readonly Register MovingToB = Scene.Moving(4, MoveKind.Automatic);

    [Fact]
    public void A_dead_endpoint_is_left_once_whatever_fails() =>
        Explore(new Scenario { Register = Settled, Zone = Scene.Shows(Settled.Plan), AIsDown = true, Faults = 2 });

    [Fact]
    public void A_dead_endpoint_is_left_over_two_ticks_each() =>
        Explore(new Scenario { Register = Settled, Zone = Scene.Shows(Settled.Plan), AIsDown = true, Ticks = 2 });

    [Fact]
    public void A_move_that_its_taker_never_applied_is_finished_by_others() =>
        Explore(new Scenario { Register = MovingToB, Zone = Scene.Shows(Settled.Plan), AIsDown = true, Ticks = 2 });

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 0)]
    public void An_endpoint_that_recovers_at_any_moment_leaves_one_truth(int ticks, int faults) =>
        Explore(new Scenario { Register = Settled, Zone = Scene.Shows(Settled.Plan), AIsDown = true, Recovers = true, Ticks = ticks, Faults = faults });

    [Fact]
    public void A_withdrawn_move_that_lands_all_the_same_is_kept() =>
        Explore(new Scenario { Register = MovingToB, Zone = Scene.Shows(Settled.Plan), AIsDown = true, Recovers = true, Ticks = 2 });

    [Fact]
    public void A_paused_applier_changes_nothing_that_was_decided_since() =>
        Explore(new Scenario { Register = MovingToB, Zone = Scene.Shows(Settled.Plan), AIsDown = true, Recovers = true, LateCommand = Order(CommandKind.Move, "b"), Faults = 1 });

    [Theory]
    [InlineData(CommandKind.Move)]
    [InlineData(CommandKind.Pause)]
    [InlineData(CommandKind.Ack)]
    [InlineData(CommandKind.Pin)]
    [InlineData(CommandKind.Drain)]
    public void An_order_at_any_moment_is_answered_once(CommandKind kind) =>
        Explore(new Scenario { Register = Settled, Zone = Scene.Shows(Settled.Plan), AIsDown = true, LateCommand = Order(kind, "b") });

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 0)]
    public void A_move_back_whose_target_fails_at_any_moment_leaves_one_truth(int ticks, int faults) =>
        Explore(new Scenario { Register = SettledAtB, Zone = Scene.Shows(SettledAtB.Plan), Command = Order(CommandKind.MoveBack, null), Fails = true, Ticks = ticks, Faults = faults });

    [Fact]
    public void A_move_back_is_made_once_whatever_fails() =>
        Explore(new Scenario { Register = SettledAtB, Zone = Scene.Shows(SettledAtB.Plan), Command = Order(CommandKind.MoveBack, "a"), Faults = 2 });

    [Fact]
    public void A_pause_at_any_moment_of_a_move_back_leaves_one_truth() =>
        Explore(new Scenario { Register = SettledAtB with { Moving = null }, Zone = Scene.Shows(SettledAtB.Plan), Command = Order(CommandKind.MoveBack, "a"), LateCommand = Order(CommandKind.Pause, null) });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_planned_move_is_made_once_whatever_fails(bool fails) =>
        Explore(new Scenario { Register = Settled, Zone = Scene.Shows(Settled.Plan), Command = Order(CommandKind.PlannedMove, "b"), Fails = fails, Faults = 1 });

    [Fact]
    public void A_pin_is_followed_once_whatever_fails() =>
        Explore(new Scenario { Register = Settled, Zone = Scene.Shows(Settled.Plan), Command = Order(CommandKind.Pin, "b"), LateCommand = Order(CommandKind.Unpin, null) with { Ends = "order-Pin" } });

    [Fact]
    public void Two_ticks_of_one_observer_that_overlap_leave_one_truth() =>
        Explore(new Scenario { Register = Settled, Zone = Scene.Shows(Settled.Plan), AIsDown = true, Recovers = true, Faults = 1, Deciders = ["one", "one"] });

    [Fact]
    public void A_human_edit_at_any_moment_is_never_overwritten() =>
        Explore(new Scenario { Register = Settled, Zone = Scene.Shows(Settled.Plan), AIsDown = true, HumanEdits = true });

    [Fact]
    public void A_human_edit_during_a_move_is_never_overwritten() =>
        Explore(new Scenario { Register = MovingToB, Zone = Scene.Shows(Settled.Plan), AIsDown = true, HumanEdits = true });

    [Fact]
    public void The_first_register_is_made_once() =>
        Explore(new Scenario { Register = null, Zone = new Listing(Scene.SetsOfA, null), AIsDown = true, Ticks = 2 });

    [Fact]
    public void A_lost_register_is_adopted_once() =>
        Explore(new Scenario { Register = null, Zone = Scene.Shows(Settled.Plan), Command = Order(CommandKind.Adopt, null), Ticks = 2 });

    [Fact]
    public void A_restored_register_is_adopted_once() =>
        Explore(new Scenario { Register = Scene.Settled(2), Zone = Scene.Shows(Settled.Plan), Command = Order(CommandKind.Adopt, null), Ticks = 2 });

    [Theory]
    [InlineData((int)Planted.NoCompareAndSwap)]
    [InlineData((int)Planted.NoRev)]
    public void A_planted_bug_is_found(int planted)
    {
        var found = Assert.Throws<RuleBrokenException>(() => Explore(new Scenario
        {
            Register = MovingToB, Zone = Scene.Shows(Settled.Plan), AIsDown = true, Recovers = true, HumanEdits = true, Ticks = 2, Planted = (Planted)planted,
        }));
        output.WriteLine(found.Message);
    }

    private static Command Order(CommandKind kind, string? to) => new() { Id = "order-" + kind, Kind = kind, By = "op", At = Scene.Now, To = to };

    private void Explore(Scenario scenario)
    {
        if (Environment.GetEnvironmentVariable("SIMULATION_DECIDERS") == "3")
        {
            scenario = scenario with { Deciders = Scene.Deciders, Ticks = 1 };
        }

        var explorer = new Explorer(scenario);
        explorer.Run();
        output.WriteLine($"{explorer.States} states, {explorer.Endings} endings");
        Assert.True(explorer.Endings > 1);
    }
}
