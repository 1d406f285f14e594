using System.Globalization;
using System.Text;
using System.Text.Json;
using Amazon.DynamoDBv2.Model;
using Failover.ItemRecord;

namespace Failover.Simulation.Audit;

/// <summary>A write that the API acknowledged, as somebody outside would have noted it.</summary>
/// <param name="Parent">What it replaced, where that had a version.</param>
internal sealed record Acknowledged(ItemVersion Version, string Key, Acknowledged? Parent, DateTimeOffset At, DateTimeOffset? ExpiresAt)
{
    /// <summary>Whether another write is among those that led to this one.</summary>
    public bool DescendsFrom(Acknowledged other)
    {
        for (var write = Parent; write is not null; write = write.Parent)
        {
            if (write == other)
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>A version that came to be the present one of a key in a region; null: nothing is there, or nothing of ours.</summary>
/// <param name="Number">Where in the region's stream it is told, from 0.</param>
internal sealed record Present(DateTimeOffset At, Acknowledged? Write, bool IsRemoval, bool IsEdit, int Number);

/// <summary>Something that replication lost, or brought late.</summary>
internal sealed record Drop(string Key, Acknowledged Write, string From, string To)
{
    public DateTimeOffset? BroughtAt { get; set; }
}

/// <summary>
/// A model of a global table: each region takes writes as the API makes them, by processes whose clocks differ; replication brings them to the others late, merged, twice, out of order
/// but for those of one key, or not at all; the last writer wins, by times that nobody sees. Each region's stream is what Lambda would be handed.
/// </summary>
internal sealed class GlobalTable
{
    /// <summary>No two regions ever give one stamp.</summary>
    private const int RegionsMax = 8;

    private readonly Random _random;
    private readonly Func<DateTimeOffset> _now;
    private readonly Dictionary<string, Region> _regions;
    private readonly Dictionary<(string From, string To), Link> _links = [];

    public GlobalTable(IReadOnlyList<string> names, Random random, Func<DateTimeOffset> now)
    {
        (_random, _now) = (random, now);
        _regions = names.ToDictionary(name => name, name => new Region(
            new MemoryTables { Salt = name[0] }, [.. Enumerable.Range(0, 2).Select(process => (process, Skew: random.Next(-3000, 3000))).Select(draw => new VersionClock(name, new SimTime(() => now().AddMilliseconds(draw.Skew)), $"writer-{draw.process}"))]));
        foreach (var from in names)
        {
            foreach (var to in names.Where(to => to != from))
            {
                _links[(from, to)] = new Link(TimeSpan.FromSeconds(random.Next(3) switch { 0 => 0.2, 1 => random.Next(1, 20), _ => random.Next(20, 80) }), Merges: random.Next(2) == 0);
            }
        }
    }

    public IReadOnlyCollection<string> Names => _regions.Keys;

    public List<Acknowledged> Writes { get; } = [];

    public List<Drop> Drops { get; } = [];

    /// <summary>How many replicated writes are still under way.</summary>
    public int UnderWay => _links.Values.Sum(link => link.Events.Count);

    public MemoryTables Tables(string region) => _regions[region].Tables;

    /// <summary>A region's whole stream: number and record.</summary>
    public IReadOnlyList<string> Stream(string region) => _regions[region].Stream;

    /// <summary>What a key has been in a region, one after another.</summary>
    public IReadOnlyDictionary<string, List<Present>> History(string region) => _regions[region].History;

    /// <summary>Which heartbeat, if it is one of this region's own, each record of the stream carries.</summary>
    public IReadOnlyList<bool> IsOwnHeartbeat(string region) => _regions[region].OwnHeartbeats;

    public Acknowledged Write(string name, string key, bool deletes, DateTimeOffset? expiresAt)
    {
        var region = _regions[name];
        var there = region.Items.GetValueOrDefault(key);
        var predecessor = there.Attributes is { } attributes ? StoredItem.FromAttributes(attributes) : null;
        var seen = predecessor?.SeenBySuccessor ?? SeenVersions.None;
        var version = region.Clocks[_random.Next(region.Clocks.Length)].Next(seen);
        var item = new StoredItem(
            key, new Dictionary<string, AttributeValue> { ["n"] = new() { N = _random.Next(100).ToString(CultureInfo.InvariantCulture) } }, version, seen, deletes, deletes ? _now().AddDays(8) : expiresAt);
        var write = new Acknowledged(version, key, predecessor?.Version is null ? null : there.Write, _now(), item.ExpiresAt);
        Writes.Add(write);
        Make(name, key, item.ToAttributes(), write, isEdit: false);
        return write;
    }

    /// <summary>A program that does not go through the API changes an attribute, or all of the item.</summary>
    public void Foreign(string name, string key, bool whole)
    {
        if (_regions[name].Items.GetValueOrDefault(key) is { Attributes: { } there } item)
        {
            var attributes = whole ? new Dictionary<string, AttributeValue> { [ItemAttributes.Id] = new(key) } : new Dictionary<string, AttributeValue>(there);
            attributes["edited"] = new(_random.Next().ToString(CultureInfo.InvariantCulture));
            Make(name, key, attributes, whole ? null : item.Write, isEdit: true);
        }
    }

    /// <summary>An item changes in one replica, and no stream tells of it.</summary>
    public void Corrupt(string name, string key)
    {
        var there = _regions[name].Items[key];
        var attributes = new Dictionary<string, AttributeValue>(there.Attributes!) { ["n"] = new("rotten") };
        _regions[name].Items[key] = there with { Attributes = attributes };
        _regions[name].Tables.Rows["Items"][("", key)] = attributes;
    }

    public void Beat(string name, string observer) =>
        Make(name, HeartbeatRow.IdOf(name, observer), new()
        {
            [ItemAttributes.Id] = new(HeartbeatRow.IdOf(name, observer)),
            [HeartbeatRow.At] = new() { N = _now().ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture) },
        }, write: null, isEdit: false);

    /// <summary>Removes what has expired, some time after it has, in any region.</summary>
    public void Expire(string name)
    {
        foreach (var (key, item) in _regions[name].Items.Where(item => item.Value.Write?.ExpiresAt < _now() && item.Value.Attributes is not null).ToList())
        {
            if (_random.Next(3) == 0)
            {
                Make(name, key, null, null, isEdit: false);
            }
        }
    }

    public void Pause(string from, string to, DateTimeOffset until) => _links[(from, to)].PausedUntil = until;

    /// <summary>What is given to replication from now on is lost with this likelihood; heartbeats never are.</summary>
    public void Lose(string from, string to, double share) => _links[(from, to)].LostShare = share;

    public void Merge(string from, string to, bool merges) => _links[(from, to)].Merges = merges;

    /// <summary>Brings one of the lost after all, as replication may after a repair.</summary>
    public void BringLate(Drop drop)
    {
        if (_links[(drop.From, drop.To)].Lost.Remove(drop.Write, out var lost))
        {
            drop.BroughtAt = _now();
            Arrive(drop.To, lost);
        }
    }

    /// <summary>Delivers what is due.</summary>
    public void Deliver()
    {
        foreach (var ((from, to), link) in _links)
        {
            if (link.PausedUntil > _now())
            {
                continue;
            }

            var due = link.Events.Where(change => change.DueAt <= _now()).ToList();
            if (due.Count == 0)
            {
                continue;
            }

            link.Events.RemoveAll(change => change.DueAt <= _now());

            // In any order, but for those of one key; merged, the last of each key alone.
            var byKey = due.GroupBy(change => change.Key).Select(changes => changes.ToList()).ToArray();
            _random.Shuffle(byKey);
            foreach (var change in byKey.SelectMany(changes => link.Merges ? changes.TakeLast(1) : changes))
            {
                if (change.Write is not null && _random.NextDouble() < link.LostShare)
                {
                    link.Lost[change.Write] = change;
                    Drops.Add(new Drop(change.Key, change.Write, from, to));
                    continue;
                }

                Arrive(to, change);
                if (_random.Next(50) == 0)
                {
                    Arrive(to, change);
                }
            }
        }
    }

    private void Arrive(string to, Change change)
    {
        if (_regions[to].Items.GetValueOrDefault(change.Key).Stamp < change.Stamp)
        {
            Apply(to, change);
        }
    }

    private void Make(string name, string key, Dictionary<string, AttributeValue>? attributes, Acknowledged? write, bool isEdit)
    {
        // Clocks of DynamoDB's own differ too; within a region each write is later than what it replaces.
        var ticks = Math.Max(_now().UtcTicks + _random.Next(-2_000_000, 2_000_000), (_regions[name].Items.GetValueOrDefault(key).Stamp / RegionsMax) + 1);
        var stamp = (ticks * RegionsMax) + _regions.Keys.ToList().IndexOf(name);
        var change = new Change(key, attributes, write, stamp, isEdit);
        Apply(name, change);
        foreach (var to in _regions.Keys.Where(to => to != name))
        {
            var link = _links[(name, to)];
            var dueAt = _now() + (link.Lag * (0.5 + _random.NextDouble()));
            if (link.NewestDue.TryGetValue(key, out var before) && before > dueAt)
            {
                dueAt = before;
            }

            link.NewestDue[key] = dueAt;
            link.Events.Add(change with { DueAt = dueAt });
        }
    }

    private void Apply(string name, Change change)
    {
        var region = _regions[name];
        var old = region.Items.GetValueOrDefault(change.Key).Attributes;
        region.Items[change.Key] = (change.Attributes, change.Stamp, change.Write);
        var rows = region.Tables.Rows["Items"];
        if (change.Attributes is null)
        {
            rows.Remove(("", change.Key));
        }
        else
        {
            rows[("", change.Key)] = change.Attributes;
        }

        if (!region.History.TryGetValue(change.Key, out var history))
        {
            region.History[change.Key] = history = [];
        }

        history.Add(new Present(_now(), change.Write, change.Attributes is null, change.IsEdit, region.Stream.Count));
        if (old is not null || change.Attributes is not null)
        {
            region.Stream.Add(Record(region.Stream.Count + 1, name, change.Key, old, change.Attributes));
            region.OwnHeartbeats.Add(HeartbeatRow.ObserverOf(change.Key, name) is not null);
        }
    }

    private string Record(int number, string region, string key, Dictionary<string, AttributeValue>? old, Dictionary<string, AttributeValue>? next)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("eventID", $"{region}-{number}");
            json.WriteString("eventSource", "aws:dynamodb");
            json.WriteStartObject("dynamodb");
            json.WriteNumber("ApproximateCreationDateTime", _now().ToUnixTimeSeconds());
            json.WritePropertyName("Keys");
            DynamoDbJson.ToElement(new Dictionary<string, AttributeValue> { [ItemAttributes.Id] = new(key) }).WriteTo(json);
            json.WriteString("SequenceNumber", number.ToString("D21", CultureInfo.InvariantCulture));
            json.WriteString("StreamViewType", "NEW_AND_OLD_IMAGES");
            foreach (var (image, attributes) in new[] { ("OldImage", old), ("NewImage", next) })
            {
                if (attributes is not null)
                {
                    json.WritePropertyName(image);
                    DynamoDbJson.ToElement(attributes).WriteTo(json);
                }
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <summary>A change on its way. The greater stamp wins everywhere.</summary>
    private sealed record Change(string Key, Dictionary<string, AttributeValue>? Attributes, Acknowledged? Write, long Stamp, bool IsEdit)
    {
        public DateTimeOffset DueAt { get; init; }
    }

    private sealed record Link(TimeSpan Lag, bool Merges)
    {
        public bool Merges { get; set; } = Merges;

        public double LostShare { get; set; }

        public DateTimeOffset PausedUntil { get; set; }

        public List<Change> Events { get; } = [];

        public Dictionary<string, DateTimeOffset> NewestDue { get; } = [];

        public Dictionary<Acknowledged, Change> Lost { get; } = [];
    }

    private sealed record Region(MemoryTables Tables, VersionClock[] Clocks)
    {
        public Dictionary<string, (Dictionary<string, AttributeValue>? Attributes, long Stamp, Acknowledged? Write)> Items { get; } = [];

        public Dictionary<string, List<Present>> History { get; } = [];

        public List<string> Stream { get; } = [];

        public List<bool> OwnHeartbeats { get; } = [];
    }
}
