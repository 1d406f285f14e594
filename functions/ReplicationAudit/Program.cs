using System.Text.Json;
using Amazon;
using Amazon.Lambda.DynamoDBEvents;
using Amazon.Lambda.RuntimeSupport;
using Amazon.SQS;
using Failover.Hosting;
using Failover.ReplicationAudit;
using Microsoft.Extensions.Logging;

var time = TimeProvider.System;
var output = LineWriter.OfStandardOutput();
var options = ReplicationAuditOptions.Read(Settings.OfEnvironment());
using var logging = LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Information).AddProvider(new JsonLineLoggerProvider(output, time)));

// Clients are made once; nothing is called before the first event.
var clients = options.Replicas.ToDictionary(replica => replica, replica => DynamoDbClients.Create(replica, options.CallTimeout));
var sqs = new AmazonSQSClient(new AmazonSQSConfig
{
    RegionEndpoint = RegionEndpoint.GetBySystemName(options.Region),
    AuthenticationRegion = options.Region,
    Timeout = options.CallTimeout,
    MaxErrorRetry = 2,
});
var function = Composition.Make(
    options,
    replica => clients[replica],
    replica => new ReplicaReader(clients[replica], options.ItemsTable, options.CallTimeout, time),
    sqs,
    output,
    time,
    logging);

using var bootstrap = LambdaBootstrapBuilder.Create<JsonElement, StreamsEventResponse>(function.HandleAsync, Composition.Serializer).Build();
await bootstrap.RunAsync();
