using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Amazon.SQS;
using Amazon.SQS.Model;
using Failover.Hosting;
using Failover.ItemRecord;
using Failover.ReplicationAudit;
using Failover.ReplicationAudit.Arrivals;
using Failover.Simulation.Audit;
using Failover.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Failover.Benchmarks;

/// <summary>The production audit over tables in memory: what it does with a record, from the stream's JSON to its answer, and what it asks of DynamoDB and SQS.</summary>
internal static class AuditRate
{
    private const int RecordsABatch = 100;
    private const int Batches = 400;

    public static async Task<int> RunAsync()
    {
        Console.WriteLine($"{"stream records, one core",-40}{"per second",12}{"requests",10}{"read units",12}{"write units",13}{"KB each",9}");
        await MeasureAsync("written here, arrived at the peer", isHere: true, hasArrived: true);
        await MeasureAsync("written here, under way to the peer", isHere: true, hasArrived: false);
        await MeasureAsync("written elsewhere", isHere: false, hasArrived: true);
        await PlainAsync();
        return 0;
    }

    private static async Task MeasureAsync(string name, bool isHere, bool hasArrived)
    {
        var tables = new Dictionary<string, MemoryTables> { ["a"] = new(), ["b"] = new() };
        var calls = new Calls();
        var batches = Enumerable.Range(0, Batches + 40).Select(batch => Batch(batch, isHere ? "a" : "b", tables, hasArrived)).ToList();
        var function = Composition.Make(
            new ReplicationAuditOptions("a", ["a", "b"], ["o"], "Items", "Journal", "queue", new ArrivalLimits(TimeSpan.FromMinutes(8), TimeSpan.FromMinutes(3)), new HashSet<string>(), TimeSpan.FromSeconds(5)),
            replica => new CountedDynamo(tables[replica], calls),
            replica => new ReplicaReader(new CountedDynamo(tables[replica], calls), "Items", TimeSpan.FromSeconds(5), TimeProvider.System),
            new CountedQueue(calls),
            new LineWriter(Stream.Null),
            TimeProvider.System,
            NullLoggerFactory.Instance);
        foreach (var batch in batches.Take(40))
        {
            await function.HandleAsync(batch, new TestLambdaContext(TimeSpan.FromMinutes(1)));
        }

        calls.Clear();
        var (start, allocated) = (Stopwatch.GetTimestamp(), GC.GetTotalAllocatedBytes(precise: true));
        foreach (var batch in batches.Skip(40))
        {
            await function.HandleAsync(batch, new TestLambdaContext(TimeSpan.FromMinutes(1)));
        }

        Write(name, Stopwatch.GetElapsedTime(start), GC.GetTotalAllocatedBytes(precise: true) - allocated, calls);
    }

    /// <summary>What one would write first: a GetItem at the peer for each record.</summary>
    private static async Task PlainAsync()
    {
        var tables = new Dictionary<string, MemoryTables> { ["a"] = new(), ["b"] = new() };
        var calls = new Calls();
        var batches = Enumerable.Range(0, Batches).Select(batch => Batch(batch, "a", tables, hasArrived: true)).ToList();
        var peer = new CountedDynamo(tables["b"], calls);
        var (start, allocated) = (Stopwatch.GetTimestamp(), GC.GetTotalAllocatedBytes(precise: true));
        var missing = 0;
        foreach (var record in batches.SelectMany(batch => batch.GetProperty("Records").EnumerateArray()))
        {
            var image = record.GetProperty("dynamodb").GetProperty("NewImage");
            var item = await peer.GetItemAsync(new GetItemRequest("Items", new() { ["id"] = new(image.GetProperty("id").GetProperty("S").GetString()) }));
            missing += item.Item?["_v"].S == image.GetProperty("_v").GetProperty("S").GetString() ? 0 : 1;
        }

        Write($"a GetItem each ({missing} missing)", Stopwatch.GetElapsedTime(start), GC.GetTotalAllocatedBytes(precise: true) - allocated, calls);
    }

    private static void Write(string name, TimeSpan took, long allocated, Calls calls)
    {
        const double Records = RecordsABatch * Batches;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name,-40}{Records / took.TotalSeconds,12:N0}{calls.Requests / Records,10:0.000}{calls.ReadUnits / Records,12:0.000}{calls.WriteUnits / Records,13:0.000}{allocated / Records / 1024,9:0.0}"));
    }

    private static JsonElement Batch(int batch, string region, Dictionary<string, MemoryTables> tables, bool hasArrived)
    {
        var records = new List<string>();
        for (var i = 0; i < RecordsABatch; i++)
        {
            var number = (batch * RecordsABatch) + i;
            var item = new StoredItem(
                "order-" + number.ToString("D9", CultureInfo.InvariantCulture),
                new Dictionary<string, AttributeValue>
                {
                    ["customer"] = new("customer-" + (number % 1000)),
                    ["total"] = new() { N = "12.5" },
                    ["note"] = new("Some words that people write, and that nobody reads again."),
                },
                ItemVersion.Create(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), i, region, "aaaaaaaa"),
                SeenVersions.None,
                IsDeleted: false,
                ExpiresAt: null).ToAttributes();
            tables["a"].Rows["Items"][("", item["id"].S)] = item;
            if (hasArrived)
            {
                tables["b"].Rows["Items"][("", item["id"].S)] = item;
            }

            records.Add($$$"""
                {"eventID":"{{{number}}}","eventName":"INSERT","eventSource":"aws:dynamodb","dynamodb":{"ApproximateCreationDateTime":{{{TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()}}},"Keys":{"id":{"S":"{{{item["id"].S}}}"}},
                "NewImage":{{{DynamoDbJson.ToElement(item).GetRawText()}}},"SequenceNumber":"{{{number + 1}}}","StreamViewType":"NEW_AND_OLD_IMAGES"}}
                """);
        }

        return JsonDocument.Parse($$"""{"Records":[{{string.Join(',', records)}}]}""").RootElement;
    }

    private sealed class Calls
    {
        public long Requests { get; set; }

        public double ReadUnits { get; set; }

        public double WriteUnits { get; set; }

        public void Clear() => (Requests, ReadUnits, WriteUnits) = (0, 0, 0);
    }

    /// <summary>Counts what DynamoDB would: half a unit for 4 KB read, a whole where it is consistent, a unit for 1 KB written.</summary>
    private sealed class CountedDynamo(MemoryTables tables, Calls calls) : AmazonDynamoDBClient("local", "local", Amazon.RegionEndpoint.USEast1)
    {
        private readonly MemoryDynamo _inner = new(tables, _ => CallFault.None);

        public override Task<GetItemResponse> GetItemAsync(GetItemRequest request, CancellationToken cancellationToken = default) =>
            Count(_inner.GetItemAsync(request, cancellationToken), request.ConsistentRead == true ? 1 : 0.5, 0);

        public override Task<BatchGetItemResponse> BatchGetItemAsync(BatchGetItemRequest request, CancellationToken cancellationToken = default)
        {
            var keys = request.RequestItems.Single().Value;
            return Count(_inner.BatchGetItemAsync(request, cancellationToken), keys.Keys.Count * (keys.ConsistentRead == true ? 1 : 0.5), 0);
        }

        public override Task<PutItemResponse> PutItemAsync(PutItemRequest request, CancellationToken cancellationToken = default) =>
            Count(_inner.PutItemAsync(request, cancellationToken), 0, Math.Ceiling(request.Item.Values.Sum(value => value.S?.Length ?? 0) / 1024.0));

        public override Task<UpdateItemResponse> UpdateItemAsync(UpdateItemRequest request, CancellationToken cancellationToken = default) => Count(_inner.UpdateItemAsync(request, cancellationToken), 0, 1);

        public override Task<DeleteItemResponse> DeleteItemAsync(DeleteItemRequest request, CancellationToken cancellationToken = default) => Count(_inner.DeleteItemAsync(request, cancellationToken), 0, 1);

        private Task<T> Count<T>(Task<T> call, double readUnits, double writeUnits)
        {
            (calls.Requests, calls.ReadUnits, calls.WriteUnits) = (calls.Requests + 1, calls.ReadUnits + readUnits, calls.WriteUnits + writeUnits);
            return call;
        }
    }

    private sealed class CountedQueue(Calls calls) : AmazonSQSClient("local", "local", Amazon.RegionEndpoint.USEast1)
    {
        public override Task<SendMessageResponse> SendMessageAsync(SendMessageRequest request, CancellationToken cancellationToken = default)
        {
            calls.Requests++;
            return Task.FromResult(new SendMessageResponse());
        }
    }
}
