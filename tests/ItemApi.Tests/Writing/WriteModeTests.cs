using System.Net;
using Failover.ControlPlane;
using Failover.ControlPlane.Registers;
using Failover.ItemApi.Tests.Doors;

namespace Failover.ItemApi.Tests.Writing;

/// <summary>One region writes, by a lease on the register: through each door, over a real control table.</summary>
public abstract class WriteModeTests(ApiWorld world) : IAsyncLifetime
{
    private const string Service = "app.example.test";

    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    private string _control = null!;
    private ControlStore _store = null!;
    private long _rev;

    public async ValueTask InitializeAsync()
    {
        _control = await world.Engine.TableAsync("service", "record");
        _store = new ControlStore(world.Engine.Client(), _control, TimeSpan.FromSeconds(5));
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        world.Road.Happens = (_, _) => Mishap.None;
        using var dynamoDb = world.Engine.Client();
        await dynamoDb.DeleteItemAsync(world.Table, new() { ["id"] = new($"_open#{ApiWorld.Region}#{Service}") }, Token);
    }

    [Fact]
    public async Task Only_the_active_region_writes_and_the_other_says_which_that_is()
    {
        using var api = await StartAsync("PreferAvailability");
        var unknown = await api.AskAsync("PUT", "/items/x", "{}");
        await MoveAsync(1, "nyc");
        await Task.Delay(TimeSpan.FromSeconds(0.6), TimeProvider.System, Token);
        var passive = await api.AskAsync("PUT", "/items/x", "{}");
        var read = await api.AskAsync("GET", "/items/x");
        await MoveAsync(2, "here");
        await Task.Delay(TimeSpan.FromSeconds(0.6), TimeProvider.System, Token);
        var active = await api.AskAsync("PUT", "/items/x", "{}");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "not-active"), (unknown.Status, unknown.Problem));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "not-active", "nyc", "1"), (passive.Status, passive.Problem, passive.Member("active"), passive.Headers["Failover-Epoch"]));
        Assert.True(int.Parse(passive.Headers["Retry-After"], System.Globalization.CultureInfo.InvariantCulture) >= 1);
        Assert.Equal(HttpStatusCode.NotFound, read.Status);
        Assert.Equal((HttpStatusCode.Created, "2"), (active.Status, active.Headers["Failover-Epoch"]));
        Assert.Equal(HttpStatusCode.OK, (await api.AskAsync("GET", "/health/ready")).Status);
        foreach (var (method, body) in new[] { ("PATCH", "{}"), ("DELETE", (string?)null), ("POST", "{}") })
        {
            Assert.NotEqual(HttpStatusCode.ServiceUnavailable, (await api.AskAsync(method, method == "POST" ? "/items" : "/items/x", body)).Status);
        }
    }

    [Fact]
    public async Task A_region_that_is_entered_waits_and_its_next_process_does_not()
    {
        await MoveAsync(5, "here");
        using (var dynamoDb = world.Engine.Client())
        {
            // Another service's fifth epoch at this replica is another.
            await dynamoDb.PutItemAsync(world.Table, new() { ["id"] = new($"_open#{ApiWorld.Region}#other.example.test"), ["epoch"] = new() { N = "5" } }, Token);
        }

        using var api = await StartAsync("PreferData");
        var start = TimeProvider.System.GetTimestamp();
        var waiting = await api.AskAsync("PUT", "/items/w", "{}");
        var answer = await PutUntilAllowedAsync(api, "/items/w");

        var waited = TimeProvider.System.GetElapsedTime(start);
        await Task.Delay(TimeSpan.FromSeconds(1.2), TimeProvider.System, Token);
        await api.AskAsync("PUT", "/items/w", "{}");
        using var next = await StartAsync("PreferData");

        Assert.Equal(("not-active", "here"), (waiting.Problem, waiting.Member("active")));
        Assert.Equal(HttpStatusCode.Created, answer.Status);
        Assert.True(waited >= TimeSpan.FromSeconds(5.9), $"{waited}");
        Assert.Equal(HttpStatusCode.OK, (await next.AskAsync("PUT", "/items/w", "{}")).Status);
    }

    [Fact]
    public async Task A_control_region_that_hangs_makes_this_one_neither_sick_nor_slow()
    {
        await MoveAsync(3, "here");
        using var api = await StartAsync("PreferAvailability");
        Assert.Equal(HttpStatusCode.OK, (await api.AskAsync("GET", "/health/live")).Status);
        world.Road.Happens = (_, body) => body.Contains(_control, StringComparison.Ordinal) ? Mishap.Hang : Mishap.None;
        var start = TimeProvider.System.GetTimestamp();
        var ready = await api.AskAsync("GET", "/health/ready");

        // Whoever waited for it would wait twenty seconds: two deadlines of a call.
        Assert.Equal(HttpStatusCode.OK, ready.Status);
        Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task Without_the_register_the_right_ends_with_its_lease()
    {
        await MoveAsync(7, "here");
        using var api = await StartAsync("PreferAvailability");
        await PutUntilAllowedAsync(api, "/items/l");
        world.Road.Happens = (_, body) => body.Contains(_control, StringComparison.Ordinal) ? Mishap.RequestLost : Mishap.None;
        var meanwhile = await api.AskAsync("PUT", "/items/l", "{}");
        await Task.Delay(TimeSpan.FromSeconds(6.1), TimeProvider.System, Token);
        var after = await api.AskAsync("PUT", "/items/l", "{}");
        world.Road.Happens = (_, _) => Mishap.None;

        Assert.Equal(HttpStatusCode.OK, meanwhile.Status);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "not-active"), (after.Status, after.Problem));
        Assert.Equal(HttpStatusCode.OK, (await PutUntilAllowedAsync(api, "/items/l")).Status);
    }

    /// <summary>A process that has just started on a busy machine may not have read the register in time, and refuses; it reads it again.</summary>
    private static async Task<Answered> PutUntilAllowedAsync(HttpClient api, string path)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var answer = await api.AskAsync("PUT", path, "{}");
            if (answer.Status != HttpStatusCode.ServiceUnavailable || TimeProvider.System.GetElapsedTime(start) > TimeSpan.FromSeconds(60))
            {
                Assert.True(answer.Status is HttpStatusCode.Created or HttpStatusCode.OK, $"{answer.Status} {answer.Problem}");
                return answer;
            }

            await Task.Delay(TimeSpan.FromSeconds(0.2), TimeProvider.System, Token);
        }
    }

    protected Task<HttpClient> StartAsync(string preference) => world.StartAsync(
        1, ("WRITE_MODE", "ActivePassive"), ("SERVICE_NAME", Service), ("SERVICE_ENDPOINTS", "here"), ("CONTROL_TABLE", _control), ("WRITE_LEASE_SECONDS", "6"), ("LEASE_PREFERENCE", preference));

    protected async Task MoveAsync(long epoch, string endpoint)
    {
        var register = new Register
        {
            Service = Service,
            Rev = _rev + 1,
            Observers = ["one", "two", "three"],
            Active = endpoint,
            Plan = new Plan($"{epoch:x8}", epoch, endpoint, [], new RecordSet("_failover." + Service, "TXT", 60, ["x"])),
        };
        Assert.Equal(ConditionalWrite.Written, await _store.WriteRegisterAsync(register, _rev == 0 ? null : _rev, Token));
        _rev++;
    }
}

/// <summary>Behind API Gateway.</summary>
public sealed class WriteModeThroughLambdaTests(LambdaWorld world) : WriteModeTests(world), IClassFixture<LambdaWorld>;

/// <summary>By itself.</summary>
public sealed class WriteModeThroughKestrelTests(KestrelWorld world) : WriteModeTests(world), IClassFixture<KestrelWorld>
{
    /// <summary>Lambda stops a process between requests only; a server's own may be stopped at any time. Its clocks go on: what it has read lets it write, and the right to it has ended.</summary>
    [Fact]
    public async Task A_process_that_was_stopped_between_its_read_and_its_write_writes_nothing()
    {
        const int Writers = 8;
        await MoveAsync(9, "here");
        using var api = await StartAsync("PreferAvailability");
        await api.AskAsync("PUT", "/items/s", "{}");
        Assert.Equal(HttpStatusCode.OK, (await api.AskAsync("PUT", "/items/s", "{}")).Status);
        var (held, writes) = (0, 0);
        world.Road.Happens = (operation, body) => !body.Contains("\"stopped-", StringComparison.Ordinal) ? Mishap.None
            : operation == "GetItem" ? Interlocked.Increment(ref held) > 0 ? Mishap.Held : Mishap.None
            : Interlocked.Increment(ref writes) > 0 ? Mishap.None : Mishap.None;
        var asked = Enumerable.Range(0, Writers).Select(i => api.AskAsync("PUT", $"/items/stopped-{i}", "{}")).ToList();
        while (held < Writers && !asked.Any(one => one.IsCompleted))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        await SignalAsync("STOP");
        world.Road.Release.SetResult();
        await Task.Delay(TimeSpan.FromSeconds(6.5), TimeProvider.System, TestContext.Current.CancellationToken);
        await SignalAsync("CONT");
        var answers = await Task.WhenAll(asked);

        Assert.Equal(0, writes);
        Assert.All(answers, answer => Assert.True(answer.Problem is "not-active" or "outcome-unknown", answer.Problem));
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = System.Diagnostics.Process.Start("sh", ["-c", $"kill -{signal} {world.ProcessId}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }
}
