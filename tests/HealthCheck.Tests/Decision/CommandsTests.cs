using Failover.ControlPlane;
using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;

namespace Failover.HealthCheck.Tests.Decision;

/// <summary>What each command does to the register, and when it is refused.</summary>
public class CommandsTests
{
    private static readonly Register Settled = World.Register();
    private static readonly IReadOnlyList<Ballot> AllUp = [World.Ballot("o1", "a:+ b:+"), World.Ballot("o2", "a:+ b:+"), World.Ballot("o3", "a:+ b:9-")];

    [Fact]
    public void Move_takes_the_next_epoch()
    {
        var next = Obey(Settled, Order(CommandKind.Move) with { To = "b" });

        Assert.Equal((5, "b", MoveKind.Command, "a"), (next.Epoch, next.Plan.Endpoint, next.Moving!.Kind, next.Active));
        Assert.True(next.LastCommand!.Obeyed);
        Assert.Contains(next.Known, plan => plan.Id == Settled.Plan.Id);
    }

    [Theory]
    [InlineData("nowhere", "no endpoint")]
    [InlineData("a", "serves already")]
    [InlineData("c", "see c up")]
    public void Move_is_refused(string to, string says) => Refused(Obey(Settled, Order(CommandKind.Move) with { To = to }), says);

    [Fact]
    public void Move_can_be_forced_to_what_nobody_sees_up() =>
        Assert.Equal("c", Obey(Settled, Order(CommandKind.Move) with { To = "c", Force = true }).Plan.Endpoint);

    [Fact]
    public void Move_is_refused_while_the_name_is_frozen() =>
        Refused(Obey(Settled, Order(CommandKind.Move) with { To = "b" }, new Listing([], Settled.Plan.Txt)), "frozen");

    [Theory]
    [InlineData(null)]
    [InlineData("a")]
    public void Move_back_takes_the_next_epoch_once_it_is_safe(string? to)
    {
        var next = Obey(World.Register("b"), Order(CommandKind.MoveBack) with { To = to }, ballots: BackGateTests.Ballots());

        Assert.Equal((5, "a", MoveKind.Back), (next.Epoch, next.Plan.Endpoint, next.Moving!.Kind));
        Assert.Contains("why=MoveBack", next.Plan.Txt.Values[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Move_back_is_refused_while_it_is_not_safe_and_cannot_be_forced()
    {
        Refused(Obey(World.Register("b"), Order(CommandKind.MoveBack) with { Force = true }), "up for 10 minutes");
        Refused(Obey(World.Register("a"), Order(CommandKind.MoveBack), ballots: BackGateTests.Ballots()), "serves already");
    }

    [Fact]
    public void A_command_for_another_epoch_is_refused() => Refused(Obey(Settled, Order(CommandKind.Pause) with { IfEpoch = 3 }), "epoch 3");

    [Theory]
    [InlineData(-11)]
    [InlineData(11)]
    public void A_command_of_another_time_is_refused(int minutes) => Refused(Obey(Settled, Order(CommandKind.Pause) with { At = World.Now.AddMinutes(minutes) }), "10 minutes");

    [Fact]
    public void A_pause_of_no_time_is_refused() => Refused(Obey(Settled, Order(CommandKind.Pause) with { Minutes = -5 }), "are none");

    [Fact]
    public void Pause_resume_and_ack_take_no_epoch()
    {
        var paused = Obey(Settled, Order(CommandKind.Pause) with { Minutes = 5 });
        var cooling = Settled with { CoolDown = new CoolDown(World.Now, World.Now.AddHours(1), 1), Withdrawals = [World.Now], Paused = paused.Paused };

        Assert.Equal(World.Now.AddMinutes(5), paused.Paused!.Until);
        Assert.Null(Obey(cooling, Order(CommandKind.Resume)).Paused);
        Assert.Null(Obey(cooling, Order(CommandKind.Ack)).CoolDown);
        Assert.Empty(Obey(cooling, Order(CommandKind.Ack)).Withdrawals);
        Assert.Equal([4, 4, 4], new[] { paused, Obey(cooling, Order(CommandKind.Resume)), Obey(cooling, Order(CommandKind.Ack)) }.Select(register => register.Epoch));
    }

    [Fact]
    public void Pause_during_a_move_is_a_new_epoch_that_keeps_what_is_there()
    {
        var moving = Settled.WithPlan(World.Plan("b", 5)) with { Moving = new Move("a", "b", MoveKind.Automatic, World.Now), Publication = World.Sent };
        var paused = Obey(moving, Order(CommandKind.Pause));
        var next = Moves.Withdraw(World.Service, paused, new Listing(Settled.Plan.Sets, Settled.Plan.Txt), "o1", World.Now)!;

        Assert.True(paused.Paused!.Stops(paused.Moving!.Since, World.Now));
        Assert.Empty(next.Withdrawals);
        Assert.Equal((6, "a", moving.Plan.Id), (next.Epoch, next.Plan.Endpoint, next.Withdraws!.Id));
        Assert.Null(next.Moving);
        Assert.NotNull(next.Paused);
    }

    [Fact]
    public void Pin_and_drain_carry_their_author_and_their_end()
    {
        var pinned = Obey(Settled, Order(CommandKind.Pin) with { To = "b", Minutes = 5, Reason = "rehearsal" });
        var drained = Obey(Settled, Order(CommandKind.Drain) with { To = "a", Minutes = 5 });

        Assert.Equal(new Pin("b", Force: false, new Override("op", World.Now, World.Now.AddMinutes(5), "rehearsal")), pinned.Pinned);
        Assert.Equal(new Override("op", World.Now, World.Now.AddMinutes(5), null), drained.Drained["a"]);
        Assert.Null(Obey(pinned, Order(CommandKind.Unpin)).Pinned);
        Assert.Empty(Obey(drained, Order(CommandKind.Undrain) with { To = "a" }).Drained);
        Assert.Equal([4, 4], new[] { pinned, drained }.Select(register => register.Epoch));
    }

    [Fact]
    public void Overrides_that_contradict_are_refused()
    {
        var pinned = Obey(Settled, Order(CommandKind.Pin) with { To = "b" }) with { LastCommand = null, Rev = 10 };
        var drained = Settled with { Drained = World.Service.Endpoints.Skip(1).ToDictionary(endpoint => endpoint.Name, _ => new Override("op", World.Now, null, null)) };

        Refused(Obey(pinned, Order(CommandKind.Drain) with { To = "b" }), "pinned to b");
        Refused(Obey(pinned, Order(CommandKind.Move) with { To = "c", Force = true }), "pinned to b");
        Refused(Obey(drained, Order(CommandKind.Drain) with { To = "a" }), "nowhere to go");
        Refused(Obey(drained, Order(CommandKind.Move) with { To = "b" }), "b is drained");
        Refused(Obey(Settled, Order(CommandKind.Undrain) with { To = "b" }), "not drained");
        Refused(Obey(Settled, Order(CommandKind.Unpin)), "nothing is pinned");
        Refused(Obey(Settled, Order(CommandKind.Approve)), "need no approval");
        Refused(Obey(Settled, Order(CommandKind.Pin) with { To = "x" }), "no endpoint");
    }

    [Fact]
    public void A_move_to_the_endpoint_that_serves_brings_its_new_values()
    {
        var old = Settled with { Plan = World.Plan("a", 4) with { Sets = [Settled.Plan.Sets[0] with { Values = ["192.0.2.99"] }] } };
        var next = Obey(old, Order(CommandKind.Move) with { To = "a" });

        Assert.Equal((5, "a"), (next.Epoch, next.Moving!.To));
        Assert.Equal(["192.0.2.1"], next.Plan.Sets[0].Values);
        Refused(Obey(Settled, Order(CommandKind.Move) with { To = "a" }), "serves already");
    }

    [Theory]
    [InlineData(CommandKind.Move)]
    [InlineData(CommandKind.MoveBack)]
    [InlineData(CommandKind.PlannedMove)]
    [InlineData(CommandKind.Pin)]
    [InlineData(CommandKind.Drain)]
    public void A_service_that_is_only_observed_obeys_no_order_that_moves_the_name(CommandKind kind) =>
        Refused(
            Commands.Obey(
                World.Topology, World.Service with { Mode = FailoverMode.ObserveOnly }, new ControlView(Settled, Order(kind) with { To = "b" }, AllUp),
                new Listing(Settled.Plan.Sets, Settled.Plan.Txt), "o1", World.Now)!,
            "only observed");

    [Fact]
    public void Adopt_takes_an_epoch_above_both_and_pauses()
    {
        var world = new Listing(World.Plan("b", 9).Sets, World.Plan("b", 9).Txt);
        var restored = Obey(Settled, Order(CommandKind.Adopt), world);
        var lost = Commands.Obey(World.Topology, World.Service, new ControlView(null, Order(CommandKind.Adopt), AllUp), world, "o1", World.Now)!;

        Assert.Equal((10, "b", "b"), (restored.Epoch, restored.Active, restored.Plan.Endpoint));
        Assert.NotNull(restored.Paused);
        Assert.Equal((10, 1), (lost.Epoch, lost.Rev));
        Assert.IsType<GateVerdict.Apply>(DnsGate.Judge(restored, world));
        Assert.IsType<GateVerdict.Apply>(DnsGate.Judge(lost, world));
    }

    [Fact]
    public void Adopt_is_refused_where_nothing_is_wrong_or_nobody_is_meant()
    {
        Refused(Obey(Settled, Order(CommandKind.Adopt)), "nothing to adopt");
        Refused(Obey(Settled, Order(CommandKind.Adopt), new Listing([new RecordSet(World.Name, "A", 60, ["198.51.100.7"])], Settled.Plan.Txt)), "no configured endpoint");
    }

    private static Command Order(CommandKind kind) => new() { Id = "c1", Kind = kind, By = "op", At = World.Now };

    private static Register Obey(Register register, Command command, Listing? listing = null, IReadOnlyList<Ballot>? ballots = null) =>
        Commands.Obey(World.Topology, World.Service, new ControlView(register, command, ballots ?? AllUp), listing ?? new Listing(register.Plan.Sets, register.Plan.Txt), "o1", World.Now)!;

    private static void Refused(Register next, string says)
    {
        Assert.False(next.LastCommand!.Obeyed);
        Assert.Equal("c1", next.LastCommand.Id);
        Assert.Contains(says, next.LastCommand.Says, StringComparison.Ordinal);
        Assert.Equal((4, 11), (next.Epoch, next.Rev));
    }
}
