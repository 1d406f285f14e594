using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Failover.LocalHost.Aws;

/// <summary>
/// A queue with delays behind SQS's JSON protocol, as much of it as a sender needs; what consumes it is the function's trigger.
/// </summary>
internal sealed class SqsQueue(TimeProvider time)
{
    /// <summary>SQS's limit on a delay.</summary>
    private const int DelaySecondsMax = 900;

    private const int BatchMax = 10;

    private readonly Lock _lock = new();
    private readonly PriorityQueue<Message, DateTimeOffset> _messages = new();
    private readonly SemaphoreSlim _arrived = new(0);

    /// <summary>Answers one operation; null for one that it does not know.</summary>
    public JsonObject? Handle(string operation, JsonObject request)
    {
        switch (operation)
        {
            case "SendMessage":
                return Send(request);
            case "SendMessageBatch":
                var entries = request["Entries"]!.AsArray();
                if (entries.Count is 0 or > BatchMax)
                {
                    throw new BadHttpRequestException($"A batch has 1 to {BatchMax} entries, not {entries.Count}.");
                }

                return new JsonObject
                {
                    ["Successful"] = new JsonArray([.. entries.Select(entry =>
                    {
                        var sent = Send(entry!.AsObject());
                        sent["Id"] = (string?)entry["Id"];
                        return sent;
                    })]),
                    ["Failed"] = new JsonArray(),
                };
            case "GetQueueAttributes":
                lock (_lock)
                {
                    return new JsonObject { ["Attributes"] = new JsonObject { ["ApproximateNumberOfMessages"] = $"{_messages.Count}" } };
                }

            default:
                return null;
        }
    }

    /// <summary>Waits for the next message that is due.</summary>
    public async Task<Message> ReceiveAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            TimeSpan wait;
            lock (_lock)
            {
                if (_messages.TryPeek(out var message, out var due) && due <= time.GetUtcNow())
                {
                    return _messages.Dequeue();
                }

                wait = message is null ? TimeSpan.FromMinutes(1) : due - time.GetUtcNow();
            }

            if (wait > TimeSpan.Zero)
            {
                await _arrived.WaitAsync(wait, cancellationToken);
            }
        }
    }

    /// <summary>Delivers a message again, some time from now.</summary>
    public void Return(Message message, TimeSpan after)
    {
        var due = time.GetUtcNow() + after;
        lock (_lock)
        {
            _messages.Enqueue(message with { Due = due }, due);
        }

        _arrived.Release();
    }

    private JsonObject Send(JsonObject entry)
    {
        var body = (string?)entry["MessageBody"] ?? throw new BadHttpRequestException("MessageBody is missing.");
        var delay = (int?)entry["DelaySeconds"] ?? 0;
        if (delay is < 0 or > DelaySecondsMax)
        {
            throw new BadHttpRequestException($"DelaySeconds is 0 to {DelaySecondsMax}, not {delay}.");
        }

        var due = time.GetUtcNow().AddSeconds(delay);
        var message = new Message(Guid.NewGuid().ToString(), body, due);
        lock (_lock)
        {
            _messages.Enqueue(message, due);
        }

        _arrived.Release();
        return new JsonObject { ["MessageId"] = message.Id, ["MD5OfMessageBody"] = Md5(body) };
    }

    // SQS's protocol says so: clients check it.
#pragma warning disable CA5351
    private static string Md5(string body) => Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(body)));
#pragma warning restore CA5351

    /// <summary>A queued message.</summary>
    internal sealed record Message(string Id, string Body, DateTimeOffset Due);
}
