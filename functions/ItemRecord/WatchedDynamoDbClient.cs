using System.Net;
using Amazon.DynamoDBv2;
using Amazon.Runtime;
using Amazon.Runtime.Internal;

namespace Failover.ItemRecord;

/// <summary>
/// A client that says of a call that failed whether an earlier send of it went unanswered. The SDK sends again by itself, and what the last send is answered,
/// that it is too much for one, says nothing of those before it.
/// </summary>
public sealed class WatchedDynamoDbClient(AmazonDynamoDBConfig config) : AmazonDynamoDBClient(config)
{
    private const string Unanswered = "Failover.Unanswered";

    /// <summary>Whether the call may have taken effect though it failed.</summary>
    public static bool MayHaveHappened(Exception error) => !IsRefusal(error) || error.Data.Contains(Unanswered);

    /// <inheritdoc/>
    protected override void CustomizeRuntimePipeline(RuntimePipeline pipeline)
    {
        base.CustomizeRuntimePipeline(pipeline);
        pipeline.AddHandlerAfter<RetryHandler>(new EachSend());
    }

    private static bool IsRefusal(Exception error) => error is AmazonServiceException { StatusCode: >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError };

    private sealed class EachSend : PipelineHandler
    {
        public override async Task<T> InvokeAsync<T>(IExecutionContext executionContext)
        {
            try
            {
                return await base.InvokeAsync<T>(executionContext);
            }
            catch (Exception error)
            {
                var call = executionContext.RequestContext.ContextAttributes;
                if (!IsRefusal(error))
                {
                    call[Unanswered] = true;
                }

                if (call.ContainsKey(Unanswered))
                {
                    error.Data[Unanswered] = true;
                }

                throw;
            }
        }
    }
}
