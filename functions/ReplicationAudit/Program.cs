using System.Text.Json;
using Amazon.Lambda.DynamoDBEvents;
using Amazon.Lambda.RuntimeSupport;
using Amazon.Lambda.Serialization.SystemTextJson;
using Failover.ControlPlane;
using Failover.Hosting;
using Failover.ItemRecord;
using Failover.ReplicationAudit;
using Failover.ReplicationAudit.Arrivals;
using Failover.ReplicationAudit.LostUpdates;
using Microsoft.Extensions.Logging;

var time = TimeProvider.System;
var output = LineWriter.OfStandardOutput();
var options = ReplicationAuditOptions.Read(Settings.OfEnvironment());
using var logging = LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Information).AddProvider(new JsonLineLoggerProvider(output, time)));

var metrics = new Metrics(output, time);
var journal = new JournalStore(DynamoDbClients.Create(options.Region, options.CallTimeout), options.JournalTable, options.CallTimeout);
var function = new Function(
    new Findings(journal, metrics, options.Region, time, logging.CreateLogger<Findings>()),
    new ArrivalCounts(metrics, options.Region),
    options.Region,
    time,
    logging.CreateLogger<Function>());

// The deepest item nests deeper, in a stream's JSON, than the serializer reads by itself.
using var bootstrap = LambdaBootstrapBuilder
    .Create<DynamoDBEvent, StreamsEventResponse>(
        function.HandleAsync, new SourceGeneratorLambdaJsonSerializer<JsonContext>((JsonSerializerOptions json) => json.MaxDepth = DynamoDbJson.DepthMax))
    .Build();
await bootstrap.RunAsync();
