using Amazon.Lambda.Core;

namespace Failover.Testing;

/// <summary>An invocation with so much time left. Compiled into the tests that need it: which package <see cref="ILambdaContext"/> comes from is theirs to choose.</summary>
internal sealed record TestLambdaContext(TimeSpan RemainingTime) : ILambdaContext
{
    public string AwsRequestId => "request-1";

    public IClientContext? ClientContext => null;

    public ICognitoIdentity? Identity => null;

    public ILambdaLogger Logger => throw new NotSupportedException();

    public string FunctionName => "f";

    public string FunctionVersion => "1";

    public string InvokedFunctionArn => "arn";

    public string LogGroupName => "g";

    public string LogStreamName => "s";

    public int MemoryLimitInMB => 512;

    public string TraceId => "";
}
