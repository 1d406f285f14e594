using System.Diagnostics.CodeAnalysis;

namespace Amazon.Lambda.RuntimeSupport;

/// <summary>Runs before the first invocation; false ends the process quietly.</summary>
[SuppressMessage("Naming", "CA1711", Justification = "The official name.")]
public delegate Task<bool> LambdaBootstrapInitializer();

/// <summary>
/// The loop of a function process: ask the Runtime API for an invocation, run the handler, answer.
/// A handler's exception is reported and the loop goes on; when the Runtime API is gone the process is meant to end.
/// </summary>
public class LambdaBootstrap : IDisposable
{
    private readonly HandlerWrapper _handler;
    private readonly LambdaBootstrapInitializer? _initializer;
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = Timeout.InfiniteTimeSpan };

    public LambdaBootstrap(HandlerWrapper handlerWrapper, LambdaBootstrapInitializer? initializer = null) =>
        (_handler, _initializer) = (handlerWrapper, initializer);

    public async Task RunAsync(CancellationToken cancellationToken = default)
    {
        var api = new RuntimeApiClient(
            _http,
            Environment.GetEnvironmentVariable("AWS_LAMBDA_RUNTIME_API") is { Length: > 0 } address
                ? address
                : throw new InvalidOperationException("AWS_LAMBDA_RUNTIME_API is not set: this process was not started by Lambda."));
        try
        {
            if (_initializer is not null && !await _initializer())
            {
                return;
            }
        }
        catch (Exception error)
        {
            await api.ReportInitErrorAsync(error, cancellationToken);
            throw;
        }

        try
        {
            while (true)
            {
                await InvokeOnceAsync(api, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    private async Task InvokeOnceAsync(RuntimeApiClient api, CancellationToken cancellationToken)
    {
        var (body, context) = await api.NextAsync(cancellationToken);
        Environment.SetEnvironmentVariable("_X_AMZN_TRACE_ID", context.TraceId is { Length: > 0 } trace ? trace : null);
        Stream result;
        try
        {
            result = await _handler.Invoke(body, context);
        }
        catch (Exception error)
        {
            await Console.Error.WriteLineAsync(error.ToString().ReplaceLineEndings("\r"));
            await api.ReportErrorAsync(context.AwsRequestId, error, cancellationToken);
            return;
        }

        await using (result)
        {
            await api.RespondAsync(context.AwsRequestId, result, cancellationToken);
        }
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            _http.Dispose();
        }
    }
}
