using System.Net;
using Amazon.Runtime;

namespace Amazon.Route53
{
    /// <summary>Route 53 refused a request. Throttling comes as this type, with <c>ErrorCode</c> "Throttling".</summary>
    public class AmazonRoute53Exception(string message, Exception? innerException, ErrorType errorType, string? errorCode, string? requestId, HttpStatusCode statusCode)
        : AmazonServiceException(message, innerException, errorType, errorCode, requestId, statusCode);
}

namespace Amazon.Route53.Model
{
    public class InvalidChangeBatchException(string message, Exception? innerException, ErrorType errorType, string? errorCode, string? requestId, HttpStatusCode statusCode)
        : AmazonRoute53Exception(message, innerException, errorType, errorCode, requestId, statusCode);

    public class NoSuchHostedZoneException(string message, Exception? innerException, ErrorType errorType, string? errorCode, string? requestId, HttpStatusCode statusCode)
        : AmazonRoute53Exception(message, innerException, errorType, errorCode, requestId, statusCode);

    public class PriorRequestNotCompleteException(string message, Exception? innerException, ErrorType errorType, string? errorCode, string? requestId, HttpStatusCode statusCode)
        : AmazonRoute53Exception(message, innerException, errorType, errorCode, requestId, statusCode);
}
