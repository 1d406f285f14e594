using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;
using Failover.HealthCheck.Decision;

namespace Failover.HealthCheck.Tests.Decision;

/// <summary>The set of observers changes in one write of the register: three to five and back, one replaced, and what must not change it.</summary>
public class ObserverSetTests
{
    private static readonly Listing Shown = new(World.Register().Plan.Sets, World.Register().Plan.Txt);

    [Theory]
    // one is replaced: two of the old set and two of the new have the new topology
    [InlineData("o1 o2 o3", "o1 o2 o4", "o1 o2 o4", true)]
    [InlineData("o1 o2 o3", "o1 o2 o4", "o1 o2", true)]
    [InlineData("o1 o2 o3", "o1 o2 o4", "o1 o4", false)]
    [InlineData("o1 o2 o3", "o1 o2 o4", "o2 o4", false)]
    // three to five: a majority of the new set is three
    [InlineData("o1 o2 o3", "o1 o2 o3 o4 o5", "o1 o2 o4", true)]
    [InlineData("o1 o2 o3", "o1 o2 o3 o4 o5", "o1 o2", false)]
    [InlineData("o1 o2 o3", "o1 o2 o3 o4 o5", "o1 o4 o5", false)]
    // five to three: a majority of the old set is three
    [InlineData("o1 o2 o3 o4 o5", "o1 o2 o3", "o1 o2 o3", true)]
    [InlineData("o1 o2 o3 o4 o5", "o1 o2 o3", "o1 o2", false)]
    public void It_changes_when_a_majority_of_both_sets_votes_with_the_new_topology(string before, string after, string voting, bool changes)
    {
        var topology = World.Topology with { Observers = after.Split(' ') };
        var name = new NameWorld(World.Service, Shown) { Topology = topology, Register = World.Register() with { Observers = before.Split(' ') } };
        name.Tick("", ballots: [.. voting.Split(' ').Select(observer => World.Ballot(observer, "a:+ b:+").MadeAt(World.Now.AddSeconds(10)) with { Topology = topology.Digest })]);

        Assert.Equal(changes ? after : before, string.Join(' ', name.Register.Observers));
    }

    [Fact]
    public void It_does_not_change_while_a_move_is_not_published()
    {
        var topology = World.Topology with { Observers = ["o1", "o2", "o4"] };
        var moving = World.Register().WithPlan(World.Plan("b", 5)) with { Moving = new Move("a", "b", MoveKind.Command, World.Now) };
        var name = new NameWorld(World.Service, Shown) { Topology = topology, Register = moving, Answers = new StepResult.Applied(ApplyOutcome.Unknown) };
        name.Tick("", ballots: [.. topology.Observers.Select(observer => World.Ballot(observer, "a:+ b:+").MadeAt(World.Now.AddSeconds(10)) with { Topology = topology.Digest })]);

        Assert.Equal(World.Topology.Observers, name.Register.Observers);
    }

    /// <summary>An order of a later version is not refused by an earlier one while the later one runs somewhere.</summary>
    [Fact]
    public void An_order_of_an_unknown_kind_waits_for_the_observers_that_know_it()
    {
        var order = new Command { Id = "later", Kind = CommandKind.Unknown, By = "op", At = World.Now };
        var name = new NameWorld(World.Service, Shown);
        Ballot[] mixed = [.. World.Topology.Observers.Select((observer, i) => World.Ballot(observer, "a:+ b:+", ruleVersion: Ballot.RuleVersionNow + (i == 2 ? 1 : 0)).MadeAt(World.Now.AddSeconds(10)))];
        name.Tick("", command: order, ballots: mixed);
        Assert.Null(name.Register.LastCommand);

        name.Tick("a:+ b:+", command: order);
        Assert.False(name.Register.LastCommand!.Obeyed);
    }
}
