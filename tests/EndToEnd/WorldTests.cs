using System.Net;
using System.Text.Json.Nodes;

namespace Failover.EndToEnd;

/// <summary>The whole world: real processes, real sockets, a real engine. One world at a time: two of them on two cores would starve each other.</summary>
public class WorldTests(ITestOutputHelper output)
{
    [Fact]
    public async Task The_rehearsal_comes_true()
    {
        await using var world = LocalHostProcess.Start("--check");
        var printed = await world.Process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await world.Process.WaitForExitAsync(TestContext.Current.CancellationToken);
        output.WriteLine(printed);

        Assert.Equal(0, world.Process.ExitCode);
        Assert.True((bool)JsonNode.Parse(printed)!["ok"]!);
        Assert.Empty(world.FunctionProcesses());
    }

    /// <summary>One world, hurt in one way after another.</summary>
    [Fact]
    public async Task What_must_not_move_it_does_not_and_what_must_does()
    {
        await using var world = LocalHostProcess.Start("--interval", "2");
        await LocalHostProcess.EventuallyAsync("every observer sees every endpoint up", async () =>
            (await world.StateAsync())["observers"]!.AsArray().All(observer => Health(observer!, "us-east-1") == "Up" && Health(observer!, "us-west-2") == "Up"));

        // A blip of three seconds, and one observer that is cut off: neither moves anything.
        var fault = await world.BreakAsync(new { kind = "endpoint-down", endpoint = "us-east-1", mode = "refuse" });
        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System, TestContext.Current.CancellationToken);
        await world.HealAsync(fault);
        fault = await world.BreakAsync(new { kind = "observer-isolated", region = "us-west-2" });
        await LocalHostProcess.EventuallyAsync("the isolated observer votes no more", async () =>
            (await world.StateAsync())["observers"]!.AsArray().Single(observer => (string?)observer!["name"] == "us-west-2")!["ballotAgeMs"]!.GetValue<long>() > 9000);
        await LocalHostProcess.EventuallyAsync("it says so in its journal", async () =>
            (await world.JournalAsync()).Any(entry => (string?)entry!["observer"] == "us-west-2" && (string?)entry["diagnosis"] == "ObserverIsolated"));
        Assert.Equal((0, "us-east-1"), await ServingAsync(world));
        await world.HealAsync(fault);

        // A person's edit freezes the name, and taking it back thaws it.
        await world.EditAsync("127.0.0.99");
        await LocalHostProcess.EventuallyAsync("the edit freezes the name", async () =>
            (await world.JournalAsync()).TakeLast(6).Any(entry => entry!["held"]!.AsArray().Any(reason => (string?)reason == "ForeignRecord")));
        Assert.Equal("127.0.0.99", await world.AddressAsync());
        await world.EditAsync("127.0.0.11");

        // A region that is lost, without a word: its processes are dead, the other two are a majority, and the name moves, though one answer in three is lost.
        await world.BreakAsync(new { kind = "control-lost-answer", share = 0.3 });
        await LocalHostProcess.EventuallyAsync("all vote again", async () =>
            (await world.StateAsync())["observers"]!.AsArray().All(observer => observer!["ballotAgeMs"]!.GetValue<long>() < 5000));
        await world.BreakAsync(new { kind = "region-down", region = "us-east-1", mode = "hang" });
        if (OperatingSystem.IsLinux())
        {
            Assert.Empty(world.FunctionProcesses("us-east-1"));
            Assert.NotEmpty(world.FunctionProcesses("us-west-2"));
        }

        await LocalHostProcess.EventuallyAsync("the name moves", async () => await world.AddressAsync() == "127.0.0.12");
        await LocalHostProcess.EventuallyAsync("the move is done", async () => await ServingAsync(world) is (1 or 2 or 3, "us-west-2") && (await world.StateAsync())["services"]![0]!["moving"] is null);

        // Killed outright, it leaves nothing behind.
        if (OperatingSystem.IsLinux())
        {
            world.Process.Kill();
            await LocalHostProcess.EventuallyAsync("no process is left", () => Task.FromResult(world.FunctionProcesses().Count == 0), seconds: 10);
        }
    }

    /// <summary>A script's background, a change of the interval under way, and a signal that ends it all.</summary>
    [Fact]
    public async Task Another_interval_is_rolled_out_and_a_signal_ends_the_world()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals are Unix's.");
        await using var world = LocalHostProcess.StartInBackground("--interval", "3");
        await LocalHostProcess.EventuallyAsync("every observer votes", async () =>
            (await world.StateAsync())["observers"]!.AsArray().All(observer => observer!["ballotAgeMs"] is not null));
        var old = world.FunctionProcesses();

        Assert.Equal(HttpStatusCode.Accepted, await world.RollOutAsync(2, 1));
        Assert.Equal(HttpStatusCode.Conflict, await world.RollOutAsync(1, 1));
        Assert.Equal(HttpStatusCode.BadRequest, await world.RollOutAsync(0, 1));
        await LocalHostProcess.EventuallyAsync("every region has the new interval", async () =>
            await world.StateAsync() is var state && !(bool)state["rollingOut"]!
                && state["regions"]!.AsArray().All(region => (int)region!["intervalSeconds"]! == 2));
        await LocalHostProcess.EventuallyAsync("every observer votes, from a new process", async () =>
            (await world.StateAsync())["observers"]!.AsArray().All(observer => observer!["ballotAgeMs"]!.GetValue<long>() < 6000)
            && (!OperatingSystem.IsLinux() || world.FunctionProcesses().Except(old).Count() >= 3));

        await world.SignalAsync("INT");
        await LocalHostProcess.EventuallyAsync("the world has ended", () => Task.FromResult(world.Process.HasExited), seconds: 20);
        Assert.Equal(0, world.Process.ExitCode);
    }

    /// <summary>Three services, moved by the switch, by Route 53's records and by DigitalOcean's, over a control table that is slow and contended.</summary>
    [Fact]
    public async Task Every_lever_moves_its_service()
    {
        await using var world = LocalHostProcess.Start("--interval", "3", "--services", "3", "--lever", "switch", "--metric-period", "3");
        await LocalHostProcess.EventuallyAsync("every observer sees all four endpoints up", async () =>
            (await world.StateAsync())["observers"]!.AsArray().All(observer => observer!["health"] is JsonObject { Count: 4 } health && health.All(endpoint => (string?)endpoint.Value == "Up")), seconds: 150);
        await world.BreakAsync(new { kind = "control-slow", ms = 50 });
        await world.BreakAsync(new { kind = "control-conflict", share = 0.3 });

        // An endpoint that is there half of the time, and Route 53's API is gone: the switch needs none.
        var api = await world.BreakAsync(new { kind = "dns-api-down" });
        var flap = await world.BreakAsync(new { kind = "endpoint-flap", endpoint = "us-east-1", periodMs = 4000 });
        await LocalHostProcess.EventuallyAsync("the switch moves the first", async () => (await world.AnswerAsync("app.example.test")).Address == "127.0.0.12");
        Assert.Equal("127.0.0.11", (await world.AnswerAsync("shop.example.test")).Address);
        await world.HealAsync(api);
        await LocalHostProcess.EventuallyAsync("the records move the second", async () => (await world.AnswerAsync("shop.example.test")) is { Address: "127.0.0.12", Txt: { } txt } && txt.Contains("active=us-west-2", StringComparison.Ordinal));
        await world.HealAsync(flap);

        // A load balancer whose droplets are off.
        await world.PowerOffAsync(101);
        await world.PowerOffAsync(102);
        await LocalHostProcess.EventuallyAsync("DigitalOcean's records move the third", async () => (await world.AnswerAsync("app.example.digital")) is { Address: "127.0.0.22", Txt: { } txt } && txt.Contains("active=sfo3", StringComparison.Ordinal));
    }

    /// <summary>The real API, the real streams: nothing is found in ordinary traffic, and each conflict once.</summary>
    [Fact]
    public async Task The_audit_names_what_was_lost_and_nothing_else()
    {
        await using var world = LocalHostProcess.Start("--interval", "10");
        await LocalHostProcess.EventuallyAsync("both regions take writes", async () => await world.PutAsync(1, "first") && await world.PutAsync(2, "second"));
        await Parallel.ForEachAsync(Enumerable.Range(0, 200), Two, (i, _) => new ValueTask(world.WriteAsync(1 + (i % 2), $"item-{i}")));
        await world.CaughtUpAsync();
        await Parallel.ForEachAsync(Enumerable.Range(0, 50), Two, async (i, _) =>
        {
            for (var overwrite = 0; overwrite < 5; overwrite++)
            {
                await world.WriteAsync(1, $"item-{i}");
            }
        });
        await world.CaughtUpAsync();
        Assert.Empty(await world.FindingsAsync());

        // During a pause: who writes first loses. Between the two the replicator, which orders by arrival, must have seen the first.
        var pause = await world.BreakAsync(new { kind = "replication-pause" });
        foreach (var (key, first, writes, deletes) in new[] { ("item-1", 1, 1, false), ("item-2", 2, 1, false), ("item-3", 1, 3, false), ("item-4", 1, 1, true) })
        {
            for (var i = 0; i < writes; i++)
            {
                await (deletes ? LocalHostProcess.EventuallyAsync($"{key} is deleted", () => world.DeleteAsync(first, key)) : world.WriteAsync(first, key));
            }

            await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, TestContext.Current.CancellationToken);
            await world.WriteAsync(3 - first, key);
        }

        await world.HealAsync(pause);
        await LocalHostProcess.EventuallyAsync("each conflict is found", async () => (await world.FindingsAsync()).Count == 4);
        await world.CaughtUpAsync();
        var findings = await world.FindingsAsync();
        Assert.Equal(
            ["item-1 us-east-1 us-west-2", "item-2 us-west-2 us-east-1", "item-3 us-east-1 us-west-2", "item-4 us-east-1 us-west-2"],
            findings.Select(finding => $"{finding!["key"]} {Region(finding["loser"]!)} {Region(finding["winner"]!)}").Order());
        Assert.All(findings, finding => Assert.Equal("LostUpdate", (string?)finding!["kind"]));

        // What replication loses is found by a comparison, and mended by a repair.
        var drop = await world.BreakAsync(new { kind = "replication-drop", from = "us-east-1", to = "us-west-2" });
        await world.WriteAsync(1, "item-5");
        await world.WriteAsync(1, "nowhere-else");
        await world.CaughtUpAsync();
        await world.HealAsync(drop);
        var (id, found) = await world.CompareAsync("Different");
        Assert.Equal(["item-5 Changed", "nowhere-else Missing"], found.Select(difference => $"{difference!["key"]} {difference["kind"]}").Order());
        Assert.All(await world.RepairAsync(id), outcome => Assert.Equal("Repaired", (string?)outcome!["state"]));
        Assert.Empty((await world.CompareAsync("Equal")).Found);

        static string Region(JsonNode image) => ((string)image["version"]!)[17..26];
    }

    /// <summary>Each call at once may start a process of its own, as in Lambda: more than two would wait for those on two cores.</summary>
    private static readonly ParallelOptions Two = new() { MaxDegreeOfParallelism = 2 };

    private static string? Health(JsonNode observer, string endpoint) => (string?)observer["health"]![endpoint];

    private static async Task<(long Epoch, string Active)> ServingAsync(LocalHostProcess world)
    {
        var service = (await world.StateAsync())["services"]![0]!;
        return (service["epoch"]!.GetValue<long>(), (string)service["active"]!);
    }
}
