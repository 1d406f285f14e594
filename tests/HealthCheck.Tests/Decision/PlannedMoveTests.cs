using Failover.ControlPlane;
using Failover.ControlPlane.Registers;
using Failover.HealthCheck.Decision;

namespace Failover.HealthCheck.Tests.Decision;

/// <summary>A planned move from a to b, tick by tick: the fence, the backlog, the move, and every way in which it is given up.</summary>
public class PlannedMoveTests
{
    private static readonly Command Order = new() { Id = "c1", Kind = CommandKind.PlannedMove, By = "op", At = World.Now, To = "b" };
    private static readonly TimeSpan Settled = Overrides.FenceSettles;

    private Register _register = World.Register();
    private Listing _zone = new(World.Register().Plan.Sets, World.Register().Plan.Txt);
    private DateTimeOffset? _fence;
    private bool _fenceAnswers = true;
    private string _says = "a:+ b:+";
    private DateTimeOffset? _newest;
    private bool _applies = true;
    private bool _pathAlive = true;

    [Fact]
    public void Fences_then_waits_for_the_backlog_then_moves_and_lifts_the_fence()
    {
        Tick(World.Now, Order);
        Assert.Equal((World.Now.AddMinutes(5), World.Now, "a"), (_fence, _register.Planned!.FencedAt, _register.Active));

        _newest = World.Now + Settled - TimeSpan.FromMilliseconds(1);
        Tick(World.Now.AddSeconds(20));
        Assert.Equal((4, null), (_register.Epoch, _register.Moving));

        _newest = World.Now + Settled;
        Tick(World.Now.AddSeconds(30));
        Assert.Equal((5, MoveKind.Planned), (_register.Epoch, _register.Moving!.Kind));
        Assert.Equal(World.Now.AddMinutes(5), _fence);

        Tick(World.Now.AddSeconds(40));
        Assert.Equal(("b", null, null), (_register.Active, _register.Moving, _register.Planned));
        Assert.Equal(0, _register.CoolDown!.AutomaticMoves);

        // Resolvers may still lead clients to a; then nobody is led there any more.
        Tick(World.Now.AddSeconds(99));
        Assert.NotNull(_fence);
        Tick(World.Now.AddSeconds(100));
        Assert.Equal((null, null), (_fence, _register.FenceToLift));
    }

    [Fact]
    public void Is_not_made_on_a_fence_that_nobody_acknowledged()
    {
        _fenceAnswers = false;
        Tick(World.Now, Order);
        _newest = World.Now.AddMinutes(1);
        Tick(World.Now.AddMinutes(1));

        Assert.Equal((4, null), (_register.Epoch, _register.Planned!.FencedAt));
    }

    [Fact]
    public void Is_given_up_when_its_time_is_over()
    {
        Tick(World.Now, Order with { Minutes = 1 });
        Tick(World.Now.AddMinutes(1));

        Assert.Equal((4, "a", null, null), (_register.Epoch, _register.Active, _register.Planned, _fence));
    }

    [Fact]
    public void Is_given_up_by_a_pause()
    {
        Tick(World.Now, Order);
        _register = _register with { Rev = _register.Rev + 1, Paused = new Override("o", "op", World.Now.AddSeconds(5), null, null) };
        _newest = World.Now + Settled;
        Tick(World.Now.AddSeconds(30));

        Assert.Equal((4, null, null), (_register.Epoch, _register.Planned, _fence));
    }

    [Fact]
    public void A_failure_meanwhile_is_left_as_ever()
    {
        Tick(World.Now, Order);
        _says = "a:9- b:+";
        Tick(World.Now.AddSeconds(10));

        Assert.Equal((5, MoveKind.Automatic, null), (_register.Epoch, _register.Moving!.Kind, _register.Planned));
    }

    /// <summary>Whatever ends it, the fence is lifted, and remembered until that is acknowledged.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_planned_move_that_is_withdrawn_leaves_no_fence(bool unanswered)
    {
        Tick(World.Now, Order);
        _newest = World.Now + Settled;
        _applies = false;
        Tick(World.Now.AddSeconds(30));
        Assert.Equal((5, MoveKind.Planned), (_register.Epoch, _register.Moving!.Kind));

        _register = _register with { Rev = _register.Rev + 1, Paused = new Override("o", "op", World.Now.AddSeconds(31), null, null) };
        (_applies, _fenceAnswers) = (true, !unanswered);
        Tick(World.Now.AddSeconds(40));
        Assert.Equal((6, "a", null), (_register.Epoch, _register.Plan.Endpoint, _register.Planned));
        _fenceAnswers = true;
        Tick(World.Now.AddSeconds(50));
        Assert.Equal((null, null), (_fence, _register.FenceToLift));
    }

    /// <summary>There and back again within the time that resolvers remember: a serves again, so it takes writes again.</summary>
    [Fact]
    public void A_name_that_comes_back_to_what_is_fenced_lifts_the_fence_at_once()
    {
        Tick(World.Now, Order);
        _newest = World.Now + Settled;
        Tick(World.Now.AddSeconds(30));
        Tick(World.Now.AddSeconds(40));
        Assert.Equal(("b", World.Now.AddSeconds(100)), (_register.Active, _register.FenceToLift!.NotBefore));

        Tick(World.Now.AddSeconds(45), new Command { Id = "c2", Kind = CommandKind.PlannedMove, By = "op", At = World.Now, To = "a" });
        Assert.Contains("order it then", _register.LastCommand!.Says, StringComparison.Ordinal);
        Tick(World.Now.AddSeconds(50), new Command { Id = "c3", Kind = CommandKind.Move, By = "op", At = World.Now, To = "a" });
        Tick(World.Now.AddSeconds(60));
        Tick(World.Now.AddSeconds(70));
        Assert.Equal(("a", null, null), (_register.Active, _register.FenceToLift, _fence));
    }

    [Theory]
    [InlineData(CommandKind.Pin, "a")]
    [InlineData(CommandKind.Drain, "b")]
    public void An_override_that_was_ordered_since_gives_it_up(CommandKind kind, string to)
    {
        Tick(World.Now, Order);
        Tick(World.Now.AddSeconds(10), new Command { Id = "c2", Kind = kind, By = "op", At = World.Now, To = to });
        Tick(World.Now.AddSeconds(20));

        Assert.Equal((4, "a", null, null), (_register.Epoch, _register.Active, _register.Planned, _fence));
    }

    /// <summary>The source begins to die when all has arrived: that is no reason against leaving it.</summary>
    [Fact]
    public void A_source_that_begins_to_fail_does_not_withdraw_it()
    {
        Tick(World.Now, Order);
        _newest = World.Now + Settled;
        _applies = false;
        Tick(World.Now.AddSeconds(30));
        _says = "a:3- b:+";
        (_applies, _pathAlive) = (true, false);
        Tick(World.Now.AddSeconds(40));
        Assert.Equal((5, MoveKind.Planned), (_register.Epoch, _register.Moving!.Kind));
    }

    /// <summary>The region dies before anybody has acknowledged its fence.</summary>
    [Fact]
    public void A_fence_that_cannot_be_set_keeps_no_failure_from_being_left()
    {
        _fenceAnswers = false;
        Tick(World.Now, Order);
        _says = "a:9- b:+";
        Tick(World.Now.AddSeconds(10));

        Assert.Equal((5, MoveKind.Automatic, null), (_register.Epoch, _register.Moving!.Kind, _register.Planned));
    }

    [Theory]
    [InlineData("c", "a:+ b:+", "see c up")]
    [InlineData("a", "a:+ b:+", "where you want to go")]
    [InlineData("x", "a:+ b:+", "no endpoint")]
    [InlineData("b", "a:+ b:9-", "see b up")]
    [InlineData("b", "a:+ b:+", "15 minutes at the most", 16)]
    public void Is_refused_where_it_makes_no_sense(string to, string says, string why, int? minutes = null)
    {
        _says = says;
        Tick(World.Now, Order with { To = to, Minutes = minutes });

        Assert.False(_register.LastCommand!.Obeyed);
        Assert.Contains(why, _register.LastCommand.Says, StringComparison.Ordinal);
        Assert.Null(_register.Planned);
    }

    private void Tick(DateTimeOffset now, Command? command = null)
    {
        ControlView View() => new(_register, command is null ? [] : [command], [.. World.Topology.Observers.Select(observer => World.Ballot(observer, _says, _pathAlive).Seen(_newest).MadeAt(now))]);
        var (mover, step) = Mover.Start(World.Topology, World.Service, "o1", new Look([_zone], HttpOk: true, ""), View(), now);
        while (step is not Step.Finish)
        {
            (mover, step) = mover.Next(Take(step), now);
        }

        StepResult Take(Step taken)
        {
            switch (taken)
            {
                case Step.ReadControl:
                    return new StepResult.Control(View());
                case Step.AwaitTurn:
                    return new StepResult.Turn();
                case Step.ListRecords:
                    return new StepResult.Listed(_zone);
                case Step.Fence(var replica, var order, var until):
                    Assert.Equal(("a", World.Now), (replica, order));
                    _fence = _fenceAnswers ? until : _fence;
                    return new StepResult.Fenced(_fenceAnswers);
                case Step.WriteRegister(var next, var expected, _):
                    Assert.Equal(_register.Rev, expected);
                    _register = next;
                    return new StepResult.Register(ConditionalWrite.Written);
                case Step.Apply when !_applies:
                    return new StepResult.NotDone("the provider is away");
                case Step.Apply(var plan, var listed):
                    Assert.True(listed.IsSameAs(_zone));
                    _zone = new Listing(plan.Sets, plan.Txt);
                    return new StepResult.Applied(ApplyOutcome.Applied);
                default:
                    throw new InvalidOperationException(taken.ToString());
            }
        }
    }
}
