using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Failover.ItemApi.Tests.Doors;
using Failover.ItemRecord;

namespace Failover.ItemApi.Tests;

/// <summary>
/// Drawn requests, some in each run and as many as wanted with ITEMAPI_REQUESTS, from another seed on with ITEMAPI_SEED: whatever comes, no answer is a fault of the server's, each is as the API's description
/// says, every line that is logged is one JSON object, and what was acknowledged can be read back exactly.
/// </summary>
public abstract class RandomRequestTests(ApiWorld world, ITestOutputHelper output)
{
    private const int Workers = 4;

    private static readonly int Requests = Setting("ITEMAPI_REQUESTS", 1500);
    private static readonly int Seed = Setting("ITEMAPI_SEED", 20_261_127);

    [Fact]
    public async Task Whatever_comes_is_answered()
    {
        output.WriteLine($"{Requests} requests from seed {Seed} on, through {world.Kind}.");
        var statuses = new System.Collections.Concurrent.ConcurrentDictionary<int, int>();
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => RunAsync(worker, statuses)));
        world.AssertEveryLineIsOneObject();

        output.WriteLine(string.Join(", ", statuses.OrderBy(status => status.Key).Select(status => $"{status.Key}: {status.Value}")));
        // It meets all of them, or it draws too little to show anything.
        Assert.Empty(((int[])[200, 201, 204, 304, 400, 404, 405, 412, 415]).Except(statuses.Keys));
    }

    private async Task RunAsync(int worker, System.Collections.Concurrent.ConcurrentDictionary<int, int> statuses)
    {
        var seed = Seed + worker;
        var generator = new RequestGenerator(seed, $"r{worker}");
        var acknowledged = new Dictionary<string, (string? ETag, string? Body)>();
        for (var i = 0; i < Requests / Workers; i++)
        {
            var request = generator.Next();
            var what = $"seed {seed}, request {i}: {request.Method} {request.Path} {string.Join("; ", request.Headers)} {Convert.ToHexString(request.Body ?? [])}";
            var answer = await Asking.AskBytesAsync(world.Client, request.Method, request.Path, request.Body, request.Headers);
            statuses.AddOrUpdate((int)answer.Status, 1, (_, count) => count + 1);
            Assert.True((int)answer.Status < 500, $"{what}: {(int)answer.Status} {answer.Body}");
            if (request.Id is { } id)
            {
                Check(request, id, answer, acknowledged, what);
            }

            if (world.Lines.Count > 10_000)
            {
                world.AssertEveryLineIsOneObject();
                world.Lines.Clear();
            }
        }
    }

    /// <summary>An item is only written by its own worker: what is read is what was acknowledged last, to the letter.</summary>
    private static void Check(DrawnRequest request, string id, Answered answer, Dictionary<string, (string? ETag, string? Body)> acknowledged, string what)
    {
        var (tag, body) = acknowledged.GetValueOrDefault(id);
        switch (request.Method, answer.Status)
        {
            case ("GET", HttpStatusCode.OK):
                Assert.True(answer.Body == body && answer.ETag == tag, $"{what}: {answer.Body} was {body}");
                break;
            case ("GET", HttpStatusCode.NotFound):
                Assert.True(body is null, $"{what}: it was {body}");
                break;
            case ("PUT", HttpStatusCode.OK or HttpStatusCode.Created):
                Assert.True(answer.Status == HttpStatusCode.Created == body is null, what);
                if (request.Sent is { } sent)
                {
                    Assert.True(Same(sent, id, answer.Body), $"{what}: {answer.Body}");
                }

                acknowledged[id] = (answer.ETag, answer.Body);
                break;
            case ("PATCH", HttpStatusCode.OK):
                Assert.True(body is not null, what);
                acknowledged[id] = (answer.ETag, answer.Body);
                break;
            case ("DELETE", HttpStatusCode.NoContent):
                Assert.True(body is not null, what);
                acknowledged[id] = default;
                break;
        }
    }

    private static bool Same(JsonObject sent, string id, string body)
    {
        var expected = (JsonObject)sent.DeepClone();
        expected["id"] = id;
        using var document = JsonDocument.Parse(body);
        return Same(expected, document.RootElement);
    }

    private static bool Same(JsonNode? sent, JsonElement found) => (sent, found.ValueKind) switch
    {
        (null, JsonValueKind.Null) => true,
        (JsonObject members, JsonValueKind.Object) => members.Count == found.EnumerateObject().Count() && members.All(member => found.TryGetProperty(member.Key, out var value) && Same(member.Value, value)),
        (JsonArray elements, JsonValueKind.Array) => elements.Count == found.GetArrayLength() && elements.Zip(found.EnumerateArray()).All(pair => Same(pair.First, pair.Second)),
        (JsonValue text, JsonValueKind.String) => text.GetValue<string>() == found.GetString(),
        (JsonValue number, JsonValueKind.Number) => NumberForm.AreEqual(number.ToJsonString(), found.GetRawText()),
        (JsonValue flag, JsonValueKind.True or JsonValueKind.False) => flag.GetValue<bool>() == found.GetBoolean(),
        _ => false,
    };

    private static int Setting(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), out var value) ? value : otherwise;
}

/// <summary>Behind API Gateway.</summary>
public sealed class RandomRequestsThroughLambdaTests(LambdaWorld world, ITestOutputHelper output) : RandomRequestTests(world, output), IClassFixture<LambdaWorld>;

/// <summary>By itself.</summary>
public sealed class RandomRequestsThroughKestrelTests(KestrelWorld world, ITestOutputHelper output) : RandomRequestTests(world, output), IClassFixture<KestrelWorld>;
