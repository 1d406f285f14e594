using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using ARSoft.Tools.Net;
using ARSoft.Tools.Net.Dns;
using Failover.ControlPlane.Registers;
using Failover.LocalHost.Network;

namespace Failover.LocalHost.Check;

/// <summary>
/// The built-in rehearsal: write, replicate, write in both regions at once and see the audit name what was lost, lose the active region, move,
/// read through DNS, restore, catch up, move back by command once it is safe.
/// It uses the world as a person does, over HTTP and DNS, and prints what it saw as a JSON timeline.
/// </summary>
internal sealed class Rehearsal(World world, TimeProvider time)
{
    private static readonly TimeSpan StepTimeout = TimeSpan.FromSeconds(80);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(3) };
    private readonly JsonArray _timeline = [];
    private readonly long _start = time.GetTimestamp();

    /// <summary>Runs it; true if every step came true in time.</summary>
    public async Task<bool> RunAsync(TextWriter output, CancellationToken cancellationToken)
    {
        var ports = world.Options.Ports;
        string[] regions = [.. World.RegionNames.Take(World.ServingRegions)];
        string Items(int region, string id) => $"http://127.0.0.1:{ports.ItemApi(region)}/items/{id}";
        var ok = await StepAsync("every observer sees every endpoint up, and DNS shows epoch 0", async () =>
            await StateAsync(cancellationToken) is var state
            && state["observers"]!.AsArray().All(observer => regions.All(region => (string?)observer!["health"]![region] == "Up"))
            && (string?)Service(state)["active"] == regions[0] && Txt(state).Contains("epoch=0", StringComparison.Ordinal), cancellationToken);

        ok = ok && await StepAsync($"an item is written in {regions[0]}", async () =>
            (await _http.PutAsJsonAsync(Items(1, "rehearsal"), new { text = "before" }, cancellationToken)).StatusCode == HttpStatusCode.Created, cancellationToken);
        ok = ok && await StepAsync($"it is read in {regions[1]}", async () => await TextAsync(Items(2, "rehearsal"), cancellationToken) == "before", cancellationToken);

        string? pause = null;
        ok = ok && await StepAsync("replication is paused", async () =>
            (pause = (await world.BreakAsync(new Fault("", "replication-pause"))).Id) is not null, cancellationToken);
        ok = ok && await StepAsync("one item is written in both regions", async () =>
            (await _http.PutAsJsonAsync(Items(1, "conflict"), new { text = "loses" }, cancellationToken)).IsSuccessStatusCode
            && await WrittenAfterItAsync(Items(2, "conflict"), cancellationToken), cancellationToken);
        ok = ok && await StepAsync("replication flows again", () => world.HealAsync(pause!), cancellationToken);
        ok = ok && await StepAsync("the later write wins in both", async () =>
            await TextAsync(Items(1, "conflict"), cancellationToken) == "wins" && await TextAsync(Items(2, "conflict"), cancellationToken) == "wins", cancellationToken);
        ok = ok && await StepAsync("the audit names the lost update, its winner and its loser", () => IsTheOneFindingAsync(regions, cancellationToken), cancellationToken);

        string? fault = null;
        ok = ok && await StepAsync($"{regions[0]} is killed", async () =>
            (fault = (await world.BreakAsync(new Fault("", "region-down") { Region = regions[0], Mode = FaultMode.Refuse })).Id) is not null, cancellationToken);
        ok = ok && await StepAsync($"DNS answers {regions[1]}", async () => await ResolveAsync(cancellationToken) == Ports.Address(2), cancellationToken);
        ok = ok && await StepAsync("the item is read through the name", async () =>
            await TextAsync($"http://{await ResolveAsync(cancellationToken)}:{ports.Service}/items/rehearsal", cancellationToken) == "before", cancellationToken);
        ok = ok && await StepAsync("the move is verified and done", async () =>
            Service(await StateAsync(cancellationToken)) is var service && (string?)service["active"] == regions[1] && service["moving"] is null, cancellationToken);
        ok = ok && await StepAsync("an item is written through the name", async () =>
            (await _http.PutAsJsonAsync($"http://{await ResolveAsync(cancellationToken)}:{ports.Service}/items/during", new { text = "during" }, cancellationToken)).IsSuccessStatusCode, cancellationToken);

        ok = ok && await StepAsync($"{regions[0]} is restored", () => world.HealAsync(fault!), cancellationToken);
        ok = ok && await StepAsync($"{regions[0]} caught up", async () => await TextAsync(Items(1, "during"), cancellationToken) == "during", cancellationToken);
        ok = ok && await StepAsync("a move back is refused, for it is too soon", async () =>
            (await OrderBackAsync(cancellationToken)).Contains("have seen " + regions[0] + " up for", StringComparison.Ordinal), cancellationToken);
        ok = ok && await StepAsync($"{regions[0]} is seen up again", async () =>
            (await StateAsync(cancellationToken))["observers"]!.AsArray().Count(observer => (string?)observer!["health"]![regions[0]] == "Up") >= 2, cancellationToken);
        ok = ok && await StepAsync("a move back is obeyed, once it is safe", async () =>
            await OrderBackAsync(cancellationToken) == "moving back to " + regions[0], cancellationToken);
        ok = ok && await StepAsync($"DNS answers {regions[0]}, verified", async () =>
            await ResolveAsync(cancellationToken) == Ports.Address(1) && (string?)Service(await StateAsync(cancellationToken))["active"] == regions[0], cancellationToken);
        ok = ok && await StepAsync("nothing else was lost", () => IsTheOneFindingAsync(regions, cancellationToken), cancellationToken);

        await output.WriteLineAsync(new JsonObject { ["ok"] = ok, ["intervalSeconds"] = world.Options.Interval.TotalSeconds, ["timeline"] = _timeline }
            .ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        return ok;
    }

    /// <summary>Writes the item that wins: after the loser's write has been seen by the world, which orders them by arrival.</summary>
    private async Task<bool> WrittenAfterItAsync(string address, CancellationToken cancellationToken) =>
        await SoonAsync(() => Task.FromResult(world.Replicator.Backlog(World.RegionNames[0], World.RegionNames[1]) > TimeSpan.Zero), cancellationToken)
        && (await _http.PutAsJsonAsync(address, new { text = "wins" }, cancellationToken)).IsSuccessStatusCode;

    private async Task<bool> IsTheOneFindingAsync(string[] regions, CancellationToken cancellationToken) =>
        JsonNode.Parse(await _http.GetStringAsync(Page("findings"), cancellationToken))!.AsArray() is [{ } finding]
        && ((string?)finding["kind"], (string?)finding["key"]) == ("LostUpdate", "conflict")
        && ((string?)finding["loser"]!["version"])!.Contains(regions[0], StringComparison.Ordinal)
        && ((string?)finding["winner"]!["version"])!.Contains(regions[1], StringComparison.Ordinal);

    /// <summary>Orders a move back, and gives what became of it.</summary>
    private async Task<string> OrderBackAsync(CancellationToken cancellationToken)
    {
        using var ordered = await _http.PostAsJsonAsync(Page("commands"), new { kind = "MoveBack", by = "rehearsal" }, cancellationToken);
        var id = (string?)JsonNode.Parse(await ordered.Content.ReadAsStringAsync(cancellationToken))!["id"];
        CommandOutcome? outcome = null;
        await SoonAsync(async () => (outcome = (await world.ControlStore.ReadAsync(World.ServiceName, cancellationToken)).Register?.AnswerTo(id!)) is not null, cancellationToken);
        return outcome?.Says ?? "not answered";
    }

    /// <summary>Whether it comes true within a few ticks.</summary>
    private async Task<bool> SoonAsync(Func<Task<bool>> isTrue, CancellationToken cancellationToken)
    {
        for (var start = time.GetTimestamp(); time.GetElapsedTime(start) < 5 * world.Options.Interval; await Task.Delay(PollInterval, time, cancellationToken))
        {
            if (await isTrue())
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Tries a step until it comes true, and notes when it did.</summary>
    private async Task<bool> StepAsync(string what, Func<Task<bool>> isTrue, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        var why = "it did not come true";
        while (time.GetElapsedTime(start) < StepTimeout)
        {
            try
            {
                if (await isTrue())
                {
                    Note(what, start, null);
                    return true;
                }
            }
            catch (Exception error) when (error is HttpRequestException or JsonException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
            {
                why = error.Message;
            }

            await Task.Delay(PollInterval, time, cancellationToken);
        }

        Note(what, start, $"not within {StepTimeout.TotalSeconds:0} s: {why}");
        return false;
    }

    private void Note(string what, long start, string? failure) => _timeline.Add((JsonNode)new JsonObject
    {
        ["atMs"] = (long)time.GetElapsedTime(_start).TotalMilliseconds,
        ["tookMs"] = (long)time.GetElapsedTime(start).TotalMilliseconds,
        ["step"] = what,
        ["failure"] = failure,
    });

    private async Task<JsonObject> StateAsync(CancellationToken cancellationToken) =>
        JsonNode.Parse(await _http.GetStringAsync(Page("state"), cancellationToken))!.AsObject();

    private Uri Page(string path) => new($"http://127.0.0.1:{world.Options.Ports.Page}/{path}");

    private static JsonNode Service(JsonObject state) => state["services"]![0]!;

    private static string Txt(JsonObject state) => (string?)Service(state)["answer"]!["txt"] ?? "";

    private async Task<string?> TextAsync(string address, CancellationToken cancellationToken)
    {
        using var response = await _http.GetAsync(new Uri(address), cancellationToken);
        return response.IsSuccessStatusCode ? (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellationToken))!["text"] : null;
    }

    private async Task<string?> ResolveAsync(CancellationToken cancellationToken)
    {
        using var client = new DnsClient([IPAddress.Loopback], [new UdpClientTransport(world.Options.Ports.Dns())], true, 1000);
        var answer = await client.ResolveAsync(DomainName.Parse(World.ServiceName), RecordType.A, token: cancellationToken);
        return answer?.AnswerRecords.OfType<ARecord>().FirstOrDefault()?.Address.ToString();
    }
}
