using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;
using Failover.Testing;

namespace Failover.ControlPlane.Tests;

/// <summary>Register and ballots against a real engine: conditions, and answers that are lost.</summary>
public abstract class ControlStoreTests(TestEngine? engine, string? whyNone) : IAsyncLifetime
{
    private const string Service = "app.example.test";
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);

    private readonly TestEngine _engine = engine!;
    private string _table = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(_engine is null, whyNone ?? "");
        _table = await _engine.TableAsync("service", "record");
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_register_is_written_once_at_each_rev()
    {
        var store = Store();

        Assert.Equal(ConditionalWrite.Written, await store.WriteRegisterAsync(Register(1), null, Token));
        Assert.Equal(ConditionalWrite.Refused, await store.WriteRegisterAsync(Register(1), null, Token));
        Assert.Equal(ConditionalWrite.Written, await store.WriteRegisterAsync(Register(2), 1, Token));
        Assert.Equal(ConditionalWrite.Refused, await store.WriteRegisterAsync(Register(2), 1, Token));
        Assert.Equal(2, (await store.ReadAsync(Service, Token)).Register!.Rev);
    }

    [Fact]
    public async Task Of_many_writers_at_one_rev_one_wins()
    {
        await Store().WriteRegisterAsync(Register(1), null, Token);

        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Store().WriteRegisterAsync(Register(2), 1, Token)));

        Assert.Single(results, ConditionalWrite.Written);
    }

    [Theory]
    [InlineData(Loss.Answer, true)]
    [InlineData(Loss.Hang, true)]
    [InlineData(Loss.Request, false)]
    public async Task A_lost_answer_is_told_as_unknown_and_the_record_tells_the_truth(Loss loss, bool stands)
    {
        Assert.Equal(ConditionalWrite.Unknown, await Store(new LossyNetwork(0, loss)).WriteRegisterAsync(Register(1), null, Token));
        Assert.Equal(stands, (await Store().ReadAsync(Service, Token)).Register is not null);
    }

    [Fact]
    public async Task A_ballot_replaces_only_the_one_that_it_was_made_from()
    {
        var store = Store();

        Assert.Equal(ConditionalWrite.Written, await store.WriteBallotAsync(Ballot("t7"), null, Token));
        Assert.Equal(ConditionalWrite.Refused, await store.WriteBallotAsync(Ballot("t8"), null, Token));
        Assert.Equal(ConditionalWrite.Refused, await store.WriteBallotAsync(Ballot("t8"), "t6", Token));
        Assert.Equal(ConditionalWrite.Written, await store.WriteBallotAsync(Ballot("t8"), "t7", Token));
        Assert.Equal("t8", (await store.ReadBallotAsync("o1", Token)).Token);
    }

    /// <summary>An observer of another version that wrote the register back would erase what it does not know.</summary>
    [Fact]
    public async Task A_register_of_another_form_is_read_by_nobody_who_could_write_it()
    {
        var store = Store();
        using var client = _engine.Client();
        await client.PutItemAsync(
            _table, new() { ["service"] = new(Service), ["record"] = new("register"), ["rev"] = new() { N = "7" }, ["register_v99"] = new("""{"service":"x","rev":7}""") }, Token);

        Assert.Contains("another version", (await Assert.ThrowsAsync<InvalidOperationException>(() => store.ReadAsync(Service, Token))).Message, StringComparison.Ordinal);
        Assert.Equal(ConditionalWrite.Refused, await store.WriteRegisterAsync(Register(1), null, Token));
    }

    [Fact]
    public async Task Everything_comes_back_as_it_was_written()
    {
        var store = Store();
        var register = Register(1) with { Moving = new Move("a", "b", MoveKind.Automatic, Now), Withdrawals = [Now], Paused = new Override("o", "me", Now, null, "why"), Withdraws = new WithdrawnPlan("p", MoveKind.Automatic), Publication = new Publication(Now, null, Now, ["o1/s0", "o2/s1"]) };
        await store.WriteRegisterAsync(register, null, Token);
        await store.WriteBallotAsync(Ballot("t3"), null, Token);
        await store.AppendOrderAsync(Service, new Command { Id = "c1", Kind = CommandKind.Move, By = "me", At = Now, To = "b" }, Token);
        var view = await store.ReadAsync(Service, Token);

        Assert.Equal(register.Moving, view.Register!.Moving);
        Assert.Equal((Now, null, Now), (view.Register.Publication.SentAt, view.Register.Publication.HeldAt, view.Register.Publication.PublishedAt));
        Assert.Equal(["o1/s0", "o2/s1"], view.Register.Publication.Baseline);
        Assert.Equal(["o1", "o2", "o3"], view.Register.Observers);
        Assert.Equal((register.Paused, register.Withdraws, "c1", CommandKind.Move), (view.Register.Paused, view.Register.Withdraws, view.Orders.Single().Id, view.Orders[0].Kind));
        Assert.True(RecordSet.AreSame(register.Plan.Sets, view.Register.Plan.Sets));
        var back = Assert.Single(view.Ballots).On(Service, "a");
        Assert.Equal((Health.Down, 3, false), (back.Health, back.Failures, back.LastOk));
        Assert.Equal(Health.Unknown, view.Ballots[0].On(Service, "nowhere").Health);
    }

    [Fact]
    public async Task Orders_that_are_given_at_once_all_stand_in_the_list()
    {
        await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Store().AppendOrderAsync(Service, Order($"o{i}"), Token)));

        Assert.Equal(["o0", "o1", "o2", "o3", "o4", "o5"], (await Store().ReadAsync(Service, Token)).Orders.Select(order => order.Id).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(Loss.Answer)]
    [InlineData(Loss.Hang)]
    [InlineData(Loss.Request)]
    public async Task An_order_stands_once_whatever_became_of_the_answer_to_its_write(Loss loss)
    {
        // The first request reads the list, the second writes it.
        Assert.Equal(OrderWrite.Written, await Store(new LossyNetwork(1, loss)).AppendOrderAsync(Service, Order("mine"), Token));
        Assert.Equal(OrderWrite.Written, await Store().AppendOrderAsync(Service, Order("mine"), Token));
        Assert.Equal("mine", (await Store().ReadAsync(Service, Token)).Orders.Single().Id);
    }

    /// <summary>What was answered leaves the list when the next is given, and does not come back by a late try of its own.</summary>
    [Fact]
    public async Task An_answered_order_is_never_given_again()
    {
        var store = Store();
        await store.AppendOrderAsync(Service, Order("first"), Token);
        await store.WriteRegisterAsync(Register(1).WithAnswer(new CommandOutcome("first", true, "done", Now), [Order("first")]), null, Token);
        await store.AppendOrderAsync(Service, Order("second"), Token);

        Assert.Equal(OrderWrite.Written, await store.AppendOrderAsync(Service, Order("first"), Token));
        Assert.Equal("second", (await store.ReadAsync(Service, Token)).Orders.Single().Id);
    }

    [Fact]
    public async Task Sixteen_orders_wait_and_what_stops_something_still_finds_room()
    {
        var store = Store();
        for (var i = 0; i < ControlStore.OrdersMax; i++)
        {
            Assert.Equal(OrderWrite.Written, await store.AppendOrderAsync(Service, Order($"o{i}"), Token));
        }

        Assert.Equal(OrderWrite.Full, await store.AppendOrderAsync(Service, Order("more"), Token));
        for (var i = ControlStore.OrdersMax; i < ControlStore.StoppingOrdersMax; i++)
        {
            Assert.Equal(OrderWrite.Written, await store.AppendOrderAsync(Service, Order($"o{i}") with { Kind = CommandKind.Pause }, Token));
        }

        Assert.Equal(OrderWrite.Full, await store.AppendOrderAsync(Service, Order("stop") with { Kind = CommandKind.Pause }, Token));
        Assert.Equal(ControlStore.StoppingOrdersMax, (await store.ReadAsync(Service, Token)).Orders.Count);
    }

    /// <summary>An order of a kind that a newer version knows outlives an older tool that appends its own.</summary>
    [Fact]
    public async Task An_order_of_an_unknown_kind_stays_in_the_list_as_it_was_written()
    {
        const string Newer = """{"id":"c9","kind":"Levitate","height":3}""";
        using var client = _engine.Client();
        await client.PutItemAsync(
            _table, new() { ["service"] = new(Service), ["record"] = new("orders"), ["version"] = new() { N = "4" }, ["list"] = new() { L = [new(Newer)] } }, Token);
        await Store().AppendOrderAsync(Service, Order("mine"), Token);
        var item = await client.GetItemAsync(_table, new() { ["service"] = new(Service), ["record"] = new("orders") }, Token);

        Assert.Equal((Newer, "5"), (item.Item["list"].L[0].S, item.Item["version"].N));
        Assert.Equal(["c9", "mine"], (await Store().ReadAsync(Service, Token)).Orders.Select(order => order.Id));
    }

    [Theory]
    [InlineData("", "op", null, "'by'", null)]
    [InlineData("x", "", null, "'by'", null)]
    [InlineData("x", "evil\u001b[2J", null, "'by'", null)]
    [InlineData("x", "op", "\u202egnp.exe", "'reason'", null)]
    [InlineData("x", "op", "\ud800", "'reason'", null)]
    [InlineData("x", "op", null, "'minutes'", 0)]
    public async Task An_order_that_is_a_mistake_in_itself_is_not_given(string id, string by, string? reason, string says, int? minutes)
    {
        var order = Order(id) with { By = by, Reason = reason, Minutes = minutes };
        var mistake = await Assert.ThrowsAsync<ArgumentException>(() => Store().AppendOrderAsync(Service, order, Token));

        Assert.Contains(id.Length == 0 ? "its id" : says, mistake.Message, StringComparison.Ordinal);
        Assert.Empty((await Store().ReadAsync(Service, Token)).Orders);
    }

    [Fact]
    public async Task What_another_version_wrote_does_not_stop_those_who_can_be_read()
    {
        var store = Store();
        await store.WriteBallotAsync(Ballot("t3"), null, Token);
        using var client = _engine.Client();
        await client.PutItemAsync(
            _table,
            new() { ["service"] = new("_observers"), ["record"] = new("ballot#o2"), ["token"] = new("t9"), ["ballot_v2"] = new("""{"observer":"o2","health":"Wobbly"}""") },
            Token);
        await client.PutItemAsync(
            _table,
            new()
            {
                ["service"] = new(Service), ["record"] = new("orders"), ["version"] = new() { N = "1" },
                ["list"] = new() { L = [new("""{"id":"c9","kind":"Levitate"}"""), new("nothing"), new("""{"kind":"Pause"}""")] },
            },
            Token);
        var view = await store.ReadAsync(Service, Token);

        Assert.Equal("o1", Assert.Single(view.Ballots).Observer);
        Assert.Equal(("c9", CommandKind.Unknown), (view.Orders.Single().Id, view.Orders[0].Kind));
        Assert.Equal(("t9", null), await store.ReadBallotAsync("o2", Token));
    }

    [Fact]
    public async Task A_line_of_the_journal_comes_back_with_and_without_evidence_newest_last()
    {
        var journal = new JournalStore(_engine.Client(), await _engine.TableAsync("kind", "id"), TimeSpan.FromSeconds(2));
        var line = new JournalEntry
        {
            Service = Service, At = Now, Observer = "o1", Start = Now, Decision = "Hold", Diagnosis = "ObserverIsolated", Held = ["NoVote"], Why = "cut off", Steps = [],
        };
        await journal.WriteAsync(line with { Start = Now.AddSeconds(10), Epoch = 3, Evidence = new JournalEvidence(Now, Register(1), null, []) }, Token);
        await journal.WriteAsync(line, Token);
        await journal.WriteAsync(line, Token);
        var lines = await journal.ReadAsync(Service, 10, Token);

        Assert.Equal([(Now, null), (Now.AddSeconds(10), 3L)], lines.Select(read => (read.Start, read.Epoch)));
        Assert.Null(lines[0].Evidence);
        Assert.Equal(1, lines[1].Evidence!.Register!.Rev);
    }

    private static Command Order(string id) => new() { Id = id, Kind = CommandKind.Ack, By = "op", At = Now };

    private ControlStore Store(LossyNetwork? network = null) => new(_engine.Client(network), _table, TimeSpan.FromSeconds(2));

    private static Register Register(long rev)
    {
        var set = new RecordSet(Service, "A", 5, ["192.0.2.1"]);
        return new Register
        {
            Service = Service,
            Rev = rev,
            Observers = ["o1", "o2", "o3"],
            Active = "a",
            Plan = new Plan("12345678", 1, "a", [set], new RecordSet("_failover." + Service, "TXT", 5, ["v=1"])),
        };
    }

    private static Ballot Ballot(string token) => new()
    {
        Observer = "o1",
        Start = Now,
        At = Now,
        ValidUntil = Now.AddSeconds(30),
        Token = token,
        Topology = "0123456789abcdef",
        Services = new Dictionary<string, IReadOnlyDictionary<string, EndpointBallot>>
        {
            [Service] = new Dictionary<string, EndpointBallot> { ["a"] = new(Health.Down, 3, 3, 0, LastOk: false, null, Now, "", "refused") },
        },
        Replicas = new Dictionary<string, ReplicaBallot>(),
    };
}

/// <summary>On the engine that LocalHost runs.</summary>
public sealed class ControlStoreOnDynoxideTests(DynoxideEngine shared) : ControlStoreTests(shared.Engine, null), IClassFixture<DynoxideEngine>;

/// <summary>On AWS's own DynamoDB Local, an independent peer, where it is installed.</summary>
public sealed class ControlStoreOnDynamoDbLocalTests(DynamoDbLocalEngine shared)
    : ControlStoreTests(shared.Engine, "DynamoDB Local is not on this machine: 'npm ci' in tests/Engine installs it; it needs Java."), IClassFixture<DynamoDbLocalEngine>;
