using Amazon.DynamoDBv2;
using Amazon.Lambda.Serialization.SystemTextJson;
using Failover.Hosting;
using Failover.ItemApi;
using Failover.ItemApi.Health;
using Failover.ItemApi.Items;
using Failover.ItemRecord;

var options = ItemApiOptions.Read(Settings.OfEnvironment());
var builder = WebApplication.CreateSlimBuilder(args);

// What it is made of.
builder.Services.AddSingleton(options);
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddSingleton<IAmazonDynamoDB>(_ => DynamoDbClients.Create(options.Region, options.CallTimeout));
builder.Services.AddSingleton(services => new VersionClock(options.Region, services.GetRequiredService<TimeProvider>()));
builder.Services.AddSingleton(services => new ItemStore(
    services.GetRequiredService<IAmazonDynamoDB>(),
    options.ItemsTable,
    options.Region,
    services.GetRequiredService<VersionClock>(),
    services.GetRequiredService<TimeProvider>(),
    options.CallTimeout));
builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Warning).AddProvider(new JsonLineLoggerProvider(LineWriter.OfStandardOutput(), TimeProvider.System));

// The same binary is a Lambda function where the Runtime API is there, else Kestrel.
builder.Services.AddAWSLambdaHosting(LambdaEventSource.HttpApi, new SourceGeneratorLambdaJsonSerializer<EventJsonContext>());

var app = builder.Build();

// The one catch: what a route throws is DynamoDB's refusal, or a failed data path, and of that the client is told no more.
app.Use(async (context, next) =>
{
    try
    {
        await next(context);
    }
    catch (AmazonDynamoDBException refused) when (refused.ErrorCode == "ValidationException" && !context.Response.HasStarted)
    {
        // DynamoDB's own rules, its size limit for one: it wrote nothing, and never will.
        await Problems.BadRequest($"DynamoDB does not take this item: {refused.Message}").ExecuteAsync(context);
    }
    catch (Exception error) when (error is not BadHttpRequestException && !context.Response.HasStarted)
    {
        Log.DataPathFailed(app.Logger, error);
        await Problems.DataPathFailed().ExecuteAsync(context);
    }
});
app.MapItems();
app.MapHealth();
app.Run();
