using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using ARSoft.Tools.Net;
using ARSoft.Tools.Net.Dns;
using Failover.LocalHost.Network;

namespace Failover.LocalHost.Check;

/// <summary>
/// The built-in rehearsal: write, replicate, lose the active region, move, read through DNS, restore, catch up, move back by command.
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
        ok = ok && await StepAsync($"{regions[0]} is seen up again", async () =>
            (await StateAsync(cancellationToken))["observers"]!.AsArray().Count(observer => (string?)observer!["health"]![regions[0]] == "Up") >= 2, cancellationToken);
        ok = ok && await StepAsync("a move back is ordered", async () =>
            (await _http.PostAsJsonAsync(
                $"http://127.0.0.1:{ports.Page}/commands", new { kind = "Move", to = regions[0], by = "rehearsal" }, cancellationToken)).StatusCode == HttpStatusCode.Accepted, cancellationToken);
        ok = ok && await StepAsync($"DNS answers {regions[0]}, verified", async () =>
            await ResolveAsync(cancellationToken) == Ports.Address(1) && (string?)Service(await StateAsync(cancellationToken))["active"] == regions[0], cancellationToken);

        await output.WriteLineAsync(new JsonObject { ["ok"] = ok, ["intervalSeconds"] = world.Options.Interval.TotalSeconds, ["timeline"] = _timeline }
            .ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        return ok;
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
        JsonNode.Parse(await _http.GetStringAsync(new Uri($"http://127.0.0.1:{world.Options.Ports.Page}/state"), cancellationToken))!.AsObject();

    private static JsonNode Service(JsonObject state) => state["services"]![0]!;

    private static string Txt(JsonObject state) => (string?)Service(state)["answer"]!["txt"] ?? "";

    private async Task<string?> TextAsync(string address, CancellationToken cancellationToken)
    {
        using var response = await _http.GetAsync(new Uri(address), cancellationToken);
        return response.IsSuccessStatusCode ? (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellationToken))!["text"] : null;
    }

    private async Task<string?> ResolveAsync(CancellationToken cancellationToken)
    {
        using var client = new DnsClient([IPAddress.Loopback], [new UdpClientTransport(world.Options.Ports.Dns)], true, 1000);
        var answer = await client.ResolveAsync(DomainName.Parse(World.ServiceName), RecordType.A, token: cancellationToken);
        return answer?.AnswerRecords.OfType<ARecord>().FirstOrDefault()?.Address.ToString();
    }
}
