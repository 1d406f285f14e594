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
    private volatile FunctionDefinition _definition;
    private volatile bool _up = true;

    /// <param name="reads">Is given every line that the function logs.</param>
    public FunctionHost(FunctionDefinition definition, Undertaker undertaker, string logDirectory, Action<string>? reads = null)
    {
        _reads = reads;
        _definition = definition;
        _undertaker = undertaker;
        _places = new SemaphoreSlim(definition.Concurrency);
        _log = new StreamWriter(Path.Combine(logDirectory, $"{definition.Region}-{definition.Name}.log")) { AutoFlush = true };
    }

    /// <summary>The definition that new processes start with.</summary>
    public FunctionDefinition Definition => _definition;

    /// <summary>How many processes there are, busy or idle.</summary>
    public int ProcessCount => _all.Count;

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
            var result = await process.InvokeAsync(payload);
            if (result.Error is { } error)
            {
                Write(error.ReplaceLineEndings(" "));
            }

            if (_up && process.IsAlive)
            {
                _idle.Add(process);
                if (!IsCurrent(process))
                {
                    await RetireAsync();
                }
            }
            else
            {
                await EndAsync(process);
            }

            return result;
        }
        finally
        {
            _places.Release();
        }
    }

    /// <summary>Deploys, as Lambda does: new invocations go to new processes, and old ones finish theirs and end.</summary>
    public async Task DeployAsync(FunctionDefinition definition)
    {
        _definition = definition;
        await RetireAsync();
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
            await EndAsync(process);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await SetUpAsync(false);
        foreach (var process in _all.Keys)
        {
            await EndAsync(process);
        }

        // The places are not disposed of: invocations that are ending still give theirs back.
        await _log.DisposeAsync();
    }

    private async Task<FunctionProcess> TakeAsync()
    {
        while (_idle.TryTake(out var idle))
        {
            if (idle.IsAlive && IsCurrent(idle))
            {
                return idle;
            }

            await EndAsync(idle);
        }

        var process = await FunctionProcess.StartAsync(_definition, _undertaker, Write);
        _all[process] = true;
        if (!_up)
        {
            // The region went down while the process started: nobody else saw it.
            await process.KillAsync();
        }

        return process;
    }

    private bool IsCurrent(FunctionProcess process) => ReferenceEquals(process.Definition, _definition);

    /// <summary>Ends the idle processes of earlier deployments.</summary>
    private async Task RetireAsync()
    {
        var idle = new List<FunctionProcess>();
        while (_idle.TryTake(out var process))
        {
            idle.Add(process);
        }

        idle.Where(IsCurrent).ToList().ForEach(_idle.Add);
        await Task.WhenAll(idle.Where(process => !IsCurrent(process)).Select(EndAsync));
    }

    /// <summary>Ends a process, once: an invocation that fails with it may end it at the same time.</summary>
    private async Task EndAsync(FunctionProcess process)
    {
        if (_all.TryRemove(process, out _))
        {
            await process.DisposeAsync();
        }
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
