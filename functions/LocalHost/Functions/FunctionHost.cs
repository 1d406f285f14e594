using System.Collections.Concurrent;
using Failover.LocalHost.Processes;

namespace Failover.LocalHost.Functions;

/// <summary>All processes of one function in one region: another is started when all are busy, up to its concurrency, as Lambda does.</summary>
internal sealed class FunctionHost : IAsyncDisposable
{
    private readonly Undertaker _undertaker;
    private readonly SemaphoreSlim _places;
    private readonly ConcurrentBag<FunctionProcess> _idle = [];
    private readonly ConcurrentDictionary<FunctionProcess, bool> _all = new();
    private readonly StreamWriter _log;
    private readonly Action<string>? _reads;
    private volatile bool _up = true;

    /// <param name="reads">Is given every line that the function logs.</param>
    public FunctionHost(FunctionDefinition definition, Undertaker undertaker, string logDirectory, Action<string>? reads = null)
    {
        _reads = reads;
        Definition = definition;
        _undertaker = undertaker;
        _places = new SemaphoreSlim(definition.Concurrency);
        _log = new StreamWriter(Path.Combine(logDirectory, $"{definition.Region}-{definition.Name}.log")) { AutoFlush = true };
    }

    public FunctionDefinition Definition { get; }

    /// <summary>Whether invocations reach it: not while its region is down, or healing.</summary>
    public bool IsUp => _up;

    /// <summary>Invokes the function once.</summary>
    public async Task<InvocationResult> InvokeAsync(byte[] payload)
    {
        await _places.WaitAsync();
        try
        {
            if (!_up)
            {
                return new InvocationResult(null, "the region is down");
            }

            var process = await TakeAsync();
            var result = await process.InvokeAsync(payload, Definition.Timeout);
            if (result.Error is { } error)
            {
                Write(error.ReplaceLineEndings(" "));
            }

            if (_up && process.IsAlive)
            {
                _idle.Add(process);
            }
            else
            {
                _all.TryRemove(process, out _);
                await process.DisposeAsync();
            }

            return result;
        }
        finally
        {
            _places.Release();
        }
    }

    /// <summary>Ends all processes, or lets new ones start.</summary>
    public async Task SetUpAsync(bool up)
    {
        _up = up;
        if (up)
        {
            return;
        }

        await Task.WhenAll(_all.Keys.Select(process => process.KillAsync()));
        while (_idle.TryTake(out var process))
        {
            _all.TryRemove(process, out _);
            await process.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await SetUpAsync(false);
        foreach (var process in _all.Keys)
        {
            await process.DisposeAsync();
        }

        await _log.DisposeAsync();
        _places.Dispose();
    }

    private async Task<FunctionProcess> TakeAsync()
    {
        while (_idle.TryTake(out var idle))
        {
            if (idle.IsAlive)
            {
                return idle;
            }

            _all.TryRemove(idle, out _);
            await idle.DisposeAsync();
        }

        var process = await FunctionProcess.StartAsync(Definition, _undertaker, Write);
        _all[process] = true;
        if (!_up)
        {
            // The region went down while the process started: nobody else saw it.
            await process.KillAsync();
        }

        return process;
    }

    private void Write(string line)
    {
        _reads?.Invoke(line);
        lock (_log)
        {
            try
            {
                _log.WriteLine(line);
            }
            catch (ObjectDisposedException)
            {
                // A last word after the end.
            }
        }
    }
}
