using Failover.ControlPlane.Registers;
using Failover.HealthCheck.Decision;

namespace Failover.HealthCheck.Tests.Decision;

/// <summary>The rows of the decider's chart. Endpoint a serves; each row gives what the three observers say.</summary>
public class DeciderTests
{
    [Theory]
    // up, or not known
    [InlineData("a:+ b:+", "a:+ b:+", "a:+ b:+", Verdict.Hold, Diagnosis.Healthy)]
    [InlineData("a:? b:+", "a:? b:+", "a:? b:+", Verdict.Hold, Diagnosis.Healthy)]
    // down for fewer than a majority
    [InlineData("a:9- b:+", "a:+ b:+", "a:+ b:+", Verdict.Hold, Diagnosis.Contested)]
    [InlineData("a:9- b:+", "a:? b:+", "a:? b:+", Verdict.Hold, Diagnosis.Contested)]
    // down for a majority, path alive: three failed ticks
    [InlineData("a:3- b:+", "a:3- b:+", "a:+ b:+", Verdict.Move, Diagnosis.EndpointDown)]
    [InlineData("a:3- b:+", "a:3- b:+", "a:3- b:+", Verdict.Move, Diagnosis.EndpointDown)]
    // the latest probe of each in the majority must have failed
    [InlineData("a:9- b:+", "a:9+ b:+", "a:9+ b:+", Verdict.Hold, Diagnosis.Contested)]
    // no target up for a majority
    [InlineData("a:9- b:9-", "a:9- b:9-", "a:9- b:9-", Verdict.Hold, Diagnosis.NoTarget)]
    [InlineData("a:9- b:+", "a:9- b:?", "a:9- b:?", Verdict.Hold, Diagnosis.NoTarget)]
    // the same majority must see both halves of it
    [InlineData("a:9- b:?", "a:9- b:+", "a:+ b:+", Verdict.Hold, Diagnosis.NoTarget)]
    // a blip of the target that one observer sees is no reason against it
    [InlineData("a:9- b:1+", "a:9- b:1-", "a:9- b:+", Verdict.Move, Diagnosis.EndpointDown)]
    // the target's latest probe counts as the source's does
    [InlineData("a:9- b:1-", "a:9- b:1-", "a:9- b:+", Verdict.Hold, Diagnosis.NoTarget)]
    [InlineData("a:9- b:2-", "a:9- b:2-", "a:9- b:2-", Verdict.Hold, Diagnosis.NoTarget)]
    // the decider is one of the majority: its own probe failed in this tick
    [InlineData("a:+ b:+", "a:9- b:+", "a:9- b:+", Verdict.Hold, Diagnosis.EndpointDown)]
    [InlineData("a:9+ b:+", "a:9- b:+", "a:9- b:+", Verdict.Hold, Diagnosis.EndpointDown)]
    public void Follows_the_chart(string one, string two, string three, Verdict verdict, Diagnosis diagnosis)
    {
        var decision = Decide(World.Register(), one, two, three);

        Assert.Equal((verdict, diagnosis), (decision.Verdict, decision.Diagnosis));
        Assert.Equal(verdict == Verdict.Move ? "b" : null, verdict == Verdict.Move ? decision.To : null);
    }

    [Theory]
    [InlineData("a:3- b:+", Verdict.Hold)]
    [InlineData("a:5- b:+", Verdict.Hold)]
    [InlineData("a:6- b:+", Verdict.Move)]
    public void A_lost_region_must_stay_lost_for_six_ticks(string says, Verdict verdict)
    {
        var decision = Decider.Decide(
            World.Topology, World.Service, World.Register(),
            [World.Ballot("o1", says, pathAlive: false), World.Ballot("o2", says, pathAlive: false), World.Ballot("o3", "a:+ b:+", ageSeconds: 29)], "o1", World.Now);

        Assert.Equal((verdict, Diagnosis.RegionLost), (decision.Verdict, decision.Diagnosis));
    }

    [Fact]
    public void Priority_chooses_among_targets_that_are_up()
    {
        Assert.Equal("b", Decide(World.Register(), "a:3- b:+ c:+", "a:3- b:+ c:+", "a:3- b:+ c:+").To);
        Assert.Equal("c", Decide(World.Register(), "a:3- b:9- c:+", "a:3- b:9- c:+", "a:3- b:9- c:+").To);
    }

    [Fact]
    public void Stale_ballots_do_not_count()
    {
        var decision = Decider.Decide(
            World.Topology, World.Service, World.Register(),
            [World.Ballot("o1", "a:9- b:+"), World.Ballot("o2", "a:9- b:+", ageSeconds: 31), World.Ballot("o3", "a:9- b:+", ageSeconds: 31)], "o1", World.Now);

        Assert.Equal([HoldReason.NoQuorum], decision.Held);
    }

    [Fact]
    public void Ballots_of_strangers_do_not_count() =>
        Assert.Equal(
            [HoldReason.NoQuorum],
            Decider.Decide(World.Topology, World.Service, World.Register(), [World.Ballot("o1", "a:9- b:+"), World.Ballot("x", "a:9- b:+"), World.Ballot("y", "a:9- b:+")], "o1", World.Now).Held);

    /// <summary>One live observer that cannot be redeployed blocks nothing; two groups cannot both be majorities.</summary>
    [Fact]
    public void A_majority_by_the_same_rules_decides_whatever_the_others_run()
    {
        Failover.ControlPlane.Ballots.Ballot Other(string observer) => World.Ballot(observer, "a:9- b:+", ruleVersion: Failover.ControlPlane.Ballots.Ballot.RuleVersionNow + 1);

        Assert.Equal(Verdict.Move, Decide(World.Ballot("o1", "a:9- b:+"), World.Ballot("o2", "a:9- b:+"), Other("o3")).Verdict);
        Assert.Equal([HoldReason.MixedVersions], Decide(World.Ballot("o1", "a:9- b:+"), Other("o2"), Other("o3")).Held);
        Assert.Equal([HoldReason.MixedVersions], Decide(World.Ballot("o1", "a:9- b:+"), Other("o2"), World.Ballot("o3", "a:9- b:+", ageSeconds: 31)).Held);

        static HealthCheck.Decision.Decision Decide(params Failover.ControlPlane.Ballots.Ballot[] ballots) => Decider.Decide(World.Topology, World.Service, World.Register(), ballots, "o1", World.Now);
    }

    /// <summary>Replacing c by d: by their own topologies {a, b} with c and {a, b} with d would both have a majority.</summary>
    [Fact]
    public void A_majority_is_one_of_the_registers_observers_and_not_of_the_topologys()
    {
        var next = World.Topology with { Observers = ["o1", "o4", "o5"] };
        Failover.ControlPlane.Ballots.Ballot Of(string observer) => World.Ballot(observer, "a:9- b:+") with { Topology = next.Digest };

        Assert.Equal([HoldReason.NoQuorum], Decider.Decide(next, World.Service, World.Register(), [Of("o1"), Of("o4"), Of("o5")], "o1", World.Now).Held);
        Assert.Equal(Verdict.Move, Decider.Decide(next, World.Service, World.Register() with { Observers = next.Observers }, [Of("o1"), Of("o4"), Of("o5")], "o1", World.Now).Verdict);
    }

    [Fact]
    public void A_pause_holds_and_runs_out()
    {
        var paused = World.Register() with { Paused = new Override("o", "op", World.Now, World.Now.AddMinutes(1), null) };

        Assert.Equal([HoldReason.Paused], Decide(paused, "a:9- b:+", "a:9- b:+", "a:9- b:+").Held);
        Assert.Equal(Verdict.Move, Decide(paused with { Paused = paused.Paused! with { Until = World.Now } }, "a:9- b:+", "a:9- b:+", "a:9- b:+").Verdict);
    }

    [Theory]
    [InlineData(0, "b:+", Verdict.Move)]
    [InlineData(1, "b:+", Verdict.Hold)]
    [InlineData(1, "b:++", Verdict.Move)]
    [InlineData(2, "b:++", Verdict.Hold)]
    public void A_cool_down_lets_one_more_move_pass_to_what_was_long_up(int automaticMoves, string target, Verdict verdict)
    {
        var cooling = World.Register() with { CoolDown = new CoolDown(World.Now.AddMinutes(-1), World.Now.AddMinutes(59), automaticMoves) };
        var says = $"a:9- {target}";
        var decision = Decide(cooling, says, says, says);

        Assert.Equal(verdict, decision.Verdict);
        Assert.Equal(verdict == Verdict.Hold ? [HoldReason.CoolDown] : [], decision.Held);
        Assert.Equal(Verdict.Move, Decide(cooling with { CoolDown = cooling.CoolDown! with { Until = World.Now } }, says, says, says).Verdict);
    }

    [Fact]
    public void More_than_three_withdrawals_an_hour_hold()
    {
        var flapping = World.Register() with { Withdrawals = [.. Enumerable.Range(1, 4).Select(i => World.Now.AddMinutes(-i))] };
        var calmer = flapping with { Withdrawals = [World.Now.AddMinutes(-61), .. flapping.Withdrawals.Take(3)] };

        Assert.Equal([HoldReason.TooManyWithdrawals], Decide(flapping, "a:9- b:+", "a:9- b:+", "a:9- b:+").Held);
        Assert.Equal(Verdict.Move, Decide(calmer, "a:9- b:+", "a:9- b:+", "a:9- b:+").Verdict);
    }

    [Fact]
    public void A_move_that_is_published_is_judged_by_where_clients_are_now()
    {
        var published = World.Register() with { Moving = new Move("a", "b", MoveKind.Automatic, World.Now) };

        Assert.Equal(Diagnosis.Healthy, Decide(published, "a:9- b:+", "a:9- b:+", "a:9- b:+").Diagnosis);
    }

    /// <summary>S4 for every combination of what three observers can say: no move without a majority for both halves of it.</summary>
    [Fact]
    public void Never_moves_without_a_majority_that_sees_the_one_down_and_the_other_up()
    {
        string[] views = ["+", "?", "2-", "3-", "9-", "9+"];
        double[] ages = [0, 31];
        var said = (from a in views from b in views from age in ages select (Says: $"a:{a} b:{b}", Age: age, A: a, B: b)).ToList();
        var moves = 0;
        foreach (var one in said)
        {
            foreach (var two in said)
            {
                foreach (var three in said.Where((_, index) => index % 5 == 0))
                {
                    var all = new[] { one, two, three };
                    var decision = Decider.Decide(
                        World.Topology, World.Service, World.Register(),
                        [World.Ballot("o1", one.Says, ageSeconds: one.Age), World.Ballot("o2", two.Says, ageSeconds: two.Age), World.Ballot("o3", three.Says, ageSeconds: three.Age)], "o1", World.Now);
                    if (decision.Verdict == Verdict.Hold)
                    {
                        continue;
                    }

                    moves++;
                    Assert.True(all.Count(view => view is { Age: 0, A: "3-" or "9-", B: "+" }) >= 2);
                    Assert.True(one is { Age: 0, A: "3-" or "9-" });
                }
            }
        }

        Assert.True(moves > 0);
    }

    private static HealthCheck.Decision.Decision Decide(Register register, string one, string two, string three) =>
        Decider.Decide(World.Topology, World.Service, register, [World.Ballot("o1", one), World.Ballot("o2", two), World.Ballot("o3", three)], "o1", World.Now);
}
