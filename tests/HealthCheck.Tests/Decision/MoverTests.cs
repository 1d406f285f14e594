using Failover.ControlPlane;
using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;

namespace Failover.HealthCheck.Tests.Decision;

/// <summary>What a tick tells of itself; the protocol's interleavings are in the simulation.</summary>
public class MoverTests
{
    [Fact]
    public void A_failure_that_a_frozen_name_holds_is_told_as_held_and_takes_no_epoch()
    {
        var register = World.Register();
        var edited = new Listing([register.Plan.Sets[0] with { Values = ["198.51.100.7"] }], register.Plan.Txt);
        IReadOnlyList<Ballot> ballots = [World.Ballot("o1", "a:9- b:+"), World.Ballot("o2", "a:9- b:+"), World.Ballot("o3", "a:9- b:+")];
        var view = new ControlView(register, [], ballots);
        var (mover, step) = Mover.Start(World.Topology, World.Service, "o1", new Look([edited], HttpOk: false, ""), view, World.Now);
        var listings = 0;
        while (step is not Step.Finish)
        {
            listings += step is Step.ListRecords ? 1 : 0;
            (mover, step) = mover.Next(
                step switch
                {
                    Step.ListRecords => new StepResult.Listed(edited),
                    Step.ReadControl => new StepResult.Control(view),
                    _ => throw new InvalidOperationException($"A frozen name is not to be touched: {step}."),
                },
                World.Now);
        }

        Assert.Equal((Ending.Frozen, 2), (((Step.Finish)step).Ending, listings));
        Assert.Equal(Verdict.Hold, mover.Acted!.Decision.Verdict);
        Assert.Equal([HoldReason.ForeignRecord], mover.Acted.Decision.Held);
    }

    /// <summary>What is written otherwise than the register remembers is not what was presumed: its batch is made from the listing.</summary>
    [Fact]
    public void A_batch_that_was_made_without_a_listing_and_refused_is_made_again_from_what_is_listed()
    {
        var service = World.Service with { Endpoints = [.. World.Service.Endpoints.Select(endpoint => endpoint with { Records = [new DnsTarget { Type = "CNAME", Values = [$"{endpoint.Name}.example.net"] }] })] };
        Plan PlanOf(string to, long epoch) => Plan.For(service, service.Endpoint(to)!, epoch, World.Now, "o1", "First");
        var before = PlanOf("a", 4);
        var register = (World.Register() with { Plan = before }).WithPlan(PlanOf("b", 5)) with { Moving = new Move("a", "b", MoveKind.Automatic, World.Now) };
        var zone = new Listing([before.Sets[0] with { Values = ["a.example.net."] }], before.Txt);
        var batches = new List<string>();

        var finish = Run(service, ref register, zone, "a:9- b:+", zone, [], apply =>
        {
            batches.Add(apply.Listed.Sets[0].Values[0]);
            return batches[^1] == "a.example.net." ? new StepResult.Applied(ApplyOutcome.Applied) : new StepResult.Applied(ApplyOutcome.Refused, "no match");
        });

        Assert.Equal((Ending.Applied, "a.example.net a.example.net."), (finish.Ending, string.Join(' ', batches)));
    }

    /// <summary>No look asks for every type: what a person has put beside the plan before is found by the listing of the next tick.</summary>
    [Fact]
    public void A_batch_that_was_made_without_a_listing_is_not_held_until_the_name_is_listed()
    {
        var before = World.Register().Plan;
        var register = World.Register().WithPlan(World.Plan("b", 5)) with { Moving = new Move("a", "b", MoveKind.Automatic, World.Now) };
        var shown = new Listing(before.Sets, before.Txt);
        Run(World.Service, ref register, shown, "a:9- b:+", shown, [], _ => new StepResult.Applied(ApplyOutcome.Applied));
        Assert.Null(register.Publication.HeldAt);

        var beside = new Listing([.. register.Plan.Sets, new RecordSet(World.Name, "HTTPS", 60, ["1 . ipv4hint=192.0.2.1"])], register.Plan.Txt);
        Assert.Equal(Ending.Frozen, Run(World.Service, ref register, shown, "a:9- b:+", beside, [], _ => throw new InvalidOperationException("It is not to be touched.")).Ending);
    }

    /// <summary>The provider lists nothing: an order that needs a listing waits, and a failover that needs none is made.</summary>
    [Fact]
    public void An_order_that_waits_for_a_listing_holds_no_failover()
    {
        var register = World.Register();
        var shown = new Listing(register.Plan.Sets, register.Plan.Txt);
        var finish = Run(World.Service, ref register, shown, "a:9- b:+", null, [new Command { Id = "m", Kind = CommandKind.Move, By = "op", At = World.Now, To = "c", Force = true }], _ => new StepResult.Applied(ApplyOutcome.Applied));

        Assert.Equal((Ending.Applied, 5, "b"), (finish.Ending, register.Epoch, register.Plan.Endpoint));
        Assert.Empty(register.Answered);
    }

    /// <summary>F10: three observers that list fifty names at once use up the provider's limit. The others wait their turn, and go on if the maker does not.</summary>
    [Fact]
    public void A_plan_is_left_to_its_maker_first_and_to_each_other_observer_once()
    {
        var now = World.Now.AddSeconds(20);
        bool Acts(string self, int ageSeconds)
        {
            var plan = Plan.For(World.Service, World.Service.Endpoint("b")!, 5, now.AddSeconds(-ageSeconds), "o1", "Command");
            var register = World.Register().WithPlan(plan) with { Moving = new Move("a", "b", MoveKind.Command, World.Now), Publication = World.Sent };
            var view = new ControlView(register, [], [.. World.Topology.Observers.Select(observer => World.Ballot(observer, "a:9- b:+").MadeAt(now))]);
            return Mover.Start(World.Topology, World.Service, self, new Look([null], HttpOk: true, ""), view, now).Step is Step.ListRecords;
        }

        Assert.True(Acts("o1", 0));
        Assert.False(Acts("o2", 4) || Acts("o3", 4));
        Assert.True(Acts("o2", 6) ^ Acts("o3", 6));
        Assert.True(Acts("o2", 15) && Acts("o3", 15));
    }

    private static Step.Finish Run(Service service, ref Register register, Listing shown, string says, Listing? zone, IReadOnlyList<Command> orders, Func<Step.Apply, StepResult> apply)
    {
        var topology = World.Topology with { Services = [service] };
        IReadOnlyList<Ballot> ballots = [.. topology.Observers.Select(observer => World.Ballot(observer, says) with { Topology = topology.Digest })];
        var (mover, step) = Mover.Start(topology, service, "o1", new Look([shown], HttpOk: true, ""), new ControlView(register, orders, ballots), World.Now);
        while (step is not Step.Finish)
        {
            StepResult result;
            switch (step)
            {
                case Step.ReadControl:
                    result = new StepResult.Control(new ControlView(register, orders, ballots));
                    break;
                case Step.AwaitTurn:
                    result = new StepResult.Turn();
                    break;
                case Step.ListRecords:
                    result = zone is null ? new StepResult.NotDone("it does not answer") : new StepResult.Listed(zone);
                    break;
                case Step.WriteRegister write:
                    register = write.Next;
                    result = new StepResult.Register(ConditionalWrite.Written);
                    break;
                case Step.Apply batch:
                    result = apply(batch);
                    break;
                default:
                    throw new InvalidOperationException(step.ToString());
            }

            (mover, step) = mover.Next(result, World.Now);
        }

        return (Step.Finish)step;
    }
}
