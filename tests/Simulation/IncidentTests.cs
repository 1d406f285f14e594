using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.Simulation.Campaign;

namespace Failover.Simulation;

/// <summary>What happened to others, at default settings, over many seeds of everything that chance decides: latencies, phases, which call is hit.</summary>
public class IncidentTests(ITestOutputHelper output)
{
    private const int Seeds = 100;
    private const long Start = 90_000;

    /// <summary>GitHub, 21 October 2018: 43 seconds without a network cost more than a day of repair.</summary>
    [Fact]
    public void A_region_lost_for_43_seconds_moves_nothing() => Each(
        seed => Schedule.Of(seed, Setting.Default, Lost(Start + (seed * 97 % 10_000), 43_000)), world => Assert.Equal(["First"], Whys(world)));

    [Fact]
    public void A_region_lost_for_five_minutes_is_left() => Each(
        seed => Schedule.Of(seed, Setting.Default, Lost(Start + (seed * 97 % 10_000), 300_000)),
        world =>
        {
            Assert.Equal(["First", "RegionLost"], Whys(world));
            Assert.InRange(world.History.Zone[^1].At - world.Schedule.Faults[0].From, 50_000, 80_000);
        });

    /// <summary>L1: the detection time is three ticks, and two more are allowed.</summary>
    [Fact]
    public void An_endpoint_that_fails_hard_is_left_within_the_detection_time_and_two_ticks() => Each(
        seed => Schedule.Of(seed, Setting.Default, new Fault(FaultKind.EndpointDown, Start + (seed * 97 % 10_000), Start + 300_000, 0, 1)),
        world =>
        {
            Assert.Equal(["First", "EndpointDown"], Whys(world));
            Assert.InRange(world.History.Zone[^1].At - world.Schedule.Faults[0].From, 20_000, 50_000);
            Assert.Equal(0, world.History.Ticks.Max(tick => tick.OverdueSeconds));
        });

    /// <summary>The switch takes its metric periods, and that is no reason for an alarm.</summary>
    [Fact]
    public void A_failover_by_the_switch_that_goes_well_is_never_overdue() => Each(
        seed => Schedule.Of(
            seed, Setting.BySwitch,
            new Fault(FaultKind.EndpointDown, Start + (seed * 97 % 10_000), Start + 600_000, 0, 1)),
        world =>
        {
            Assert.Equal(("b", 1), (world.Register!.Active, world.EndpointOf(world.Zone.Sets)));
            Assert.Equal(0, world.History.Ticks.Max(tick => tick.OverdueSeconds));
        });

    /// <summary>
    /// AWS, 19 and 20 October 2025: an enactor was slow, checked its plan once at the beginning, and put it over a newer one; a clean-up then left the name empty.
    /// Here every batch that fails to be answered may arrive up to five minutes later, and processes sleep for minutes inside their writes.
    /// </summary>
    [Fact]
    public void A_slow_enactor_puts_no_old_plan_over_a_newer_one() => Each(
        seed => Schedule.Of(
            seed, Setting.Quick,
            new Fault(FaultKind.DnsApiFlaky, Start, 600_000, 0, 0.5), new Fault(FaultKind.Pauses, Start, 600_000, 0, 0.5),
            new Fault(FaultKind.EndpointDown, Start, 160_000, 0, 1), Move("a", 240_000), Move("b", 300_000), Move("a", 360_000)),
        world => Assert.All(world.History.Zone, version => Assert.NotEmpty(version.Sets)),
        seeds: 1000);

    /// <summary>AWS, 7 December 2021: Route 53's API was gone for seven hours, its answers were not.</summary>
    [Theory]
    [InlineData("DnsApiDown")]
    [InlineData("ControlDown")]
    public void A_control_plane_that_is_gone_for_hours_changes_nothing_and_is_caught_up_with(string what) => Each(
        seed => Schedule.Of(
            seed, Setting.Default,
            new Fault(Enum.Parse<FaultKind>(what), Start, Start + (7 * 3_600_000), 0, 1), new Fault(FaultKind.EndpointDown, Start + 60_000, Start + (7 * 3_600_000) + 300_000, 0, 1)),
        world =>
        {
            Assert.Equal("b", world.Register!.Active);
            Assert.Equal(2, world.History.Zone.Count(version => version.By is not null));
            Assert.InRange(world.History.Zone[^1].At, Start + (7 * 3_600_000), Start + (7 * 3_600_000) + 100_000);
        },
        seeds: 3);

    /// <summary>It is neither up nor down for long; whoever counts failures in a row alone never leaves it.</summary>
    [Fact]
    public void An_endpoint_that_fails_every_second_probe_is_left_once() => Each(
        seed => Schedule.Of(seed, Setting.Default, new Fault(FaultKind.EndpointFlaps, Start, 1_800_000, 0, 0.5)),
        world => Assert.Equal(["First", "EndpointDown"], Whys(world)));

    /// <summary>Aptible, October 2022: health checks that were wrong took healthy customers down.</summary>
    [Fact]
    public void An_alarm_from_one_place_moves_nothing() => Each(
        seed => Schedule.Of(
            seed, Setting.Default, new Fault(FaultKind.PartialPartition, Start, 900_000, 0, seed % 3), new Fault(FaultKind.PartialPartition, Start, 900_000, 1, seed % 3)),
        world => Assert.Equal(["First"], Whys(world)));

    [Fact]
    public void All_endpoints_down_keeps_the_last_answer() => Each(
        seed => Schedule.Of(seed, Setting.Default, new Fault(FaultKind.AllEndpointsDown, Start, 900_000, 0, 1)),
        world =>
        {
            Assert.Equal(["First"], Whys(world));
            Assert.Contains(world.History.Ticks, tick => tick.Held.Contains("NoTarget"));
        });

    /// <summary>The region that decides dies with its decision half done: a second after it took the epoch, at every second.</summary>
    [Fact]
    public void A_decider_lost_in_the_middle_of_a_move_is_finished_by_others() => Each(
        seed => Schedule.Of(
            seed, Setting.Default,
            new Fault(FaultKind.EndpointDown, Start, 500_000, 0, 1), new Fault(FaultKind.ObserverDead, Start + 20_000 + (seed * 150), 500_000, seed % 3, 1)),
        world => Assert.Equal("b", world.Register!.Active));

    [Fact]
    public void A_replication_that_stalls_alone_moves_nothing() => Each(
        seed => Schedule.Of(seed, Setting.Default, new Fault(FaultKind.ReplicationPaused, Start, 900_000, 0, 1)), world => Assert.Equal(["First"], Whys(world)));

    /// <summary>
    /// An upgrade, observer by observer two minutes apart, with an endpoint that fails while the first one has what is new: those who have the same are a majority, and move it.
    /// And the way back, in the same steps, which moves nothing.
    /// </summary>
    [Fact]
    public void A_rolling_upgrade_keeps_no_failure_from_being_left_and_nor_does_the_way_back() => Each(
        seed => Schedule.Of(
            seed, RolledOut(0, 120_000, 240_000), new Fault(FaultKind.EndpointDown, Start + (seed * 997 % 100_000) + 10_000, Start + 500_000, 0, 1), new Fault(FaultKind.ReplicationPaused, Start + 1_300_000, Start + 1_310_000, 0, 1)),
        world =>
        {
            Assert.Equal(["First", "EndpointDown"], Whys(world));
            Assert.InRange(world.History.Zone[^1].At - world.Schedule.Faults[0].From, 20_000, 60_000);
        });

    /// <summary>One observer that cannot be redeployed had a veto over every move. With another one dead as well there is no majority, and that is told.</summary>
    [Fact]
    public void An_observer_of_another_version_has_no_veto() => Each(
        seed => Schedule.Of(
            seed, Setting.Default with { Next = (Setting.Default.Topology with { Timing = new Timing(StableMinutes: 11) }, (observer, now) => observer == seed % 3 && now > 10_000) },
            new Fault(FaultKind.EndpointDown, Start, Start + 300_000, 0, 1)),
        world => Assert.Equal(["First", "EndpointDown"], Whys(world)));

    /// <summary>F1: raising the interval made every later tick look older than the stored ballot, for decades. Lowering it, and rolling either back, are its relatives.</summary>
    [Theory]
    [InlineData(20)]
    [InlineData(60)]
    [InlineData(7)]
    [InlineData(2)]
    public void A_change_of_the_interval_loses_no_vote_and_keeps_no_failure_from_being_left(int seconds) => Each(
        seed => Schedule.Of(
            seed, Setting.Default.RolledTo(seconds, Start, 30_000 + (seed * 500), 600_000),
            new Fault(FaultKind.EndpointDown, Start + 200_000, Start + 420_000, 0, 1)),
        world =>
        {
            Assert.Equal(["First", "EndpointDown"], Whys(world));
            foreach (var ballots in world.History.Ballots.Where(ballot => ballot.At < Start + 1_000_000).GroupBy(ballot => ballot.Observer))
            {
                var longest = ballots.Zip(ballots.Skip(1), (one, next) => next.At - one.At).Max();
                Assert.InRange(longest, 0, 3 * 1000 * Math.Max(seconds, 10));
            }
        },
        seeds: 30);

    /// <summary>F4: with the queue of ticks gone the schedule's one tick a minute detects, slower: an endpoint within five minutes, a region within eight.</summary>
    [Theory]
    [InlineData("EndpointDown", 300_000)]
    [InlineData("RegionLost", 480_000)]
    public void With_one_tick_a_minute_a_failure_is_left_all_the_same(string fault, int withinMilliseconds) => Each(
        seed => Schedule.Of(
            seed, Setting.Default, new Fault(FaultKind.TickQueueDown, 200_000, 2_000_000, 3, 1), new Fault(Enum.Parse<FaultKind>(fault), 600_000 + (seed * 977 % 60_000), 1_800_000, 0, 1)),
        world =>
        {
            Assert.Equal(["First", fault], Whys(world));
            Assert.InRange(world.History.Zone[^1].At - world.Schedule.Faults[1].From, 60_000, withinMilliseconds);
        });

    /// <summary>F2 and F3: whichever server is silent or stale, a failure is left, and its move is done and never taken back.</summary>
    [Theory]
    [InlineData("ServerSilent", false)]
    [InlineData("ServerStale", false)]
    [InlineData("TtlCountedDown", false)]
    [InlineData("ServerSilent", true)]
    [InlineData("ServerStale", true)]
    public void A_server_that_is_silent_or_stale_neither_keeps_a_move_from_being_done_nor_has_it_withdrawn(string fault, bool isSwitch) => Each(
        seed => Schedule.Of(
            seed, isSwitch ? Setting.BySwitch : Setting.Default,
            new Fault(Enum.Parse<FaultKind>(fault), 0, 2_000_000, seed % SimWorld.Servers, 1), new Fault(FaultKind.EndpointDown, Start + (seed * 97 % 10_000), Start + 300_000, 0, 1)),
        world =>
        {
            Assert.Equal((1, "b", null), (world.Register!.Epoch, world.Register.Active, world.Register.Moving));
            Assert.Equal(1, world.EndpointOf(world.Zone.Sets));
        });

    /// <summary>An upgrade that begins while a move is under way, at every moment of it: what was decided is finished, or decided again by those who agree.</summary>
    [Fact]
    public void A_rolling_upgrade_in_the_middle_of_a_move_ends_with_one_plan_and_the_endpoint_that_is_up() => Each(
        seed => Schedule.Of(seed, RolledOut(10_000 + (seed * 400), 70_000 + (seed * 400), 130_000 + (seed * 400)), new Fault(FaultKind.EndpointDown, Start, Start + 1_000_000, 0, 1)),
        world => Assert.Equal("b", world.Register!.Active));

    /// <summary>Each observer has what is new some time after the start, and goes back quarter of an hour later.</summary>
    private static Setting RolledOut(params long[] after) => Setting.Default with
    {
        Next = (Setting.Default.Topology with { Timing = new Timing(StableMinutes: 11) }, (observer, now) => now >= Start + after[observer] && now < Start + after[observer] + 900_000),
    };

    private static Fault Lost(long from, long forMs) => new(FaultKind.RegionLost, from, from + forMs, 0, 1);

    private static Fault Move(string to, long at) => new(FaultKind.Order, at, at, 0, 0, new Command { Id = $"move-{at}", Kind = CommandKind.Move, By = "op", At = default, To = to });

    /// <summary>Why the name has what it has, version by version of ours.</summary>
    private static string[] Whys(SimWorld world) => [.. world.History.Zone.Where(version => version.By is not null).Select(version => version.Txt[0].Split("why=")[^1])];

    private void Each(Func<int, Schedule> weather, Action<SimWorld> check, int seeds = Seeds)
    {
        for (var seed = 1; seed <= seeds; seed++)
        {
            Assert.Null(Run.Broken(weather(seed), null, out var world));
            check(world);
        }

        output.WriteLine($"{seeds} seeds");
    }
}
