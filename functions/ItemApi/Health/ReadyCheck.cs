using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane;
using Failover.ItemApi.Operations;
using Failover.ItemApi.Writing;
using Failover.ItemRecord;

namespace Failover.ItemApi.Health;

/// <summary>What was seen of the data path.</summary>
/// <param name="At">When it was looked at.</param>
/// <param name="Register">Null where it is not known.</param>
/// <param name="LagMs">How old the newest heartbeat of each other replica is here; those that are not known are left out.</param>
internal sealed record ReadyReport(bool IsReady, DateTimeOffset At, Reading? Register, IReadOnlyDictionary<string, long> LagMs);

/// <summary>
/// Looks at the data path: one strong read under a deadline. However many ask, it looks once a second at the most, and all who ask meanwhile are told the same.
/// What else it tells, the epoch and the lag, is looked at more rarely and never decides.
/// </summary>
/// <param name="registers">Null where this API does not know its service.</param>
/// <param name="heartbeats">The keys of the rows by which replication from each other replica is measured.</param>
internal sealed class ReadyCheck(
    ItemStore store, IAmazonDynamoDB dynamoDb, string table, RegisterReader? registers, IReadOnlyDictionary<string, string[]> heartbeats, TimeSpan callTimeout, TimeProvider time, ILogger logger)
{
    /// <summary>An id that no item can have: reading it costs one read unit, and says that the data path works.</summary>
    private const string ReadyId = "_ready";

    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FreshBeside = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BesidePatience = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LagBelieved = TimeSpan.FromSeconds(60);
    private static readonly Dictionary<string, long> NoLags = [];

    private readonly SharedRun _look = new(3 * callTimeout, time);
    private readonly SharedRun _lookBeside = new(2 * callTimeout, time);
    private Look? _last;
    private Beside? _beside;

    public async Task<ReadyReport> LookAsync(CancellationToken cancellationToken)
    {
        if (!(_last is { } last && Moment.Of(time).AtMostSince(last.At) < Fresh))
        {
            await _look.Join(LookAnewAsync).WaitAsync(cancellationToken);
        }

        return _last!.Report;
    }

    private async Task LookAnewAsync(CancellationToken cancellationToken)
    {
        // A control region that hangs must not make this one look slow: what is not there in time is told the next time.
        var beside = _beside is { } known && Moment.Of(time).AtMostSince(known.At) < FreshBeside ? Task.CompletedTask : _lookBeside.Join(LookBesideAsync);
        var isReady = await IsReadyAsync(cancellationToken);
        await Task.WhenAny(beside, Task.Delay(BesidePatience, time, cancellationToken));
        var report = new ReadyReport(isReady, time.GetUtcNow(), registers?.Last, _beside is { } seen && Moment.Of(time).AtMostSince(seen.At) < LagBelieved ? seen.LagMs : NoLags);
        _last = new Look(Moment.Of(time), report);
    }

    private async Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        try
        {
            await store.ReadAsync(ReadyId, consistent: true, cancellationToken);
            return true;
        }
        catch (Exception error)
        {
            Log.NotReady(logger, error);
            return false;
        }
    }

    private async Task LookBesideAsync(CancellationToken cancellationToken)
    {
        // From before the reads: what is long on its way is no lag of replication's.
        var at = Moment.Of(time);
        var lags = new Dictionary<string, long>();
        try
        {
            var register = registers?.ReadAsync(cancellationToken) ?? Task.CompletedTask;
            foreach (var (replica, rows) in heartbeats)
            {
                var times = await Task.WhenAll(rows.Select(row => ReadAsync(row, cancellationToken)));
                if (times.Max() is { } newest)
                {
                    lags[replica] = Math.Max(0, at.Wall.ToUnixTimeMilliseconds() - newest);
                }
            }

            _beside = new Beside(at, lags);
            await register;
        }
        catch (Exception error)
        {
            Log.BesideNotRead(logger, error);
        }
    }

    private async Task<long?> ReadAsync(string row, CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(callTimeout);
        return HeartbeatRow.Read((await dynamoDb.GetItemAsync(new GetItemRequest(table, new Dictionary<string, AttributeValue> { [ItemAttributes.Id] = new(row) }, consistentRead: false), deadline.Token)).Item);
    }

    private sealed record Look(Moment At, ReadyReport Report);

    private sealed record Beside(Moment At, IReadOnlyDictionary<string, long> LagMs);
}
