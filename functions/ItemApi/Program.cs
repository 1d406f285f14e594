using Failover.ControlPlane;
using Failover.Hosting;
using Failover.ItemApi;
using Failover.ItemApi.Access;
using Failover.ItemApi.Doors;
using Failover.ItemApi.Health;
using Failover.ItemApi.Items;
using Failover.ItemApi.Operations;
using Failover.ItemApi.Routing;
using Failover.ItemApi.Writing;
using Failover.ItemRecord;

// Composed by hand, from what it is told to what it does: see docs/decisions/0012-two-servers-and-no-host.md.
var options = ItemApiOptions.Read(Settings.OfEnvironment(), LambdaDoor.IsHere);
var time = TimeProvider.System;
var output = LineWriter.OfStandardOutput();
using var logs = new JsonLineLoggerProvider(output, time);
using var logging = new LoggerFactory([logs], new LoggerFilterOptions { MinLevel = LogLevel.Warning });
var logger = logging.CreateLogger("Failover.ItemApi");

// Where items are, and who may write them.
using var dynamoDb = new WatchedDynamoDbClient(DynamoDbClients.ConfigOf(options.Region, options.CallTimeout));
using var controlDynamoDb = options.ControlRegion == options.Region ? null : DynamoDbClients.Create(options.ControlRegion, options.CallTimeout);
var registers = options.ServiceName is { } service
    ? new RegisterReader(new ControlStore(controlDynamoDb ?? dynamoDb, options.ControlTable, options.CallTimeout), service, options.ServiceEndpoints, time)
    : null;
var right = new WriteRight(
    options.WriteMode == WriteMode.ActivePassive ? registers : null,
    dynamoDb, options.ItemsTable, options.Region, options.WriteLease, options.LeasePreference == LeasePreference.PreferData, options.CallTimeout, time, logger);
var clock = new VersionClock(options.Region, time, aheadMax: options.ClockAheadMax);
var store = new ItemStore(dynamoDb, options.ItemsTable, options.Region, clock, time, options.CallTimeout, mayWrite: () => right.Holds);
var heartbeats = options.ReplicaRegions.Where(replica => replica != options.Region).ToDictionary(
    replica => replica, replica => options.ObserverRegions.Select(observer => HeartbeatRow.IdOf(replica, observer)).ToArray());

// What it answers.
var access = new AccessRule(options.IsOpen, options.ReadScope, options.WriteScope);
var cursors = new Cursors(dynamoDb, options.ItemsTable, options.CallTimeout, time);
var keys = new IdempotencyKeys(dynamoDb, options.ItemsTable, options.CallTimeout, time, logger);
var items = new ItemsApi(store, right, cursors, keys, time);
var health = new HealthApi(new ReadyCheck(store, dynamoDb, options.ItemsTable, registers, heartbeats, options.CallTimeout, time, logger), options.Region);
var router = new Router(Api.Routes(items, health, access));

// Who is let in. API Gateway verifies tokens before Lambda; before Kestrel nobody does.
using var tokens = options.JwtIssuer is { } issuer ? new TokenValidator(issuer, options.JwtAudience!, options.JwksUrl, time, logger) : null;
CallerOf callerOf = tokens is null ? LambdaDoor.CallerAsync : (context, token) => tokens.ValidateAsync(context.Request.Headers.Authorization, token);
var function = new Function(router, access, callerOf, registers, new ServedRequests(output, options.Region, time), options.Region, options.RequestTimeout, time, logger);

// The same binary is a Lambda function where Lambda started it, else a server.
await (LambdaDoor.IsHere ? LambdaDoor.RunAsync(function, logging) : KestrelDoor.RunAsync(function, options.Listen, logging));
