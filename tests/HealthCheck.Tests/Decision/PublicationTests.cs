using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;

namespace Failover.HealthCheck.Tests.Decision;

/// <summary>When a move counts as published, and what can still be undone: one rule for every kind of move and both levers.</summary>
public class PublicationTests
{
    private const string AllUp = "a:+ b:+ c:+";
    private const string ADown = "a:9- b:+ c:+";

    private static readonly Service Switched = World.Service with { HostedZoneId = null, Lever = Lever.Switch, Endpoints = [.. World.Service.Endpoints.Take(2)] };
    private static readonly Service Unfenced = World.Service with { HostedZoneId = null, DigitalOceanDomain = "example.test" };
    private static readonly Listing Before = new(World.Register().Plan.Sets, World.Register().Plan.Txt);

    private static Command Order(CommandKind kind, string? to = null, bool force = false) => new() { Id = $"{kind} {to}", Kind = kind, By = "op", At = World.Now, To = to, Force = force };

    /// <summary>F2: with one server silent a move by order never counted, and b was never left.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_dead_endpoint_is_left_whatever_moved_the_name_there_and_however_many_servers_are_silent(int silent)
    {
        var name = new NameWorld(World.Service, [.. Enumerable.Range(0, 3).Select(server => server < silent ? null : Before)]);
        name.Tick(AllUp, command: Order(CommandKind.Move, "b"));
        ShowsZone(name);
        name.Tick(AllUp);
        Assert.Equal(("b", null), (name.Register.Serving, name.Register.Moving));

        name.Tick("a:+ b:9- c:+");
        Assert.Equal(("a", MoveKind.Automatic), (name.Register.Plan.Endpoint, name.Register.Moving!.Kind));
    }

    /// <summary>F2's relative: the move is published, and not verified over HTTP; its endpoint then dies.</summary>
    [Fact]
    public void A_published_move_that_does_not_serve_yet_is_left_too_when_its_endpoint_dies()
    {
        var name = new NameWorld(World.Service, Before, Before) { HttpOk = false };
        name.Tick(AllUp, command: Order(CommandKind.Move, "b"));
        ShowsZone(name);
        Assert.Contains("does not serve through the name", name.Tick(AllUp).Why, StringComparison.Ordinal);
        Assert.Equal(("b", "b"), (name.Register.Serving, name.Register.Moving!.To));

        name.Tick("a:+ b:9- c:+");
        Assert.Equal((6, "b", "a"), (name.Register.Epoch, name.Register.Moving!.From, name.Register.Plan.Endpoint));
    }

    /// <summary>F3: once one server shows it, a recovery is a reason for a move back with its gate, and for nothing else.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_move_that_any_server_shows_is_never_withdrawn(bool isSwitch)
    {
        var before = isSwitch ? Before with { Txt = null } : Before;
        var name = new NameWorld(isSwitch ? Switched : World.Service, before, before, before, null);
        name.Tick(ADown);
        Assert.Equal((5, "b"), (name.Register.Epoch, name.Register.SentEndpoint));
        name.Servers[1] = isSwitch ? new Listing(World.Plan("b", 5).Sets, null) : name.Zone;

        for (var tick = 0; tick < 200; tick++)
        {
            name.Tick(AllUp);
        }

        Assert.Equal((5, "b"), (name.Register.Epoch, name.Register.Serving));
        Assert.NotNull(name.Register.CoolDown);
        Assert.Empty(name.Register.Withdrawals);
    }

    [Fact]
    public void A_sent_move_is_withdrawn_while_the_name_is_as_before_and_no_server_shows_it()
    {
        var name = new NameWorld(World.Service, Before, Before) { Answers = new StepResult.Applied(ApplyOutcome.Unknown) };
        name.Tick(ADown);
        Assert.Equal((5, true), (name.Register.Epoch, name.Register.Publication.SentAt is not null));

        name.Answers = null;
        name.Tick(AllUp);
        Assert.Equal((6, "a", World.Now.AddSeconds(20)), (name.Register.Epoch, name.Register.Plan.Endpoint, Assert.Single(name.Register.Withdrawals)));
        Assert.Contains("epoch=6", name.Zone.Txt!.Values[0], StringComparison.Ordinal);
    }

    /// <summary>Held means that it will be seen: then it is let through.</summary>
    [Fact]
    public void A_move_that_the_provider_holds_is_let_through()
    {
        var name = new NameWorld(World.Service, Before, Before);
        name.Tick(ADown);
        name.Tick(AllUp);

        Assert.Equal((5, "b"), (name.Register.Epoch, name.Register.Plan.Endpoint));
        Assert.NotNull(name.Register.Publication.HeldAt);
        ShowsZone(name);
        name.Tick(AllUp);
        Assert.Equal(("b", null), (name.Register.Serving, name.Register.Moving));
    }

    [Fact]
    public void A_move_that_was_never_sent_is_withdrawn_without_asking_the_provider()
    {
        var taken = World.Register().WithPlan(World.Plan("b", 5)) with { Moving = new Move("a", "b", MoveKind.Automatic, World.Now) };
        var name = new NameWorld(World.Service, Before, Before) { Register = taken };
        name.Tick(AllUp, command: Order(CommandKind.Ack));

        Assert.Contains(name.Log, line => line.StartsWith("the move to b is withdrawn", StringComparison.Ordinal));
        Assert.Equal((6, "a", null), (name.Register.Epoch, name.Register.Plan.Endpoint, name.Register.Withdraws));
        Assert.DoesNotContain(name.Register.Known, plan => plan.Epoch == 5);
    }

    [Fact]
    public void Servers_that_are_all_silent_hide_a_held_plan_for_a_minute_and_no_longer()
    {
        var name = new NameWorld(World.Service, null, null);
        name.Tick(AllUp, command: Order(CommandKind.Move, "b"));
        Assert.NotNull(name.Register.Publication.HeldAt);
        name.Tick(AllUp, afterSeconds: 59);
        Assert.Equal("a", name.Register.Serving);
        name.Tick(AllUp, afterSeconds: 1);
        Assert.Equal("b", name.Register.Serving);

        name.Tick("a:+ b:9- c:+");
        Assert.Equal("a", name.Register.Plan.Endpoint);
    }

    /// <summary>A server that was stale before the move proves nothing by showing what it showed all along.</summary>
    [Fact]
    public void A_switch_is_published_only_by_a_server_that_was_seen_to_answer_otherwise()
    {
        var (a, b) = (Before with { Txt = null }, new Listing(World.Plan("b", 5).Sets, null));
        var name = new NameWorld(Switched, a, a, b);
        name.Tick(ADown);
        name.Tick(ADown);
        Assert.Equal("a", name.Register.Serving);
        Assert.Equal(["o1/s0", "o1/s1"], name.Register.Publication.Baseline);

        name.Servers[0] = b;
        name.Tick(ADown);
        Assert.Equal("b", name.Register.Serving);
    }

    [Fact]
    public void A_switch_whose_servers_were_silent_at_first_is_published_by_most_of_them_after_four_periods()
    {
        var b = new Listing(World.Plan("b", 5).Sets, null);
        var name = new NameWorld(Switched, null, null);
        name.Tick(ADown);
        (name.Servers[0], name.Servers[1]) = (b, b);
        name.Tick(ADown, afterSeconds: 239);
        Assert.Equal("a", name.Register.Serving);
        name.Tick(ADown, afterSeconds: 1);
        Assert.Equal("b", name.Register.Serving);
    }

    /// <summary>On DigitalOcean the TXT comes last: an address that only the new plan has is proof enough.</summary>
    [Fact]
    public void An_address_of_the_new_plan_publishes_it_where_the_txt_comes_last()
    {
        var name = new NameWorld(Unfenced, Before, Before) { Answers = new StepResult.Applied(ApplyOutcome.Unknown) };
        name.Tick(ADown);
        name.Servers[1] = Before with { Sets = World.Plan("b", 5).Sets };
        name.Tick(ADown);

        Assert.Equal("b", name.Register.Serving);
    }

    [Fact]
    public void Where_nothing_is_conditional_a_sent_move_is_withdrawn_only_when_it_can_no_longer_arrive()
    {
        var name = new NameWorld(Unfenced, Before, Before) { Answers = new StepResult.Applied(ApplyOutcome.Unknown) };
        name.Tick(ADown);
        var sentAt = name.Register.Publication.SentAt!.Value;
        Assert.Contains("may still take effect", name.Tick(AllUp, afterSeconds: 99).Why, StringComparison.Ordinal);
        Assert.Equal(5, name.Register.Epoch);
        name.Tick(AllUp, afterSeconds: (int)(sentAt.AddSeconds(100) - name.Now).TotalSeconds);
        Assert.Equal(6, name.Register.Epoch);
    }

    [Theory]
    // the target fails before it serves: any kind of move goes elsewhere, to where it came from too
    [InlineData(CommandKind.Move, "a:9- b:9- c:+", "c")]
    [InlineData(CommandKind.Move, "a:+ b:9- c:+", "a")]
    [InlineData(CommandKind.Drain, "a:+ b:9- c:+", "c")]
    public void A_move_whose_target_fails_before_it_is_published_goes_elsewhere(CommandKind kind, string says, string expected)
    {
        var name = new NameWorld(World.Service, Before, Before) { Answers = new StepResult.Applied(ApplyOutcome.Unknown) };
        name.Tick(AllUp, command: Order(kind, kind == CommandKind.Move ? "b" : "a"));
        name.Tick(AllUp);
        Assert.Equal("b", name.Register.Moving!.To);

        name.Tick(says);
        Assert.Equal(expected, name.Register.Plan.Endpoint);
    }

    [Fact]
    public void A_forced_move_is_not_retargeted()
    {
        var name = new NameWorld(World.Service, Before, Before) { Answers = new StepResult.Applied(ApplyOutcome.Unknown) };
        name.Tick("a:+ b:9- c:+", command: Order(CommandKind.Move, "b", force: true));
        name.Tick("a:+ b:9- c:+");

        Assert.Equal((5, "b"), (name.Register.Epoch, name.Register.Plan.Endpoint));
    }

    [Fact]
    public void A_switch_that_was_sent_to_an_endpoint_that_dies_is_sent_back_as_a_move()
    {
        var a = Before with { Txt = null };
        var name = new NameWorld(Switched, a, a);
        name.Tick(AllUp, command: Order(CommandKind.Move, "b"));
        Assert.Equal("b", name.Register.SentEndpoint);
        name.Tick("a:+ b:9-");

        Assert.Equal((6, "a", "a", null), (name.Register.Epoch, name.Register.Plan.Endpoint, name.Register.SentEndpoint, name.Register.Moving));
    }

    /// <summary>P2: a plan that Route 53 refuses for good was taken for a lost race: eight batches a tick, and nobody was told why.</summary>
    [Fact]
    public void A_plan_that_is_refused_although_the_name_is_as_listed_is_sent_once_a_tick_and_its_reason_is_told()
    {
        var name = new NameWorld(World.Service, Before, Before) { Answers = new StepResult.Applied(ApplyOutcome.Refused, "RRSet of type CNAME conflicts with other records") };
        var finish = name.Tick(ADown);

        Assert.Equal((Ending.Rejected, 1), (finish.Ending, name.Batches));
        Assert.Contains("conflicts with other records", finish.Why, StringComparison.Ordinal);
        Assert.Equal(Ending.Rejected, name.Tick(ADown).Ending);
        Assert.Equal(2, name.Batches);
    }

    [Fact]
    public void One_stale_server_keeps_a_move_from_being_done_for_two_minutes_and_no_longer()
    {
        var name = new NameWorld(World.Service, Before, Before, Before);
        name.Tick(ADown);
        (name.Servers[0], name.Servers[1]) = (name.Zone, name.Zone);
        name.Tick(ADown);
        Assert.Equal(("b", "b"), (name.Register.Serving, name.Register.Moving!.To));
        name.Tick(ADown, afterSeconds: 119);
        Assert.NotNull(name.Register.Moving);
        name.Tick(ADown, afterSeconds: 1);
        Assert.Equal((null, "b"), (name.Register.Moving, name.Register.Active));
        Assert.Equal(Ending.Settled, name.Tick(ADown).Ending);
    }

    [Fact]
    public void Times_to_live_that_a_server_counts_down_are_the_plans()
    {
        var plan = World.Plan("a", 4);
        Listing Counted(long ttl) => new([plan.Sets[0] with { TtlSeconds = ttl }], plan.Txt with { TtlSeconds = ttl });

        Assert.True(Look.Shows(Counted(60), plan, hasTxt: true));
        Assert.True(Look.Shows(Counted(1), plan, hasTxt: true));
        Assert.False(Look.Shows(Counted(0), plan, hasTxt: true));
        Assert.False(Look.Shows(Counted(61), plan, hasTxt: true));
    }

    /// <summary>Accelerated recovery strands changes: an older plan surfaces after the present one had taken effect.</summary>
    [Fact]
    public void An_older_plan_that_surfaces_later_is_replaced_by_the_same_plan_and_told()
    {
        var name = new NameWorld(World.Service, Before, Before);
        name.Tick(ADown);
        ShowsZone(name);
        name.Tick(ADown);
        Assert.Null(name.Register.Moving);

        name.Zone = Before;
        ShowsZone(name);
        name.Tick(ADown, afterSeconds: 70);
        Assert.Equal(5, name.Register.Epoch);
        Assert.Contains("epoch=5", name.Zone.Txt!.Values[0], StringComparison.Ordinal);
    }

    private static void ShowsZone(NameWorld name)
    {
        for (var server = 0; server < name.Servers.Length; server++)
        {
            name.Servers[server] = name.Servers[server] is null ? null : name.Zone;
        }
    }
}
