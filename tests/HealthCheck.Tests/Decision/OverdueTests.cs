using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;

namespace Failover.HealthCheck.Tests.Decision;

/// <summary>The rows of the chart of what is overdue: how long each may last. Ticks are 10 s apart.</summary>
public class OverdueTests
{
    private const string AllUp = "a:+ b:+ c:+";
    private const string ADown = "a:9- b:+ c:+";

    private static readonly Service Switched = World.Service with { HostedZoneId = null, Lever = Lever.Switch, Endpoints = [.. World.Service.Endpoints.Take(2)] };
    private static readonly Listing Before = new(World.Register().Plan.Sets, World.Register().Plan.Txt);

    private readonly List<double> _seconds = [];
    private DateTimeOffset? _since;

    [Fact]
    public void A_settled_name_is_never_overdue()
    {
        var name = new NameWorld(World.Service, Before, Before);
        Ticks(name, AllUp, 5);

        Assert.All(_seconds, seconds => Assert.Equal(0, seconds));
        Assert.Null(_since);
    }

    [Fact]
    public void A_failover_that_goes_well_is_never_overdue()
    {
        var name = new NameWorld(World.Service, Before, Before);
        Ticks(name, ADown, 1);
        (name.Servers[0], name.Servers[1]) = (name.Zone, name.Zone);
        Ticks(name, ADown, 5);

        Assert.Equal(("b", null), (name.Register.Active, name.Register.Moving));
        Assert.All(_seconds, seconds => Assert.Equal(0, seconds));
        Assert.Null(_since);
    }

    /// <summary>Whatever keeps a decided move from being carried out: within three ticks.</summary>
    [Fact]
    public void A_plan_that_is_not_held_is_overdue_after_two_ticks()
    {
        var name = new NameWorld(World.Service, Before, Before) { Answers = new StepResult.Applied(ApplyOutcome.Unknown) };
        Ticks(name, ADown, 4);

        Assert.Equal([0, 0, 0, 10], _seconds);
    }

    [Fact]
    public void A_plan_that_is_refused_for_good_is_overdue_after_two_ticks()
    {
        var name = new NameWorld(World.Service, Before, Before) { Answers = new StepResult.Applied(ApplyOutcome.Refused, "conflicts") };
        Ticks(name, ADown, 4);

        Assert.Equal([0, 0, 0, 10], _seconds);
    }

    /// <summary>Counted by epoch, taking and withdrawing in turn would never be overdue.</summary>
    [Fact]
    public void Taking_and_withdrawing_in_turn_is_overdue_although_every_epoch_is_young()
    {
        var name = new NameWorld(World.Service, Before, Before) { Answers = new StepResult.Applied(ApplyOutcome.Unknown) };
        for (var turn = 0; turn < 3; turn++)
        {
            Ticks(name, ADown, 1);
            Ticks(name, AllUp, 1);
        }

        Assert.True(name.Register.Epoch >= 6);
        Assert.True(_seconds[^1] > 0);
    }

    [Fact]
    public void A_held_plan_that_no_server_shows_is_overdue_after_a_minute()
    {
        var name = new NameWorld(World.Service, Before, Before);
        Ticks(name, ADown, 9);

        Assert.Equal([0, 0, 0, 0, 0, 0, 0, 0, 10], _seconds);
    }

    [Fact]
    public void A_switch_that_no_server_shows_is_overdue_after_four_metric_periods()
    {
        var a = Before with { Txt = null };
        var name = new NameWorld(Switched, a, a);
        Ticks(name, "a:9- b:+", 26);

        Assert.Equal(0, _seconds[24]);
        Assert.Equal(10, _seconds[25]);
    }

    [Fact]
    public void A_server_that_lags_is_overdue_after_two_minutes_although_the_move_is_done_without_it()
    {
        var name = new NameWorld(World.Service, Before, Before, Before);
        Ticks(name, ADown, 1);
        (name.Servers[0], name.Servers[1]) = (name.Zone, name.Zone);
        Ticks(name, ADown, 12);
        Assert.Equal(0, _seconds.Max());
        Ticks(name, ADown, 3);

        Assert.Null(name.Register.Moving);
        Assert.InRange(_seconds[^1], 10, 30);
    }

    /// <summary>F6: published, and not served through the name: it waited for ever, with nothing held and nobody told.</summary>
    [Fact]
    public void A_published_move_that_does_not_serve_over_http_is_overdue_after_two_ticks()
    {
        var name = new NameWorld(World.Service, Before, Before) { HttpOk = false };
        Ticks(name, ADown, 1);
        (name.Servers[0], name.Servers[1]) = (name.Zone, name.Zone);
        Ticks(name, ADown, 4);

        Assert.Equal([0, 0, 0, 0, 10], _seconds);
    }

    [Fact]
    public void A_failure_that_is_held_is_overdue_after_two_ticks()
    {
        var name = new NameWorld(World.Service, Before, Before) { Register = World.Register() with { Paused = new Override("o", "op", World.Now, null, null) } };
        Ticks(name, ADown, 4);

        Assert.Equal([0, 0, 0, 10], _seconds);
    }

    [Fact]
    public void A_human_edit_is_overdue_after_two_ticks()
    {
        var edited = Before with { Sets = [Before.Sets[0] with { Values = ["198.51.100.7"] }] };
        var name = new NameWorld(World.Service, edited, edited) { Zone = edited, Register = World.Register() with { Publication = new Publication(World.Now.AddHours(-1), World.Now.AddHours(-1), World.Now.AddHours(-1)) } };
        Ticks(name, AllUp, 4);

        Assert.Equal([0, 0, 0, 10], _seconds);
    }

    [Fact]
    public void Servers_that_are_all_silent_are_overdue_after_two_ticks_and_one_of_them_never()
    {
        var name = new NameWorld(World.Service, null, Before);
        Ticks(name, AllUp, 4);
        Assert.Equal([0, 0, 0, 0], _seconds);

        name.Servers[1] = null;
        Ticks(name, AllUp, 4);
        Assert.Equal([0, 0, 0, 10], _seconds[4..]);
    }

    [Fact]
    public void A_tick_without_a_vote_is_overdue_after_two()
    {
        var since = World.Now;

        Assert.Equal(0, Overdue.WithoutVote(World.Now, TimeSpan.FromSeconds(10), null).Seconds);
        Assert.Equal(0, Overdue.WithoutVote(World.Now.AddSeconds(20), TimeSpan.FromSeconds(10), since).Seconds);
        Assert.Equal(10, Overdue.WithoutVote(World.Now.AddSeconds(30), TimeSpan.FromSeconds(10), since).Seconds);
    }

    private void Ticks(NameWorld name, string says, int count)
    {
        for (var tick = 0; tick < count; tick++)
        {
            var finish = name.Tick(says);
            var overdue = Overdue.Of(name.Service, World.Topology.Timing, name.Mover!, name.Look!, finish.Ending, World.Ballot("o1", says).MadeAt(name.Now), _since);
            _since = overdue.Since;
            _seconds.Add(overdue.Seconds);
        }
    }
}
