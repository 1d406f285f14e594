using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;

namespace Failover.HealthCheck.Tests.Decision;

/// <summary>What a hostile review of the protocol found: moves that waited for ever, were not counted, or were answered by the wrong observer.</summary>
public class ContestedMoveTests
{
    private const string AllUp = "a:+ b:+ c:+";

    private static readonly Service Switched = World.Service with { HostedZoneId = null, Lever = Lever.Switch, Endpoints = [.. World.Service.Endpoints.Take(2)] };
    private static readonly Listing Before = new(World.Register().Plan.Sets, World.Register().Plan.Txt);

    [Fact]
    public void A_move_whose_target_two_observers_see_differently_goes_to_one_that_both_see_up()
    {
        var taken = World.Register().WithPlan(World.Plan("b", 5)) with { Moving = new Move("a", "b", MoveKind.Automatic, World.Now) };
        var name = new NameWorld(World.Service, Before, Before) { Register = taken };
        for (var tick = 0; tick < 3; tick++)
        {
            var now = name.Now.AddSeconds(10);
            name.Tick("", ballots: [World.Ballot("o1", "a:9- b:+ c:+").MadeAt(now), World.Ballot("o2", "a:9- b:9- c:+").MadeAt(now)]);
        }

        Assert.Equal("c", name.Register.Plan.Endpoint);
    }

    /// <summary>A blip of the target at two observers is no reason to change it: it is still up.</summary>
    [Fact]
    public void A_move_waits_for_a_target_that_has_only_blinked()
    {
        var taken = World.Register().WithPlan(World.Plan("b", 5)) with { Moving = new Move("a", "b", MoveKind.Automatic, World.Now) };
        var name = new NameWorld(World.Service, Before, Before) { Register = taken };
        name.Tick("a:9- b:1- c:+");

        Assert.Equal((5, "b"), (name.Register.Epoch, name.Register.Plan.Endpoint));
    }

    /// <summary>F2's relative: of four servers one is stale and three are silent. The stale one must not speak for them.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_held_plan_is_published_although_the_only_server_that_answers_is_stale(bool force)
    {
        var name = new NameWorld(World.Service, Before, null, null, null);
        name.Tick(AllUp, command: new Command { Id = "x", Kind = CommandKind.Move, By = "op", At = World.Now, To = "b", Force = force });
        for (var tick = 0; tick < 13; tick++)
        {
            name.Tick(AllUp);
        }

        Assert.Equal("b", name.Register.Serving);
        name.Tick("a:++ b:9- c:++");
        Assert.Equal("192.0.2.1", name.Zone.Sets[0].Values[0]);
    }

    [Fact]
    public void A_switch_that_is_sent_to_and_fro_is_counted_and_held()
    {
        var (a, b) = (Before with { Txt = null }, new Listing(World.Plan("b", 5).Sets, null));
        var name = new NameWorld(Switched, a, a, a) { Register = World.Register() with { Primary = "a" } };
        for (var round = 0; round < 3; round++)
        {
            Repeat(name, "a:9- b:++", 1);
            Repeat(name, "a:+ b:9-", 8);
            Array.Fill(name.Servers, b);
            Repeat(name, "a:+ b:+", 6);
            Array.Fill(name.Servers, a);
            Repeat(name, "a:+ b:+", 3);
        }

        Assert.True(name.Register.Epoch <= 8, $"epoch {name.Register.Epoch}");
        Assert.True(name.Register.CoolDown!.AutomaticMoves >= 2);
    }

    [Fact]
    public void Moves_that_are_retargeted_again_and_again_are_counted_and_held()
    {
        var name = new NameWorld(World.Service, null, null);
        var moves = 0;
        for (var round = 0; round < 12; round++)
        {
            var (before, bad) = (name.Zone.Sets[0].Values[0], name.Register.Plan.Endpoint);
            Repeat(name, string.Join(' ', new[] { "a", "b", "c" }.Select(endpoint => endpoint == "a" || endpoint == bad ? $"{endpoint}:9-" : $"{endpoint}:+")), 3);
            moves += name.Zone.Sets[0].Values[0] == before ? 0 : 1;
        }

        Assert.InRange(moves, 1, 2);
    }

    /// <summary>One observer that runs another version answered orders by its own ballots alone, and by its own records.</summary>
    [Theory]
    [InlineData(CommandKind.Move, false)]
    [InlineData(CommandKind.Pause, true)]
    public void While_a_majority_runs_another_version_the_odd_observer_answers_only_what_needs_no_votes(CommandKind kind, bool answers)
    {
        var name = new NameWorld(World.Service, Before, Before);
        var now = name.Now.AddSeconds(10);
        name.Tick("", command: new Command { Id = "x", Kind = kind, By = "op", At = World.Now, To = "b" }, ballots:
        [
            World.Ballot("o1", AllUp).MadeAt(now),
            World.Ballot("o2", AllUp).MadeAt(now) with { Topology = "0000000000000000" },
            World.Ballot("o3", AllUp).MadeAt(now) with { Topology = "0000000000000000" },
        ]);

        Assert.Equal(answers ? true : null, name.Register.LastCommand?.Obeyed);
    }

    /// <summary>A register that was restored, or whose control regions are lost for good, names observers that will never vote.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Adopting_takes_the_observers_of_the_topology_whether_the_name_is_frozen_or_not(int epoch)
    {
        var name = new NameWorld(World.Service, Before, Before) { Register = World.Register(epoch: epoch) with { Observers = ["x1", "x2", "x3"] } };
        name.Tick(AllUp, command: new Command { Id = "x", Kind = CommandKind.Adopt, By = "op", At = World.Now });
        Assert.True(name.Register.LastCommand!.Obeyed, name.Register.LastCommand.Says);
        name.Tick(AllUp, command: new Command { Id = "y", Kind = CommandKind.Resume, Ends = "x", By = "op", At = World.Now });
        Repeat(name, "a:9- b:+ c:+", 2);

        Assert.Equal("b", name.Register.Plan.Endpoint);
    }

    /// <summary>On DigitalOcean the call may die between the address and the TXT: half of it is there, so it is no longer withdrawn.</summary>
    [Fact]
    public void A_plan_that_is_half_applied_where_nothing_is_conditional_counts_as_published()
    {
        var name = new NameWorld(World.Service with { HostedZoneId = null, DigitalOceanDomain = "example.test" }, null, null) { Answers = new StepResult.Applied(ApplyOutcome.Unknown) };
        name.Tick("a:9- b:+ c:+");
        name.Zone = name.Zone with { Sets = World.Plan("b", 5).Sets };
        Repeat(name, AllUp, 12);

        Assert.Equal(("b", "b"), (name.Register.Plan.Endpoint, name.Register.Serving));
    }

    [Fact]
    public void A_batch_that_is_not_answered_is_sent_twice_a_tick_at_most()
    {
        var name = new NameWorld(World.Service, Before, Before) { Answers = new StepResult.Applied(ApplyOutcome.Unknown) };
        name.Tick("a:9- b:+ c:+");

        Assert.Equal(2, name.Batches);
    }

    [Fact]
    public void An_interruption_is_no_spacing_of_ticks()
    {
        var own = World.Ballot("o1", "a:+") with { StartsBefore = [World.Now.AddHours(-6)] };

        Assert.Equal(TimeSpan.FromSeconds(120), Overdue.Tick(own, World.Topology.Timing));
        Assert.Equal(TimeSpan.FromSeconds(90), Overdue.Tick(own with { StartsBefore = [World.Now.AddSeconds(-91), World.Now.AddSeconds(-1)] }, World.Topology.Timing));
        Assert.Equal(TimeSpan.FromSeconds(10), Overdue.Tick(own with { StartsBefore = [] }, World.Topology.Timing));
    }

    [Fact]
    public void One_server_of_two_that_is_stale_keeps_no_move_from_being_done()
    {
        var name = new NameWorld(World.Service, Before, Before);
        name.Tick("a:9- b:+ c:+");
        name.Servers[1] = name.Zone;
        Repeat(name, AllUp, 14);

        Assert.Equal((null, "b"), (name.Register.Moving, name.Register.Active));
    }

    private static void Repeat(NameWorld name, string says, int ticks)
    {
        for (var tick = 0; tick < ticks; tick++)
        {
            name.Tick(says);
        }
    }
}
