using Failover.ControlPlane;
using Failover.ControlPlane.Registers;
using Failover.HealthCheck.Decision;

namespace Failover.Simulation;

/// <summary>
/// From every corrupt start: what the register may be times what the state TXT may be times what the address sets may be. Each is repaired, or frozen with nothing touched;
/// the name is never emptied; and where an operator's <c>adopt</c> is possible it heals.
/// </summary>
public class CorruptStartTests(ITestOutputHelper output)
{
    private static readonly Register Settled = Scene.Settled(4);
    private static readonly Register Moving = Scene.Moving(4, MoveKind.Command);
    private static readonly Plan OfNobody = Plan.For(Scene.Service, Scene.Service.Endpoints[1], 4, Scene.Now, "two", "Elsewhere");
    private static readonly Plan Later = Plan.For(Scene.Service, Scene.Service.Endpoints[1], 9, Scene.Now, "two", "Later");

    private static readonly (string Name, Register? Register)[] Registers =
    [
        ("missing", null), ("settled at 4", Settled), ("at epoch 0", Scene.Settled(0)), ("restored to 2", Scene.Settled(2)), ("moving to b at 5", Moving),
    ];

    private static readonly (string Name, IReadOnlyList<string>? Values)[] Txts =
    [
        ("missing", null), ("of 4, a", Settled.Plan.Txt.Values), ("of 5, b", Moving.Plan.Txt.Values), ("of 4, another plan", OfNobody.Txt.Values), ("of 9", Later.Txt.Values),
        ("doubled", [Settled.Plan.Txt.Values[0], Moving.Plan.Txt.Values[0]]), ("foreign", ["v=spf1 -all"]), ("garbage", ["\u0001\"\\"]), ("no text", [""]),
    ];

    private static readonly (string Name, IReadOnlyList<RecordSet> Sets)[] Sets =
    [
        ("a's", Scene.SetsOfA), ("b's", Scene.SetsOfB), ("foreign", Scene.SetsOfAHuman), ("both in one", [new RecordSet(Scene.Name, "A", 60, ["192.0.2.1", "192.0.2.2"])]),
        ("another TTL", [new RecordSet(Scene.Name, "A", 61, ["192.0.2.1"])]), ("wrong type", [new RecordSet(Scene.Name, "CNAME", 60, ["elsewhere.example"])]),
        ("several", [.. Scene.SetsOfA, new RecordSet(Scene.Name, "AAAA", 60, ["2001:db8::1"])]), ("none", []),
        ("too many", [.. Enumerable.Range(1, 9).Select(i => new RecordSet(Scene.Name, $"TYPE{i}", 60, ["x"]))]),
    ];

    [Fact]
    public void Every_corrupt_start_is_repaired_or_frozen_and_the_name_is_never_emptied()
    {
        var (repaired, frozen, adopted) = (0, 0, 0);
        foreach (var (registerName, register) in Registers)
        {
            foreach (var (txtName, values) in Txts)
            {
                foreach (var (setsName, sets) in Sets)
                {
                    foreach (var aIsDown in new[] { false, true })
                    {
                        var start = new Listing(sets, values is null ? null : new RecordSet(Scene.Service.StateName, "TXT", 60, values));
                        var what = $"register {registerName}, TXT {txtName}, sets {setsName}, a {(aIsDown ? "down" : "up")}";
                        var world = new World(register, start, aIsDown);
                        world.Ticks(8);
                        if (world.Ending == Ending.Frozen)
                        {
                            Assert.True(world.Zone.IsSameAs(start), $"{what}: frozen, and touched all the same: {world.Zone}");
                            frozen++;
                            var mayAdopt = start.Txt is not { Values.Count: not 1 } && (RecordSet.AreSame(sets, Scene.SetsOfA) || RecordSet.AreSame(sets, Scene.SetsOfB));
                            world.Order = new Command { Id = "adopt", Kind = CommandKind.Adopt, By = "op", At = Scene.Now };
                            world.Ticks(8);
                            Assert.Equal(mayAdopt, world.Ending == Ending.Settled);
                            adopted += mayAdopt ? 1 : 0;
                            Assert.True(mayAdopt || world.Zone.IsSameAs(start), $"{what}: not adopted, and touched all the same");
                        }
                        else
                        {
                            Assert.True(IsHonest(register, start), $"{what}: not ours to touch, and not frozen but {world.Ending}");
                            repaired++;
                        }

                        if (world.Ending != Ending.Frozen)
                        {
                            Assert.True(world.Zone.IsSameAs(Scene.Shows(world.Register!.Plan)), $"{what}: the world does not show the plan");
                            Assert.True(world.Register.Moving is null && world.Register.Active == world.Register.Plan.Endpoint, $"{what}: not settled");
                            Assert.True(!aIsDown || world.Register.Active == "b" || world.Register.Paused is not null, $"{what}: a is down and was not left");
                        }
                    }
                }
            }
        }

        output.WriteLine($"{repaired} repaired, {frozen} frozen, of which {adopted} healed by adopt");
        Assert.True(repaired > 10 && frozen > 500 && adopted > 50);
    }

    /// <summary>By the table of DESIGN's gate, read again: what one's own hand, and nobody else's, can have left.</summary>
    private static bool IsHonest(Register? register, Listing zone)
    {
        if (zone.Txt is not { } txt)
        {
            return (register is null && (RecordSet.AreSame(zone.Sets, Scene.SetsOfA) || RecordSet.AreSame(zone.Sets, Scene.SetsOfB)))
                || (register?.Epoch == 0 && RecordSet.AreSame(zone.Sets, Scene.SetsOfA));
        }

        Plan[] known = register is null ? [] : [register.Plan, .. register.Known];
        return known.Any(plan => plan.Txt.IsSameAs(txt) && RecordSet.AreSame(plan.Sets, zone.Sets));
    }

    private sealed class World(Register? register, Listing zone, bool aIsDown)
    {
        public Register? Register { get; private set; } = register;

        public Listing Zone { get; private set; } = zone;

        public Command? Order { get; set; }

        public Ending Ending { get; private set; }

        public void Ticks(int count)
        {
            for (var tick = 0; tick < count; tick++)
            {
                var look = new Look([Zone], HttpOk: true, "");
                var now = Scene.Now.AddSeconds(2 * tick);
                var (mover, step) = Mover.Start(Scene.Topology, Scene.Service, Scene.Deciders[tick % 2], look, View(), now);
                while (step is not Step.Finish)
                {
                    (mover, step) = mover.Next(Take(step), now);
                }

                Ending = ((Step.Finish)step).Ending;
            }
        }

        private ControlView View() => new(Register, Order is null ? [] : [Order], Scene.Ballots(aIsDown));

        private StepResult Take(Step step)
        {
            switch (step)
            {
                case Step.ReadControl:
                    return new StepResult.Control(View());
                case Step.AwaitTurn:
                    return new StepResult.Turn();
                case Step.ListRecords:
                    return new StepResult.Listed(Zone);
                case Step.WriteRegister(var next, var expected, _):
                    Assert.Equal(Register?.Rev, expected);
                    Register = next;
                    return new StepResult.Register(ConditionalWrite.Written);
                case Step.Apply(var plan, var listed):
                    Assert.True(listed.IsSameAs(Zone));
                    Assert.NotEmpty(plan.Sets);
                    Zone = Scene.Shows(plan);
                    return new StepResult.Applied(ApplyOutcome.Applied);
                default:
                    throw new InvalidOperationException(step.ToString());
            }
        }
    }
}
