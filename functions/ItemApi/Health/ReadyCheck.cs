using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
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

    private readonly SemaphoreSlim _turn = new(1);
    private (long Timestamp, ReadyReport Report)? _last;
    private (long Timestamp, IReadOnlyDictionary<string, long> LagMs) _beside;

    public async Task<ReadyReport> LookAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_last is { } last && time.GetElapsedTime(last.Timestamp) < Fresh)
            {
                return last.Report;
            }

            var beside = LookBesideAsync(cancellationToken);
            var isReady = await IsReadyAsync(cancellationToken);
            var report = new ReadyReport(isReady, time.GetUtcNow(), registers?.Last, await beside);
            _last = (time.GetTimestamp(), report);
            return report;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        try
        {
            await store.ReadAsync(ReadyId, consistent: true, cancellationToken);
            return true;
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            Log.NotReady(logger, error);
            return false;
        }
    }

    private async Task<IReadOnlyDictionary<string, long>> LookBesideAsync(CancellationToken cancellationToken)
    {
        if (_beside.LagMs is { } known && time.GetElapsedTime(_beside.Timestamp) < FreshBeside)
        {
            return known;
        }

        var lags = new Dictionary<string, long>();
        try
        {
            var register = registers?.ReadAsync(cancellationToken) ?? Task.CompletedTask;
            foreach (var (replica, rows) in heartbeats)
            {
                var times = await Task.WhenAll(rows.Select(row => ReadAsync(row, cancellationToken)));
                if (times.Max() is { } newest)
                {
                    lags[replica] = Math.Max(0, time.GetUtcNow().ToUnixTimeMilliseconds() - newest);
                }
            }

            await register;
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            Log.BesideNotRead(logger, error);
        }

        _beside = (time.GetTimestamp(), lags);
        return lags;
    }

    private async Task<long?> ReadAsync(string row, CancellationToken cancellationToken)
    {
        using var deadline = CallDeadline.Within(callTimeout, cancellationToken);
        return HeartbeatRow.Read((await dynamoDb.GetItemAsync(new GetItemRequest(table, new Dictionary<string, AttributeValue> { [ItemAttributes.Id] = new(row) }, consistentRead: false), deadline.Token)).Item);
    }
}
