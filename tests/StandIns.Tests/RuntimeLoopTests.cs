using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Amazon.Lambda.Core;
using Amazon.Lambda.RuntimeSupport;
using Amazon.Lambda.Serialization.SystemTextJson;
using Amazon.Lambda.SQSEvents;

namespace Failover.StandIns.Tests;

/// <summary>The loop against a Runtime API: what it asks, what it answers, what it reports.</summary>
public sealed class RuntimeLoopTests : IDisposable
{
    private readonly HttpListener _api = new();
    private readonly List<(string Line, string Body, string? ErrorType)> _posts = [];

    public RuntimeLoopTests()
    {
        using var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        var port = ((IPEndPoint)probe.LocalEndpoint).Port;
        probe.Stop();
        _api.Prefixes.Add($"http://127.0.0.1:{port}/");
        _api.Start();
        Environment.SetEnvironmentVariable("AWS_LAMBDA_RUNTIME_API", $"127.0.0.1:{port}");
    }

    public void Dispose() => _api.Close();

    [Fact]
    public async Task An_event_is_read_in_any_case_and_its_result_posted()
    {
        await RunAsync<SQSEvent, Answer>(
            """{"Records":[{"messageId":"m1","body":"hello","eventSourceARN":"arn:aws:sqs:r:0:q"}]}""",
            (input, context) => Task.FromResult(new Answer(input.Records[0].MessageId, input.Records[0].EventSourceArn, context.AwsRequestId, context.RemainingTime > TimeSpan.Zero, null)));

        var (line, body, _) = Assert.Single(_posts);
        Assert.Equal("/2018-06-01/runtime/invocation/id-1/response", line);
        Assert.Equal("""{"Message":"m1","Source":"arn:aws:sqs:r:0:q","Request":"id-1","HasTime":true}""", body);
        Assert.Equal("Root=1-x", Environment.GetEnvironmentVariable("_X_AMZN_TRACE_ID"));
    }

    [Fact]
    public async Task A_handler_that_throws_is_reported_with_its_cause()
    {
        await RunAsync<JsonElement, Answer>("{}", (_, _) => throw new InvalidOperationException("outer", new FormatException("inner")));

        var (line, body, errorType) = Assert.Single(_posts);
        using var error = JsonDocument.Parse(body);
        Assert.Equal(("/2018-06-01/runtime/invocation/id-1/error", "InvalidOperationException"), (line, errorType));
        Assert.Equal("outer", error.RootElement.GetProperty("errorMessage").GetString());
        Assert.Equal("FormatException", error.RootElement.GetProperty("cause").GetProperty("errorType").GetString());
    }

    [Fact]
    public async Task An_event_of_another_type_is_an_error_that_names_the_type()
    {
        await RunAsync<SQSEvent, Answer>("""{"Records":3}""", (_, _) => throw new InvalidOperationException("not reached"));

        Assert.Contains("Amazon.Lambda.SQSEvents.SQSEvent", Assert.Single(_posts).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_start_is_reported_and_ends_the_process()
    {
        using var bootstrap = LambdaBootstrapBuilder
            .Create<JsonElement>((_, _) => Task.CompletedTask, new SourceGeneratorLambdaJsonSerializer<Json>())
            .UseBootstrapHandler(() => throw new InvalidOperationException("no start"))
            .Build();
        var served = ServeAsync("{}");

        await Assert.ThrowsAsync<InvalidOperationException>(() => bootstrap.RunAsync(TestContext.Current.CancellationToken));
        await served;

        var (line, _, errorType) = Assert.Single(_posts);
        Assert.Equal(("/2018-06-01/runtime/init/error", null), (line, errorType));
    }

    /// <summary>One invocation, then the Runtime API goes away: the loop ends by an exception, as the official one does.</summary>
    private async Task RunAsync<TInput, TOutput>(string input, Func<TInput, ILambdaContext, Task<TOutput>> handler)
    {
        using var bootstrap = LambdaBootstrapBuilder.Create(handler, new SourceGeneratorLambdaJsonSerializer<Json>()).Build();
        var served = ServeAsync(input);
        await Assert.ThrowsAnyAsync<Exception>(() => bootstrap.RunAsync(TestContext.Current.CancellationToken));
        await served;
    }

    private async Task ServeAsync(string input)
    {
        while (true)
        {
            var context = await _api.GetContextAsync();
            if (context.Request.HttpMethod == "GET")
            {
                context.Response.Headers["Lambda-Runtime-Aws-Request-Id"] = "id-1";
                context.Response.Headers["Lambda-Runtime-Trace-Id"] = "Root=1-x";
                context.Response.Headers["Lambda-Runtime-Deadline-Ms"] =
                    TimeProvider.System.GetUtcNow().AddMinutes(1).ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
                context.Response.Close(Encoding.UTF8.GetBytes(input), willBlock: false);
                continue;
            }

            using var reader = new StreamReader(context.Request.InputStream);
            _posts.Add((context.Request.Url!.AbsolutePath, await reader.ReadToEndAsync(), context.Request.Headers["Lambda-Runtime-Function-Error-Type"]));
            context.Response.StatusCode = 202;
            context.Response.Close("""{"status":"OK"}"""u8.ToArray(), willBlock: false);
            _api.Stop();
            return;
        }
    }
}

/// <summary>What the test's handler answers; a null is not written.</summary>
public sealed record Answer(string Message, string Source, string Request, bool HasTime, string? Nothing);

[JsonSerializable(typeof(SQSEvent))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(Answer))]
internal sealed partial class Json : JsonSerializerContext;
