using Amazon.SQS;
using Amazon.SQS.Model;

namespace Failover.Simulation.Audit;

/// <summary>A queue in memory, with delays.</summary>
internal sealed class MemoryQueue(Func<DateTimeOffset> now, Func<bool, CallFault> fault) : AmazonSQSClient("local", "local", Amazon.RegionEndpoint.USEast1)
{
    private readonly PriorityQueue<string, DateTimeOffset> _messages = new();

    public int Count => _messages.Count;

    /// <summary>Whether messages get lost that only repeat what was asked before.</summary>
    public bool Forgets { get; set; }

    /// <summary>When the next message is due.</summary>
    public DateTimeOffset? NextDue => _messages.TryPeek(out _, out var due) ? due : null;

    public override Task<SendMessageResponse> SendMessageAsync(SendMessageRequest request, CancellationToken cancellationToken = default)
    {
        var happens = fault(true);
        if (happens == CallFault.Refused)
        {
            throw new AmazonSQSException("The queue is down.");
        }

        if (!Forgets || request.DelaySeconds is 0 or 2)
        {
            Add(request.MessageBody, TimeSpan.FromSeconds(request.DelaySeconds ?? 0));
        }

        return happens == CallFault.AnswerLost ? throw new AmazonSQSException("The answer was lost.") : Task.FromResult(new SendMessageResponse());
    }

    public void Add(string body, TimeSpan delay) => _messages.Enqueue(body, now() + delay);

    /// <summary>Takes the next message that is due.</summary>
    public string? Take() => NextDue <= now() ? _messages.Dequeue() : null;
}
