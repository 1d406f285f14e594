using Failover.ControlPlane;
using Failover.ControlPlane.Ballots;
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
}
