using System.Text.Json;
using System.Text.Json.Nodes;
using Failover.LocalHost.DigitalOcean;
using Failover.LocalHost.Network;
using Failover.LocalHost.Regions;
using Failover.LocalHost.Route53;

namespace Failover.LocalHost.Aws;

/// <summary>
/// How one region reaches AWS. Requests are routed by table and by the region in their signature; this is where the network between regions is cut,
/// and where answers are lost after they took effect.
/// </summary>
internal sealed class AwsDoor(Region here, World world)
{
    private readonly SqsApi _sqs = new(here.Name, here.Queues, world.Faults);

    public async Task HandleAsync(HttpContext context)
    {
        if (!await Passage.AllowsAsync(context, world.Faults.RegionDown(here.Name)))
        {
            return;
        }

        if (context.Request.Path.StartsWithSegments(Route53Api.Root))
        {
            if (await AllowsWorldAsync(context))
            {
                await world.Route53.HandleAsync(context);
            }

            return;
        }

        // The way out to DigitalOcean leads through here too, so that a region that is cut off is cut off from it.
        if (context.Request.Path.StartsWithSegments(DigitalOceanApi.Root))
        {
            if (await AllowsWorldAsync(context))
            {
                await world.DigitalOceanApi.HandleAsync(context);
            }

            return;
        }

        using var buffer = new MemoryStream();
        await context.Request.Body.CopyToAsync(buffer);
        var (service, operation) = Target(context.Request.Headers["X-Amz-Target"].ToString());
        switch (service)
        {
            case "AmazonSQS":
                await _sqs.HandleAsync(context, operation, buffer.ToArray());
                break;
            case "DynamoDB_20120810" or "DynamoDBStreams_20120810":
                await DynamoDbAsync(context, operation, buffer.ToArray());
                break;
            case "AmazonSSM":
                await SsmAsync(context, operation, buffer.ToArray());
                break;
            default:
                await AwsJson.RefuseAsync(context, "UnknownOperationException",
                    $"'{service}.{operation}' is not spoken here: this door knows DynamoDB, SQS, SSM and Route 53.");
                break;
        }
    }

    private async Task DynamoDbAsync(HttpContext context, string operation, byte[] body)
    {
        var table = Table(body);
        if (table == World.ControlTable)
        {
            // Strong reads and writes need a majority of the control regions: who is cut off from the others has none.
            if (!await AllowsWorldAsync(context))
            {
                return;
            }

            await Task.Delay(world.Faults.ControlDelay(here.Name), TimeProvider.System, context.RequestAborted);
            if (IsWrite(operation) && Random.Shared.NextDouble() < world.Faults.ConflictShare(here.Name))
            {
                await AwsJson.RefuseAsync(context, "com.amazonaws.dynamodb.v20120810#ReplicatedWriteConflictException",
                    "One or more items in this request are being modified by a request in another Region.");
                return;
            }

            await ForwardAsync(context, world.Control, body, loses: IsWrite(operation) && Random.Shared.NextDouble() < world.Faults.LostAnswerShare(here.Name));
            return;
        }

        var region = world.Regions.FirstOrDefault(region => region.Name == SignedRegion(context.Request)) ?? here;
        if (region != here && (!await AllowsWorldAsync(context) || !await Passage.AllowsAsync(context, world.Faults.RegionDown(region.Name))))
        {
            return;
        }

        if (table == World.ItemsTable && IsWrite(operation))
        {
            // The replicator takes the same turn, so that it never overwrites a write that it has not seen.
            await region.ItemsTurn.WaitAsync(context.RequestAborted);
            try
            {
                await ForwardAsync(context, region.Engine, body, loses: false);
            }
            finally
            {
                region.ItemsTurn.Release();
                region.ItemsWritten.Release();
            }
        }
        else
        {
            await ForwardAsync(context, region.Engine, body, loses: false);
        }
    }

    private static async Task ForwardAsync(HttpContext context, Engines.Engine engine, byte[] body, bool loses)
    {
        // Not cancelled with the client: what was sent takes effect, as over a real network.
        var (status, contentType, crc32, answer) = await engine.ForwardAsync(
            context.Request.Headers["X-Amz-Target"].ToString(), context.Request.ContentType ?? "application/x-amz-json-1.0", body, CancellationToken.None);
        if (loses)
        {
            context.Abort();
            return;
        }

        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        context.Response.Headers["x-amzn-RequestId"] = Guid.NewGuid().ToString();
        if (crc32 is not null)
        {
            context.Response.Headers["x-amz-crc32"] = crc32;
        }

        context.Response.ContentLength = answer.Length;
        await context.Response.Body.WriteAsync(answer);
    }

    /// <summary>SSM's parameter store, with one encrypted parameter.</summary>
    private static async Task SsmAsync(HttpContext context, string operation, byte[] body)
    {
        var name = (string?)(JsonNode.Parse(body) as JsonObject)?["Name"];
        if (operation != "GetParameter" || name != World.TokenParameter)
        {
            await AwsJson.RefuseAsync(context, operation == "GetParameter" ? "ParameterNotFound" : "UnknownOperationException",
                $"There is {World.TokenParameter}, and GetParameter.");
            return;
        }

        context.Response.ContentType = "application/x-amz-json-1.1";
        await context.Response.WriteAsync(new JsonObject
        {
            ["Parameter"] = new JsonObject { ["Name"] = name, ["Type"] = "SecureString", ["Value"] = World.Token, ["Version"] = 1 },
        }.ToJsonString());
    }

    /// <summary>An isolated observer's packets to anywhere outside its region are lost without a word.</summary>
    private Task<bool> AllowsWorldAsync(HttpContext context) => Passage.AllowsAsync(context, world.Faults.IsIsolated(here.Name) ? FaultMode.Hang : null);

    private static (string Service, string Operation) Target(string header) =>
        header.Split('.', 2) is [var service, var operation] ? (service, operation) : (header, "");

    private static bool IsWrite(string operation) => operation is "PutItem" or "UpdateItem" or "DeleteItem" or "BatchWriteItem" or "TransactWriteItems";

    /// <summary>The table of a request; of one with several, the first.</summary>
    private static string? Table(byte[] body)
    {
        try
        {
            var request = JsonNode.Parse(body, documentOptions: Engines.Engine.DeepJson) as JsonObject;
            return (string?)request?["TableName"]
                ?? (request?["RequestItems"] as JsonObject)?.FirstOrDefault().Key
                ?? (string?)(request?["TransactItems"] as JsonArray)?.FirstOrDefault()?.AsObject().FirstOrDefault().Value?["TableName"];
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // The engine says what is wrong with it.
            return null;
        }
    }

    /// <summary>The region of a signature's scope: <c>Credential=key/date/region/service/aws4_request</c>.</summary>
    private static string? SignedRegion(HttpRequest request) =>
        request.Headers.Authorization.ToString().Split("Credential=") is [_, var rest] && rest.Split(',')[0].Split('/') is [_, _, var region, ..] ? region : null;
}
