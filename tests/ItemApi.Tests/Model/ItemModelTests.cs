using System.Collections.Concurrent;
using System.IO.Hashing;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Failover.ItemApi.Tests.Doors;

namespace Failover.ItemApi.Tests.Model;

/// <summary>
/// Random operations of clients that act at once, through two processes, on a network that loses requests and answers and delivers late: whatever they are told can be explained by some order of what happened,
/// and what they read is what is then there. Some rounds in each run, any number with ITEMAPI_ROUNDS, from another seed on with ITEMAPI_SEED.
/// </summary>
public abstract class ItemModelTests(ApiWorld world, ITestOutputHelper output) : IDisposable
{
    private const int Items = 8;
    private const string NeverATag = "\"never\"";

    private static readonly int Rounds = int.TryParse(Environment.GetEnvironmentVariable("ITEMAPI_ROUNDS"), out var value) ? value : 10;
    private static readonly int Seed = int.TryParse(Environment.GetEnvironmentVariable("ITEMAPI_SEED"), out var value) ? value : 7000;

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        world.Road.Happens = (_, _) => Mishap.None;
    }

    [Fact]
    public async Task Some_order_explains_every_answer()
    {
        HttpClient[] clients = [await world.StartAsync(8), await world.StartAsync(8)];
        var (statuses, unknown) = (new ConcurrentDictionary<int, int>(), 0);
        // By the write: whoever sends it again meets the same; or only its first send does, and the second meets what became of that.
        var sends = new ConcurrentDictionary<uint, int>();
        world.Road.Happens = (operation, body) => operation is "PutItem" or "UpdateItem" && (body.Contains("model-", StringComparison.Ordinal) || body.Contains("_key#", StringComparison.Ordinal))
            ? XxHash32.HashToUInt32(Encoding.UTF8.GetBytes(body)) is var hash && sends.AddOrUpdate(hash, 1, (_, times) => times + 1) is var send
                ? (hash % 12, send) switch { (0 or 1, _) or (2 or 3, 1) => Mishap.AnswerLost, (4, _) => Mishap.RequestLost, (5 or 6, _) or (7, 1) => Mishap.Late, _ => Mishap.None }
                : Mishap.None
            : Mishap.None;
        await Task.WhenAll(Enumerable.Range(0, Items).Select(RunAsync));
        output.WriteLine($"{Items} items, {Rounds} rounds each, seed {Seed}: {string.Join(", ", statuses.OrderBy(status => status.Key).Select(status => $"{status.Key}: {status.Value}"))}; {unknown} with an outcome that nobody knew.");

        Assert.Empty(((int[])[200, 201, 204, 404, 409, 412]).Except(statuses.Keys));

        async Task RunAsync(int item)
        {
            var random = new Random(Seed + item);
            var id = $"model-{Guid.NewGuid():N}";
            var states = new List<ItemState> { ItemState.Absent };
            var tags = new List<string> { NeverATag };
            var creates = new List<Operation>();
            for (var round = 0; round < Rounds; round++)
            {
                var operations = Enumerable.Range(0, random.Next(1, 4)).Select(_ => Draw(random, id, tags, creates)).ToList();
                var answers = await Task.WhenAll(operations.Select(operation => SendAsync(clients[random.Next(2)], id, operation)));
                await world.Road.ArrivedAsync();
                var read = await clients[0].AskAsync("GET", $"/items/{id}?consistent=true");
                foreach (var answer in answers)
                {
                    statuses.AddOrUpdate((int)answer.Status, 1, (_, count) => count + 1);
                    if (answer.Problem is "outcome-unknown" or "unavailable")
                    {
                        Interlocked.Increment(ref unknown);
                    }
                }

                var found = read.Status == HttpStatusCode.OK ? (JsonObject)JsonNode.Parse(read.Body)! : null;
                var ran = operations.Zip(answers).ToList();
                var before = states;
                states = [.. ItemModel.Explain(before, ran)
                    .Where(state => JsonNode.DeepEquals(state.Content, found) && (found is null || state.Tag is null || state.Tag == read.ETag))
                    .Select(state => state with { Tag = read.ETag })
                    .DistinctBy(state => (state.Content?.ToJsonString(), state.Tag, string.Join(' ', state.Creates)))];
                Assert.True(
                    states.Count > 0,
                    $"seed {Seed + item}, round {round}: from\n{string.Join('\n', before.Select(state => $"  {state.Content?.ToJsonString()} {state.Tag} {string.Join(' ', state.Creates)}"))}\nby\n"
                    + string.Join('\n', ran.Select(one => $"  {one.First} -> {(int)one.Second.Status} {one.Second.ETag} {one.Second.Body}")) + $"\nto\n  {read.Body} {read.ETag}");
                if (found is not null)
                {
                    tags = [.. tags.TakeLast(3), read.ETag!, read.ETag!];
                }
            }
        }
    }

    private static Operation Draw(Random random, string id, List<string> tags, List<Operation> creates)
    {
        var body = new JsonObject { ["id"] = id, [$"m{random.Next(3)}"] = random.Next(1000) };
        var ifMatch = random.Next(3) == 0 ? tags[random.Next(tags.Count)] : null;
        switch (random.Next(7))
        {
            case < 2:
                return new Operation("PUT", body, ifMatch, ifMatch is null && random.Next(4) == 0, null);
            case < 4:
                body.Remove("id");
                body[$"m{random.Next(3)}"] = null;
                return new Operation("PATCH", body, ifMatch, false, null);
            case 4:
                return new Operation("DELETE", null, ifMatch, false, null);
            case 5 when creates.Count > 0:
                // A retry, of the last create or of one long past.
                return creates[random.Next(creates.Count)];
            default:
                var create = new Operation("POST", body, null, false, random.Next(4) == 0 ? null : $"{id}-{creates.Count}");
                if (create.Key is not null)
                {
                    creates.Add(create);
                }

                return create;
        }
    }

    private static Task<Answered> SendAsync(HttpClient client, string id, Operation operation) => client.AskAsync(
        operation.Method,
        operation.Method == "POST" ? "/items" : "/items/" + id,
        operation.Body?.ToJsonString(),
        ("If-Match", operation.IfMatch),
        ("If-None-Match", operation.IfAbsent ? "*" : null),
        ("Idempotency-Key", operation.Key));
}

/// <summary>Behind API Gateway.</summary>
public sealed class ItemModelThroughLambdaTests(LambdaWorld world, ITestOutputHelper output) : ItemModelTests(world, output), IClassFixture<LambdaWorld>;

/// <summary>By itself.</summary>
public sealed class ItemModelThroughKestrelTests(KestrelWorld world, ITestOutputHelper output) : ItemModelTests(world, output), IClassFixture<KestrelWorld>;
