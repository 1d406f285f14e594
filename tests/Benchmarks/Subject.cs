using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane;
using Failover.Testing;
using Failover.ItemRecord;

namespace Failover.Benchmarks;

/// <summary>One function with a real event for it, and the proof that the event did its work.</summary>
/// <param name="Event">A new event for each start.</param>
/// <param name="MistakeAsync">What is wrong with the answer, or with what it left behind; null if nothing.</param>
internal sealed record Subject(
    string Name, IReadOnlyDictionary<string, string> Environment, Func<byte[]> Event, Func<byte[], Task<string?>> MistakeAsync)
{
    private const string Region = "us-east-1";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>All that is measured, the bare loop first.</summary>
    public static async Task<IReadOnlyList<Subject>> AllAsync(TestEngine engine, SmallWorld world) =>
        [BareLoop(), await ItemApiAsync(engine), await ReplicationAuditAsync(engine), await HealthCheckAsync(engine, world)];

    internal static Subject BareLoop() => new(
        "BareLoop", new Dictionary<string, string>(), () => "{}"u8.ToArray(), answer => Task.FromResult(answer.AsSpan().SequenceEqual("{}"u8) ? null : "it did not answer {}"));

    /// <summary>One item, read from DynamoDB.</summary>
    internal static async Task<Subject> ItemApiAsync(TestEngine engine)
    {
        var table = await engine.TableAsync("id");
        var store = new ItemStore(engine.Client(), table, Region, new VersionClock(Region, TimeProvider.System), TimeProvider.System, Timeout);
        await store.PutAsync("hello", new Dictionary<string, AttributeValue> { ["text"] = new("benchmark") }, null, Precondition.None, CancellationToken.None);
        var request = """
            {"version":"2.0","routeKey":"$default","rawPath":"/items/hello","rawQueryString":"","headers":{"accept":"application/json","host":"api.example.test"},
            "requestContext":{"accountId":"000000000000","apiId":"local","domainName":"api.example.test","requestId":"r1","routeKey":"$default","stage":"$default","time":"23/Nov/2026:08:00:00 +0000","timeEpoch":1795420800000,
            "http":{"method":"GET","path":"/items/hello","protocol":"HTTP/1.1","sourceIp":"203.0.113.9","userAgent":"benchmark"}},"isBase64Encoded":false}
            """;
        return new Subject(
            "ItemApi",
            Settings(engine, ("ITEMS_TABLE", table), ("AUTHORIZATION", "off")),
            () => Encoding.UTF8.GetBytes(request),
            answer => Task.FromResult(JsonNode.Parse(answer) is { } response && (int?)response["statusCode"] == 200 && (string?)response["body"] == """{"id":"hello","text":"benchmark"}"""
                ? null
                : Encoding.UTF8.GetString(answer)));
    }

    /// <summary>One conflict in a stream, found and written into the journal.</summary>
    private static async Task<Subject> ReplicationAuditAsync(TestEngine engine)
    {
        var table = await engine.TableAsync("kind", "id");
        var journal = new JournalStore(engine.Client(), table, Timeout);
        var number = 0;
        return new Subject(
            "ReplicationAudit",
            Settings(
                engine,
                ("JOURNAL_TABLE", table),
                ("ITEMS_TABLE", await engine.TableAsync("id")),
                ("AUDIT_QUEUE_URL", engine.Address + "queue"),
                ("REPLICA_REGIONS", $"{Region},us-west-2"),
                ("OBSERVER_REGIONS", Region)),
            () =>
            {
                number++;
                JsonObject Image(string region) => JsonObject.Create(DynamoDbJson.ToElement(new StoredItem(
                    $"item-{number}", new Dictionary<string, AttributeValue> { ["text"] = new("x") }, ItemVersion.Create(1_795_420_800_000 + number, 0, region, "writer00"), SeenVersions.None, false, null).ToAttributes()))!;
                return Encoding.UTF8.GetBytes(new JsonObject
                {
                    ["Records"] = new JsonArray(new JsonObject
                    {
                        ["eventID"] = $"e{number}",
                        ["eventName"] = "MODIFY",
                        ["eventVersion"] = "1.1",
                        ["eventSource"] = "aws:dynamodb",
                        ["awsRegion"] = Region,
                        ["dynamodb"] = new JsonObject
                        {
                            ["ApproximateCreationDateTime"] = 1_795_420_801,
                            ["Keys"] = new JsonObject { ["id"] = new JsonObject { ["S"] = $"item-{number}" } },
                            ["OldImage"] = Image(Region),
                            ["NewImage"] = Image("us-west-2"),
                            ["SequenceNumber"] = number.ToString("D21", CultureInfo.InvariantCulture),
                            ["SizeBytes"] = 200,
                            ["StreamViewType"] = "NEW_AND_OLD_IMAGES",
                        },
                        ["eventSourceARN"] = "arn:aws:dynamodb:us-east-1:000000000000:table/Items/stream/x",
                    }),
                }.ToJsonString());
            },
            async answer => Encoding.UTF8.GetString(answer) is var text && text != """{"batchItemFailures":[]}""" ? text
                : (await journal.ReadFindingsAsync(1000, CancellationToken.None)).Any(finding => finding.Kind == FindingKind.LostUpdate && finding.Key == $"item-{number}") ? null
                : "the finding is not in the journal");
    }

    /// <summary>One tick: it probes, votes, makes the first register, and writes the name's state.</summary>
    private static async Task<Subject> HealthCheckAsync(TestEngine engine, SmallWorld world)
    {
        var (items, control, journal) = (await engine.TableAsync("id"), await engine.TableAsync("service", "record"), await engine.TableAsync("kind", "id"));
        var store = new ControlStore(engine.Client(), control, Timeout);
        var settings = Settings(engine, ("ITEMS_TABLE", items), ("CONTROL_TABLE", control), ("JOURNAL_TABLE", journal), ("TICK_QUEUE_URL", engine.Address + "queue"), ("TOPOLOGY_FILE", world.TopologyFile));
        settings["AWS_ENDPOINT_URL_ROUTE_53"] = world.Route53.ToString();
        var start = DateTimeOffset.UnixEpoch;
        return new Subject(
            "HealthCheck",
            settings,
            () =>
            {
                start = world.Topology.Timing.StartAt(TimeProvider.System.GetUtcNow());
                return Encoding.UTF8.GetBytes(new JsonObject
                {
                    ["Records"] = new JsonArray(new JsonObject
                    {
                        ["messageId"] = "m1",
                        ["receiptHandle"] = "m1",
                        ["body"] = new JsonObject { ["format"] = 2, ["start"] = start.ToUnixTimeMilliseconds() }.ToJsonString(),
                        ["attributes"] = new JsonObject(),
                        ["eventSource"] = "aws:sqs",
                        ["eventSourceARN"] = "arn:aws:sqs:us-east-1:000000000000:ticks",
                        ["awsRegion"] = Region,
                    }),
                }.ToJsonString());
            },
            async _ =>
            {
                if ((await store.ReadBallotAsync(Region, CancellationToken.None)).Ballot?.Start != start || world.StateTxt is null)
                {
                    return $"there is no ballot of {start:O}, or no state TXT";
                }

                // The next process votes for the same tick again.
                await engine.Client().DeleteItemAsync(
                    control, new() { ["service"] = new(ControlStore.ObserversPartition), ["record"] = new("ballot#" + Region) }, CancellationToken.None);
                return null;
            });
    }

    private static Dictionary<string, string> Settings(TestEngine engine, params (string Name, string Value)[] own) => new(own.Select(setting => KeyValuePair.Create(setting.Name, setting.Value)))
    {
        ["AWS_REGION"] = Region,
        ["AWS_ACCESS_KEY_ID"] = "local",
        ["AWS_SECRET_ACCESS_KEY"] = "local",
        ["AWS_ENDPOINT_URL"] = engine.Address.ToString(),
    };
}
