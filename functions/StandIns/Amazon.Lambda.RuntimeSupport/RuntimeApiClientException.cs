namespace Amazon.Lambda.RuntimeSupport;

/// <summary>The Runtime API refused a call.</summary>
public class RuntimeApiClientException(string message, int statusCode, string response) : Exception(message)
{
    public int StatusCode { get; } = statusCode;

    public string Response { get; } = response;
}
