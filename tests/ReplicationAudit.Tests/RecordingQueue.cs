using Amazon.SQS;
using Amazon.SQS.Model;

namespace Failover.ReplicationAudit.Tests;

/// <summary>A queue that remembers what it was sent; it sends nothing to anybody.</summary>
internal sealed class RecordingQueue() : AmazonSQSClient("local", "local", Amazon.RegionEndpoint.USEast1)
{
    public List<(string Body, int DelaySeconds)> Sent { get; } = [];

    /// <summary>As many sends fail from now on.</summary>
    public int Failures { get; set; }

    public override Task<SendMessageResponse> SendMessageAsync(SendMessageRequest request, CancellationToken cancellationToken = default)
    {
        // Several batches are sent at once.
        lock (Sent)
        {
            if (Failures > 0)
            {
                Failures--;
                throw new AmazonSQSException("The queue is down.");
            }

            Sent.Add((request.MessageBody, request.DelaySeconds ?? 0));
            return Task.FromResult(new SendMessageResponse());
        }
    }

    /// <summary>Takes the oldest message.</summary>
    public (string Body, int DelaySeconds) Take()
    {
        var message = Sent[0];
        Sent.RemoveAt(0);
        return message;
    }
}
