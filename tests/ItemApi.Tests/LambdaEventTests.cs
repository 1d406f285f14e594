using System.Text;
using System.Text.Json.Nodes;
using Failover.ItemApi.Tests.Doors;
using Failover.LocalHost.Functions;

namespace Failover.ItemApi.Tests;

/// <summary>Events as API Gateway makes them, and as it should not.</summary>
public sealed class LambdaEventTests(LambdaWorld world) : IClassFixture<LambdaWorld>, IDisposable
{
    public void Dispose() => world.Road.Happens = (_, _) => Mishap.None;

    [Fact]
    public async Task Callers_are_who_the_authorizer_says_by_claims_alone()
    {
        var function = world.Function(1, TimeSpan.FromSeconds(10), ("AUTHORIZATION", "jwt"));

        Assert.Equal(404, await StatusAsync(function, Event("GET", "/items/x", claims: new JsonObject { ["sub"] = "a", ["scope"] = "items:read" })));
        Assert.Equal(404, await StatusAsync(function, Event("GET", "/items/x", claims: new JsonObject { ["client_id"] = "a", ["scope"] = "[items:read items:write]" })));
        Assert.Equal(403, await StatusAsync(function, Event("DELETE", "/items/x", claims: new JsonObject { ["sub"] = "a", ["scope"] = "items:read" })));
        Assert.Equal(403, await StatusAsync(function, Event("GET", "/items/x", claims: new JsonObject { ["sub"] = "a" })));
        // An authorizer that says nothing of the caller, as IAM's; none at all; and a token that nobody has verified.
        Assert.Equal(401, await StatusAsync(function, Event("GET", "/items/x", claims: [])));
        Assert.Equal(401, await StatusAsync(function, Event("GET", "/items/x")));
        Assert.Equal(401, await StatusAsync(function, Event("GET", "/items/x", headers: new JsonObject { ["authorization"] = "Bearer a.b.c" })));
        Assert.Equal(200, await StatusAsync(function, Event("GET", "/health/live")));
    }

    /// <summary>
    /// Half a second is kept for the answer. A process that compiles as it goes, on a busy machine, may take longer over its first failure than the native one ever does: so that path is gone once before,
    /// and tried again where the machine was too slow. Without the deadline it never gets there.
    /// </summary>
    [Fact]
    public async Task A_client_gets_an_answer_before_lambda_ends_the_invocation()
    {
        var function = world.Function(1, TimeSpan.FromSeconds(6), ("CALL_TIMEOUT_MS", "10000"), ("REQUEST_TIMEOUT_MS", "29000"));
        world.Road.Happens = (_, body) => body.Contains("hang-", StringComparison.Ordinal) ? Mishap.Hang : body.Contains("lost-", StringComparison.Ordinal) ? Mishap.RequestLost : Mishap.None;
        var answers = new List<string?>();
        for (var attempt = 1; attempt <= 3 && !answers.TakeLast(2).SequenceEqual(["503", "503"]); attempt++)
        {
            Assert.Equal(200, await StatusAsync(function, Event("GET", "/health/live")));
            Assert.Equal(503, await StatusAsync(function, Event("GET", "/items/lost-1")));
            answers.Add(await OutcomeAsync(function, Event("GET", "/items/hang-1")));
            answers.Add(await OutcomeAsync(function, Event("PUT", "/items/hang-1", body: "{}")));
        }

        Assert.Equal(["503", "503"], answers.TakeLast(2));
        Assert.Equal(200, await StatusAsync(function, Event("GET", "/health/live")));
    }

    [Theory]
    [InlineData("ready", 200)]
    [InlineData("put-item", 201)]
    [InlineData("get-item", 200)]
    [InlineData("create-item", 201)]
    public async Task The_sample_events_are_answered(string sample, int status)
    {
        var function = world.Function(1, TimeSpan.FromSeconds(10), ("AUTHORIZATION", "jwt"));
        if (sample == "get-item")
        {
            Assert.InRange(await StatusAsync(function, Sample("put-item")), 200, 201);
        }
        else
        {
            using var dynamoDb = world.Engine.Client();
            await dynamoDb.DeleteItemAsync(world.Table, new() { ["id"] = new("order-17") }, TestContext.Current.CancellationToken);
        }

        Assert.Equal(status, await StatusAsync(function, Sample(sample)));
    }

    [Theory]
    [InlineData("/items/a%2Fb", 400)]
    [InlineData("/items/a b", 400)]
    [InlineData("/items/ü", 400)]
    [InlineData("/items/%2561", 400)]
    [InlineData("/items/a/b", 404)]
    [InlineData("", 405)]
    [InlineData("/items/\u0000", 400)]
    public async Task A_path_is_taken_as_it_comes(string path, int status) =>
        Assert.Equal(status, await StatusAsync(world.Function(1, TimeSpan.FromSeconds(10)), Event(path.Length == 0 ? "PUT" : "GET", path)));

    [Fact]
    public async Task A_body_may_come_as_base64()
    {
        var function = world.Function(1, TimeSpan.FromSeconds(10));
        var request = Event("PUT", "/items/base64", body: Convert.ToBase64String("""{"text":"ü"}"""u8));
        request["isBase64Encoded"] = true;
        var answer = await AskAsync(function, request);

        Assert.Equal((201, """{"id":"base64","text":"ü"}"""), ((int)answer["statusCode"]!, (string?)answer["body"]));
        Assert.False((bool)answer["isBase64Encoded"]!);
    }

    [Fact]
    public async Task Without_its_settings_it_says_what_is_missing()
    {
        var result = await world.Function(1, TimeSpan.FromSeconds(10), ("ITEMS_TABLE", ""), ("WRITE_MODE", "Sometimes")).InvokeAsync(Encoding.UTF8.GetBytes(Event("GET", "/health/live").ToJsonString()));

        Assert.Null(result.Payload);
        Assert.Contains(world.Lines, line => line.Contains("ITEMS_TABLE is not set", StringComparison.Ordinal));
        Assert.Contains(world.Lines, line => line.Contains("WRITE_MODE is 'Sometimes': it must be ActiveActive or ActivePassive", StringComparison.Ordinal));
    }

    private static JsonObject Sample(string name) => (JsonObject)JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "events", name + ".json")))!;

    private static JsonObject Event(string method, string path, string? body = null, JsonObject? claims = null, JsonObject? headers = null)
    {
        headers ??= [];
        headers["content-type"] = "application/json";
        var request = new JsonObject
        {
            ["version"] = "2.0",
            ["routeKey"] = "$default",
            ["rawPath"] = path,
            ["rawQueryString"] = "",
            ["headers"] = headers,
            ["requestContext"] = new JsonObject
            {
                ["accountId"] = "000000000000",
                ["apiId"] = "x",
                ["domainName"] = "api.example.com",
                ["requestId"] = "r",
                ["routeKey"] = "$default",
                ["stage"] = "$default",
                ["http"] = new JsonObject { ["method"] = method, ["path"] = path, ["protocol"] = "HTTP/1.1", ["sourceIp"] = "192.0.2.1", ["userAgent"] = "x" },
            },
            ["isBase64Encoded"] = false,
        };
        if (claims is not null)
        {
            request["requestContext"]!["authorizer"] = new JsonObject { ["jwt"] = new JsonObject { ["claims"] = claims, ["scopes"] = null } };
        }

        if (body is not null)
        {
            request["body"] = body;
        }

        return request;
    }

    /// <summary>The status, or why there is none.</summary>
    private static async Task<string?> OutcomeAsync(FunctionHost function, JsonObject request) =>
        await function.InvokeAsync(Encoding.UTF8.GetBytes(request.ToJsonString())) is { Payload: { } payload } ? (string?)JsonNode.Parse(payload)!["statusCode"]!.ToString() : "no answer";

    private static async Task<JsonNode> AskAsync(FunctionHost function, JsonObject request)
    {
        var result = await function.InvokeAsync(Encoding.UTF8.GetBytes(request.ToJsonString()));
        Assert.Null(result.Error);
        return JsonNode.Parse(result.Payload)!;
    }

    private static async Task<int> StatusAsync(FunctionHost function, JsonObject request) => (int)(await AskAsync(function, request))["statusCode"]!;
}
