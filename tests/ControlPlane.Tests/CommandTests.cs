using System.Reflection;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane.Registers;

namespace Failover.ControlPlane.Tests;

/// <summary>What an order may say, whom it is meant for, and how long its answer is kept.</summary>
public class CommandTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);

    private static readonly Register Settled = new()
    {
        Service = "app.example.test",
        Rev = 1,
        Observers = ["o1", "o2", "o3"],
        Active = "a",
        Plan = new Plan("12345678", 4, "a", [], new RecordSet("_failover.app.example.test", "TXT", 5, ["x"])),
    };

    [Fact]
    public void An_order_in_any_language_is_none_and_its_text_has_an_end()
    {
        Assert.Null((Order("x") with { By = "J\u00fcrgen \u5c71\u7530", Reason = new string('r', Command.ReasonMax) }).Mistake());
        Assert.NotNull((Order("x") with { Reason = new string('r', Command.ReasonMax + 1) }).Mistake());
        Assert.NotNull((Order("x") with { To = new string('\u5c71', Command.NameMax) }).Mistake());
        Assert.NotNull(Order(new string('x', Command.IdMax + 1)).Mistake());
    }

    [Fact]
    public void An_answer_is_kept_while_its_order_may_be_in_the_list_and_for_a_quarter_of_an_hour()
    {
        var register = Settled;
        for (var i = 0; i < 100; i++)
        {
            register = register.WithAnswer(new CommandOutcome($"o{i}", true, "done", Now.AddSeconds(i)), [Order("o1")]);
        }

        Assert.Equal(Register.AnsweredMax + 2, register.Answered.Count);
        Assert.NotNull(register.AnswerTo("o1"));
        Assert.Null(register.AnswerTo("o2"));
        Assert.Equal("o99", register.LastCommand!.Id);
        Assert.Equal(["o1", "later"], register.WithAnswer(new CommandOutcome("later", true, "done", Now + Register.AnsweredFor + TimeSpan.FromMinutes(2)), [Order("o1")]).Answered.Select(answer => answer.Id));
    }

    [Fact]
    public void Who_ends_a_pause_names_the_newest_that_he_saw_whether_it_is_in_force_or_waits()
    {
        var register = Settled with { Paused = new Override("old", "op", Now, null, null), Drained = new Dictionary<string, Override> { ["b"] = new("drain b", "op", Now, null, null) } };
        var view = new ControlView(register, [Order("p") with { Kind = CommandKind.Pause }, Order("d") with { Kind = CommandKind.Drain, To = "c" }], []);
        var resume = Order("r") with { Kind = CommandKind.Resume };

        Assert.Equal(("p", null), (resume.MeantFor(view).Ends, resume.MeantFor(view).IfEpoch));
        Assert.Equal("old", resume.MeantFor(view with { Orders = [] }).Ends);
        Assert.Equal("drain b", (resume with { Kind = CommandKind.Undrain, To = "b" }).MeantFor(view).Ends);
        Assert.Equal("d", (resume with { Kind = CommandKind.Undrain, To = "c" }).MeantFor(view).Ends);
        Assert.Null((resume with { Kind = CommandKind.Unpin }).MeantFor(view).Ends);
        Assert.Equal("mine", (resume with { Ends = "mine" }).MeantFor(view).Ends);
    }

    [Theory]
    [InlineData(CommandKind.Move, true)]
    [InlineData(CommandKind.MoveBack, true)]
    [InlineData(CommandKind.PlannedMove, true)]
    [InlineData(CommandKind.Approve, true)]
    [InlineData(CommandKind.Ack, true)]
    [InlineData(CommandKind.Adopt, true)]
    [InlineData(CommandKind.Pause, false)]
    [InlineData(CommandKind.Pin, false)]
    [InlineData(CommandKind.Drain, false)]
    [InlineData(CommandKind.Resume, false)]
    [InlineData(CommandKind.Unpin, false)]
    [InlineData(CommandKind.Undrain, false)]
    public void Only_an_order_that_starts_something_is_for_one_epoch(CommandKind kind, bool isForOneEpoch) =>
        Assert.Equal(isForOneEpoch ? 4 : null, (Order("x") with { Kind = kind, To = "b" }).MeantFor(new ControlView(Settled, [], [])).IfEpoch);

    /// <summary>The first write stands, its answer is lost, the second try of it is refused, and then the table is out of reach: nobody knows, and nobody is told to give it again.</summary>
    [Fact]
    public async Task An_order_that_may_stand_is_not_told_as_not_given()
    {
        var store = new ControlStore(DispatchProxy.Create<IAmazonDynamoDB, CutOffAfterAWrite>(), "Control", TimeSpan.FromSeconds(5));

        Assert.Equal(OrderWrite.Unknown, await store.AppendOrderAsync("app.example.test", Order("mine"), TestContext.Current.CancellationToken));
    }

    public class CutOffAfterAWrite : DispatchProxy
    {
        private int _queries;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name switch
        {
            nameof(IAmazonDynamoDB.QueryAsync) when _queries++ == 0 => Task.FromResult(new QueryResponse { Items = [] }),
            nameof(IAmazonDynamoDB.QueryAsync) => Task.FromException<QueryResponse>(new AmazonDynamoDBException("cut off")),
            nameof(IAmazonDynamoDB.PutItemAsync) => Task.FromException<PutItemResponse>(new ConditionalCheckFailedException("it stands already")),
            var other => throw new NotSupportedException(other),
        };
    }

    private static Command Order(string id) => new() { Id = id, Kind = CommandKind.Ack, By = "op", At = Now };
}
