using System.Text.Json.Nodes;
using Failover.LocalHost.Aws;

namespace Failover.LocalHost.Tests;

/// <summary>The queue of ticks.</summary>
public class SqsQueueTests
{
    [Fact]
    public async Task Messages_come_when_they_are_due_in_their_order()
    {
        var queue = new SqsQueue(TimeProvider.System);
        queue.Handle("SendMessageBatch", Batch(("later", 1), ("now", 0)));

        var start = TimeProvider.System.GetTimestamp();
        var first = await queue.ReceiveAsync(TestContext.Current.CancellationToken);
        var second = await queue.ReceiveAsync(TestContext.Current.CancellationToken);

        Assert.Equal(("now", "later"), (first.Body, second.Body));
        Assert.True(TimeProvider.System.GetElapsedTime(start) > TimeSpan.FromSeconds(0.9));
    }

    [Fact]
    public void A_sender_is_told_the_digest_that_clients_check() =>
        Assert.Equal("5d41402abc4b2a76b9719d911017c592", (string?)new SqsQueue(TimeProvider.System).Handle("SendMessage", new JsonObject { ["MessageBody"] = "hello" })!["MD5OfMessageBody"]);

    [Fact]
    public void Limits_are_SQSs()
    {
        var queue = new SqsQueue(TimeProvider.System);

        Assert.Throws<Microsoft.AspNetCore.Http.BadHttpRequestException>(() => queue.Handle("SendMessage", new JsonObject { ["MessageBody"] = "x", ["DelaySeconds"] = 901 }));
        Assert.Throws<Microsoft.AspNetCore.Http.BadHttpRequestException>(() => queue.Handle("SendMessageBatch", Batch([.. Enumerable.Range(0, 11).Select(i => ($"{i}", 0))])));
        Assert.Null(queue.Handle("CreateQueue", []));
    }

    private static JsonObject Batch(params (string Body, int Delay)[] entries) => new()
    {
        ["Entries"] = new JsonArray([.. entries.Select((entry, i) => new JsonObject { ["Id"] = $"{i}", ["MessageBody"] = entry.Body, ["DelaySeconds"] = entry.Delay })]),
    };
}
