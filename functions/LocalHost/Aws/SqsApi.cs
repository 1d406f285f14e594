using System.Text.Json;
using System.Text.Json.Nodes;
using Failover.LocalHost.Network;

namespace Failover.LocalHost.Aws;

/// <summary>SQS's JSON protocol over the queues of one region.</summary>
internal sealed class SqsApi(string region, IReadOnlyList<NamedQueue> queues, Faults faults)
{
    /// <summary>Answers one request, whose body is <paramref name="body"/>.</summary>
    public async Task HandleAsync(HttpContext context, string operation, byte[] body)
    {
        try
        {
            await AnswerAsync(context, operation, JsonNode.Parse(body)!.AsObject());
        }
        catch (BadHttpRequestException error)
        {
            await AwsJson.RefuseAsync(context, "InvalidParameterValueException", error.Message);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            await AwsJson.RefuseAsync(context, "SerializationException", error.Message);
        }
    }

    private async Task AnswerAsync(HttpContext context, string operation, JsonObject request)
    {
        if (queues.FirstOrDefault(queue => queue.Url == (string?)request["QueueUrl"]) is not { } queue)
        {
            var known = string.Join(", ", queues.Select(queue => queue.Url));
            await AwsJson.RefuseAsync(
                context, "QueueDoesNotExist", $"There is no queue {request["QueueUrl"]} in {region}; there are {known}.");
            return;
        }

        if (queue.Name == NamedQueue.Ticks && faults.IsTickQueueDown(region))
        {
            // As SQS in the JSON protocol: the header has the error's code in the older query protocol, and whose fault it is.
            context.Response.Headers["x-amzn-query-error"] = "ServiceUnavailable;Receiver";
            await AwsJson.FailAsync(
                context,
                StatusCodes.Status503ServiceUnavailable,
                "com.amazonaws.sqs#ServiceUnavailable",
                "The request has failed due to a temporary failure of the server.");
            return;
        }

        if (queue.Queue.Handle(operation, request) is not { } answer)
        {
            await AwsJson.RefuseAsync(context, "UnknownOperationException", $"{operation} is not spoken here.");
            return;
        }

        context.Response.ContentType = "application/x-amz-json-1.0";
        await context.Response.WriteAsync(answer.ToJsonString());
    }
}
