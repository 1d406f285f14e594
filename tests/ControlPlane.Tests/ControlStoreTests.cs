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
        var register = Register(1) with { Moving = new Move("a", "b", MoveKind.Automatic, Now), Withdrawals = [Now], Paused = new Override("me", Now, null, "why"), Withdraws = new WithdrawnPlan("p", MoveKind.Automatic), Publication = new Publication(Now, null, Now, ["o1/s0", "o2/s1"]) };
        await store.WriteRegisterAsync(register, null, Token);
        await store.WriteBallotAsync(Ballot("t3"), null, Token);
        await store.WriteCommandAsync(Service, new Command { Id = "c1", Kind = CommandKind.Move, By = "me", At = Now, To = "b" }, Token);
        var view = await store.ReadAsync(Service, Token);

        Assert.Equal(register.Moving, view.Register!.Moving);
        Assert.Equal((Now, null, Now), (view.Register.Publication.SentAt, view.Register.Publication.HeldAt, view.Register.Publication.PublishedAt));
        Assert.Equal(["o1/s0", "o2/s1"], view.Register.Publication.Baseline);
        Assert.Equal(["o1", "o2", "o3"], view.Register.Observers);
        Assert.Equal((register.Paused, register.Withdraws, "c1", CommandKind.Move), (view.Register.Paused, view.Register.Withdraws, view.Command!.Id, view.Command.Kind));
        Assert.True(RecordSet.AreSame(register.Plan.Sets, view.Register.Plan.Sets));
        var back = Assert.Single(view.Ballots).On(Service, "a");
        Assert.Equal((Health.Down, 3, false), (back.Health, back.Failures, back.LastOk));
        Assert.Equal(Health.Unknown, view.Ballots[0].On(Service, "nowhere").Health);
    }

    [Fact]
    public async Task An_order_that_was_delayed_does_not_replace_a_newer_one()
    {
        var store = Store();
        await store.WriteCommandAsync(Service, Order("new", Now), Token);

        Assert.Equal(ConditionalWrite.Refused, await store.WriteCommandAsync(Service, Order("old", Now.AddSeconds(-1)), Token));
        Assert.Equal(ConditionalWrite.Written, await store.WriteCommandAsync(Service, Order("newer", Now.AddSeconds(1)), Token));
        Assert.Equal("newer", (await store.ReadAsync(Service, Token)).Command!.Id);

        // The SDK's second try of one's own is no older order, and a clock that is far ahead shuts nobody out.
        Assert.Equal(ConditionalWrite.Written, await store.WriteCommandAsync(Service, Order("newer", Now.AddSeconds(1)), Token));
        await store.WriteCommandAsync(Service, Order("ahead", Now.AddHours(1)), Token);
        Assert.Equal(ConditionalWrite.Written, await store.WriteCommandAsync(Service, Order("now", Now.AddSeconds(2)), Token));
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
            new() { ["service"] = new(Service), ["record"] = new("command"), ["id"] = new("c9"), ["given"] = new() { N = "1" }, ["body"] = new("""{"id":"c9","kind":"Levitate"}""") },
            Token);
        var view = await store.ReadAsync(Service, Token);

        Assert.Equal("o1", Assert.Single(view.Ballots).Observer);
        Assert.Equal(("c9", CommandKind.Unknown), (view.Command!.Id, view.Command.Kind));
        Assert.Equal(("t9", null), await store.ReadBallotAsync("o2", Token));
    }

    private static Command Order(string id, DateTimeOffset at) => new() { Id = id, Kind = CommandKind.Ack, By = "op", At = at };

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
