using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Failover.LocalHost.Functions;
using Failover.LocalHost.Network;
using Failover.LocalHost.Processes;
using Microsoft.AspNetCore.Http;

namespace Failover.LocalHost.Tests;

/// <summary>A deployment over a running function: the item API, before a DynamoDB that can keep it waiting.</summary>
public sealed class FunctionHostTests : IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    private readonly Undertaker _undertaker = new();
    private readonly SemaphoreSlim _asked = new(0);
    private readonly TaskCompletionSource _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _logs = Directory.CreateTempSubdirectory("functionhost-").FullName;
    private Door _dynamoDb = null!;
    private FunctionHost _function = null!;

    public async ValueTask InitializeAsync()
    {
        _dynamoDb = new Door(new IPEndPoint(IPAddress.Loopback, 0), async context =>
        {
            _asked.Release();
            await _answer.Task;
            context.Response.ContentType = "application/x-amz-json-1.0";
            await context.Response.WriteAsync("{}");
        });
        await _dynamoDb.SetOpenAsync(true);
        _function = new FunctionHost(Definition("old"), _undertaker, _logs);
    }

    public async ValueTask DisposeAsync()
    {
        await _function.DisposeAsync();
        await _dynamoDb.DisposeAsync();
        _undertaker.Dispose();
        _asked.Dispose();
        Directory.Delete(_logs, recursive: true);
    }

    [Fact]
    public async Task An_idle_process_ends_with_the_deployment()
    {
        Assert.Equal("old", await RegionAsync("/openapi/v1.json"));

        await _function.DeployAsync(Definition("new"));

        Assert.Equal(0, _function.ProcessCount);
        Assert.Equal("new", await RegionAsync("/openapi/v1.json"));
    }

    [Fact]
    public async Task A_busy_process_finishes_its_invocation_and_ends_while_new_invocations_go_to_a_new_one()
    {
        var busy = RegionAsync("/items/one");
        await _asked.WaitAsync(Token);

        await _function.DeployAsync(Definition("new"));
        Assert.Equal("new", await RegionAsync("/openapi/v1.json"));
        Assert.False(busy.IsCompleted);
        _answer.SetResult();

        Assert.Equal("old", await busy);
        Assert.Equal(1, _function.ProcessCount);
        Assert.Equal("new", await RegionAsync("/openapi/v1.json"));
    }

    [Fact]
    public async Task A_process_keeps_the_time_out_that_it_was_started_with()
    {
        var busy = _function.InvokeAsync(Get("/items/one"));
        await _asked.WaitAsync(Token);
        await _function.DeployAsync(Definition("new") with { Timeout = TimeSpan.FromMilliseconds(1) });
        _answer.SetResult();

        Assert.Null((await busy).Error);
        Assert.Contains(
            "Task timed out after 0.00 seconds", (await _function.InvokeAsync(Get("/openapi/v1.json"))).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_invocation_under_way_fails_when_the_function_goes_and_nothing_else_does()
    {
        var busy = _function.InvokeAsync(Get("/items/one"));
        await _asked.WaitAsync(Token);

        await _function.DisposeAsync();

        Assert.Contains("the process ended", (await busy).Error, StringComparison.Ordinal);
        Assert.Equal(0, _function.ProcessCount);
    }

    private FunctionDefinition Definition(string region) => new(
        "ItemApi",
        region,
        Outputs.Executable("ItemApi"),
        new Dictionary<string, string>
        {
            ["AWS_ACCESS_KEY_ID"] = "local",
            ["AWS_SECRET_ACCESS_KEY"] = "local",
            ["AWS_ENDPOINT_URL"] = $"http://127.0.0.1:{_dynamoDb.Port}",
            ["ITEMS_TABLE"] = "Items",
            ["CALL_TIMEOUT_MS"] = "10000",
            ["REQUEST_TIMEOUT_MS"] = "29000",
            ["AUTHORIZATION"] = "off",
        },
        TimeSpan.FromSeconds(40),
        2,
        "test");

    /// <summary>The region that the process which answers was started in.</summary>
    private async Task<string?> RegionAsync(string path)
    {
        var result = await _function.InvokeAsync(Get(path));
        Assert.Null(result.Error);
        var headers = JsonNode.Parse(result.Payload!)!["headers"]!.AsObject();
        return (string?)headers.Single(header => header.Key.Equals("Failover-Region", StringComparison.OrdinalIgnoreCase)).Value;
    }

    private static byte[] Get(string path) => Encoding.UTF8.GetBytes($$$"""
        {"version":"2.0","routeKey":"$default","rawPath":"{{{path}}}","rawQueryString":"","headers":{"host":"items.example.test"},
         "requestContext":{"domainName":"items.example.test","requestId":"1",
         "http":{"method":"GET","path":"{{{path}}}","protocol":"HTTP/1.1","sourceIp":"127.0.0.1"}},"isBase64Encoded":false}
        """);
}
