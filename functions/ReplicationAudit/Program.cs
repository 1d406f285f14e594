using System.Text.Json;
using Amazon;
using Amazon.Lambda.DynamoDBEvents;
using Amazon.Lambda.RuntimeSupport;
using Amazon.Lambda.Serialization.SystemTextJson;
using Amazon.SQS;
using Failover.ControlPlane;
using Failover.Hosting;
using Failover.ItemRecord;
using Failover.ReplicationAudit;
using Failover.ReplicationAudit.Arrivals;
using Failover.ReplicationAudit.Continuity;
using Microsoft.Extensions.Logging;

var time = TimeProvider.System;
var output = LineWriter.OfStandardOutput();
var options = ReplicationAuditOptions.Read(Settings.OfEnvironment());
var region = options.Region;
using var logging = LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Information).AddProvider(new JsonLineLoggerProvider(output, time)));

// The deepest item nests deeper, in a stream's JSON, than the serializer reads by itself.
var serializer = new SourceGeneratorLambdaJsonSerializer<JsonContext>((JsonSerializerOptions json) => json.MaxDepth = DynamoDbJson.DepthMax);
var metrics = new Metrics(output, time);
var local = DynamoDbClients.Create(region, options.CallTimeout);
var sqs = new AmazonSQSClient(new AmazonSQSConfig
{
    RegionEndpoint = RegionEndpoint.GetBySystemName(region),
    AuthenticationRegion = region,
    Timeout = options.CallTimeout,
    MaxErrorRetry = 2,
});
var findings = new Findings(
    new JournalStore(local, options.JournalTable, options.CallTimeout), metrics, region, options.Redacted, time, logging.CreateLogger<Findings>());
var replicas = new Replicas(
    region,
    options.Observers,
    options.Replicas.ToDictionary(
        replica => replica,
        replica => new ReplicaReader(replica == region ? local : DynamoDbClients.Create(replica, options.CallTimeout), options.ItemsTable, options.CallTimeout, time)));
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
var function = new Function(
    new StreamAudit(
        serializer, findings, new ArrivalCounts(metrics, region), checks, new StreamContinuity(watch, findings, region), region, time, logging.CreateLogger<StreamAudit>()),
    checks,
    new Patrol(replicas, checks, watch, findings, options.Limits, metrics, logging.CreateLogger<Patrol>()),
    findings,
    time,
    logging.CreateLogger<Function>());

using var bootstrap = LambdaBootstrapBuilder.Create<JsonElement, StreamsEventResponse>(function.HandleAsync, serializer).Build();
await bootstrap.RunAsync();
