using System.Diagnostics;
using System.Globalization;
using System.Net;
using Failover.LocalHost.Network;
using Microsoft.AspNetCore.Http;

namespace Failover.Benchmarks;

/// <summary>A Lambda Runtime API that hands one event to one process, once or again and again, and takes the time.</summary>
internal sealed class RuntimeApi : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Door _door;
    private readonly byte[] _event;
    private readonly List<double> _warm = [];
    private readonly TaskCompletionSource<Answer> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _times;
    private long _started;
    private long _firstAsked;
    private long _handed;
    private int _given;

    private RuntimeApi(byte[] payload, int times)
    {
        (_event, _times) = (payload, times);
        _door = new Door(new IPEndPoint(IPAddress.Loopback, 0), HandleAsync);
    }

    /// <summary>Starts a process, gives it the event, waits for its answer, and ends it.</summary>
    /// <param name="warm">How often it is given the event once more.</param>
    /// <exception cref="InvalidOperationException">It was not published, answered with an error, ended, or did not answer in time; the message has its last words.</exception>
    public static async Task<Measurement> RunAsync(Artefact artefact, byte[] payload, IReadOnlyDictionary<string, string> environment, int warm = 0)
    {
        if (!File.Exists(artefact.Program))
        {
            throw new InvalidOperationException($"There is no {artefact.Program}: publish it first, with 'make artefacts PACKAGE_SET=standin RUNTIME=linux-x64'.");
        }

        await using var api = new RuntimeApi(payload, 1 + warm);
        await api._door.SetOpenAsync(true);
        var info = new ProcessStartInfo(artefact.Program) { WorkingDirectory = artefact.Directory, RedirectStandardOutput = true, RedirectStandardError = true };
        info.Environment.Clear();
        foreach (var name in new[] { "PATH", "HOME", "DOTNET_ROOT", "TMPDIR" })
        {
            info.Environment[name] = Environment.GetEnvironmentVariable(name);
        }

        foreach (var (name, value) in environment)
        {
            info.Environment[name] = value;
        }

        info.Environment["AWS_LAMBDA_RUNTIME_API"] = $"127.0.0.1:{api._door.Port}";
        info.Environment["AWS_LAMBDA_FUNCTION_NAME"] = artefact.Name;
        info.Environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = "512";
        api._started = Stopwatch.GetTimestamp();
        using var process = Process.Start(info)!;
        var words = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        var ended = process.WaitForExitAsync();
        await Task.WhenAny(api._done.Task, ended, Task.Delay(Patience, TimeProvider.System));
        var memory = PeakMemory(process.Id);
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
        }

        await ended;
        var said = string.Concat(await words);
        return api._answer.Task is { IsCompleted: true, Result: { IsError: false } answer }
            ? new Measurement(Stopwatch.GetElapsedTime(api._started, answer.At), Stopwatch.GetElapsedTime(api._started, api._firstAsked), api._warm, memory, answer.Body, said)
            : throw new InvalidOperationException($"{artefact.Name} did not answer as it should within {Patience.TotalSeconds:0} s; it said:\n{said}");
    }

    public ValueTask DisposeAsync() => _door.DisposeAsync();

    private async Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        if (context.Request.Method == "GET")
        {
            if (_given == _times)
            {
                // As in Lambda, where the process is frozen until there is another event.
                await Passage.AllowsAsync(context, FaultMode.Hang);
                return;
            }

            if (_given++ == 0)
            {
                _firstAsked = Stopwatch.GetTimestamp();
            }

            _handed = Stopwatch.GetTimestamp();
            context.Response.Headers["Lambda-Runtime-Aws-Request-Id"] = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";
            context.Response.Headers["Lambda-Runtime-Deadline-Ms"] = (TimeProvider.System.GetUtcNow() + Patience).ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
            context.Response.Headers["Lambda-Runtime-Invoked-Function-Arn"] = "arn:aws:lambda:us-east-1:000000000000:function:benchmark";
            context.Response.Headers["Lambda-Runtime-Trace-Id"] = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0";
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = _event.Length;
            await context.Response.Body.WriteAsync(_event);
            return;
        }

        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var now = Stopwatch.GetTimestamp();
        if (!_answer.TrySetResult(new Answer(body.ToArray(), !path.EndsWith("/response", StringComparison.Ordinal), now)))
        {
            _warm.Add(Stopwatch.GetElapsedTime(_handed, now).TotalMilliseconds);
        }

        if (_given == _times)
        {
            _done.TrySetResult();
        }

        context.Response.StatusCode = StatusCodes.Status202Accepted;
        await context.Response.WriteAsync("""{"status":"OK"}""");
    }

    /// <summary>In bytes; 0 where the system does not tell.</summary>
    private static long PeakMemory(int process)
    {
        var status = $"/proc/{process}/status";
        return File.Exists(status) && File.ReadLines(status).FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)) is { } line
            ? 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)
            : 0;
    }

    private sealed record Answer(byte[] Body, bool IsError, long At);
}

/// <summary>One start of one artefact.</summary>
/// <param name="FirstAnswer">From just before the process was started to its whole answer.</param>
/// <param name="FirstAsked">From the same to its first question for an event: what Lambda calls its initialisation.</param>
/// <param name="Warm">Of each further event: from when it was handed over to its answer, in milliseconds.</param>
/// <param name="PeakMemory">In bytes, until then.</param>
/// <param name="Said">All that it wrote.</param>
internal sealed record Measurement(TimeSpan FirstAnswer, TimeSpan FirstAsked, IReadOnlyList<double> Warm, long PeakMemory, byte[] Answer, string Said);

/// <summary>A published function.</summary>
internal sealed record Artefact(string Name, string Directory)
{
    /// <summary>Lambda starts a native one as <c>bootstrap</c>, and a managed one by its host.</summary>
    public string Program => Path.Combine(Directory, File.Exists(Path.Combine(Directory, "bootstrap")) ? "bootstrap" : Name);

    /// <summary>All that is deployed, in bytes.</summary>
    public long Size => new DirectoryInfo(Directory).EnumerateFiles().Sum(file => file.Length);
}
