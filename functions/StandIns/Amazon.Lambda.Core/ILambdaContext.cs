namespace Amazon.Lambda.Core;

/// <summary>What Lambda tells a function about the invocation under way.</summary>
public interface ILambdaContext
{
    string AwsRequestId { get; }

    string FunctionName { get; }

    string FunctionVersion { get; }

    string InvokedFunctionArn { get; }

    string LogGroupName { get; }

    string LogStreamName { get; }

    int MemoryLimitInMB { get; }

    /// <summary>Until Lambda ends the invocation; negative when that is past.</summary>
    TimeSpan RemainingTime { get; }

    string TraceId { get; }
}
