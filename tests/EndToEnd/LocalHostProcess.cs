using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using DnsClient;

namespace Failover.EndToEnd;

/// <summary>LocalHost in a process of its own, used as a person uses it: over HTTP, DNS and signals.</summary>
internal sealed class LocalHostProcess : IAsyncDisposable
{
    /// <summary>As patient as API Gateway lets a client be: how fast answers come is not what is tested here, and the machine may be busy.</summary>
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(30) };
    private readonly LookupClient _dns;

    private LocalHostProcess(Process process, int portBase)
    {
        (Process, PortBase) = (process, portBase);
        _dns = new LookupClient(new LookupClientOptions(new IPEndPoint(IPAddress.Loopback, portBase + 53)) { UseCache = false, Retries = 2, Timeout = TimeSpan.FromSeconds(1) });
    }

    public Process Process { get; }

    public int PortBase { get; }

    /// <summary>Starts it as a script does in its background: with SIGINT ignored (Unix).</summary>
    public static LocalHostProcess StartInBackground(params string[] arguments)
    {
        var portBase = FreeBase();
        string[] shell = ["-c", "trap '' INT; exec \"$0\" \"$@\"", Program, .. arguments, "--port-base",
            portBase.ToString(CultureInfo.InvariantCulture)];
        return new LocalHostProcess(Process.Start(new ProcessStartInfo("/bin/sh", shell) { RedirectStandardOutput = true })!, portBase);
    }

    private static string Program { get; } = ProgramPath();

    private static string ProgramPath()
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        return Path.Combine(
            here.Parent!.Parent!.FullName, "LocalHost", here.Name, OperatingSystem.IsWindows() ? "LocalHost.exe" : "LocalHost");
    }

    public static LocalHostProcess Start(params string[] arguments)
    {
        var portBase = FreeBase();
        var info = new ProcessStartInfo(Program,
            [.. arguments, "--port-base", portBase.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardOutput = true };
        return new LocalHostProcess(Process.Start(info)!, portBase);
    }

    public async Task<JsonNode> StateAsync() => (await _http.GetFromJsonAsync<JsonNode>(Page("state")))!;

    public async Task<JsonArray> JournalAsync() => (await _http.GetFromJsonAsync<JsonArray>(Page("journal")))!;

    public async Task<JsonArray> FindingsAsync() => (await _http.GetFromJsonAsync<JsonArray>(Page("findings")))!;

    /// <summary>Writes an item through a region's API: true if it took it.</summary>
    public async Task<bool> PutAsync(int region, string id)
    {
        using var response = await _http.PutAsJsonAsync(Item(region, id), new { at = TimeProvider.System.GetTimestamp() });
        return response.IsSuccessStatusCode;
    }

    /// <summary>Writes until it is taken, as a client does that is told to try again.</summary>
    public Task WriteAsync(int region, string id) => EventuallyAsync($"{id} is taken", () => PutAsync(region, id));

    public async Task<bool> DeleteAsync(int region, string id)
    {
        using var response = await _http.DeleteAsync(Item(region, id));
        return response.IsSuccessStatusCode;
    }

    /// <summary>Waits until everything is delivered, and the audit has had the time to look at it.</summary>
    public async Task CaughtUpAsync()
    {
        await EventuallyAsync("everything is delivered", async () => (await StateAsync())["replication"]!.AsArray().All(pair => pair!["lagMs"]!.GetValue<long>() == 0));
        await Task.Delay(TimeSpan.FromSeconds(1.5), TimeProvider.System);
    }

    /// <summary>Compares the tables, up to some seconds from now.</summary>
    public async Task<(string Id, JsonArray Found)> CompareAsync(string outcome)
    {
        // Up to three seconds before it is asked for.
        await Task.Delay(TimeSpan.FromSeconds(4), TimeProvider.System);
        using var response = await _http.PostAsync(Page("comparisons"), null);
        var id = (string)(await response.Content.ReadFromJsonAsync<JsonNode>())!["id"]!;
        JsonNode? comparison = null;
        await EventuallyAsync("the comparison ends", async () => (comparison = await _http.GetFromJsonAsync<JsonNode>(Page("comparisons/" + id)))!["outcome"] is not null);
        Assert.Equal(outcome, (string?)comparison!["outcome"]);
        return (id, comparison["found"]!.AsArray());
    }

    /// <summary>Repairs what a comparison found.</summary>
    public async Task<JsonArray> RepairAsync(string comparison)
    {
        using var response = await _http.PostAsJsonAsync(Page("repairs"), new { comparison, apply = true });
        return (await response.Content.ReadFromJsonAsync<JsonArray>())!;
    }

    /// <summary>Sends a signal by its name: INT, TERM (Unix).</summary>
    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", ["-" + signal, Process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);
    }

    /// <summary>Asks for a change of the interval, and gives the status.</summary>
    public async Task<HttpStatusCode> RollOutAsync(int intervalSeconds, int pauseSeconds)
    {
        using var response = await _http.PostAsJsonAsync(Page("rollouts"), new { intervalSeconds, pauseSeconds });
        return response.StatusCode;
    }

    public async Task<string> BreakAsync(object fault)
    {
        using var response = await _http.PostAsJsonAsync(Page("faults"), fault);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        return (string)(await response.Content.ReadFromJsonAsync<JsonNode>())!["id"]!;
    }

    public async Task HealAsync(string id) => Assert.Equal(HttpStatusCode.NoContent, (await _http.DeleteAsync(Page("faults/" + id))).StatusCode);

    public async Task<string?> AddressAsync() => (await _dns.QueryAsync("app.example.test", QueryType.A)).Answers.ARecords().FirstOrDefault()?.Address.ToString();

    /// <summary>Switches a droplet off at DigitalOcean's API.</summary>
    public async Task PowerOffAsync(int droplet)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{PortBase + 91}/v2/droplets/{droplet}/actions") { Content = JsonContent.Create(new { type = "power_off" }) };
        request.Headers.Authorization = new("Bearer", "local-digitalocean");
        using var response = await _http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
    }

    /// <summary>What a name answers, and what its state TXT says.</summary>
    public async Task<(string? Address, string? Txt)> AnswerAsync(string name) => (
        (await _dns.QueryAsync(name, QueryType.A)).Answers.ARecords().FirstOrDefault()?.Address.ToString(),
        (await _dns.QueryAsync("_failover." + name, QueryType.TXT)).Answers.TxtRecords().FirstOrDefault()?.Text.First());

    /// <summary>Sends a batch to Route 53's API, as somebody who is not one of us.</summary>
    public async Task EditAsync(string address)
    {
        var batch = $"""
            <ChangeResourceRecordSetsRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ChangeBatch><Changes><Change><Action>UPSERT</Action>
            <ResourceRecordSet><Name>app.example.test.</Name><Type>A</Type><TTL>5</TTL><ResourceRecords><ResourceRecord><Value>{address}</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>
            </Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>
            """;
        using var response = await _http.PostAsync(new Uri($"http://127.0.0.1:{PortBase + 90}/2013-04-01/hostedzone/Z0LOCALHOST/rrset/"), new StringContent(batch));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    /// <summary>The function processes of this world, or of one region of it, by what their environment says (Linux).</summary>
    public IReadOnlyList<int> FunctionProcesses(string? region = null) =>
    [
        .. Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _))
            .Where(id => Environment(id!) is var environment
                && environment.Contains($"AWS_ENDPOINT_URL=http://127.0.0.1:{PortBase / 100}8", StringComparison.Ordinal)
                && (region is null || environment.Contains($"AWS_REGION={region}\0", StringComparison.Ordinal)))
            .Select(id => int.Parse(id!, CultureInfo.InvariantCulture)),
    ];

    public static async Task EventuallyAsync(string what, Func<Task<bool>> isTrue, int seconds = 80)
    {
        var start = TimeProvider.System.GetTimestamp();
        Exception? last = null;
        while (TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(seconds))
        {
            try
            {
                if (await isTrue())
                {
                    return;
                }
            }
            catch (Exception error) when (error is HttpRequestException or TaskCanceledException or DnsResponseException)
            {
                last = error;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }

        Assert.Fail($"Not within {seconds} s: {what}. {last?.Message}");
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (!Process.HasExited)
        {
            Process.Kill();
            await Process.WaitForExitAsync();
        }

        Process.Dispose();
    }

    private Uri Item(int region, string id) => new($"http://127.0.0.1:{PortBase + 70 + region}/items/{id}");

    private Uri Page(string path) => new($"http://127.0.0.1:{PortBase + 70}/{path}");

    private static string Environment(string id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/environ");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>A hundred free ports in a row, well below those that systems hand out.</summary>
    private static int FreeBase()
    {
        for (var portBase = 11_000; portBase < 30_000; portBase += 100)
        {
            try
            {
                foreach (var port in new[] { 41, 45, 53, 54, 60, 70, 71, 81, 90, 91 })
                {
                    using var listener = new TcpListener(IPAddress.Loopback, portBase + port);
                    listener.Start();
                }

                return portBase;
            }
            catch (SocketException)
            {
                // Taken; the next hundred.
            }
        }

        throw new InvalidOperationException("There are no hundred free ports in a row.");
    }
}
