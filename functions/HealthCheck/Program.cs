using System.Net;
using System.Text.Json;
using Amazon;
using Amazon.DynamoDBv2;
using Amazon.Lambda.RuntimeSupport;
using Amazon.Lambda.Serialization.SystemTextJson;
using Amazon.Route53;
using Amazon.SimpleSystemsManagement;
using Amazon.SQS;
using Failover.ControlPlane;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck;
using Failover.HealthCheck.Dns;
using Failover.HealthCheck.Probing;
using Failover.Hosting;
using Microsoft.Extensions.Logging;

var time = TimeProvider.System;
var output = LineWriter.OfStandardOutput();
var options = HealthCheckOptions.Read(Settings.OfEnvironment());
var timing = options.Topology.Timing;
using var logging = LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Information).AddProvider(new JsonLineLoggerProvider(output, time)));

// Clients of other regions and services are made once; nothing is called before the first tick.
var local = DynamoDbClients.Create(options.Observer, timing.CallTimeout);
var clock = new ServerClock(time);
clock.Watch(local);
var sqs = new AmazonSQSClient(new AmazonSQSConfig
{
    RegionEndpoint = RegionEndpoint.GetBySystemName(options.Observer),
    AuthenticationRegion = options.Observer,
    Timeout = timing.CallTimeout,
    MaxErrorRetry = 2,
});

// A batch is never re-sent by the SDK: after a lost answer the name is listed again, and our own plan there is success.
var route53 = new AmazonRoute53Client(new AmazonRoute53Config
{
    RegionEndpoint = RegionEndpoint.USEast1,
    Timeout = timing.CallTimeout,
    MaxErrorRetry = 0,
});
var replicas = options.Topology.Replicas.ToDictionary(region => region, region => (IAmazonDynamoDB)DynamoDbClients.Create(region, timing.ProbeTimeout));
var digitalOcean = new DigitalOceanAccess(
    () => new AmazonSimpleSystemsManagementClient(new AmazonSimpleSystemsManagementConfig
    {
        RegionEndpoint = RegionEndpoint.GetBySystemName(options.Observer),
        AuthenticationRegion = options.Observer,
        Timeout = timing.CallTimeout,
        MaxErrorRetry = 1,
    }),
    options.DigitalOceanTokenParameter,
    timing.CallTimeout,
    time);
var prober = new HttpProber(ProbeDeadlines.Of(timing), [.. options.Topology.AllowedNetworks.Select(IPNetwork.Parse)], time);
var control = new ControlStore(local, options.ControlTable, timing.CallTimeout);
var report = new TickReport(
    options, new JournalStore(local, options.JournalTable, timing.CallTimeout), new Metrics(output, time), time, logging.CreateLogger<TickReport>());
var onRoute53 = new Route53Records(route53);
var onDigitalOcean = new DigitalOceanRecords(digitalOcean);
IDnsProvider ProviderOf(Service service) => service.IsFenced ? onRoute53 : onDigitalOcean;
var tick = new Tick(
    options,
    control,
    prober,
    new LoadBalancers(digitalOcean, timing.ProbeTimeout, time, logging.CreateLogger<LoadBalancers>()),
    new Heartbeats(replicas, options.ItemsTable, options.Observer, time, timing.ProbeTimeout),
    new DataJournals(replicas, options.JournalTable, timing.ProbeTimeout),
    new AuthoritativeLook(prober, timing.ProbeTimeout),
    new Follower(options, control, ProviderOf, replicas, new MoveJournal(replicas, options.JournalTable, timing.ProbeTimeout, time, logging.CreateLogger<MoveJournal>()), report, time, logging.CreateLogger<Follower>()),
    report,
    clock,
    time,
    logging.CreateLogger<Tick>());
var function = new Function(
    new Schedule(sqs, options.TickQueueUrl, timing, time, logging.CreateLogger<Schedule>()), tick, timing, time);

using var bootstrap = LambdaBootstrapBuilder
    .Create<JsonElement>(function.HandleAsync, new SourceGeneratorLambdaJsonSerializer<JsonContext>())
    .Build();
await bootstrap.RunAsync();
