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
    public void A_pause_of_no_time_is_refused() => Refused(Obey(Settled, Order(CommandKind.Pause) with { Minutes = -5 }), "not 1 to");

    [Fact]
    public void Pause_resume_and_ack_take_no_epoch()
    {
        var paused = Obey(Settled, Order(CommandKind.Pause) with { Minutes = 5 });
        var cooling = Settled with { CoolDown = new CoolDown(World.Now, World.Now.AddHours(1), 1), Withdrawals = [World.Now], Paused = paused.Paused };

        Assert.Equal(World.Now.AddMinutes(5), paused.Paused!.Until);
        Assert.Null(Obey(cooling, Order(CommandKind.Resume) with { Id = "c2", Ends = "c1" }).Paused);
        Assert.Null(Obey(cooling, Order(CommandKind.Ack)).CoolDown);
        Assert.Empty(Obey(cooling, Order(CommandKind.Ack)).Withdrawals);
        Assert.Equal([4, 4, 4], new[] { paused, Obey(cooling, Order(CommandKind.Resume) with { Id = "c2", Ends = "c1" }), Obey(cooling, Order(CommandKind.Ack)) }.Select(register => register.Epoch));
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

        Assert.Equal(new Pin("b", Force: false, new Override("c1", "op", World.Now, World.Now.AddMinutes(5), "rehearsal")), pinned.Pinned);
        Assert.Equal(new Override("c1", "op", World.Now, World.Now.AddMinutes(5), null), drained.Drained["a"]);
        Assert.Null(Obey(pinned, Order(CommandKind.Unpin) with { Id = "c2", Ends = "c1" }).Pinned);
        Assert.Empty(Obey(drained, Order(CommandKind.Undrain) with { Id = "c2", Ends = "c1", To = "a" }).Drained);
        Assert.Equal([4, 4], new[] { pinned, drained }.Select(register => register.Epoch));
    }

    [Fact]
    public void Overrides_that_contradict_are_refused()
    {
        var pinned = Obey(Settled, Order(CommandKind.Pin) with { To = "b" }) with { Answered = [], Rev = 10 };
        var drained = Settled with { Drained = World.Service.Endpoints.Skip(1).ToDictionary(endpoint => endpoint.Name, _ => new Override("o", "op", World.Now, null, null)) };

        Refused(Obey(pinned, Order(CommandKind.Drain) with { To = "b" }), "pinned to b");
        Refused(Obey(pinned, Order(CommandKind.Move) with { To = "c", Force = true }), "pinned to b");
        Refused(Obey(drained, Order(CommandKind.Drain) with { To = "a" }), "nowhere to go");
        Refused(Obey(drained, Order(CommandKind.Move) with { To = "b" }), "b is drained");
        Refused(Obey(Settled, Order(CommandKind.Undrain) with { To = "b" }), "there is no drain of 'b'");
        Refused(Obey(Settled, Order(CommandKind.Unpin)), "there is no pin");
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
        Refused(ObeyAll(World.Service with { Mode = FailoverMode.ObserveOnly }, Settled, [Order(kind) with { To = "b" }])!, "only observed");

    [Fact]
    public void Adopt_takes_an_epoch_above_both_and_pauses()
    {
        var world = new Listing(World.Plan("b", 9).Sets, World.Plan("b", 9).Txt);
        var restored = Obey(Settled, Order(CommandKind.Adopt), world);
        var lost = ObeyAll(World.Service, null, [Order(CommandKind.Adopt)], world)!;

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

    [Fact]
    public void All_orders_that_wait_are_answered_in_one_write_and_what_stops_something_comes_first()
    {
        var orders = new[] { Numbered(1, CommandKind.Ack), Numbered(2, CommandKind.Move, "b"), Numbered(3, CommandKind.Pin, "c") with { Force = true }, Numbered(4, CommandKind.Drain, "b") };
        var next = ObeyAll(World.Service, Settled, orders)!;

        Assert.Equal(["3", "4", "1", "2"], next.Answered.Select(answer => answer.Id));
        Assert.Equal([true, true, true, false], next.Answered.Select(answer => answer.Obeyed));
        Assert.Equal(Settled.Rev + 1, next.Rev);
        Assert.Contains("pinned to c", next.AnswerTo("2")!.Says, StringComparison.Ordinal);
        Assert.Empty(new ControlView(next, orders, []).Pending);
    }

    [Theory]
    [InlineData(CommandKind.Move)]
    [InlineData(CommandKind.MoveBack)]
    [InlineData(CommandKind.PlannedMove)]
    [InlineData(CommandKind.Approve)]
    public void A_pause_overrides_what_was_started_in_the_same_tick(CommandKind kind)
    {
        var next = ObeyAll(World.Service, Settled, [Numbered(1, kind, "b"), Numbered(2, CommandKind.Pause)])!;

        Assert.NotNull(next.Paused);
        Assert.Equal(Settled.Plan, next.Plan);
        Assert.Contains("a pause was ordered at the same moment", next.AnswerTo("1")!.Says, StringComparison.Ordinal);
    }

    /// <summary>What an order before it did to the epoch changes nothing about a pause that was obeyed.</summary>
    [Fact]
    public void A_pause_for_the_epoch_before_an_adoption_overrides_a_move_after_it()
    {
        var world = new Listing(World.Plan("b", 9).Sets, World.Plan("b", 9).Txt);
        var next = ObeyAll(World.Service, Settled, [Numbered(1, CommandKind.Pause) with { IfEpoch = 4 }, Numbered(2, CommandKind.Adopt), Numbered(3, CommandKind.Move, "a")], world)!;

        Assert.Equal((10, "b"), (next.Epoch, next.Plan.Endpoint));
        Assert.Contains("a pause was ordered at the same moment", next.AnswerTo("3")!.Says, StringComparison.Ordinal);
    }

    /// <summary>F9: two operators order at once, and the first move takes the epoch that both had in mind.</summary>
    [Fact]
    public void Of_two_moves_for_one_epoch_the_first_is_made()
    {
        var next = ObeyAll(World.Service, Settled, [Numbered(1, CommandKind.Move, "b") with { IfEpoch = 4 }, Numbered(2, CommandKind.Move, "c") with { IfEpoch = 4, Force = true }])!;

        Assert.Equal(("b", 5), (next.Plan.Endpoint, next.Epoch));
        Assert.Contains("meant for epoch 4, this is 5", next.AnswerTo("2")!.Says, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_ends_a_pause_a_pin_or_a_drain_ends_no_later_one_of_another()
    {
        var paused = ObeyAll(World.Service, Settled, [Numbered(1, CommandKind.Pause), Numbered(2, CommandKind.Pause), Numbered(3, CommandKind.Pin, "b"), Numbered(4, CommandKind.Drain, "c")])!;
        var refused = ObeyAll(World.Service, paused,
        [
            Numbered(5, CommandKind.Resume) with { Ends = "1" }, Numbered(6, CommandKind.Resume), Numbered(7, CommandKind.Unpin) with { Ends = "1" }, Numbered(8, CommandKind.Undrain, "c") with { Ends = "3" },
        ])!;
        var ended = ObeyAll(World.Service, paused,
        [
            Numbered(5, CommandKind.Resume) with { Ends = "2" }, Numbered(7, CommandKind.Unpin) with { Ends = "3" }, Numbered(8, CommandKind.Undrain, "c") with { Ends = "4" },
        ])!;

        Assert.Equal("paused; in place of the same order by op, which stood without an end", paused.AnswerTo("2")!.Says);
        Assert.All(refused.Answered.TakeLast(4), answer => Assert.Contains("in force is another: by op", answer.Says, StringComparison.Ordinal));
        Assert.True(refused is { Paused.OrderId: "2", Pinned.Order.OrderId: "3" } && refused.IsDrained("c", World.Now));
        Assert.True(ended is { Paused: null, Pinned: null, Drained.Count: 0 });
    }

    /// <summary>A drain beside the order that makes room for it stops as surely as alone.</summary>
    [Fact]
    public void What_ends_a_pin_or_a_drain_is_answered_before_the_drain_that_comes_after_it()
    {
        var held = new Override("x", "op", World.Now, null, null);
        var pinned = ObeyAll(World.Service, Settled with { Pinned = new Pin("a", false, held) }, [Numbered(1, CommandKind.Unpin) with { Ends = "x" }, Numbered(2, CommandKind.Drain, "a")])!;
        var drained = ObeyAll(
            World.Service, Settled with { Drained = new Dictionary<string, Override> { ["b"] = held, ["c"] = held } }, [Numbered(1, CommandKind.Undrain, "b") with { Ends = "x" }, Numbered(2, CommandKind.Drain, "a")])!;

        Assert.True(pinned.AnswerTo("2")!.Obeyed, pinned.AnswerTo("2")!.Says);
        Assert.True(drained.AnswerTo("2")!.Obeyed, drained.AnswerTo("2")!.Says);
    }

    [Fact]
    public void A_pause_that_is_refused_for_its_age_refuses_nobody_elses_move()
    {
        var next = ObeyAll(World.Service, Settled, [Numbered(1, CommandKind.Pause) with { At = World.Now.AddMinutes(-11) }, Numbered(2, CommandKind.Move, "b")])!;

        Assert.Null(next.Paused);
        Assert.True(next.AnswerTo("2")!.Obeyed, next.AnswerTo("2")!.Says);
    }

    [Fact]
    public void An_order_without_a_name_stops_nobody()
    {
        var next = ObeyAll(World.Service, Settled, [Numbered(1, CommandKind.Move, "b") with { By = null! }, Numbered(2, CommandKind.Ack)])!;

        Assert.False(next.AnswerTo("1")!.Obeyed);
        Assert.True(next.AnswerTo("2")!.Obeyed);
    }

    [Fact]
    public void An_order_that_this_version_fails_on_is_refused_and_keeps_nobody_from_being_answered()
    {
        var broken = World.Service with { Endpoints = [.. World.Service.Endpoints.Select(endpoint => endpoint.Name == "b" ? endpoint with { Records = null! } : endpoint)] };
        var next = ObeyAll(broken, Settled, [Numbered(1, CommandKind.Move, "b"), Numbered(2, CommandKind.Ack)])!;

        Assert.StartsWith("refused: this version fails on it: ", next.AnswerTo("1")!.Says, StringComparison.Ordinal);
        Assert.True(next.AnswerTo("2")!.Obeyed);
    }

    [Fact]
    public void What_an_order_says_is_bounded_whoever_wrote_it()
    {
        var next = ObeyAll(World.Service, Settled, [Numbered(1, CommandKind.Pause) with { Reason = new string('r', 100_000) }, Numbered(2, CommandKind.Move, new string('<', 90))])!;

        Assert.Null(next.Paused);
        Assert.All(next.Answered, answer => Assert.InRange(answer.Says.Length, 1, 400));
    }

    /// <summary>What is ordered while the provider's API is down: only what must know the records waits for it.</summary>
    [Fact]
    public void A_pause_or_a_pin_waits_for_no_listing()
    {
        IReadOnlyList<string> Answerable(params Command[] orders) =>
            [.. Commands.Batch(World.Topology, World.Service, new ControlView(Settled, orders, AllUp), withListing: false, World.Now).Select(order => order.Id)];

        Assert.Equal(["2", "1"], Answerable(Numbered(1, CommandKind.Move, "b"), Numbered(2, CommandKind.Pause)));
        Assert.Equal(["2"], Answerable(Numbered(1, CommandKind.Move, "b"), Numbered(2, CommandKind.Pin, "c")));
        Assert.Equal(["1"], Answerable(Numbered(1, CommandKind.Move, "b") with { At = World.Now.AddHours(-1) }));
        Assert.Empty(Answerable(Numbered(1, CommandKind.Adopt), Numbered(2, CommandKind.Ack)));
    }

    private static Command Numbered(int id, CommandKind kind, string? to = null) => new() { Id = $"{id}", Kind = kind, By = "op", At = World.Now, To = to };

    private static Command Order(CommandKind kind) => new() { Id = "c1", Kind = kind, By = "op", At = World.Now };

    private static Register Obey(Register register, Command command, Listing? listing = null, IReadOnlyList<Ballot>? ballots = null) => ObeyAll(World.Service, register, [command], listing, ballots)!;

    private static Register? ObeyAll(Service service, Register? register, IReadOnlyList<Command> orders, Listing? listing = null, IReadOnlyList<Ballot>? ballots = null)
    {
        var view = new ControlView(register, orders, ballots ?? AllUp);
        return Commands.Obey(
            World.Topology, service, view, Commands.Batch(World.Topology, service, view, withListing: true, World.Now), listing ?? new Listing(register!.Plan.Sets, register.Plan.Txt), "o1", World.Now);
    }

    private static void Refused(Register next, string says)
    {
        Assert.False(next.LastCommand!.Obeyed);
        Assert.Equal("c1", next.LastCommand.Id);
        Assert.Contains(says, next.LastCommand.Says, StringComparison.Ordinal);
        Assert.Equal((4, 11), (next.Epoch, next.Rev));
    }
}
