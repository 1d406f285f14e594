using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using DnsClient;

namespace Failover.Benchmarks;

/// <summary>
/// Kills the endpoint that serves, again and again at random moments, and measures the time until DNS first answers another: of LocalHost with the real functions, and of gdnsd beside it,
/// which checks the same addresses with the same interval, count of failures and deadline, and is killed by the same kills.
/// </summary>
internal static class FailoverRace
{
    private const string Primary = "127.0.0.11";
    private const string Secondary = "127.0.0.12";
    private const string Name = "app.example.test";
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    public static async Task<int> RunAsync(int interval, int kills, bool hang, string fault, int portBase, CancellationToken cancellationToken)
    {
        var random = new Random(1);
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{portBase + 70}/"), Timeout = TimeSpan.FromSeconds(10) };
        using var world = StartWorld(interval, portBase);
        Gdnsd? peer = null;
        try
        {
            await UntilAsync(async () => await UpEverywhereAsync(http), cancellationToken);
            peer = Gdnsd.Start(Math.Max(2, interval), timeout: Math.Max(1, Math.Min(3, interval / 2)), portBase);
            var ours = Client(portBase + 53);
            var theirs = peer is null ? null : Client(peer.Port);
            var (us, them) = (new List<double>(), new List<double>());

            // One kill in each of as many equal parts of an interval, in a drawn order: drawn freely, twenty would make the medians differ by where they happened to fall between the two checks.
            var parts = Enumerable.Range(0, kills).ToArray();
            random.Shuffle(parts);
            for (var kill = 0; kill < kills; kill++)
            {
                await UntilAsync(async () => await UpEverywhereAsync(http) && await AddressAsync(ours, Name) == Primary && (theirs is null || await AddressAsync(theirs, "www.peer.test") == Primary), cancellationToken);

                // gdnsd forgives failures after clean checks, ours after six: both are past that; the moment within an interval is drawn.
                await Task.Delay(TimeSpan.FromSeconds((2 * Math.Max(2, interval)) + ((parts[kill] + random.NextDouble()) / kills * interval)), TimeProvider.System, cancellationToken);
                await SendAsync(http, "faults", fault == "region-down" ? new { kind = fault, region = "us-east-1", mode = Mode(hang) } : new { kind = fault, endpoint = "us-east-1", mode = Mode(hang) }, cancellationToken);
                var start = Stopwatch.GetTimestamp();
                var answers = await Task.WhenAll(
                    ChangedAsync(ours, Name, start, cancellationToken), theirs is null ? Task.FromResult(double.NaN) : ChangedAsync(theirs, "www.peer.test", start, cancellationToken));
                us.Add(answers[0]);
                them.Add(answers[1]);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"kill {kill + 1,3}: {answers[0]:0.00} s, gdnsd {answers[1]:0.00} s"));
                await UntilAsync(async () => (await http.GetFromJsonAsync<JsonNode>("state", cancellationToken))!["services"]![0]!["moving"] is null, cancellationToken);
                using (await http.DeleteAsync(new Uri("faults", UriKind.Relative), cancellationToken))
                {
                }

                await UntilAsync(async () => await UpEverywhereAsync(http), cancellationToken);
                await SendAsync(http, "commands", new { kind = "Move", to = "us-east-1" }, cancellationToken);
                await UntilAsync(async () => await AddressAsync(ours, Name) == Primary && (await http.GetFromJsonAsync<JsonNode>("state", cancellationToken))!["services"]![0]!["moving"] is null, cancellationToken);
                await SendAsync(http, "commands", new { kind = "Ack" }, cancellationToken);
                await UntilAsync(async () => (string?)(await http.GetFromJsonAsync<JsonNode>("state", cancellationToken))!["services"]![0]!["lastCommand"] == "acknowledged", cancellationToken);
            }

            Console.WriteLine($"{$"{fault}, {Mode(hang)}, every {interval} s, {kills} kills",-48}{"p50 s",9}{"p99 s",9}{"least",9}{"most",9}");
            Row("ours", us);
            if (peer is not null)
            {
                Row($"gdnsd, every {Math.Max(2, interval)} s", them);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"earlier than gdnsd at the median: {At(them, 0.5) - At(us, 0.5):0.00} s; kill by kill {At([.. them.Zip(us, (theirs, ours) => theirs - ours)], 0.5):0.00} s; ratio {At(us, 0.5) / At(them, 0.5):0.00}"));
            }

            return 0;
        }
        finally
        {
            peer?.Dispose();
            world.Kill();
            await world.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static string Mode(bool hang) => hang ? "hang" : "refuse";

    private static void Row(string who, List<double> seconds) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{who,-48}{At(seconds, 0.5),9:0.00}{At(seconds, 0.99),9:0.00}{seconds.Min(),9:0.00}{seconds.Max(),9:0.00}"));

    private static double At(List<double> seconds, double share) => seconds.Order().ElementAt(Math.Min(seconds.Count - 1, (int)(seconds.Count * share)));

    private static Process StartWorld(int interval, int portBase)
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        return Process.Start(new ProcessStartInfo(
            Path.Combine(here.Parent!.Parent!.FullName, "LocalHost", here.Name, "LocalHost"),
            ["--interval", interval.ToString(CultureInfo.InvariantCulture), "--port-base", portBase.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardOutput = true })!;
    }

    private static LookupClient Client(int port) => new(new LookupClientOptions(new IPEndPoint(IPAddress.Loopback, port)) { UseCache = false, Retries = 0, Timeout = TimeSpan.FromSeconds(1), ThrowDnsErrors = false });

    private static async Task<string?> AddressAsync(LookupClient dns, string name)
    {
        try
        {
            return (await dns.QueryAsync(name, QueryType.A)).Answers.ARecords().FirstOrDefault()?.Address.ToString();
        }
        catch (DnsResponseException)
        {
            return null;
        }
    }

    private static async Task<double> ChangedAsync(LookupClient dns, string name, long start, CancellationToken cancellationToken)
    {
        while (await AddressAsync(dns, name) != Secondary)
        {
            await Task.Delay(Poll, TimeProvider.System, cancellationToken);
        }

        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static async Task<bool> UpEverywhereAsync(HttpClient http)
    {
        try
        {
            var observers = (await http.GetFromJsonAsync<JsonNode>("state"))!["observers"]!.AsArray();
            return observers.All(observer => observer!["health"] is JsonObject { Count: > 0 } health && health.All(endpoint => (string?)endpoint.Value == "Up") && observer["ballotAgeMs"]!.GetValue<long>() < 25_000);
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task SendAsync(HttpClient http, string path, object body, CancellationToken cancellationToken)
    {
        using var answer = await http.PostAsJsonAsync(path, body, cancellationToken);
        answer.EnsureSuccessStatusCode();
    }

    private static async Task UntilAsync(Func<Task<bool>> holds, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(TimeSpan.FromMinutes(5));
        while (!await holds())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, patience.Token);
        }
    }

    /// <summary>gdnsd 3 as Debian has it, without privileges, on a port of its own.</summary>
    private sealed class Gdnsd : IDisposable
    {
        private const string Program = "/usr/sbin/gdnsd";
        private readonly Process _process;
        private readonly DirectoryInfo _directory;

        private Gdnsd(Process process, DirectoryInfo directory, int port) => (_process, _directory, Port) = (process, directory, port);

        public int Port { get; }

        /// <summary>Null where it is not installed.</summary>
        public static Gdnsd? Start(int interval, int timeout, int portBase)
        {
            if (!File.Exists(Program))
            {
                Console.WriteLine("gdnsd is not installed: nothing to hold it against.");
                return null;
            }

            var port = portBase + 99;
            var directory = Directory.CreateTempSubdirectory("gdnsd-");
            var zones = directory.CreateSubdirectory("etc/zones");
            File.WriteAllText(Path.Combine(directory.FullName, "etc", "config"), $$"""
                options => { listen => [ 127.0.0.1:{{port}} ], run_dir => {{directory.FullName}}/run, state_dir => {{directory.FullName}}/state, min_ttl => 1, udp_threads => 1, tcp_threads => 1 }
                service_types => { web => { plugin => http_status, port => {{portBase + 60}}, url_path => /health/ready, vhost => {{Name}}, ok_codes => [ 200 ],
                    interval => {{interval}}, timeout => {{timeout}}, up_thresh => 2, ok_thresh => 2, down_thresh => 3 } }
                plugins => { simplefo => { pair => { service_types => web, primary => {{Primary}}, secondary => {{Secondary}} } } }
                """);
            File.WriteAllText(Path.Combine(zones.FullName, "peer.test"), """
                $TTL 60
                @   SOA ns1 hostmaster ( 1 7200 30M 3D 60 )
                @   NS ns1
                ns1 A 127.0.0.1
                www 30/1 DYNA simplefo!pair

                """);

            // It refuses to be root; and a shell's setpriv becomes it, so that its process is ours to end.
            Process.Start("chown", ["-R", "65534:65534", directory.FullName])!.WaitForExit();
            var process = Process.Start(new ProcessStartInfo(
                "setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", Program, "-c", Path.Combine(directory.FullName, "etc"), "start"]) { RedirectStandardError = true })!;
            process.BeginErrorReadLine();
            return new Gdnsd(process, directory, port);
        }

        public void Dispose()
        {
            _process.Kill();
            _process.WaitForExit();
            _process.Dispose();
            _directory.Delete(recursive: true);
        }
    }
}
