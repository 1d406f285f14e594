using System.Text.Json.Nodes;
using Failover.ItemRecord;
using Failover.LocalHost.Network;
using Failover.LocalHost.Regions;
using Failover.LocalHost.Streams;

namespace Failover.LocalHost.Replication;

/// <summary>
/// Replicates the items table between two regions, as a DynamoDB global table does: last writer wins, by the order in which writes arrived
/// anywhere; late by a settable lag, merged by key and in no order across keys; not at all while paused, and then all of it. Each replica's stream carries what was written or delivered there.
/// </summary>
/// <remarks>
/// Writes are read off each region's stream and numbered as they are read. A write is delivered under the receiving region's turn, in which no other
/// write can come between: its stream is read to the end first, and whichever write of the key has the greater number stays.
/// What was delivered comes back on the receiver's stream; it is known there by its image and not sent on.
/// </remarks>
internal sealed class Replicator : IAsyncDisposable
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);
    private const int WritesATurn = 8;

    /// <summary>How far behind an older write of another key a newer one may be delivered.</summary>
    private const int ReorderedMax = 32;

    private static readonly TimeSpan IdleInterval = TimeSpan.FromMilliseconds(250);

    private readonly Faults _faults;
    private readonly string _table;
    private readonly TimeProvider _time;
    private readonly Side[] _sides;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _loops = [];
    private long _number;

    public Replicator(IReadOnlyList<Region> regions, string table, Faults faults, TimeProvider time)
    {
        (_faults, _table, _time) = (faults, table, time);
        _sides = [.. regions.Select(region => new Side(region, new TableStream(region.Engine, table)))];
    }

    public void Start() => _loops.AddRange(_sides.SelectMany(side => new[] { LoopAsync(() => ReadAsync(side)), LoopAsync(() => DeliverAsync(side)) }));

    /// <summary>Age of the oldest write that has not been delivered from one region to the other.</summary>
    public TimeSpan Backlog(string from, string to)
    {
        var side = _sides.Single(side => side.Region.Name == to);
        lock (side)
        {
            return side.Inbox.FirstOrDefault(write => write.From == from) is { } oldest ? _time.GetUtcNow() - oldest.At : TimeSpan.Zero;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_loops.Select(loop => loop.ContinueWith(_ => { }, TaskScheduler.Default)));
        _stop.Dispose();
    }

    /// <summary>A step that fails is told and taken again: what is not delivered stays in the inbox.</summary>
    private async Task LoopAsync(Func<Task> step)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await step();
            }
            catch (Exception error) when (!_stop.IsCancellationRequested)
            {
                await Console.Error.WriteLineAsync($"Replication failed, and goes on in a second: {error.Message}");
                await Task.Delay(TimeSpan.FromSeconds(1), _time, _stop.Token);
            }
        }
    }

    private async Task ReadAsync(Side side)
    {
        await InTurnAsync(side, () => DrainAsync(side));

        // Woken by the doors; writes past them, straight into the engine, are seen a little later.
        await side.Region.ItemsWritten.WaitAsync(IdleInterval, _stop.Token);
        while (await side.Region.ItemsWritten.WaitAsync(TimeSpan.Zero, _stop.Token))
        {
        }
    }

    /// <summary>
    /// Delivers what is due: of the writes of one key that are due together only the newest, and across keys in any order, as DynamoDB does. A few at a turn, so that local writers get theirs.
    /// </summary>
    private async Task DeliverAsync(Side side)
    {
        List<Write> due;
        lock (side)
        {
            var all = side.Inbox.Where(write => !_faults.IsPaused(write.From, side.Region.Name) && _time.GetUtcNow() - write.At >= _faults.Lag(write.From, side.Region.Name)).ToList();
            var newest = all.GroupBy(write => (write.From, write.Key)).Select(writes => writes.Last()).ToHashSet();
            side.Inbox.RemoveAll(write => all.Contains(write) && !newest.Contains(write));
            var some = all.Where(newest.Contains).Take(ReorderedMax).ToArray();
            Random.Shared.Shuffle(some);
            due = [.. some.Take(WritesATurn)];
        }

        if (due.Count == 0)
        {
            await Task.Delay(PollInterval, _time, _stop.Token);
            return;
        }

        await InTurnAsync(side, async () =>
        {
            await DrainAsync(side);
            foreach (var write in due)
            {
                await DeliverAsync(side, write);
                lock (side)
                {
                    side.Inbox.Remove(write);
                }
            }
        });
    }

    private async Task InTurnAsync(Side side, Func<Task> act)
    {
        await side.Region.ItemsTurn.WaitAsync(_stop.Token);
        try
        {
            await act();
        }
        finally
        {
            side.Region.ItemsTurn.Release();
        }
    }

    /// <summary>Reads a region's stream to its end. Called in the region's turn.</summary>
    private async Task DrainAsync(Side side)
    {
        while (await side.Stream.ReadAsync(_stop.Token) is { Count: > 0 } records)
        {
            foreach (var record in records)
            {
                Take(side, record["dynamodb"]!.AsObject());
            }
        }
    }

    private void Take(Side side, JsonObject record)
    {
        var key = (string)record["Keys"]!["id"]!["S"]!;
        var image = record["NewImage"]?.AsObject();
        if (side.Delivered.Remove(key, out var delivered) && JsonNode.DeepEquals(delivered, image))
        {
            return;
        }

        var number = Interlocked.Increment(ref _number);
        side.Newest[key] = number;
        foreach (var other in _sides.Where(other => other != side))
        {
            lock (other)
            {
                other.Inbox.Add(new Write(side.Region.Name, key, image, number, _time.GetUtcNow()));
            }
        }
    }

    private async Task DeliverAsync(Side side, Write write)
    {
        var isItem = !ItemAttributes.IsReserved(write.Key);
        if (side.Newest.GetValueOrDefault(write.Key) > write.Number || (isItem && Random.Shared.NextDouble() < _faults.DroppedShare(write.From, side.Region.Name)))
        {
            return;
        }

        if (isItem && Random.Shared.NextDouble() < _faults.CorruptedShare(write.From, side.Region.Name))
        {
            write = write with { Image = Corrupted(write.Image) };
        }

        side.Newest[write.Key] = write.Number;
        var answer = write.Image is { } image
            ? await side.Region.Engine.CallAsync(
                "DynamoDB_20120810.PutItem",
                new JsonObject { ["TableName"] = _table, ["Item"] = image.DeepClone(), ["ReturnValues"] = "ALL_OLD" },
                _stop.Token)
            : await side.Region.Engine.CallAsync(
                "DynamoDB_20120810.DeleteItem",
                new JsonObject { ["TableName"] = _table, ["Key"] = new JsonObject { ["id"] = new JsonObject { ["S"] = write.Key } }, ["ReturnValues"] = "ALL_OLD" },
                _stop.Token);
        if (!JsonNode.DeepEquals(answer["Attributes"], write.Image))
        {
            side.Delivered[write.Key] = write.Image;
            await DrainAsync(side);
        }
    }

    /// <summary>The same version with something else in one of the client's attributes.</summary>
    private static JsonObject? Corrupted(JsonObject? image)
    {
        var other = image?.DeepClone().AsObject();
        if (other?.Select(attribute => attribute.Key).FirstOrDefault(name => name != ItemAttributes.Id && !ItemAttributes.IsReserved(name)) is { } first)
        {
            other[first] = new JsonObject { ["S"] = "corrupted" };
        }

        return other;
    }

    private sealed record Write(string From, string Key, JsonObject? Image, long Number, DateTimeOffset At);

    private sealed class Side(Region region, TableStream stream)
    {
        public Region Region => region;

        public TableStream Stream => stream;

        /// <summary>What other regions have written, and is not delivered here yet; oldest first.</summary>
        public List<Write> Inbox { get; } = [];

        /// <summary>By key: the number of the newest write that this region shows.</summary>
        public Dictionary<string, long> Newest { get; } = [];

        /// <summary>What was delivered and has not come back on the stream.</summary>
        public Dictionary<string, JsonObject?> Delivered { get; } = [];
    }
}
