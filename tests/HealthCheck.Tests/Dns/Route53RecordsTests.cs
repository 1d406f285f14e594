using System.Net;
using Amazon;
using Amazon.Route53;
using Amazon.Runtime;
using Failover.ControlPlane.Registers;
using Failover.HealthCheck.Decision;
using Failover.HealthCheck.Dns;
using Failover.HealthCheck.Tests.Decision;
using Failover.LocalHost.Network;
using Failover.LocalHost.Route53;
using Microsoft.AspNetCore.Http;

namespace Failover.HealthCheck.Tests.Dns;

/// <summary>The fence against LocalHost's Route 53, over HTTP and the SDK's pipeline.</summary>
public sealed class Route53RecordsTests : IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;
    private static readonly Plan First = World.Plan("a", 4);
    private static readonly Plan Next = World.Plan("b", 5);

    private readonly HostedZone _zone = new("Z1", "example.test.");
    private readonly Faults _faults = new(TimeSpan.Zero);
    private Door _door = null!;
    private bool _loseAnswers;
    private string? _denied;

    public async ValueTask InitializeAsync()
    {
        _zone.Apply([.. First.Sets.Append(First.Txt).Select(set => new ZoneChange("CREATE", ToZone(set)))]);
        var api = new Route53Api(_zone, _faults, TimeProvider.System);
        _door = new Door(new IPEndPoint(IPAddress.Loopback, 0), async context =>
        {
            if (context.Request.Method == _denied)
            {
                context.Response.StatusCode = 403;
                await context.Response.WriteAsync("<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>");
                return;
            }

            await api.HandleAsync(context);
            if (_loseAnswers && context.Request.Method == "POST")
            {
                context.Abort();
            }
        });
        await _door.SetOpenAsync(true);
    }

    public ValueTask DisposeAsync() => _door.DisposeAsync();

    [Fact]
    public async Task A_plan_replaces_exactly_what_was_listed()
    {
        var records = Records();
        var listed = await records.ListAsync(World.Service, Token);

        Assert.True(RecordSet.AreSame(First.Sets, listed.Sets));
        Assert.True(First.Txt.IsSameAs(listed.Txt!));
        Assert.Equal(ApplyOutcome.Applied, (await records.ApplyAsync(World.Service, Next, listed, Token)).Outcome);
        await ShowsAsync(Next);
    }

    [Fact]
    public async Task Of_two_with_the_same_old_state_one_wins_and_the_other_finds_nothing_to_do()
    {
        var (one, other) = (Records(), Records());
        var (listedByOne, listedByOther) = (await one.ListAsync(World.Service, Token), await other.ListAsync(World.Service, Token));

        Assert.Equal(ApplyOutcome.Applied, (await one.ApplyAsync(World.Service, Next, listedByOne, Token)).Outcome);
        Assert.Equal(ApplyOutcome.Refused, (await other.ApplyAsync(World.Service, Next, listedByOther, Token)).Outcome);
        var register = World.Register().WithPlan(Next);
        Assert.IsType<GateVerdict.Nothing>(DnsGate.Judge(register, await other.ListAsync(World.Service, Token)));
    }

    [Fact]
    public async Task A_humans_edit_between_reading_and_writing_makes_the_batch_fail_and_freezes()
    {
        var records = Records();
        var listed = await records.ListAsync(World.Service, Token);
        _zone.Apply([new ZoneChange("UPSERT", new ZoneRecordSet(World.Name + ".", "A", 60, ["198.51.100.7"]))]);

        Assert.Equal(ApplyOutcome.Refused, (await records.ApplyAsync(World.Service, Next, listed, Token)).Outcome);
        Assert.IsType<GateVerdict.Freeze>(DnsGate.Judge(World.Register().WithPlan(Next), await records.ListAsync(World.Service, Token)));
        Assert.Equal("198.51.100.7", Assert.Single(_zone.Find(World.Name + ".", "A")!.Values));
    }

    [Fact]
    public async Task A_lost_answer_after_commit_is_recognised_by_the_plan()
    {
        var records = Records();
        var listed = await records.ListAsync(World.Service, Token);
        _loseAnswers = true;

        Assert.Equal(ApplyOutcome.Unknown, (await records.ApplyAsync(World.Service, Next, listed, Token)).Outcome);
        Assert.IsType<GateVerdict.Nothing>(DnsGate.Judge(World.Register().WithPlan(Next), await records.ListAsync(World.Service, Token)));
    }

    [Fact]
    public async Task An_older_plan_never_follows_a_newer_one()
    {
        var slow = Records();
        var listedLongAgo = await slow.ListAsync(World.Service, Token);
        var newest = World.Plan("c", 6);
        var records = Records();
        await records.ApplyAsync(World.Service, newest, await records.ListAsync(World.Service, Token), Token);

        Assert.Equal(ApplyOutcome.Refused, (await slow.ApplyAsync(World.Service, Next, listedLongAgo, Token)).Outcome);
        await ShowsAsync(newest);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_api_that_is_down_leaves_the_name_as_it_is(bool hangs)
    {
        var records = Records();
        var listed = await records.ListAsync(World.Service, Token);
        _faults.Add(new Fault("", "dns-api-down") { Mode = hangs ? FaultMode.Hang : FaultMode.Refuse });
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Token);
        deadline.CancelAfter(TimeSpan.FromMilliseconds(300));

        Assert.Equal(ApplyOutcome.Unknown, (await records.ApplyAsync(World.Service, Next, listed, deadline.Token)).Outcome);
        _faults.Clear();
        await ShowsAsync(First);
    }

    [Fact]
    public async Task A_zone_that_is_not_there_is_not_taken_for_an_empty_name() =>
        await Assert.ThrowsAnyAsync<AmazonRoute53Exception>(() => Records().ListAsync(World.Service with { HostedZoneId = "Z9" }, Token));

    /// <summary>From an address to an alias with an HTTPS record, to a CNAME, and back: each a batch that replaces exactly what was listed.</summary>
    [Fact]
    public async Task Aliases_CNAMEs_and_HTTPS_records_replace_each_other()
    {
        var records = Records();
        var alias = Plan.Of(
            World.Service, "b",
            [
                new RecordSet(World.Name, "A", null, []) { Alias = new Alias("Z9", "B.example.test") }, new RecordSet(World.Name, "AAAA", 60, ["2001:db8::2"]),
                new RecordSet(World.Name, "HTTPS", 60, ["1 . alpn=\"h2,h3\""]),
            ],
            5, World.Now, "o1", "Alias");
        var cname = Plan.Of(World.Service, "c", [new RecordSet(World.Name, "CNAME", 60, ["lb.example.net"])], 6, World.Now, "o1", "Cname");
        foreach (var plan in new[] { alias, cname, World.Plan("a", 7) })
        {
            Assert.Equal(ApplyOutcome.Applied, (await records.ApplyAsync(World.Service, plan, await records.ListAsync(World.Service, Token), Token)).Outcome);
            await ShowsAsync(plan);
        }
    }

    /// <summary>P3: a zone with many names at and below the guarded one made the listing throw: no failover, and no order obeyed.</summary>
    [Fact]
    public async Task The_size_of_the_zone_decides_nothing()
    {
        _zone.Apply([.. Enumerable.Range(0, 1_300).Select(i => new ZoneChange("CREATE", new ZoneRecordSet($"{i:D5}.{World.Name}.", "A", 60, ["192.0.2.77"])))]);
        var listed = await Records().ListAsync(World.Service, Token);

        Assert.True(RecordSet.AreSame(First.Sets, listed.Sets));
        Assert.True(First.Txt.IsSameAs(listed.Txt!));
        Assert.Equal(ApplyOutcome.Applied, (await Records().ApplyAsync(World.Service, Next, listed, Token)).Outcome);
        await ShowsAsync(Next);
    }

    /// <summary>F11: a TXT of two strings was sent back as one, so no batch matched.</summary>
    [Theory]
    [InlineData("\"one\" \"two\"")]
    [InlineData("\"with \\\"quotes\\\"\"")]
    [InlineData("\"octal \\052\"")]
    public async Task A_foreign_txt_is_deleted_exactly_as_it_was_listed(string value)
    {
        _zone.Apply([new ZoneChange("UPSERT", new ZoneRecordSet(World.Service.StateName + ".", "TXT", 60, [value]))]);
        var listed = await Records().ListAsync(World.Service, Token);

        Assert.Equal(ApplyOutcome.Applied, (await Records().ApplyAsync(World.Service, Next, listed, Token)).Outcome);
        await ShowsAsync(Next);
    }

    /// <summary>P2: what Route 53 says is handed on.</summary>
    [Fact]
    public async Task A_batch_that_is_refused_for_good_says_why()
    {
        _zone.Apply([new ZoneChange("CREATE", new ZoneRecordSet(World.Name + ".", "SPF", 60, ["\"v=spf1 -all\""]))]);
        var cname = Plan.Of(World.Service, "c", [new RecordSet(World.Name, "CNAME", 60, ["lb.example.net"])], 6, World.Now, "o1", "Cname");
        var answer = await Records().ApplyAsync(World.Service, cname, await Records().ListAsync(World.Service, Token), Token);

        Assert.Equal(ApplyOutcome.Refused, answer.Outcome);
        Assert.Contains("conflicts with other records", answer.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plan_that_would_be_taken_is_refused_by_nothing_and_the_question_changes_nothing()
    {
        Assert.Null(await Records().RefusalOfAsync(World.Service, First, Next, Token));
        Assert.Null(await Records().RefusalOfAsync(World.Service, First, First with { Epoch = 5 }, Token));
        await ShowsAsync(First);
    }

    /// <summary>P2, in quiet times: what would be refused on the day is told today.</summary>
    [Theory]
    [InlineData("CNAME", "lb.example.net", "its CNAME cannot stand beside the name's SPF records")]
    [InlineData("A", "no address", "no address")]
    public async Task A_plan_that_would_be_refused_says_why_and_nothing_is_changed(string type, string value, string says)
    {
        _zone.Apply([new ZoneChange("CREATE", new ZoneRecordSet(World.Name + ".", "SPF", 60, ["\"v=spf1 -all\""]))]);
        var plan = Plan.Of(World.Service, "c", [new RecordSet(World.Name, type, 60, [value])], 6, World.Now, "o1", "Check");

        Assert.Contains(says, await Records().RefusalOfAsync(World.Service, First, plan, Token), StringComparison.Ordinal);
        await ShowsAsync(First);
    }

    [Fact]
    public async Task A_missing_right_to_change_records_is_told_before_the_day()
    {
        _denied = "POST";

        Assert.Contains("AccessDenied", await Records().RefusalOfAsync(World.Service, First, Next, Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_name_that_is_being_changed_nothing_is_said()
    {
        _zone.Apply([new ZoneChange("UPSERT", new ZoneRecordSet(World.Name + ".", "A", 60, ["198.51.100.7"]))]);

        Assert.Null(await Records().RefusalOfAsync(World.Service, First, Next, Token));
    }

    private async Task ShowsAsync(Plan plan)
    {
        var listed = await Records().ListAsync(World.Service, Token);
        Assert.True(RecordSet.AreSame(plan.Sets, listed.Sets));
        Assert.True(plan.Txt.IsSameAs(listed.Txt!));
    }

    private Route53Records Records() => new(new AmazonRoute53Client(
        new BasicAWSCredentials("test", "test"),
        new AmazonRoute53Config { ServiceURL = $"http://127.0.0.1:{_door.Port}", AuthenticationRegion = RegionEndpoint.USEast1.SystemName, MaxErrorRetry = 0 }));

    private static ZoneRecordSet ToZone(RecordSet set) =>
        new(set.Name + ".", set.Type, set.TtlSeconds!.Value, [.. set.Values.Select(value => set.Type == "TXT" ? $"\"{value}\"" : value)]);
}
