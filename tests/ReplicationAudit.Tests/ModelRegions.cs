using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Amazon.DynamoDBv2.Model;
using Failover.ItemRecord;

namespace Failover.ReplicationAudit.Tests;

/// <summary>
/// A model of a global table, in memory: each region takes writes as the API makes them, replication delivers them when it is told to,
/// in order or merged, and the last writer wins. Each region's stream is what Lambda would be handed.
/// </summary>
internal sealed class ModelRegions
{
    private static readonly DateTimeOffset Start = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);

    private readonly Dictionary<string, Region> _regions;
    private readonly Microsoft.Extensions.Time.Testing.FakeTimeProvider _time = new(Start);
    private long _stamp;

    public ModelRegions(params string[] names) => _regions = names.ToDictionary(name => name, name => new Region(new VersionClock(name, _time)));

    public Microsoft.Extensions.Time.Testing.FakeTimeProvider Time => _time;

    public DateTimeOffset Now => _time.GetUtcNow();

    public ItemVersion Put(string region, string id, Action<Dictionary<string, AttributeValue>>? change = null)
    {
        var attributes = new Dictionary<string, AttributeValue>();
        change?.Invoke(attributes);
        return Write(region, id, (version, seen) => new StoredItem(id, attributes, version, seen, IsDeleted: false, ExpiresAt: null));
    }

    public ItemVersion Delete(string region, string id) =>
        Write(region, id, (version, seen) => new StoredItem(id, new Dictionary<string, AttributeValue>(), version, seen, IsDeleted: true, Now + ItemStore.TombstoneLifetime));

    /// <summary>A write past the API: any attributes, or none for a removal.</summary>
    public void Foreign(string region, string id, Dictionary<string, AttributeValue>? attributes) => Apply(region, id, attributes, ++_stamp, replicates: true);

    public Dictionary<string, AttributeValue> Read(string region, string id) => _regions[region].Items[id].Attributes!;

    /// <summary>Delivers what <paramref name="from"/> wrote to <paramref name="to"/>.</summary>
    /// <param name="merged">Only the last write of each key, as replication does when it has a backlog.</param>
    public void Deliver(string from, string to, bool merged)
    {
        var outbox = _regions[from].Outboxes.GetValueOrDefault(to) ?? [];
        _regions[from].Outboxes.Remove(to);
        foreach (var (id, attributes, stamp) in merged ? outbox.GroupBy(write => write.Id).Select(writes => writes.Last()) : outbox)
        {
            if (!_regions[to].Items.TryGetValue(id, out var current) || current.Stamp < stamp)
            {
                Apply(to, id, attributes, stamp, replicates: false);
            }
        }
    }

    /// <summary>Delivers everything everywhere, until nothing is under way.</summary>
    public void DeliverAll(bool merged)
    {
        foreach (var from in _regions.Keys)
        {
            foreach (var to in _regions.Keys.Where(to => to != from))
            {
                Deliver(from, to, merged);
            }
        }
    }

    public void Advance(TimeSpan time) => _time.Advance(time);

    /// <summary>A region's whole stream: the records as Lambda hands them over.</summary>
    public IReadOnlyList<string> Stream(string region) => _regions[region].Stream;

    public static JsonElement EventOf(IEnumerable<string> records) =>
        JsonDocument.Parse($$"""{"Records":[{{string.Join(',', records)}}]}""", new JsonDocumentOptions { MaxDepth = DynamoDbJson.DepthMax }).RootElement;

    public static string NumberOf(string record) => (string)JsonNode.Parse(record, documentOptions: new JsonDocumentOptions { MaxDepth = DynamoDbJson.DepthMax })!["dynamodb"]!["SequenceNumber"]!;

    private ItemVersion Write(string region, string id, Func<ItemVersion, SeenVersions, StoredItem> make)
    {
        _time.Advance(TimeSpan.FromMilliseconds(7));
        var predecessor = _regions[region].Items.GetValueOrDefault(id).Attributes is { } there ? StoredItem.FromAttributes(there) : null;
        var seen = predecessor?.SeenBySuccessor ?? SeenVersions.None;
        var version = _regions[region].Clock.Next(seen);
        Apply(region, id, make(version, seen).ToAttributes(), ++_stamp, replicates: true);
        return version;
    }

    private void Apply(string name, string id, Dictionary<string, AttributeValue>? attributes, long stamp, bool replicates)
    {
        if (attributes is not null)
        {
            attributes[ItemAttributes.Id] = new(id);
        }

        var region = _regions[name];
        var old = region.Items.GetValueOrDefault(id).Attributes;
        region.Items[id] = (attributes, stamp);
        region.Stream.Add(Record(region.Stream.Count + 1, name, id, old, attributes));
        foreach (var other in _regions.Keys.Where(other => replicates && other != name))
        {
            (region.Outboxes.TryGetValue(other, out var outbox) ? outbox : region.Outboxes[other] = []).Add((id, attributes, stamp));
        }
    }

    private string Record(int number, string region, string id, Dictionary<string, AttributeValue>? old, Dictionary<string, AttributeValue>? next)
    {
        var data = new JsonObject
        {
            ["ApproximateCreationDateTime"] = Now.ToUnixTimeSeconds(),
            ["Keys"] = new JsonObject { ["id"] = new JsonObject { ["S"] = id } },
            ["SequenceNumber"] = number.ToString("D21", CultureInfo.InvariantCulture),
            ["SizeBytes"] = 100,
            ["StreamViewType"] = "NEW_AND_OLD_IMAGES",
        };
        if (old is not null)
        {
            data["OldImage"] = Json(old);
        }

        if (next is not null)
        {
            data["NewImage"] = Json(next);
        }

        return new JsonObject
        {
            ["eventID"] = $"{region}-{number}",
            ["eventName"] = old is null ? "INSERT" : next is null ? "REMOVE" : "MODIFY",
            ["eventVersion"] = "1.1",
            ["eventSource"] = "aws:dynamodb",
            ["awsRegion"] = region,
            ["dynamodb"] = data,
            ["eventSourceARN"] = $"arn:aws:dynamodb:{region}:0:table/Items/stream/x",
        }.ToJsonString(Deep);
    }

    private static JsonObject Json(Dictionary<string, AttributeValue> attributes) => JsonObject.Create(DynamoDbJson.ToElement(attributes))!;

    private static readonly JsonSerializerOptions Deep = new() { MaxDepth = DynamoDbJson.DepthMax };

    private sealed record Region(VersionClock Clock)
    {
        public Dictionary<string, (Dictionary<string, AttributeValue>? Attributes, long Stamp)> Items { get; } = [];

        public Dictionary<string, List<(string Id, Dictionary<string, AttributeValue>? Attributes, long Stamp)>> Outboxes { get; } = [];

        public List<string> Stream { get; } = [];
    }
}
