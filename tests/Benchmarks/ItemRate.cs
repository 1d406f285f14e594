using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Amazon.DynamoDBv2.Model;
using Failover.LocalHost.Network;
using Failover.Testing;

namespace Failover.Benchmarks;

/// <summary>What a warm request of the item API takes, of the published binary: through Lambda's door, and through Kestrel with wrk.</summary>
internal static partial class ItemRate
{
    private const int Warm = 5000;

    public static async Task<int> RunAsync(string directory, CancellationToken cancellationToken)
    {
        await using var engine = await TestEngine.StartAsync();
        var (api, bare) = (await Subject.ItemApiAsync(engine), Subject.BareLoop());
        var measured = await RuntimeApi.RunAsync(new Artefact(api.Name, Path.Combine(directory, api.Name)), api.Event(), api.Environment, Warm);
        var loop = await RuntimeApi.RunAsync(new Artefact(bare.Name, Path.Combine(directory, bare.Name)), bare.Event(), bare.Environment, Warm);
        var reads = await ReadsAsync(engine.Address, api.Environment["ITEMS_TABLE"], cancellationToken);
        Console.WriteLine($"{"a warm request, ms",-44}{"p50",10}{"p99",10}");
        Tell("GET of an item, through Lambda's door", measured.Warm);
        Tell("the bare loop: the Runtime API's own part", loop.Warm);
        Tell("a GetItem by hand: the engine's own part", reads);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"ours: the first without the other two",-44}{At(measured.Warm, 0.5) - At(loop.Warm, 0.5) - At(reads, 0.5),10:0.000}{At(measured.Warm, 0.99) - At(loop.Warm, 0.99) - At(reads, 0.99),10:0.000}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"peak memory after {Warm} requests: {measured.PeakMemory / 1048576.0:0.0} MiB"));
        await AllocationsAsync(engine, api.Environment["ITEMS_TABLE"], cancellationToken);
        await KestrelAsync(Path.Combine(directory, api.Name, api.Name), api.Environment, cancellationToken);
        return 0;
    }

    /// <summary>The server that others are held against: it answers two bytes.</summary>
    public static async Task<int> RunEmptyServerAsync(int port, CancellationToken cancellationToken)
    {
        await using var door = new Door(new IPEndPoint(IPAddress.Loopback, port), context =>
        {
            context.Response.ContentLength = 2;
            return context.Response.Body.WriteAsync("{}"u8.ToArray()).AsTask();
        });
        await door.SetOpenAsync(true);
        await Task.Delay(TimeSpan.FromMinutes(2), TimeProvider.System, cancellationToken).ContinueWith(_ => { }, TaskScheduler.Default);
        return 0;
    }

    private static async Task<List<double>> ReadsAsync(Uri engine, string table, CancellationToken cancellationToken)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var times = new List<double>();
        for (var i = 0; i < Warm; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, engine) { Content = new StringContent("{\"TableName\":\"" + table + "\",\"Key\":{\"id\":{\"S\":\"hello\"}}}") };
            request.Content.Headers.ContentType = new("application/x-amz-json-1.0");
            request.Headers.TryAddWithoutValidation("X-Amz-Target", "DynamoDB_20120810.GetItem");
            request.Headers.TryAddWithoutValidation("X-Amz-Date", "20261126T000000Z");
            request.Headers.TryAddWithoutValidation("Authorization", "AWS4-HMAC-SHA256 Credential=local/20261126/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=x");
            var start = Stopwatch.GetTimestamp();
            using var response = await http.SendAsync(request, cancellationToken);
            await response.Content.ReadAsByteArrayAsync(cancellationToken);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return times;
    }

    /// <summary>In this process, and so JIT-compiled: what is allocated is the same.</summary>
    private static async Task AllocationsAsync(TestEngine engine, string table, CancellationToken cancellationToken)
    {
        using var dynamoDb = engine.Client();
        var store = new ItemRecord.ItemStore(dynamoDb, table, "us-east-1", new ItemRecord.VersionClock("us-east-1", TimeProvider.System), TimeProvider.System, TimeSpan.FromSeconds(5));
        var key = new Dictionary<string, AttributeValue> { ["id"] = new("hello") };
        var sdk = await BytesAsync(() => dynamoDb.GetItemAsync(new GetItemRequest(table, key, false), cancellationToken));
        var read = await BytesAsync(() => store.ReadAsync("hello", consistent: false, cancellationToken));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"allocated by a read of an item: {read:#,0} bytes, of which the SDK's own GetItem {sdk:#,0}"));
    }

    private static async Task<long> BytesAsync(Func<Task> work)
    {
        const int Times = 500;
        for (var i = 0; i < 100; i++)
        {
            await work();
        }

        var before = GC.GetTotalAllocatedBytes(precise: true);
        for (var i = 0; i < Times; i++)
        {
            await work();
        }

        return (GC.GetTotalAllocatedBytes(precise: true) - before) / Times;
    }

    private static async Task KestrelAsync(string program, IReadOnlyDictionary<string, string> environment, CancellationToken cancellationToken)
    {
        if (Peer.Find("wrk") is null || Peer.Find("taskset") is null)
        {
            Console.WriteLine("wrk or taskset is not on this machine: Kestrel is not measured.");
            return;
        }

        Console.WriteLine($"{"Kestrel on one core, wrk on another",-44}{"requests/s",12}{"p99 ms",10}");
        var self = Environment.ProcessPath!;
        await WithAsync(self, port => ["empty-server", "--port", $"{port}"], new Dictionary<string, string>(), async port => Tell("an empty endpoint", await WrkAsync(port, "/", cancellationToken)));
        await WithAsync(program, _ => [], environment, async port =>
        {
            Tell("/health/live: all of it but the data path", await WrkAsync(port, "/health/live", cancellationToken));
            Tell("GET of an item; the engine has the other core", await WrkAsync(port, "/items/hello", cancellationToken));
        });

        static void Tell(string what, (double Rate, string P99) result) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-44}{result.Rate,12:0}{result.P99,10}"));
    }

    private static async Task WithAsync(string program, Func<int, string[]> arguments, IReadOnlyDictionary<string, string> environment, Func<int, Task> use)
    {
        var port = LocalHost.Engines.Engine.FreePort();
        var info = new ProcessStartInfo("taskset", ["-c", "0", program, .. arguments(port)]) { RedirectStandardOutput = true };
        foreach (var (name, value) in environment)
        {
            info.Environment[name] = value;
        }

        info.Environment["LISTEN"] = $"127.0.0.1:{port}";
        info.Environment["DOTNET_PROCESSOR_COUNT"] = "1";
        using var process = Process.Start(info)!;
        _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
        try
        {
            await Task.Delay(TimeSpan.FromSeconds(1.5), TimeProvider.System);
            await use(port);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    private static async Task<(double Rate, string P99)> WrkAsync(int port, string path, CancellationToken cancellationToken)
    {
        var (_, output, error) = await Peer.RunAsync("taskset", ["-c", "1", "wrk", "-t1", "-c16", "-d6s", "--latency", $"http://127.0.0.1:{port}{path}"], new Dictionary<string, string>(), cancellationToken);
        return Rate().Match(output) is { Success: true } rate && Latency().Match(output) is { Success: true } latency && !output.Contains("Non-2xx", StringComparison.Ordinal)
            ? (double.Parse(rate.Groups[1].Value, CultureInfo.InvariantCulture), latency.Groups[1].Value)
            : throw new InvalidOperationException($"wrk said:\n{output}{error}");
    }

    private static void Tell(string what, IReadOnlyList<double> times) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-44}{At(times, 0.5),10:0.000}{At(times, 0.99),10:0.000}"));

    private static double At(IReadOnlyList<double> times, double share) => times.Order().ElementAt((int)(times.Count * share));

    [GeneratedRegex(@"Requests/sec:\s+([0-9.]+)")]
    private static partial Regex Rate();

    [GeneratedRegex(@"99%\s+(\S+)")]
    private static partial Regex Latency();
}
