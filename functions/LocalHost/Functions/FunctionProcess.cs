using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using Failover.LocalHost.Network;
using Failover.LocalHost.Processes;

namespace Failover.LocalHost.Functions;

/// <summary>One process of a function, and the Lambda Runtime API that it asks for its invocations.</summary>
internal sealed class FunctionProcess : IAsyncDisposable
{
    private static readonly TimeSpan InitTimeout = TimeSpan.FromSeconds(10);

    private readonly Door _api;
    private readonly string _arn;
    private Process? _process;
    private TaskCompletionSource<Invocation> _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Invocation? _current;

    private FunctionProcess(FunctionDefinition definition)
    {
        Definition = definition;
        _arn = $"arn:aws:lambda:{definition.Region}:000000000000:function:{definition.Name}";
        _api = new Door(new IPEndPoint(IPAddress.Loopback, 0), HandleAsync);
    }

    /// <summary>What it was started as.</summary>
    public FunctionDefinition Definition { get; }

    /// <summary>Whether it can be given invocations.</summary>
    public bool IsAlive => _process is { HasExited: false };

    /// <summary>Starts one; the caller may invoke it at once.</summary>
    public static async Task<FunctionProcess> StartAsync(FunctionDefinition definition, Undertaker undertaker, Action<string> log)
    {
        var self = new FunctionProcess(definition);
        await self._api.SetOpenAsync(true);
        var info = new ProcessStartInfo(definition.Executable)
        {
            WorkingDirectory = Path.GetDirectoryName(definition.Executable),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        info.Environment.Clear();
        foreach (var name in new[] { "PATH", "HOME", "DOTNET_ROOT", "TMPDIR", "TEMP", "SystemRoot" })
        {
            if (Environment.GetEnvironmentVariable(name) is { } value)
            {
                info.Environment[name] = value;
            }
        }

        foreach (var (name, value) in definition.Environment)
        {
            info.Environment[name] = value;
        }

        info.Environment["AWS_LAMBDA_RUNTIME_API"] = $"127.0.0.1:{self._api.Port}";
        info.Environment["AWS_LAMBDA_FUNCTION_NAME"] = definition.Name;
        info.Environment["AWS_LAMBDA_FUNCTION_VERSION"] = "$LATEST";
        info.Environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = "512";
        info.Environment["AWS_LAMBDA_LOG_GROUP_NAME"] = "/aws/lambda/" + definition.Name;
        info.Environment["AWS_LAMBDA_LOG_STREAM_NAME"] = "local";
        info.Environment["AWS_REGION"] = definition.Region;
        info.Environment["LAMBDA_TASK_ROOT"] = info.WorkingDirectory;
        var process = undertaker.Start(info);
        process.OutputDataReceived += (_, line) => Write(line.Data);
        process.ErrorDataReceived += (_, line) => Write(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.Exited += (_, _) => self._current?.Result.TrySetResult(new InvocationResult(null, "Runtime.ExitError: the process ended"));
        self._process = process;
        return self;

        void Write(string? line)
        {
            if (!string.IsNullOrEmpty(line))
            {
                log(line);
            }
        }
    }

    /// <summary>Gives it one invocation; a time-out ends the process, as in Lambda.</summary>
    public async Task<InvocationResult> InvokeAsync(byte[] payload)
    {
        var timeout = Definition.Timeout;
        var invocation = new Invocation(Guid.NewGuid().ToString(), payload, timeout);
        _current = invocation;
        if (!IsAlive)
        {
            return new InvocationResult(null, "Runtime.ExitError: the process ended");
        }

        _next.TrySetResult(invocation);
        try
        {
            // As in Lambda, a process has its own time to begin, and the invocation's runs from when it is taken.
            if (await Task.WhenAny(invocation.Taken.Task, invocation.Result.Task).WaitAsync(InitTimeout, TimeProvider.System) == invocation.Taken.Task)
            {
                return await invocation.Result.Task.WaitAsync(timeout, TimeProvider.System);
            }

            return await invocation.Result.Task;
        }
        catch (TimeoutException)
        {
            await KillAsync();
            return new InvocationResult(null, invocation.Taken.Task.IsCompleted ? $"Task timed out after {timeout.TotalSeconds:0.00} seconds" : $"INIT_REPORT Init Duration: {InitTimeout.TotalSeconds:0.00} s, timeout");
        }
    }

    /// <summary>Ends it; it has ended when this returns.</summary>
    public async Task KillAsync()
    {
        try
        {
            _process!.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
        catch (InvalidOperationException)
        {
            // It ended by itself, and was disposed of.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        await _api.DisposeAsync();
        _process?.Dispose();
    }

    private async Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        const string Root = "/2018-06-01/runtime/";
        if (path == Root + "invocation/next")
        {
            await NextAsync(context);
        }
        else if (path.StartsWith(Root, StringComparison.Ordinal) && context.Request.Method == "POST")
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            var invocation = _current;
            if (path == Root + "init/error" || path.EndsWith("/error", StringComparison.Ordinal))
            {
                invocation?.Result.TrySetResult(new InvocationResult(null, Encoding.UTF8.GetString(body.ToArray())));
            }
            else if (invocation is not null && path == $"{Root}invocation/{invocation.Id}/response")
            {
                invocation.Result.TrySetResult(new InvocationResult(body.ToArray(), null));
            }
            else
            {
                context.Response.StatusCode = StatusCodes.Status400BadRequest;
                return;
            }

            // A runtime reads what is answered to an error.
            context.Response.StatusCode = StatusCodes.Status202Accepted;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync("""{"status":"OK"}""");
        }
        else
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
        }
    }

    private async Task NextAsync(HttpContext context)
    {
        Invocation invocation;
        try
        {
            invocation = await _next.Task.WaitAsync(context.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        _next = new TaskCompletionSource<Invocation>(TaskCreationOptions.RunContinuationsAsynchronously);
        var deadline = TimeProvider.System.GetUtcNow() + invocation.Timeout;
        invocation.Taken.TrySetResult();
        context.Response.Headers["Lambda-Runtime-Aws-Request-Id"] = invocation.Id;
        context.Response.Headers["Lambda-Runtime-Deadline-Ms"] = deadline.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
        context.Response.Headers["Lambda-Runtime-Invoked-Function-Arn"] = _arn;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = invocation.Payload.Length;
        await context.Response.Body.WriteAsync(invocation.Payload, context.RequestAborted);
    }

    private sealed record Invocation(string Id, byte[] Payload, TimeSpan Timeout)
    {
        public TaskCompletionSource Taken { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<InvocationResult> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>What a function answered, or why it did not.</summary>
internal sealed record InvocationResult(byte[]? Payload, string? Error);

/// <summary>A function of one region.</summary>
internal sealed record FunctionDefinition(
    string Name, string Region, string Executable, IReadOnlyDictionary<string, string> Environment, TimeSpan Timeout, int Concurrency, string Trigger);
