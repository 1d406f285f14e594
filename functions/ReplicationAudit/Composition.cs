using System.Text.Json;
using Amazon.DynamoDBv2;
using Amazon.Lambda.Serialization.SystemTextJson;
using Amazon.SQS;
using Failover.ControlPlane;
using Failover.ControlPlane.Compares;
using Failover.Hosting;
using Failover.ItemRecord;
using Failover.ReplicationAudit.Arrivals;
using Failover.ReplicationAudit.Compare;
using Failover.ReplicationAudit.Continuity;
using Failover.ReplicationAudit.Losses;
using Microsoft.Extensions.Logging;

namespace Failover.ReplicationAudit;

/// <summary>How the function is put together: in Lambda, and in every test of it.</summary>
internal static class Composition
{
    /// <summary>The deepest item nests deeper, in a stream's JSON, than the serializer reads by itself.</summary>
    public static readonly SourceGeneratorLambdaJsonSerializer<JsonContext> Serializer = new((JsonSerializerOptions json) => json.MaxDepth = DynamoDbJson.DepthMax);

    /// <summary>Puts it together.</summary>
    /// <param name="dynamoDbOf">The DynamoDB of a region, for its journal, and for this region's items.</param>
    /// <param name="readerOf">Reads the items table of a region.</param>
    public static Function Make(
        ReplicationAuditOptions options, Func<string, IAmazonDynamoDB> dynamoDbOf, Func<string, ReplicaReader> readerOf, IAmazonSQS sqs, LineWriter output, TimeProvider time, ILoggerFactory logging)
    {
        var region = options.Region;
        var clients = options.Replicas.ToDictionary(replica => replica, dynamoDbOf);
        var local = clients[region];
        var metrics = new Metrics(output, time);
        var findings = new Findings(
            new JournalStore(local, options.JournalTable, options.CallTimeout), metrics, region, options.Redacted, time, logging.CreateLogger<Findings>());
        var replicas = new Replicas(region, options.Observers, options.Replicas.ToDictionary(replica => replica, readerOf));
        var checks = new ArrivalChecks(
            replicas,
            new PendingStore(local, options.JournalTable, options.CallTimeout),
            findings,
            options.Limits,
            sqs,
            options.QueueUrl,
            options.CallTimeout,
            metrics,
            time,
            logging.CreateLogger<ArrivalChecks>());
        var late = new LateArrivals(local, options.JournalTable, options.CallTimeout);
        var watch = new WatchStore(local, options.JournalTable, options.CallTimeout);
        var regions = new CompareRegions(
            region,
            clients.ToDictionary(client => client.Key, client => new CompareStore(client.Value, options.JournalTable, options.CallTimeout)),
            clients.ToDictionary(client => client.Key, client => new CompareUnits(client.Value, options.JournalTable, options.CallTimeout)));
        var scan = new SegmentScan(local, options.ItemsTable, options.CallTimeout, time);
        var queue = new CompareQueue(sqs, options.QueueUrl, options.CallTimeout);
        var steps = new CompareSteps(regions, scan, queue, findings, time, logging.CreateLogger<CompareSteps>());
        return new Function(
            new StreamAudit(
                Serializer, findings, new ArrivalCounts(metrics, region), late, checks, new StreamContinuity(watch, findings, region), region, time, logging.CreateLogger<StreamAudit>()),
            checks,
            new Patrol(replicas, checks, watch, findings, options.Limits, metrics, logging.CreateLogger<Patrol>()),
            new LossReport(
                replicas,
                new MoveStore(local, options.JournalTable, options.CallTimeout),
                late,
                clients.ToDictionary(client => client.Key, client => new PendingStore(client.Value, options.JournalTable, options.CallTimeout)),
                clients.ToDictionary(client => client.Key, client => new JournalStore(client.Value, options.JournalTable, options.CallTimeout)),
                clients.ToDictionary(client => client.Key, client => new WatchStore(client.Value, options.JournalTable, options.CallTimeout)),
                options.Observers,
                options.Limits,
                metrics,
                time,
                logging.CreateLogger<LossReport>()),
            new CompareWorker(regions, scan, replicas, queue, steps, options.Limits, time),
            steps,
            findings,
            time,
            logging.CreateLogger<Function>());
    }
}
