using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane;
using Failover.ItemRecord;

namespace Failover.ReplicationAudit.Compare;

/// <summary>Reads a segment of this region's items table, as fast as its budget allows, a while at a time.</summary>
public sealed class SegmentScan(IAmazonDynamoDB dynamoDb, string table, TimeSpan callTimeout, TimeProvider time)
{
    /// <summary>How long one invocation reads: it ends well before its time is up, and what it read is kept.</summary>
    private static readonly TimeSpan ReadsFor = TimeSpan.FromSeconds(15);

    /// <summary>Longer than this nobody waits in an invocation, which is paid for: a message with a delay does.</summary>
    private static readonly TimeSpan WaitsMax = TimeSpan.FromSeconds(1.5);

    /// <summary>What is shorter than a timer's tick is made up for by the next page.</summary>
    private static readonly TimeSpan WaitsMin = TimeSpan.FromMilliseconds(15);

    /// <summary>What a segment holds, about: some minutes of reading.</summary>
    private const long BytesASegment = 1L << 30;

    private const int SegmentsMax = 64;

    /// <summary>A page is 1 MB at the most, and half a unit 4 KB.</summary>
    private const double UnitsAPage = 128;

    /// <summary>Into how many segments the table is best divided: so few that the budget gives each a page a second, for keeping what was read costs as much as some pages.</summary>
    public async Task<int> SegmentsAsync(double unitsPerSecond, CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(callTimeout);
        var description = await dynamoDb.DescribeTableAsync(new DescribeTableRequest(table), deadline.Token);
        return (int)Math.Clamp(Math.Min(((description.Table.TableSizeBytes ?? 0) / BytesASegment) + 1, unitsPerSecond / UnitsAPage), 1, SegmentsMax);
    }

    /// <summary>Reads on from <paramref name="cursor"/>.</summary>
    /// <param name="unitsPerSecond">The budget of this segment. A page can take 128 units at once; then it is paid off by waiting.</param>
    public async Task<SegmentProgress> ReadAsync(
        int segment, int of, string? cursor, double unitsPerSecond, Action<Dictionary<string, AttributeValue>> each, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        var (units, scanned, pages) = (0.0, 0L, 0);
        while (true)
        {
            ScanResponse page;
            try
            {
                using var deadline = cancellationToken.Within(callTimeout);
                page = await dynamoDb.ScanAsync(
                    new ScanRequest(table)
                    {
                        Segment = segment,
                        TotalSegments = of,
                        ExclusiveStartKey = cursor is null ? null : new() { [ItemAttributes.Id] = new(cursor) },
                        ReturnConsumedCapacity = ReturnConsumedCapacity.TOTAL,
                    },
                    deadline.Token);
            }
            catch (Exception) when (pages > 0 && !cancellationToken.IsCancellationRequested)
            {
                // What was read is kept; whoever reads on meets the same fault, or not.
                return new SegmentProgress(cursor, IsEnd: false, scanned, units, ReadsFor);
            }

            pages++;
            scanned += page.Items?.Count ?? 0;
            units += page.ConsumedCapacity?.CapacityUnits ?? 0;
            page.Items?.ForEach(each);
            if (page.LastEvaluatedKey is not { Count: > 0 } last)
            {
                return new SegmentProgress(Cursor: null, IsEnd: true, scanned, units, TimeSpan.Zero);
            }

            cursor = last[ItemAttributes.Id].S;
            var elapsed = time.GetElapsedTime(start);
            var wait = TimeSpan.FromSeconds(units / unitsPerSecond) - elapsed;
            if (elapsed >= ReadsFor || wait >= WaitsMax)
            {
                return new SegmentProgress(cursor, IsEnd: false, scanned, units, wait);
            }

            if (wait > WaitsMin)
            {
                await Task.Delay(wait, time, cancellationToken);
            }
        }
    }
}

/// <summary>How far a segment was read.</summary>
/// <param name="Delay">When to read on: what was read is to be paid off first.</param>
public sealed record SegmentProgress(string? Cursor, bool IsEnd, long Scanned, double ReadUnits, TimeSpan Delay);
