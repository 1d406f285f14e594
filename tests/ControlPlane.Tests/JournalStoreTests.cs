using System.Text.Json;
using Amazon.DynamoDBv2;
using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.Testing;

namespace Failover.ControlPlane.Tests;

/// <summary>The marks of findings that stand against moving back, against a real engine.</summary>
public sealed class JournalStoreTests(DynoxideEngine shared) : IClassFixture<DynoxideEngine>, IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;
    private static readonly DateTimeOffset Now = new(2026, 11, 26, 8, 0, 0, TimeSpan.Zero);

    private string _table = null!;
    private IAmazonDynamoDB _client = null!;

    private JournalStore Store => new(_client, _table, TimeSpan.FromSeconds(5));

    public async ValueTask InitializeAsync()
    {
        _table = await shared.Engine!.TableAsync("kind", "id");
        _client = shared.Engine.Client();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>F8: whatever endpoints, servers, providers and operators say, a line of one of fifty services has an end.</summary>
    [Fact]
    public void The_longest_line_of_one_of_fifty_services_is_below_128_kilobytes()
    {
        const string Name = "a-service-with-a-rather-long-name.example.test";
        var late = DateTimeOffset.MaxValue;
        var records = new RecordSet(Name, "A", 3600, [.. Enumerable.Range(0, 66).Select(i => $"192.100.200.{100 + i}")]);
        var plan = new Plan("12345678", long.MaxValue, new string('e', 40), [records], new RecordSet("_failover." + Name, "TXT", 3600, [new string('t', 255)]));
        var order = new Command
        {
            Id = new string('i', Command.IdMax), Kind = CommandKind.PlannedMove, By = new string('b', Command.NameMax), At = late, To = new string('t', Command.NameMax), Ends = new string('e', Command.IdMax),
            Reason = new string('r', Command.ReasonMax), IfEpoch = long.MaxValue, Minutes = Command.MinutesMax, Force = true,
        };
        Assert.Null(order.Mistake());
        var held = new Override(order.Id, order.By, late, late, order.Reason);
        var register = new Register
        {
            Service = Name, Rev = long.MaxValue, Observers = [.. Enumerable.Range(0, 5).Select(i => $"ap-southeast-{i}")], Plan = plan, Active = plan.Endpoint,
            Known = [.. Enumerable.Repeat(plan, Register.KnownPlansMax)], Adopted = new Adoption(new string('x', 600), [records]), Withdrawals = [late, late, late, late],
            Publication = new Publication(late, late, late, [.. Enumerable.Repeat("ap-southeast-1/ns-1234.awsdns-56.co.uk", 20)]),
            Paused = held, Pinned = new Pin(plan.Endpoint, true, held), Approved = held, Drained = Enumerable.Range(0, 3).ToDictionary(i => $"{plan.Endpoint}{i}", _ => held),
            Answered = [.. Enumerable.Repeat(new CommandOutcome(order.Id, true, new string('s', 400), late), 2 * Register.AnsweredMax)],
        };
        var topology = new Topology
        {
            Observers = register.Observers, Replicas = ["ap-southeast-1", "ap-southeast-2", "ap-southeast-3"], Anchors = [],
            Services = [.. Enumerable.Range(0, 50).Select(i => new Service
            {
                Name = i == 0 ? Name : $"{i}.{Name}", AuthoritativeServers = [], LookUrl = new Uri($"http://{Name}/"),
                Endpoints = [.. Enumerable.Range(0, 3).Select(j => new ServiceEndpoint { Name = $"{j}{new string('e', 14)}", Replica = "", ProbeUrl = new Uri("http://x/"), Records = [] })],
            })],
        };
        Assert.InRange(BallotSize.Of(topology), 1, BallotSize.Max);
        var ballots = Enumerable.Repeat(BallotSize.Largest(topology), 5).ToList();
        var entry = new JournalEntry
        {
            Service = Name, At = late, Observer = "ap-southeast-1", Start = late, Epoch = long.MaxValue, Decision = "MoveBack", Diagnosis = "ReplicationStalled", Held = [.. Enumerable.Repeat("TooManyWithdrawals", 12)],
            Why = new string('w', 600), RuleVersion = 9, To = plan.Endpoint, DataLossMs = long.MaxValue, Steps = [new string('o', 2000), .. Enumerable.Repeat(new string('s', 600), 24)],
            Evidence = JournalEvidence.Of(late, new ControlView(register, [.. Enumerable.Range(0, ControlStore.StoppingOrdersMax).Select(i => order with { Id = $"{i}{order.Id[2..]}" })], ballots), Name),
        };

        Assert.InRange(JsonSerializer.SerializeToUtf8Bytes(entry, ControlJson.Default.JournalEntry).Length, 80_000, 128 * 1024);
    }

    [Fact]
    public async Task An_open_gap_holds_until_it_is_closed()
    {
        await Store.AddFindingAsync(Gap("1"), Token);
        await Store.AddFindingAsync(Gap("2") with { Kind = FindingKind.LostUpdate }, Token);
        Assert.True(await Store.HoldsAsync(Token));
        Assert.Equal(["1"], (await Store.TidyHoldingAsync(10, Now, Token)).Select(finding => finding.Id));

        await Store.CloseFindingAsync(FindingKind.AuditGap, "1", new FindingClosure("Compared", null, Now), Token);
        Assert.False(await Store.HoldsAsync(Token));
    }

    /// <summary>The head was closed, and the process ended before it took the mark away.</summary>
    [Fact]
    public async Task A_mark_that_outlived_its_finding_is_taken_away()
    {
        await Store.AddFindingAsync(Gap("1"), Token);
        await Store.CloseFindingAsync(FindingKind.AuditGap, "1", new FindingClosure("Compared", null, Now), Token);
        await MarkAsync("1", Now);
        Assert.True(await Store.HoldsAsync(Token));

        Assert.Empty(await Store.TidyHoldingAsync(10, Now, Token));
        Assert.False(await Store.HoldsAsync(Token));
    }

    /// <summary>The mark comes first: a finding may be about to follow it.</summary>
    [Fact]
    public async Task A_mark_whose_finding_never_came_is_taken_away_after_an_hour()
    {
        await MarkAsync("1", Now);
        await Store.TidyHoldingAsync(10, Now.AddMinutes(59), Token);
        Assert.True(await Store.HoldsAsync(Token));
        await Store.TidyHoldingAsync(10, Now.AddMinutes(61), Token);
        Assert.False(await Store.HoldsAsync(Token));
    }

    [Fact]
    public async Task Many_that_hold_are_all_read()
    {
        for (var i = 0; i < 40; i++)
        {
            await Store.AddFindingAsync(Gap($"{i:D2}"), Token);
        }

        Assert.Equal(40, (await Store.ReadHoldingAsync(100, Token)).Select(finding => finding.Id).Distinct().Count());
    }

    private Task MarkAsync(string id, DateTimeOffset at) => _client.PutItemAsync(
        _table, new() { ["kind"] = new("finding-holding"), ["id"] = new(id), ["body"] = new(""), ["ttl"] = new() { N = $"{(at + JournalStore.Lifetime).ToUnixTimeSeconds()}" } }, Token);

    private static Finding Gap(string id) => new() { Id = id, Kind = FindingKind.AuditGap, Region = "a", At = Now, Span = new FindingSpan(Now, Now), Why = "test" };
}
