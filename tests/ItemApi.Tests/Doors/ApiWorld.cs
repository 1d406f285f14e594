using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Failover.LocalHost.Functions;
using Failover.LocalHost.Network;
using Failover.LocalHost.Processes;
using Failover.Testing;

namespace Failover.ItemApi.Tests.Doors;

/// <summary>The two ways in.</summary>
public enum DoorKind
{
    /// <summary>API Gateway's events, over the Lambda Runtime API.</summary>
    Lambda,

    /// <summary>A server of its own.</summary>
    Kestrel,
}

/// <summary>
/// The API as it is run: its program in a process of its own, behind one of its doors, with a real engine behind it. What it logs is kept, and every answer is held against the API's own description.
/// </summary>
public abstract class ApiWorld(DoorKind kind) : IAsyncLifetime
{
    public const string Region = "us-east-1";

    private readonly List<IAsyncDisposable> _owned = [];
    private readonly Undertaker _undertaker = new();
    private EngineRoad? _road;

    public DoorKind Kind => kind;

    /// <summary>Of the items table.</summary>
    public string Table { get; private set; } = null!;

    public TestEngine Engine { get; private set; } = null!;

    /// <summary>All that the processes wrote.</summary>
    public ConcurrentQueue<string> Lines { get; } = new();

    /// <summary>The API, for everybody.</summary>
    public HttpClient Client { get; private set; } = null!;

    /// <summary>Of the server that was started last.</summary>
    public int ProcessId { get; private set; }

    internal EngineRoad Road => _road!;

    public async ValueTask InitializeAsync()
    {
        Engine = await TestEngine.StartAsync();
        Table = await Engine.TableAsync("id");
        _road = await EngineRoad.OpenAsync(Engine.Address);
        Client = await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (var owned in Enumerable.Reverse(_owned))
        {
            await owned.DisposeAsync();
        }

        if (_road is not null)
        {
            await _road.DisposeAsync();
        }

        await Engine.DisposeAsync();
        _undertaker.Dispose();
    }

    /// <summary>Starts one more, with settings of its own over the usual ones.</summary>
    /// <param name="concurrency">How many processes, behind Lambda's door.</param>
    public async Task<HttpClient> StartAsync(int concurrency = 4, params (string Name, string Value)[] settings)
    {
        var address = kind == DoorKind.Kestrel ? await StartKestrelAsync(settings) : await StartLambdaAsync(concurrency, settings);
        using var plain = Plain(address);
        var description = await plain.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative));
        return new HttpClient(new Contract(description, new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, MaxConnectionsPerServer = 64, RequestHeaderEncodingSelector = (_, _) => System.Text.Encoding.Latin1 })) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60) };
    }

    /// <summary>The function by itself, to be given events as API Gateway makes them.</summary>
    internal FunctionHost Function(int concurrency, TimeSpan timeout, params (string Name, string Value)[] settings)
    {
        var host = new FunctionHost(
            new FunctionDefinition("ItemApi", Region, Outputs.Executable("ItemApi"), Environment(settings), timeout, concurrency, "test"),
            _undertaker,
            Directory.CreateTempSubdirectory("itemapi-").FullName,
            Lines.Enqueue);
        _owned.Add(host);
        return host;
    }

    /// <summary>Every line that was written so far is one JSON object.</summary>
    public void AssertEveryLineIsOneObject()
    {
        foreach (var line in Lines)
        {
            using var json = JsonDocument.Parse(line);
            Assert.Equal(JsonValueKind.Object, json.RootElement.ValueKind);
        }
    }

    private static HttpClient Plain(Uri address) => new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60) };

    private Dictionary<string, string> Environment((string Name, string Value)[] settings)
    {
        var environment = new Dictionary<string, string>
        {
            ["AWS_REGION"] = Region,
            ["AWS_ACCESS_KEY_ID"] = "local",
            ["AWS_SECRET_ACCESS_KEY"] = "local",
            ["AWS_ENDPOINT_URL"] = Road.Address.ToString(),
            ["ITEMS_TABLE"] = Table,
            ["CALL_TIMEOUT_MS"] = "10000",
            ["REQUEST_TIMEOUT_MS"] = "29000",
            ["AUTHORIZATION"] = "off",
            ["DOTNET_TieredPGO"] = "0",
        };
        foreach (var (name, value) in settings)
        {
            environment[name] = value;
        }

        return environment;
    }

    private async Task<Uri> StartLambdaAsync(int concurrency, (string Name, string Value)[] settings)
    {
        var function = Function(concurrency, TimeSpan.FromSeconds(40), settings);
        var door = new Door(new IPEndPoint(IPAddress.Loopback, 0), context => HttpApi.HandleAsync(context, function));
        _owned.Add(door);
        await door.SetOpenAsync(true);
        return new Uri($"http://127.0.0.1:{door.Port}/");
    }

    private async Task<Uri> StartKestrelAsync((string Name, string Value)[] settings)
    {
        var port = LocalHost.Engines.Engine.FreePort();
        var info = new ProcessStartInfo(Outputs.Executable("ItemApi")) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var (name, value) in Environment([.. settings, ("LISTEN", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"))]))
        {
            info.Environment[name] = value;
        }

        var process = _undertaker.Start(info);
        ProcessId = process.Id;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _owned.Add(new Ended(process));
        var address = new Uri($"http://127.0.0.1:{port}/");
        using var http = Plain(address);
        while (true)
        {
            try
            {
                (await http.GetAsync(new Uri("/health/live", UriKind.Relative))).Dispose();
                return address;
            }
            catch (HttpRequestException) when (!process.HasExited)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            }
        }

        void Keep(string? line)
        {
            if (!string.IsNullOrEmpty(line))
            {
                Lines.Enqueue(line);
            }
        }
    }

    private sealed class Ended(Process process) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            try
            {
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync();
            }
            catch (InvalidOperationException)
            {
                // It ended by itself, and was disposed of.
            }
        }
    }
}

/// <summary>Behind API Gateway.</summary>
public sealed class LambdaWorld() : ApiWorld(DoorKind.Lambda);

/// <summary>By itself.</summary>
public sealed class KestrelWorld() : ApiWorld(DoorKind.Kestrel);
