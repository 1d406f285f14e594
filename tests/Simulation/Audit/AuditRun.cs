using System.Text.Json;
using Amazon.DynamoDBv2;
using Amazon.Lambda.Core;
using Failover.ControlPlane;
using Failover.Hosting;
using Failover.ItemRecord;
using Failover.ReplicationAudit;
using Failover.ReplicationAudit.Arrivals;
using Failover.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Failover.Simulation.Audit;

/// <summary>One seeded run of the model with the production audit in each region, and what it found.</summary>
internal sealed class AuditRun
{
    private const string Observer = "o";
    private static readonly DateTimeOffset Start = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);
    private static readonly ArrivalLimits Limits = new(MissingAfter: TimeSpan.FromMinutes(8), StalledAfter: TimeSpan.FromMinutes(3));
    private static readonly TimeSpan Busy = TimeSpan.FromMinutes(10);

    private readonly AuditBug _bug;
    private readonly Random _random;
    private readonly Random _faults;
    private readonly GlobalTable _table;
    private readonly Dictionary<string, Auditor> _auditors = [];
    private readonly int _writes;
    private DateTimeOffset _now = Start;
    private bool _calm;

    public AuditRun(int seed, int writes, AuditBug bug)
    {
        (_bug, _writes, _random, _faults) = (bug, writes, new Random(seed), new Random(seed + 1));
        _table = new GlobalTable(_random.Next(3) == 0 ? ["a", "b", "c"] : ["a", "b"], _random, () => _now);
        foreach (var name in _table.Names)
        {
            _auditors[name] = new Auditor(new MemoryQueue(() => _now, isWrite => Fault(isWrite, name)) { Forgets = bug == AuditBug.AsksOnce });
        }
    }

    public GlobalTable Table => _table;

    public DateTimeOffset Now => _now;

    public TimeSpan MissingAfter => Limits.MissingAfter;

    /// <summary>Stretches of streams that were trimmed before they were read, by region: from and up to which record.</summary>
    public List<(string Region, int From, int To)> Trimmed { get; } = [];

    public IReadOnlyDictionary<string, Auditor> Auditors => _auditors;

    /// <summary>Whether calls go on failing when all else is calm.</summary>
    public bool KeepsFailing { get; init; }

    /// <summary>Called each second of the busy time, and each five of the calm: how many of them have passed.</summary>
    public Func<bool, int, Task>? OnStep { get; init; }

    /// <summary>The direction of replication that is in trouble.</summary>
    public (string From, string To) Link { get; private set; }

    /// <summary>How long one direction of replication stood still.</summary>
    public TimeSpan Paused { get; private set; }

    /// <summary>Runs it to its end: some minutes of traffic and trouble, then calm until everything has settled.</summary>
    public async Task RunAsync()
    {
        var (from, to) = Link = Draw();
        var paused = Paused = _random.Next(3) == 0 ? TimeSpan.FromSeconds(_random.Next(30, 900)) : TimeSpan.Zero;
        var loses = _random.Next(2) == 0;
        var trims = _random.Next(6) == 0;
        var keys = _random.Next(3) switch { 0 => 5, 1 => 40, _ => 400 };
        for (var step = 0; _now < Start + Busy; step++)
        {
            _now += TimeSpan.FromSeconds(1);
            if (step == 60)
            {
                _table.Pause(from, to, _now + paused);
                _table.Lose(from, to, loses ? 0.05 : 0);
            }

            var (whole, part) = Math.DivRem(_writes, (int)Busy.TotalSeconds);
            for (var i = 0; i < whole + (_random.Next((int)Busy.TotalSeconds) < part ? 1 : 0); i++)
            {
                Change(keys);
            }

            await StepAsync(step, trims);
            await (OnStep?.Invoke(false, step) ?? Task.CompletedTask);
        }

        _table.Lose(from, to, 0);
        _calm = true;
        var late = _table.Drops.Where(_ => _random.Next(4) == 0).ToList();
        for (var step = 0; step < 3600; step += 5)
        {
            _now += TimeSpan.FromSeconds(5);
            if (step == 1500)
            {
                late.ForEach(_table.BringLate);
            }

            await StepAsync(step, trims: false);
            await (OnStep?.Invoke(true, step) ?? Task.CompletedTask);
        }
    }

    /// <summary>By region: what its journal says was found.</summary>
    public async Task<IReadOnlyDictionary<string, IReadOnlyList<Finding>>> FindingsAsync()
    {
        var findings = new Dictionary<string, IReadOnlyList<Finding>>();
        foreach (var region in _table.Names)
        {
            var journal = new JournalStore(new MemoryDynamo(_table.Tables(region), _ => CallFault.None), "Journal", TimeSpan.FromSeconds(5));
            findings[region] = await journal.ReadFindingsAsync(int.MaxValue, CancellationToken.None);
        }

        return findings;
    }

    private void Change(int keys)
    {
        var region = _table.Names.ElementAt(_random.Next(_table.Names.Count));
        var key = $"k{_random.Next(keys)}";
        switch (_random.Next(100))
        {
            case 0:
                _table.Foreign(region, key, whole: _random.Next(2) == 0);
                break;
            case < 10:
                _table.Write(region, key, deletes: true, null);
                break;
            case < 20:
                _table.Write(region, key, deletes: false, _now.AddSeconds(_random.Next(30, 600)));
                break;
            default:
                _table.Write(region, key, deletes: false, null);
                break;
        }
    }

    private async Task StepAsync(int step, bool trims)
    {
        _table.Deliver();
        foreach (var (name, auditor) in _auditors)
        {
            if (step % 30 == 0)
            {
                _table.Beat(name, Observer);
            }

            if (step % 60 == 7)
            {
                _table.Expire(name);
            }

            if (!_calm && _random.Next(100) == 0)
            {
                // Lambda's pollers pause; a process is ended; records come again; and rarely, too late.
                auditor.SleepsUntil = _now.AddSeconds(_random.Next(120));
                auditor.Function = null;
                auditor.Cursor = Math.Max(auditor.LowestCursor, auditor.Cursor - _random.Next(20));
                if (trims && _random.Next(3) == 0 && auditor.Cursor < _table.Stream(name).Count)
                {
                    var to = _random.Next(auditor.Cursor, _table.Stream(name).Count) + 1;
                    Trimmed.Add((name, auditor.Newest, to));
                    auditor.Cursor = auditor.LowestCursor = to;
                }
            }

            if (_now >= auditor.SleepsUntil)
            {
                auditor.Function ??= Compose(name);
                await ReadStreamAsync(name, auditor);
                await ReadQueueAsync(auditor);
                if (step % 60 == 0)
                {
                    await TryAsync(() => auditor.Function.HandleAsync(Event("""{"source":"aws.events"}"""), Context));
                }
            }
        }
    }

    private async Task ReadStreamAsync(string name, Auditor auditor)
    {
        while (auditor.Cursor < _table.Stream(name).Count)
        {
            var records = _table.Stream(name).Skip(auditor.Cursor).Take(_random.Next(1, 100)).ToList();
            var answer = await TryAsync(() => auditor.Function!.HandleAsync(Event($$"""{"Records":[{{string.Join(',', records)}}]}"""), Context));
            var done = answer is null ? 0
                : answer.BatchItemFailures.Count == 0 ? records.Count
                : int.Parse(answer.BatchItemFailures[0].ItemIdentifier, System.Globalization.CultureInfo.InvariantCulture) - 1 - auditor.Cursor;
            if (done < records.Count && _bug == AuditBug.PassesFailedRecords)
            {
                done++;
            }

            auditor.Cursor += done;
            auditor.Newest = Math.Max(auditor.Newest, auditor.Cursor);
            if (done < records.Count)
            {
                return;
            }
        }
    }

    private async Task ReadQueueAsync(Auditor auditor)
    {
        while (auditor.Queue.Take() is { } body)
        {
            var message = JsonSerializer.Serialize(new Dictionary<string, string> { ["messageId"] = "m", ["eventSource"] = "aws:sqs", ["body"] = body });
            var answer = await TryAsync(() => auditor.Function!.HandleAsync(Event($$"""{"Records":[{{message}}]}"""), Context));
            if (answer is not { BatchItemFailures.Count: 0 })
            {
                auditor.Queue.Add(body, TimeSpan.FromSeconds(30));
            }
            else if (!_calm && _random.Next(30) == 0)
            {
                // At least once.
                auditor.Queue.Add(body, TimeSpan.FromSeconds(_random.Next(60)));
            }
        }
    }

    private Function Compose(string region)
    {
        var time = new SimTime(() => _now);
        var timeout = TimeSpan.FromSeconds(30);
        return Composition.Make(
            new ReplicationAuditOptions(region, [.. _table.Names], [Observer], "Items", "Journal", "queue", Limits, new HashSet<string>(), timeout),
            replica => JournalOf(region, replica),
            replica => new ReplicaReader(ReaderOf(region, replica), "Items", timeout, time),
            _auditors[region].Queue,
            new LineWriter(Stream.Null),
            time,
            NullLoggerFactory.Instance);
    }

    private AmazonDynamoDBClient JournalOf(string region, string replica) =>
        replica == region && _bug is AuditBug.KeepsNothing or AuditBug.ForgetsTheParked or AuditBug.RemembersNothing or AuditBug.DropsFindings
            ? new ForgetfulDynamo(_table.Tables(replica), isWrite => Fault(isWrite, replica), _bug)
            : new MemoryDynamo(_table.Tables(replica), isWrite => Fault(isWrite, replica));

    private MemoryDynamo ReaderOf(string region, string replica)
    {
        var tables = _table.Tables(_bug == AuditBug.AsksTheWrongRegion ? region : replica);
        return new MemoryDynamo(tables, isWrite => Fault(isWrite, replica), (id, item) =>
            _bug == AuditBug.ReadsItsOwnRegionLate && replica == region && !ItemAttributes.IsReserved(id) ? null
            : _bug == AuditBug.SeesNoStall && ItemAttributes.IsReserved(id) ? _table.Tables(region).Rows["Items"].GetValueOrDefault(("", id))
            : item);
    }

    /// <summary>Half a minute in five, a region's calls fail now and then, before they take effect or after.</summary>
    private CallFault Fault(bool isWrite, string region) =>
        _calm && !KeepsFailing ? CallFault.None
        : (_now.ToUnixTimeSeconds() / 30) % 10 == region[0] % 10 && _faults.Next(4) == 0 ? (isWrite && _faults.Next(2) == 0 ? CallFault.AnswerLost : CallFault.Refused)
        : !isWrite && _faults.Next(50) == 0 ? CallFault.Partial
        : CallFault.None;

    private (string From, string To) Draw()
    {
        var names = _table.Names.ToArray();
        _random.Shuffle(names);
        return (names[0], names[1]);
    }

    private static async Task<T?> TryAsync<T>(Func<Task<T>> act)
        where T : class
    {
        try
        {
            return await act();
        }
        catch (Exception error) when (error is Amazon.Runtime.AmazonServiceException or TimeoutException)
        {
            // Lambda delivers it again.
            return null;
        }
    }

    private static ILambdaContext Context => new TestLambdaContext(TimeSpan.FromMinutes(1));

    private static JsonElement Event(string json) => JsonDocument.Parse(json).RootElement;

    /// <summary>One region's audit, from outside.</summary>
    internal sealed class Auditor(MemoryQueue queue)
    {
        public MemoryQueue Queue => queue;

        public Function? Function { get; set; }

        public int Cursor { get; set; }

        /// <summary>Up to where the stream has been read at any time.</summary>
        public int Newest { get; set; }

        public int LowestCursor { get; set; }

        public DateTimeOffset SleepsUntil { get; set; }
    }
}
