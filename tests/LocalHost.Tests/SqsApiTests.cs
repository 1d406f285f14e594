using System.Net;
using System.Text.Json.Nodes;
using Failover.LocalHost.Aws;
using Failover.LocalHost.Network;

namespace Failover.LocalHost.Tests;

/// <summary>SQS's protocol in one region, while the queue of ticks is well and while it is down.</summary>
public sealed class SqsApiTests : IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    private readonly Faults _faults = new(TimeSpan.Zero);
    private readonly NamedQueue _ticks = new("http://queues/", NamedQueue.Ticks, TimeProvider.System);
    private readonly NamedQueue _audit = new("http://queues/", NamedQueue.Audit, TimeProvider.System);
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false });
    private Door _door = null!;

    public async ValueTask InitializeAsync()
    {
        var api = new SqsApi("east", [_ticks, _audit], _faults);
        _door = new Door(new IPEndPoint(IPAddress.Loopback, 0), async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            await api.HandleAsync(context, "SendMessageBatch", body.ToArray());
        });
        await _door.SetOpenAsync(true);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _door.DisposeAsync();
    }

    [Fact]
    public async Task A_queue_that_is_down_answers_as_SQS_does_and_queues_nothing()
    {
        _faults.Add(new Fault("", "tick-queue-down"));

        using var response = await SendAsync(_ticks);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("ServiceUnavailable;Receiver", Assert.Single(response.Headers.GetValues("x-amzn-query-error")));
        Assert.Equal(
            "com.amazonaws.sqs#ServiceUnavailable", (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync(Token))!["__type"]);
        Assert.Equal("0", (string?)_ticks.Queue.Handle("GetQueueAttributes", [])!["Attributes"]!["ApproximateNumberOfMessages"]);
    }

    [Fact]
    public async Task It_takes_messages_again_once_it_has_healed()
    {
        _faults.Remove(_faults.Add(new Fault("", "tick-queue-down") { Region = "east" }).Id);

        using var response = await SendAsync(_ticks);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("hello", (await _ticks.Queue.ReceiveAsync(Token)).Body);
    }

    [Fact]
    public async Task The_fault_is_the_queue_of_ticks_alone_and_of_its_region_alone()
    {
        _faults.Add(new Fault("", "tick-queue-down") { Region = "west" });
        using var here = await SendAsync(_ticks);
        _faults.Add(new Fault("", "tick-queue-down") { Region = "east" });
        using var audit = await SendAsync(_audit);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (here.StatusCode, audit.StatusCode));
    }

    private Task<HttpResponseMessage> SendAsync(NamedQueue queue) => _http.PostAsync(
        new Uri($"http://127.0.0.1:{_door.Port}/"),
        new StringContent($$"""{"QueueUrl":"{{queue.Url}}","Entries":[{"Id":"1","MessageBody":"hello"}]}"""),
        Token);
}
