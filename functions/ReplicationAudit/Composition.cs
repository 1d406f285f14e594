using System.Text.Json;
using Amazon.DynamoDBv2;
using Amazon.Lambda.Serialization.SystemTextJson;
using Amazon.SQS;
using Failover.ControlPlane;
using Failover.Hosting;
using Failover.ItemRecord;
using Failover.ReplicationAudit.Arrivals;
using Failover.ReplicationAudit.Continuity;
using Microsoft.Extensions.Logging;

namespace Failover.ReplicationAudit;

/// <summary>How the function is put together: in Lambda, and in every test of it.</summary>
internal static class Composition
{
    /// <summary>The deepest item nests deeper, in a stream's JSON, than the serializer reads by itself.</summary>
    public static readonly SourceGeneratorLambdaJsonSerializer<JsonContext> Serializer = new((JsonSerializerOptions json) => json.MaxDepth = DynamoDbJson.DepthMax);

    /// <summary>Puts it together.</summary>
    /// <param name="local">This region's DynamoDB, for the journal.</param>
    /// <param name="readerOf">Reads the items table of a region.</param>
    public static Function Make(
        ReplicationAuditOptions options, IAmazonDynamoDB local, Func<string, ReplicaReader> readerOf, IAmazonSQS sqs, LineWriter output, TimeProvider time, ILoggerFactory logging)
    {
        var region = options.Region;
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
        var watch = new WatchStore(local, options.JournalTable, options.CallTimeout);
        return new Function(
            new StreamAudit(
                Serializer, findings, new ArrivalCounts(metrics, region), checks, new StreamContinuity(watch, findings, region), region, time, logging.CreateLogger<StreamAudit>()),
            checks,
            new Patrol(replicas, checks, watch, findings, options.Limits, metrics, logging.CreateLogger<Patrol>()),
            findings,
            time,
            logging.CreateLogger<Function>());
    }
}
