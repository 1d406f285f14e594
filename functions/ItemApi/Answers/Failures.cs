using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Amazon.Runtime;
using Failover.ItemRecord;

namespace Failover.ItemApi.Answers;

/// <summary>What the client is told of an exception: of a failed data path, no more than that.</summary>
internal static class Failures
{
    /// <summary>The problem that an exception is.</summary>
    public static Problem Of(Exception error) => error switch
    {
        ProblemException { Problem: var problem } => problem,
        ItemFormatException mistake => new Problem(ProblemKind.Of(mistake.Mistake), mistake.Message) { Pointer = mistake.JsonPointer },
        ClockDriftException drift => new Problem(ProblemKind.ClockDrift, drift.Message),
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => new Problem(ProblemKind.BodyTooLarge, ProblemKind.BodyTooLarge.Meaning),
        BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } => new Problem(ProblemKind.BodyTooSlow, ProblemKind.BodyTooSlow.Meaning),
        BadHttpRequestException => new Problem(ProblemKind.InvalidJson, "The body did not come whole."),
        ProvisionedThroughputExceededException or RequestLimitExceededException or AmazonDynamoDBException { ErrorCode: "ThrottlingException" } =>
            new Problem(ProblemKind.Throttled, ProblemKind.Throttled.Meaning),
        // DynamoDB's own rules, its size limit for one: it wrote nothing, and never will.
        AmazonDynamoDBException { ErrorCode: "ValidationException" } refused when refused.Message.Contains("size", StringComparison.OrdinalIgnoreCase) =>
            new Problem(ProblemKind.ItemTooLarge, ProblemKind.ItemTooLarge.Meaning),
        AmazonDynamoDBException { ErrorCode: "ValidationException" } refused => new Problem(ProblemKind.NotTaken, refused.Message),
        AmazonServiceException or AmazonClientException or HttpRequestException or IOException or TimeoutException or OperationCanceledException =>
            new Problem(ProblemKind.Unavailable, ProblemKind.Unavailable.Meaning),
        _ => new Problem(ProblemKind.Failed, ProblemKind.Failed.Meaning),
    };
}
