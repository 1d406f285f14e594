using System.Globalization;
using Amazon.Lambda.Core;

namespace Amazon.Lambda.RuntimeSupport;

internal sealed class LambdaContext(string requestId, string functionArn, string traceId, DateTimeOffset deadline) : ILambdaContext, ILambdaLogger
{
    public string AwsRequestId => requestId;

    public string InvokedFunctionArn => functionArn;

    public string TraceId => traceId;

    public IClientContext? ClientContext => null;

    public ICognitoIdentity? Identity => null;

    public ILambdaLogger Logger => this;

    public void Log(string message) => Console.Write(message);

    public void LogLine(string message) => Console.WriteLine(message);

    public string FunctionName => Setting("AWS_LAMBDA_FUNCTION_NAME");

    public string FunctionVersion => Setting("AWS_LAMBDA_FUNCTION_VERSION");

    public string LogGroupName => Setting("AWS_LAMBDA_LOG_GROUP_NAME");

    public string LogStreamName => Setting("AWS_LAMBDA_LOG_STREAM_NAME");

    public int MemoryLimitInMB =>
        int.TryParse(Setting("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : 0;

    public TimeSpan RemainingTime => deadline - TimeProvider.System.GetUtcNow();

    private static string Setting(string name) => Environment.GetEnvironmentVariable(name) ?? "";
}
