using Failover.ControlPlane;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;

namespace Failover.HealthCheck.Tests.Decision;

/// <summary>What the mover does where servers alone cannot tell, where nothing is written, and where a service is only observed.</summary>
public class LeverTests
{
    private static readonly Service Switched = World.Service with { HostedZoneId = null, Lever = Lever.Switch, Endpoints = [.. World.Service.Endpoints.Take(2)] };

    private Service _service = World.Service;
    private Register? _register = World.Register();
    private Listing _zone = new(World.Register().Plan.Sets, World.Register().Plan.Txt);
    private Listing _shown = new(World.Register().Plan.Sets, World.Register().Plan.Txt);
    private Command? _command;
    private int _listings;
    private int _applied;

    [Fact]
    public void A_switch_lists_and_applies_nothing_and_is_done_when_the_world_shows_it()
    {
        (_service, _register, _shown) = (Switched, null, new Listing(World.Plan("a", 0).Sets, null));
        Tick("a:+ b:+");
        Assert.Equal((0, "a"), (_register!.Epoch, _register.Active));

        Assert.Equal(Ending.Waiting, Tick("a:9- b:+").Ending);
        Assert.Equal((1, "b", "a"), (_register.Epoch, _register.Plan.Endpoint, _register.Active));
        Assert.Equal(Ending.Waiting, Tick("a:9- b:+").Ending);

        _shown = new Listing(World.Plan("b", 1).Sets, null);
        Tick("a:9- b:+");
        Assert.Equal((1, "b", null), (_register.Epoch, _register.Active, _register.Moving));
        Assert.Equal(Ending.Settled, Tick("a:9- b:+").Ending);
        Assert.Equal((0, 0), (_listings, _applied));
    }

    /// <summary>What a metric has said an alarm may hold for minutes: a withdrawal would be seen after the move, as a move back without its gate.</summary>
    [Fact]
    public void A_switch_that_was_sent_is_let_through_and_one_that_was_not_is_withdrawn()
    {
        (_service, _shown) = (Switched, new Listing(World.Plan("a", 4).Sets, null));
        Tick("a:9- b:+");
        Assert.Equal((5, "b", "b"), (_register!.Epoch, _register.Plan.Endpoint, _register.SentEndpoint));
        Assert.Equal(Ending.Waiting, Tick("a:+ b:+").Ending);
        Assert.Equal((5, "b"), (_register.Epoch, _register.SentEndpoint));

        _register = _register with { Rev = _register.Rev + 1, Publication = Publication.None };
        Tick("a:+ b:+");
        Assert.Equal((6, "a", null, "a"), (_register.Epoch, _register.Plan.Endpoint, _register.Moving, _register.SentEndpoint));
        Assert.Equal(Ending.Settled, Tick("a:+ b:+").Ending);
        Assert.Equal((0, 0), (_listings, _applied));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_switch_begins_with_what_all_servers_answer(bool agree)
    {
        (_service, _register, _shown) = (Switched, null, new Listing(World.Plan("b", 0).Sets, null));
        Tick("a:+ b:+", agree ? _shown : new Listing(World.Plan("a", 0).Sets, null));

        Assert.Equal(agree ? "b" : null, _register?.Active);
    }

    [Theory]
    [InlineData(2, "b")]
    [InlineData(1, null)]
    public void A_switch_begins_with_what_more_than_half_of_the_servers_answer(int answering, string? active)
    {
        (_service, _register) = (Switched, null);
        var answer = new Listing(World.Plan("b", 0).Sets, null);
        Tick(World.Topology, "a:+ b:+", [.. Enumerable.Range(0, 3).Select(server => server < answering ? answer : null)], listsNow: false);

        Assert.Equal(active, _register?.Active);
    }

    [Fact]
    public void A_switch_obeys_a_move_and_has_nothing_to_adopt()
    {
        (_service, _shown) = (Switched, new Listing(World.Plan("a", 4).Sets, null));
        _command = new Command { Id = "1", Kind = CommandKind.Move, By = "op", At = World.Now, To = "b" };
        Tick("a:+ b:+");
        Assert.Equal("b", _register!.Plan.Endpoint);

        _command = new Command { Id = "2", Kind = CommandKind.Adopt, By = "op", At = World.Now };
        Tick("a:+ b:+");
        Assert.Contains("nothing to adopt", _register.LastCommand!.Says, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_an_alias_servers_show_what_is_behind_it_and_the_listing_tells_the_rest()
    {
        var plan = Plan.Of(_service, "a", [new RecordSet(World.Name, "A", null, []) { Alias = new Alias("Z9", "a.example.net") }, new RecordSet(World.Name, "HTTPS", 60, ["1 ."])], 4, World.Now, "o1", "First");
        _register = World.Register() with { Plan = plan };
        _zone = new Listing(plan.Sets, plan.Txt);
        _shown = new Listing([new RecordSet(World.Name, "A", 17, ["203.0.113.5", "203.0.113.6"])], plan.Txt);

        Assert.Equal(Ending.Settled, Tick("a:+ b:+").Ending);
        Assert.Equal(0, _listings);
        Assert.Equal(Ending.Settled, Tick("a:+ b:+", listsNow: true).Ending);
        Assert.Equal(1, _listings);

        _zone = new Listing([plan.Sets[0] with { Alias = new Alias("Z9", "elsewhere.example.net") }, plan.Sets[1]], plan.Txt);
        Assert.Equal(Ending.Settled, Tick("a:+ b:+").Ending);
        Assert.Equal(Ending.Frozen, Tick("a:+ b:+", listsNow: true).Ending);
    }

    [Fact]
    public void A_service_that_is_only_observed_goes_through_it_all_and_touches_nothing()
    {
        _service = World.Service with { Mode = FailoverMode.ObserveOnly };
        (_register, _zone, _shown) = (null, new Listing(World.Plan("a", 0).Sets, null), new Listing(World.Plan("a", 0).Sets, null));
        Tick("a:+ b:+");
        var first = Tick("a:9- b:+");

        Assert.Equal((0, "a"), (_register!.Epoch, _register.Active));
        Assert.Equal(Ending.DryRun, first.Ending);
        Assert.Contains("would apply", first.Why, StringComparison.Ordinal);
        Assert.Equal(0, _applied);
    }

    /// <summary>Whatever the lever: what was ordered later wins.</summary>
    [Theory]
    [InlineData(MoveKind.Command, "pin")]
    [InlineData(MoveKind.Command, "drain")]
    [InlineData(MoveKind.Command, "pause")]
    [InlineData(MoveKind.Back, "pin")]
    public void A_move_that_an_order_since_overrules_is_withdrawn(MoveKind kind, string since)
    {
        var order = new Override("o", "op", World.Now, null, null);
        _register = World.Register().WithPlan(World.Plan("b", 5)) with { Moving = new Move("a", "b", kind, World.Now) };
        _register = since switch
        {
            "pin" => _register with { Pinned = new Pin("a", Force: false, order) },
            "drain" => _register with { Drained = new Dictionary<string, Override> { ["b"] = order } },
            _ => _register with { Paused = order },
        };
        Tick("a:+ b:+");

        Assert.Equal((6, "a", null), (_register.Epoch, _register.Plan.Endpoint, _register.Moving));
    }

    /// <summary>From b back to a, before b was verified: what a withdrawal keeps is b, where clients are.</summary>
    [Fact]
    public void A_withdrawn_switch_stays_where_clients_are()
    {
        (_service, _shown) = (Switched, new Listing(World.Plan("b", 5).Sets, null));
        var atB = World.Register().WithPlan(World.Plan("b", 5)) with { Publication = World.Published, Moving = new Move("a", "b", MoveKind.Automatic, World.Now) };
        _register = atB.WithPlan(World.Plan("a", 6)) with
        {
            Moving = new Move("b", "a", MoveKind.Command, World.Now), Paused = new Override("o", "op", World.Now, null, null),
        };
        Tick("a:+ b:+");

        Assert.Equal((7, "b", "b"), (_register.Epoch, _register.Plan.Endpoint, _register.Active));
    }

    [Fact]
    public void An_order_that_is_too_old_is_refused_without_a_listing()
    {
        _command = new Command { Id = "1", Kind = CommandKind.Move, By = "op", At = World.Now.AddMinutes(-11), To = "b" };
        Tick("a:+ b:+");

        Assert.Contains("10 minutes", _register!.LastCommand!.Says, StringComparison.Ordinal);
        Assert.Equal(0, _listings);
    }

    private Step.Finish Tick(string says, Listing? second = null, bool listsNow = false) => Tick(World.Topology, says, [_shown, second ?? _shown], listsNow);

    private Step.Finish Tick(Topology topology, string says, Listing?[] servers, bool listsNow)
    {
        ControlView View() => new(_register, _command is null ? [] : [_command], [.. World.Topology.Observers.Select(observer => World.Ballot(observer, says))]);
        var (mover, step) = Mover.Start(topology, _service, "o1", new Look(servers, HttpOk: true, ""), View(), World.Now, listsNow);
        while (step is not Step.Finish)
        {
            (mover, step) = mover.Next(Take(step), World.Now);
        }

        return (Step.Finish)step;

        StepResult Take(Step taken)
        {
            switch (taken)
            {
                case Step.ReadControl:
                    return new StepResult.Control(View());
                case Step.AwaitTurn:
                    return new StepResult.Turn();
                case Step.ListRecords:
                    _listings++;
                    return new StepResult.Listed(_zone);
                case Step.WriteRegister(var next, var expected, _):
                    Assert.Equal(_register?.Rev, expected);
                    _register = next;
                    return new StepResult.Register(ConditionalWrite.Written);
                case Step.Apply:
                    _applied++;
                    return new StepResult.Applied(ApplyOutcome.Unknown);
                default:
                    throw new InvalidOperationException(taken.ToString());
            }
        }
    }
}
