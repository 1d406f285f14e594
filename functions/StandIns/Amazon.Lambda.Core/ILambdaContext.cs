namespace Amazon.Lambda.Core;

/// <summary>What Lambda tells a function about the invocation under way.</summary>
public interface ILambdaContext
{
    string AwsRequestId { get; }

    /// <summary>Of a mobile application's own call; else null.</summary>
    IClientContext? ClientContext { get; }

    string FunctionName { get; }

    string FunctionVersion { get; }

    /// <summary>Of a call with a Cognito identity; else null.</summary>
    ICognitoIdentity? Identity { get; }

    string InvokedFunctionArn { get; }

    ILambdaLogger Logger { get; }

    string LogGroupName { get; }

    string LogStreamName { get; }

    int MemoryLimitInMB { get; }

    /// <summary>Until Lambda ends the invocation; negative when that is past.</summary>
    TimeSpan RemainingTime { get; }

    string TraceId => "";
}

public interface IClientContext
{
    IDictionary<string, string> Environment { get; }

    IDictionary<string, string> Custom { get; }
}

public interface ICognitoIdentity
{
    string IdentityId { get; }

    string IdentityPoolId { get; }
}

/// <summary>Writes to the function's log.</summary>
public interface ILambdaLogger
{
    void Log(string message);

    void LogLine(string message);
}
