using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Failover.LocalHost.Processes;

namespace Failover.LocalHost.Engines;

/// <summary>A DynamoDB engine: a real one, in a process of its own, spoken to over HTTP.</summary>
internal sealed class Engine : IAsyncDisposable
{
    /// <summary>An item nests 32 deep, and DynamoDB's form of it more than twice that.</summary>
    public static readonly JsonDocumentOptions DeepJson = new() { MaxDepth = 256 };

    private const int StartAttemptsMax = 3;

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly HttpClient _http;

    private Engine(Process process, Uri address)
    {
        _process = process;
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(10) };
    }

    /// <summary>Where it listens.</summary>
    public Uri Address => _http.BaseAddress!;

    /// <summary>Starts one and waits until it answers.</summary>
    /// <exception cref="InvalidOperationException">There is no engine, or it does not start; the message says what to do.</exception>
    public static async Task<Engine> StartAsync(Undertaker undertaker, string? command, CancellationToken cancellationToken)
    {
        // Between the choice of a free port and the engine's listening there, somebody else may take it: then another one.
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await StartOnceAsync(undertaker, command, cancellationToken);
            }
            catch (EngineEndedException) when (attempt < StartAttemptsMax)
            {
            }
        }
    }

    private static async Task<Engine> StartOnceAsync(Undertaker undertaker, string? command, CancellationToken cancellationToken)
    {
        var port = FreePort();
        var info = Command(command, port);
        info.RedirectStandardError = info.RedirectStandardOutput = true;
        Process process;
        try
        {
            process = undertaker.Start(info);
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            throw new InvalidOperationException($"The DynamoDB engine cannot be started: {info.FileName}: {error.Message}");
        }

        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        var engine = new Engine(process, new Uri($"http://127.0.0.1:{port}/"));
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(StartTimeout);
        while (true)
        {
            try
            {
                await engine.CallAsync("DynamoDB_20120810.ListTables", new JsonObject(), deadline.Token);
                // If ours has ended, it was somebody else's that answered.
                return process.HasExited ? throw new EngineEndedException($"Another program listens on port {port}.") : engine;
            }
            catch (HttpRequestException) when (!process.HasExited)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, deadline.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                await engine.DisposeAsync();
                throw new InvalidOperationException($"The DynamoDB engine ({info.FileName}) does not answer on port {port} after {StartTimeout.TotalSeconds:0} s.");
            }
            catch (Exception) when (process.HasExited)
            {
                throw new EngineEndedException($"The DynamoDB engine ({info.FileName}) ended at its start with exit code {process.ExitCode}.");
            }
        }
    }

    /// <summary>Sends a request as it came, and gives the answer as it comes.</summary>
    public async Task<(int Status, string? ContentType, string? Crc32, byte[] Body)> ForwardAsync(string target, string contentType, byte[] body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, (Uri?)null) { Content = new ByteArrayContent(body) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        request.Headers.TryAddWithoutValidation("X-Amz-Target", target);
        // An engine wants a signature that looks complete; it does not check it.
        request.Headers.TryAddWithoutValidation("X-Amz-Date", "20260101T000000Z");
        request.Headers.TryAddWithoutValidation(
            "Authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=local");
        using var response = await _http.SendAsync(request, cancellationToken);
        return (
            (int)response.StatusCode,
            response.Content.Headers.ContentType?.ToString(),
            response.Headers.TryGetValues("x-amz-crc32", out var crc) ? crc.First() : null,
            await response.Content.ReadAsByteArrayAsync(cancellationToken));
    }

    /// <summary>Calls an operation.</summary>
    /// <exception cref="HttpRequestException">The engine refused it; the message is its answer.</exception>
    public async Task<JsonObject> CallAsync(string target, JsonObject request, CancellationToken cancellationToken)
    {
        var (status, _, _, body) = await ForwardAsync(target, "application/x-amz-json-1.0", System.Text.Encoding.UTF8.GetBytes(request.ToJsonString()), cancellationToken);
        return status == 200
            ? JsonNode.Parse(body, documentOptions: DeepJson)!.AsObject()
            : throw new HttpRequestException($"{target}: {System.Text.Encoding.UTF8.GetString(body)}");
    }

    /// <summary>Makes a table on demand, with a stream of both images if asked for.</summary>
    public Task CreateTableAsync(string name, string hash, string? range, bool stream, CancellationToken cancellationToken)
    {
        string[] keys = range is null ? [hash] : [hash, range];
        return CallAsync(
            "DynamoDB_20120810.CreateTable",
            new JsonObject
            {
                ["TableName"] = name,
                ["BillingMode"] = "PAY_PER_REQUEST",
                ["AttributeDefinitions"] = new JsonArray([.. keys.Select(key => new JsonObject { ["AttributeName"] = key, ["AttributeType"] = "S" })]),
                ["KeySchema"] = new JsonArray([.. keys.Select((key, index) => new JsonObject { ["AttributeName"] = key, ["KeyType"] = index == 0 ? "HASH" : "RANGE" })]),
                ["StreamSpecification"] = stream ? new JsonObject { ["StreamEnabled"] = true, ["StreamViewType"] = "NEW_AND_OLD_IMAGES" } : null,
            },
            cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private static ProcessStartInfo Command(string? command, int port)
    {
        if (command is not null)
        {
            var words = command.Replace("{port}", port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return new ProcessStartInfo(words[0], words[1..]);
        }

        var binary = Path.Combine(Outputs.Of("LocalHost"), "engine", OperatingSystem.IsWindows() ? "dynoxide.exe" : "dynoxide");
        return File.Exists(binary)
            ? new ProcessStartInfo(binary, ["serve", "--host", "127.0.0.1", "--port", port.ToString(CultureInfo.InvariantCulture)])
            : throw new InvalidOperationException(
                $"""
                There is no DynamoDB engine at {binary}.
                The build installs one with npm (package @dynoxide/{Platform()}): install Node.js, then build again.
                Or name another engine, DynamoDB Local for one: --engine "java -jar DynamoDBLocal.jar -inMemory -port {"{port}"}"
                """);
    }

    private static string Platform() =>
        (OperatingSystem.IsWindows() ? "win32" : OperatingSystem.IsMacOS() ? "darwin" : "linux") + (RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "-arm64" : "-x64");

    /// <summary>A port that nobody listens on now.</summary>
    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private sealed class EngineEndedException(string message) : InvalidOperationException(message);
}
