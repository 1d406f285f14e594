using Failover.ControlPlane;
using Failover.ControlPlane.Registers;
using Failover.Testing;

namespace Failover.Cli.Tests;

/// <summary>An order is given once, and its outcome waited for.</summary>
public sealed class OrdersTests : IAsyncLifetime
{
    private const string Service = "app.example.test";
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);

    private TestEngine _engine = null!;
    private ControlStore _control = null!;

    public async ValueTask InitializeAsync()
    {
        _engine = await TestEngine.StartAsync();
        _control = new ControlStore(_engine.Client(), await _engine.TableAsync("service", "record"), TimeSpan.FromSeconds(2));
    }

    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    [Fact]
    public async Task The_outcome_is_that_of_the_order_itself()
    {
        await _control.WriteRegisterAsync(Register(1, new CommandOutcome("another", true, "old", Now)), null, Token);
        var given = Orders.GiveAsync(_control, Service, Order("mine"), TimeSpan.FromSeconds(20), TimeProvider.System, Token);
        while ((await _control.ReadAsync(Service, Token)).Orders.Count == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Token);
        }

        Assert.False(given.IsCompleted);
        await _control.WriteRegisterAsync(Register(2, new CommandOutcome("mine", false, "refused: no", Now)), 1, Token);

        Assert.Equal((false, "refused: no"), await given);
    }

    [Fact]
    public async Task An_order_that_nobody_answers_waits_and_says_where()
    {
        await _control.AppendOrderAsync(Service, Order("another's"), Token);
        var (obeyed, says) = await Orders.GiveAsync(_control, Service, Order("mine"), TimeSpan.FromSeconds(2), TimeProvider.System, Token);

        Assert.False(obeyed);
        Assert.Contains("as number 2 of 2. It is refused from 2026-11-23 08:10:00Z on", says, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_order_that_finds_no_room_is_not_given()
    {
        for (var i = 0; i < ControlStore.OrdersMax; i++)
        {
            await _control.AppendOrderAsync(Service, Order($"{i}"), Token);
        }

        var (_, says) = await Orders.GiveAsync(_control, Service, Order("mine"), TimeSpan.FromMinutes(1), TimeProvider.System, Token);

        Assert.StartsWith("Not given: 16 orders wait already", says, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_status_says_who_serves_and_what_moves()
    {
        await _control.WriteRegisterAsync(Register(1, null) with { Moving = new Move("a", "b", MoveKind.Automatic, Now) }, null, Token);
        using var output = new StringWriter();
        StatusReport.Write(output, Service, await _control.ReadAsync(Service, Token), asJson: false, Now);

        Assert.Contains("a serves, epoch 3", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("from a to b", output.ToString(), StringComparison.Ordinal);
    }

    private static Command Order(string id) => new() { Id = id, Kind = CommandKind.Ack, By = "op", At = Now };

    private static Register Register(long rev, CommandOutcome? last) => new()
    {
        Service = Service,
        Rev = rev,
        Observers = ["one", "two", "three"],
        Active = "a",
        Answered = last is null ? [] : [last],
        Plan = new Plan("12345678", 3, "a", [new RecordSet(Service, "A", 5, ["192.0.2.1"])], new RecordSet("_failover." + Service, "TXT", 5, ["v=1"])),
    };
}
