using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;
using Failover.Simulation.Campaign;

namespace Failover.Simulation;

/// <summary>
/// Negative controls: mistakes that others have made, each planted into the running protocol, and each found by the campaign's rules. A rule that finds none of them would be no rule.
/// </summary>
public class PlantedBugTests(ITestOutputHelper output)
{
    private const int SchedulesMax = 5_000;

    private static readonly EndpointBallot LongUp = new(Health.Up, 0, 0, 9999, LastOk: true, DateTimeOffset.UnixEpoch, null, "", "");

    [Fact]
    public void Freshness_checked_once_when_the_tick_begins() => Found(
        new Bug { IgnoresFreshness = true },
        seed => Schedule.Of(seed, Setting.Default, new Fault(FaultKind.Pauses, 90_000, 300_000, 0, 0.5), new Fault(FaultKind.EndpointDown, 90_000, 200_000, 0, 1)));

    [Fact]
    public void A_register_that_is_written_whatever_is_there() => Found(new Bug { IgnoresRev = true });

    [Fact]
    public void A_batch_that_upserts() => Found(
        new Bug { Upserts = true },
        seed => Schedule.Of(
            seed, Setting.Quick, new Fault(FaultKind.DnsApiFlaky, 90_000, 300_000, 0, 0.5), new Fault(FaultKind.EndpointDown, 90_000, 140_000, 0, 1),
            Order(CommandKind.Move, "a", 210_000), Order(CommandKind.Move, "b", 270_000)));

    [Fact]
    public void A_batch_that_deletes_first_and_creates_then() =>
        Found(new Bug { Batches = (batch, _) => [[.. batch.Where(change => !change.IsCreate)], [.. batch.Where(change => change.IsCreate)]] });

    [Fact]
    public void A_tick_that_is_counted_twice() => Found(
        new Bug { CountsATickTwice = true },
        seed => Schedule.Of(seed, Setting.Default, new Fault(FaultKind.ScheduleTrouble, 0, 300_000, 0, 0.5), new Fault(FaultKind.EndpointDown, 90_000, 115_000, 0, 1)));

    [Fact]
    public void A_quorum_of_one() => Found(new Bug
    {
        TopologyOf = (topology, self) => topology with { Observers = [topology.Observers[self]] },
    });

    [Fact]
    public void A_majority_of_those_who_answer() => Found(new Bug
    {
        View = (_, view, now) => view with { Ballots = OfWhoAnswers(view.Ballots, now) },
    });

    [Fact]
    public void Ballots_that_never_grow_stale() => Found(
        new Bug { View = (_, view, now) => view with { Ballots = [.. view.Ballots.Select(ballot => ballot with { ValidUntil = now })] } },
        seed => Schedule.Of(
            seed, Setting.Default, new Fault(FaultKind.PartialPartition, 90_000, 150_000, 0, 1), new Fault(FaultKind.ObserverDead, 148_000, 900_000, 1, 1), new Fault(FaultKind.PartialPartition, 300_000, 600_000, 0, 2)));

    [Fact]
    public void Unknown_taken_as_down() => Found(new Bug
    {
        View = Bug.Endpoints(endpoint => endpoint.Health == Health.Unknown ? endpoint with { Health = Health.Down, LastOk = false, Failures = 9 } : endpoint),
    });

    [Fact]
    public void Unknown_taken_as_up() => Found(new Bug
    {
        View = Bug.Endpoints(endpoint => endpoint.Health == Health.Unknown ? endpoint with { Health = Health.Up, LastOk = true } : endpoint),
    });

    [Fact]
    public void A_counter_that_survives_a_long_gap() => Found(new Bug { SurvivesGaps = true });

    [Fact]
    public void One_failed_probe_is_enough() => Found(new Bug
    {
        View = Bug.Endpoints(endpoint => endpoint.Failures > 0 ? endpoint with { Health = Health.Down, Failures = 9 } : endpoint),
    });

    [Fact]
    public void A_latest_success_that_is_not_looked_at() => Found(new Bug { View = Bug.Endpoints(endpoint => endpoint.Health == Health.Down ? endpoint with { LastOk = false } : endpoint) });

    [Fact]
    public void A_lost_region_that_is_left_as_fast_as_an_endpoint() => Found(new Bug
    {
        View = Bug.Endpoints(endpoint => endpoint.Failures >= 3 ? endpoint with { Failures = 9 } : endpoint),
    });

    [Fact]
    public void A_name_that_is_emptied_when_all_are_down() => Found(new Bug
    {
        Batches = (batch, world) => !Enumerable.Range(0, world.Setting.Service.Endpoints.Count).Any(world.Serves) ? [[.. batch.Where(change => !change.IsCreate || change.Set.Type == "TXT")]] : [batch],
    });

    [Fact]
    public void A_cut_off_observer_that_votes_all_the_same() => Found(new Bug { Observation = seen => seen with { AnyAnchorAnswers = true } });

    [Fact]
    public void A_wrong_clock_that_votes_all_the_same() => Found(new Bug { Observation = seen => seen with { ClockSkew = TimeSpan.Zero } });

    [Fact]
    public void A_move_back_without_the_data_gate() => Found(
        new Bug { View = Bug.Replicas((replica, _) => replica with { LagMs = replica.LagMs.ToDictionary(lag => lag.Key, _ => (long?)0) }) },
        seed => Schedule.Of(
            seed, Setting.Quick, new Fault(FaultKind.EndpointDown, 90_000, 140_000, 0, 1), new Fault(FaultKind.ReplicationPaused, 150_000, 400_000, 1, 1), Order(CommandKind.MoveBack, "a", 330_000)));

    [Fact]
    public void A_move_back_to_what_has_just_come_up() => Found(new Bug { View = Bug.Endpoints(endpoint => endpoint.Health == Health.Up ? LongUp with { LastOk = endpoint.LastOk } : endpoint) });

    [Fact]
    public void A_planned_move_that_does_not_wait() => Found(
        new Bug
        {
            View = Bug.Replicas((replica, now) => replica with { NewestSeen = replica.NewestSeen.ToDictionary(seen => seen.Key, _ => (long?)now.AddMinutes(1).ToUnixTimeMilliseconds()) }),
        },
        seed => Schedule.Of(seed, Setting.Default, new Fault(FaultKind.ReplicationPaused, 90_000, 300_000, 0, 1), Order(CommandKind.PlannedMove, "b", 100_000)));

    [Fact]
    public void A_guard_of_data_that_believes_the_best() => Found(
        new Bug { View = Bug.Replicas((replica, now) => replica with { NewestSeen = replica.NewestSeen.ToDictionary(seen => seen.Key, _ => (long?)now.ToUnixTimeMilliseconds()) }) },
        seed => Schedule.Of(
            seed, Setting.Of(2, new Timing(), FailoverMode.Automatic, RpoPreference.PreferData),
            new Fault(FaultKind.ReplicationPaused, 90_000, 400_000, 0, 1), new Fault(FaultKind.EndpointDown, 250_000, 400_000, 0, 1)));

    [Fact]
    public void A_cool_down_that_nobody_waits_for() => Found(
        new Bug { View = Bug.Registers(register => register with { CoolDown = null }) },
        seed => Schedule.Of(
            seed, Setting.Default, new Fault(FaultKind.EndpointDown, 90_000, 140_000, 0, 1), new Fault(FaultKind.EndpointDown, 240_000, 300_000, 1, 1), new Fault(FaultKind.EndpointDown, 400_000, 460_000, 0, 1)));

    [Fact]
    public void A_pause_that_nobody_heeds() => Found(new Bug { View = Bug.Registers(register => register with { Paused = null }) });

    [Fact]
    public void A_pin_that_nobody_heeds() => Found(new Bug { View = Bug.Registers(register => register with { Pinned = null }) });

    [Fact]
    public void A_drain_that_nobody_heeds() => Found(
        new Bug { View = Bug.Registers(register => register with { Drained = new Dictionary<string, Override>() }), Does = KeepDrains },
        seed => Schedule.Of(seed, Setting.Default, Order(CommandKind.Drain, "b", 90_000), new Fault(FaultKind.EndpointDown, 120_000, 200_000, 0, 1)));

    [Fact]
    public void An_approval_that_nobody_asks_for() => Found(new Bug
    {
        View = Bug.Registers(register => register with { Approved = new Override("o", "nobody", default, null, null) }),
        Does = (_, step) => step is Step.WriteRegister write ? write with { Next = write.Next with { Approved = null } } : step,
    });

    [Fact]
    public void An_order_that_is_obeyed_again_and_again() => Found(new Bug { View = Bug.Registers(register => register with { Answered = [] }) });

    /// <summary>F9: an order takes the place of another's that waits.</summary>
    [Fact]
    public void An_order_that_replaces_the_one_before() => Found(
        new Bug { ReplacesOrders = true },
        seed => Schedule.Of(seed, Setting.Default, Order(CommandKind.Pause, "", 90_000), Order(CommandKind.Ack, "", 91_000), Order(CommandKind.Ack, "", 200_000) with { Order = new Command { Id = "later", Kind = CommandKind.Ack, By = "op", At = default } }));

    /// <summary>F9: a pause is meant for the epoch that its operator saw, and the move that it should stop takes the next one.</summary>
    [Fact]
    public void A_pause_that_holds_in_one_epoch_only() => Found(
        new Bug { MeantFor = (order, view) => order.MeantFor(view) with { IfEpoch = view.Register?.Epoch } },
        seed => Schedule.Of(seed, Setting.Default, new Fault(FaultKind.EndpointDown, 90_000, 900_000, 0, 1), Order(CommandKind.Pause, "", 100_000 + (700 * seed))));

    [Fact]
    public void Rules_of_two_versions_that_are_mixed() => Found(new Bug
    {
        View = (_, view, _) => view with { Ballots = [.. view.Ballots.Select(ballot => ballot with { RuleVersion = Ballot.RuleVersionNow })] },
    });

    [Fact]
    public void A_withdrawal_that_takes_no_epoch() => Found(new Bug
    {
        Does = (_, step) => step is Step.WriteRegister { Next: { Withdraws: not null } next } write
            ? write with { Next = next with { Plan = next.Known[^1] with { Endpoint = next.Plan.Endpoint, Sets = next.Plan.Sets, Id = next.Plan.Id } } }
            : step,
    });

    [Fact]
    public void A_persons_edit_that_is_swept_away() => Found(new Bug
    {
        Does = (tick, step) => step is Step.Finish { Ending: Ending.Frozen } && tick.LastView?.Register is { } register ? new Step.Apply(register.Plan, tick.LastListing!) : step,
    });

    [Fact]
    public void A_cleanup_of_what_is_still_in_use() => Found(new Bug
    {
        // Having applied its plan, an enactor removes what belongs to plans older than the newest it knew when it began.
        Does = (tick, step) => step is Step.Finish { Ending: Ending.Applied } && tick.World.Chance(0.3) ? tick.Cleans(step) : step,
    });

    /// <summary>F1: every tick of a longer interval looked older than the ballot that was stored.</summary>
    [Fact]
    public void Ticks_that_are_ordered_by_their_number() => Found(
        new Bug { OrdersByIndex = true },
        seed => Schedule.Of(seed, Setting.Default.RolledTo(20, 90_000, 5_000, 3_000_000), new Fault(FaultKind.EndpointDown, 300_000, 900_000, 0, 1)));

    /// <summary>F2: a move that has long been published counts as if it were not.</summary>
    [Fact]
    public void A_published_move_that_counts_as_unpublished() => Found(new Bug
    {
        View = Bug.Registers(register => register.Moving is null ? register : register with { Publication = register.Publication with { PublishedAt = null } }),
    });

    /// <summary>F3: what was sent is taken for unsent, and withdrawn.</summary>
    [Fact]
    public void A_switch_that_is_withdrawn_after_it_was_sent() => Found(
        new Bug { View = Bug.Registers(register => register.Moving is null ? register : register with { Publication = register.Publication with { SentAt = null } }) },
        seed => Schedule.Of(seed, Setting.BySwitch, new Fault(FaultKind.EndpointDown, 90_000, 135_000 + (seed * 1000), 0, 1)));

    /// <summary>F5, F6: counted anew in every tick, nothing is ever overdue.</summary>
    [Fact]
    public void What_is_overdue_that_is_counted_anew_in_every_tick() => Found(
        new Bug { ForgetsOverdue = true },
        seed => Schedule.Of(seed, Setting.Default, new Fault(FaultKind.EndpointDown, 90_000, 900_000, 0, 1), new Fault(FaultKind.DnsApiDown, 80_000, 900_000, 0, 1)));

    /// <summary>F7: a target that has just failed twice is still up.</summary>
    [Fact]
    public void A_target_whose_latest_probe_is_not_looked_at() =>
        Found(new Bug { View = Bug.Endpoints(endpoint => endpoint.Health == Health.Up ? endpoint with { LastOk = true } : endpoint) });

    [Fact]
    public void A_lock_by_the_clock() => Found(new Bug
    {
        // Who holds the lease by its own clock writes without looking.
        IgnoresRev = true,
        View = (_, view, now) => now.Second < 30 ? view : view with { Ballots = [] },
    });

    private static List<Ballot> OfWhoAnswers(IReadOnlyList<Ballot> ballots, DateTimeOffset now)
    {
        // As if the observers that are silent said what the freshest says.
        var freshest = ballots.MaxBy(ballot => ballot.At);
        return [.. ballots.Select(ballot => now <= ballot.ValidUntil ? ballot : freshest! with { Observer = ballot.Observer })];
    }

    /// <summary>A register that was misread is not to be written back as it was misread: that would be another bug.</summary>
    private static Step KeepDrains(SimTick tick, Step step) =>
        step is Step.WriteRegister { Next: { LastCommand.Says: not "drained b" } next } write && tick.World.Register is { Drained.Count: > 0 } there ? write with { Next = next with { Drained = there.Drained } } : step;

    private static Fault Order(CommandKind kind, string to, long at) => new(
        FaultKind.Order, at, at, 0, 0, new Command { Id = $"{kind}", Kind = kind, By = "op", At = default, To = to });

    /// <summary>The campaign's own schedules find it; or those of one kind of weather, which without the bug break nothing.</summary>
    private void Found(Bug bug, Func<int, Schedule>? weather = null)
    {
        weather ??= Schedule.Draw;
        for (var seed = 1; seed <= SchedulesMax; seed++)
        {
            Assert.Null(seed < 20 ? Run.Broken(weather(seed), null, out _) : null);
            if (Run.Broken(weather(seed), bug, out _) is { } rule)
            {
                output.WriteLine($"found by schedule {seed}: {rule}");
                return;
            }
        }

        Assert.Fail($"{SchedulesMax} schedules did not find it.");
    }
}
