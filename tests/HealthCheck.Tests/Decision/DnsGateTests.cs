using Failover.ControlPlane.Registers;
using Failover.HealthCheck.Decision;

namespace Failover.HealthCheck.Tests.Decision;

/// <summary>Every row of the gate's table.</summary>
public class DnsGateTests
{
    private static readonly Register Before = World.Register(epoch: 4);
    private static readonly Register Register = Before.WithPlan(World.Plan("b", 5)) with { Rev = 11, Publication = World.Sent };

    [Fact]
    public void Equal_epoch_and_plan_and_the_sets_as_planned_is_nothing_to_do() =>
        Assert.IsType<GateVerdict.Nothing>(DnsGate.Judge(Register, Shows(Register.Plan)));

    [Fact]
    public void Equal_epoch_and_plan_with_other_sets_is_a_humans_edit() => Freezes(Register, Shows(Register.Plan) with { Sets = Foreign });

    [Fact]
    public void Another_ttl_is_an_edit_too() =>
        Freezes(Register, Shows(Register.Plan) with { Sets = [Register.Plan.Sets[0] with { TtlSeconds = 61 }] });

    [Fact]
    public void Equal_epoch_with_another_plan_freezes() => Freezes(Register, Shows(World.Plan("a", 5, "Other")));

    [Fact]
    public void A_lower_epoch_of_a_plan_we_know_is_applied_over() => Assert.IsType<GateVerdict.Apply>(DnsGate.Judge(Register, Shows(Before.Plan)));

    [Fact]
    public void A_lower_epoch_of_a_plan_we_know_with_other_sets_freezes() => Freezes(Register, Shows(Before.Plan) with { Sets = Foreign });

    [Fact]
    public void A_lower_epoch_of_a_plan_we_do_not_know_freezes() => Freezes(Register, Shows(World.Plan("a", 3)));

    [Fact]
    public void A_higher_epoch_freezes() => Freezes(Register, Shows(World.Plan("a", 6)));

    [Fact]
    public void A_missing_txt_at_epoch_0_with_the_sets_of_its_plan_is_created()
    {
        var first = World.Register(epoch: 0);

        Assert.IsType<GateVerdict.Apply>(DnsGate.Judge(first, new Listing(first.Plan.Sets, null)));
        Freezes(first, new Listing(Foreign, null));
        Freezes(first, new Listing([], null));
    }

    [Fact]
    public void A_missing_txt_later_freezes() => Freezes(Register, new Listing(Register.Plan.Sets, null));

    [Theory]
    [InlineData("hello")]
    [InlineData("v=1 epoch=x active=a since=s by=o plan=p why=w")]
    public void A_txt_that_is_not_ours_freezes(string text) =>
        Freezes(Register, Shows(Register.Plan) with { Txt = Register.Plan.Txt with { Values = [text] } });

    [Fact]
    public void A_txt_with_a_second_value_freezes() =>
        Freezes(Register, Shows(Register.Plan) with { Txt = Register.Plan.Txt with { Values = [.. Register.Plan.Txt.Values, "more"] } });

    [Fact]
    public void A_withdrawn_plan_that_surfaces_is_kept_until_its_withdrawal_has_taken_effect()
    {
        var withdrawn = Register.WithPlan(World.Plan("a", 6)) with { Withdraws = new WithdrawnPlan(Register.Plan.Id, MoveKind.Automatic) };

        Assert.Equal(Register.Plan.Id, Assert.IsType<GateVerdict.Keep>(DnsGate.Judge(withdrawn, Shows(Register.Plan))).Surfaced.Id);
        Assert.IsType<GateVerdict.Apply>(DnsGate.Judge(withdrawn with { Publication = new Publication(World.Now, HeldAt: World.Now) }, Shows(Register.Plan)));
        Assert.IsType<GateVerdict.Apply>(DnsGate.Judge(withdrawn with { Publication = new Publication(World.Now, PublishedAt: World.Now) }, Shows(Register.Plan)));
        Assert.IsType<GateVerdict.Apply>(DnsGate.Judge(withdrawn, Shows(Before.Plan)));
    }

    [Fact]
    public void What_was_adopted_is_applied_over_exactly_as_it_was()
    {
        var lost = new Listing(Before.Plan.Sets, World.Plan("a", 9).Txt);
        var adopted = World.Register(epoch: 10) with { Adopted = new Adoption(lost.Txt!.Values[0], lost.Sets) };

        Assert.IsType<GateVerdict.Apply>(DnsGate.Judge(adopted, lost));
        Freezes(adopted, lost with { Sets = Foreign });
        Freezes(adopted with { Adopted = null }, lost);

        // Adopted without a TXT, two values that a person wrote since are not what was adopted.
        var bare = World.Register(epoch: 10) with { Adopted = new Adoption(null, lost.Sets) };
        Assert.IsType<GateVerdict.Apply>(DnsGate.Judge(bare, lost with { Txt = null }));
        Freezes(bare, lost with { Txt = lost.Txt with { Values = ["one", "two"] } });
    }

    private static IReadOnlyList<RecordSet> Foreign => [new RecordSet(World.Name, "A", 60, ["198.51.100.7"])];

    private static Listing Shows(Plan plan) => new(plan.Sets, plan.Txt);

    private static void Freezes(Register register, Listing listing) => Assert.IsType<GateVerdict.Freeze>(DnsGate.Judge(register, listing));
}
