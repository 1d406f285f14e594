using System.Net.Mime;
using System.Text.Json;
using System.Text.Json.Nodes;
using Failover.ControlPlane;
using Failover.ControlPlane.Registers;
using Failover.LocalHost.Network;
using Failover.LocalHost.Rollouts;
using static Failover.LocalHost.Page.PageAnswer;

namespace Failover.LocalHost.Page;

/// <summary>The page, and the API behind it: see the world, break it, command it.</summary>
internal sealed class ControlApi(World world, TimeProvider time)
{
    private const int JournalMax = 500;

    private static readonly Lazy<byte[]> Html = new(() =>
    {
        using var stream = typeof(ControlApi).Assembly.GetManifestResourceStream("page.html")!;
        using var buffer = new MemoryStream();
        stream.CopyTo(buffer);
        return buffer.ToArray();
    });

    private readonly TablesApi _tables = new(world, time);
    private readonly ApiPage _api = new(world);

    public Task HandleAsync(HttpContext context) => GuardAsync(context, AnswerAsync);

    private async Task AnswerAsync(HttpContext context)
    {
        var (method, path) = (context.Request.Method, context.Request.Path.Value!.Trim('/').Split('/'));
        switch (method, path)
        {
            case ("GET", [""]):
                context.Response.ContentType = MediaTypeNames.Text.Html;
                await context.Response.Body.WriteAsync(Html.Value);
                break;
            case (_, ["api", .. var rest]) when await _api.HandleAsync(context, rest):
                break;
            case ("GET", ["state"]):
                await JsonAsync(context, 200, await StateReport.OfAsync(world, time, context.RequestAborted));
                break;
            case ("GET", ["journal"]):
                await JsonAsync(context, 200, await JournalAsync(context.RequestAborted));
                break;
            case ("GET", ["findings"]):
                await JsonAsync(context, 200, await FindingsAsync(context.RequestAborted));
                break;
            case ("GET", ["losses"]):
                await JsonAsync(context, 200, await LossesAsync(context.RequestAborted));
                break;
            case ("POST", ["faults"]):
                await BreakAsync(context);
                break;
            case ("DELETE", ["faults"]):
                await world.HealAsync(null);
                context.Response.StatusCode = StatusCodes.Status204NoContent;
                break;
            case ("DELETE", ["faults", var id]):
                if (await world.HealAsync(id))
                {
                    context.Response.StatusCode = StatusCodes.Status204NoContent;
                }
                else
                {
                    await ProblemAsync(context, 404, $"There is no fault '{id}'.");
                }

                break;
            case ("POST", ["commands"]):
                await CommandAsync(context);
                break;
            case ("POST", ["rollouts"]):
                await RollOutAsync(context);
                break;
            default:
                await AnswerTablesAsync(context, method, path);
                break;
        }
    }

    private async Task AnswerTablesAsync(HttpContext context, string method, string[] path)
    {
        switch (method, path)
        {
            case ("GET", ["comparisons"]):
                await JsonAsync(context, 200, await _tables.ListAsync(context.RequestAborted));
                break;
            case ("POST", ["comparisons"]):
                await JsonAsync(context, 202, await _tables.CompareAsync(context.RequestAborted));
                break;
            case ("GET", ["comparisons", var id]):
                await (await _tables.ShowAsync(id, context.RequestAborted) is { } comparison
                    ? JsonAsync(context, 200, comparison)
                    : ProblemAsync(context, 404, $"There is no comparison '{id}'."));
                break;
            case ("DELETE", ["comparisons", var id]):
                if (await _tables.CancelAsync(id, context.RequestAborted))
                {
                    context.Response.StatusCode = StatusCodes.Status204NoContent;
                }
                else
                {
                    await ProblemAsync(context, 404, $"There is no comparison '{id}' that has not ended.");
                }

                break;
            case ("POST", ["repairs"]):
                await AskAsync(context, _tables.RepairAsync);
                break;
            case ("POST", ["backfills"]):
                await AskAsync(context, _tables.BackfillAsync);
                break;
            default:
                await ProblemAsync(context, 404, $"There is no {method} {context.Request.Path}.");
                break;
        }
    }

    private static async Task AskAsync(HttpContext context, Func<JsonElement, CancellationToken, Task<JsonNode>> ask)
    {
        if (await ReadAsync(context) is not { } json)
        {
            return;
        }

        try
        {
            await JsonAsync(context, 200, await ask(json, context.RequestAborted));
        }
        catch (Exception error) when (error is JsonException or ArgumentException)
        {
            await ProblemAsync(context, 400, error.Message);
        }
    }

    private async Task BreakAsync(HttpContext context)
    {
        if (await ReadAsync(context) is not { } json)
        {
            return;
        }

        var (fault, mistake) = FaultRequest.Read(json, World.RegionNames, world.Topology.Replicas, [.. world.Topology.Services.SelectMany(service => service.Endpoints).Select(endpoint => endpoint.Name)]);
        await (fault is null
            ? ProblemAsync(context, 400, mistake!)
            : JsonAsync(context, 201, new JsonObject { ["id"] = (await world.BreakAsync(fault)).Id }));
    }

    private async Task RollOutAsync(HttpContext context)
    {
        if (await ReadAsync(context) is not { } json)
        {
            return;
        }

        var (rollout, mistake) = RolloutRequest.Read(json);
        if (rollout is null)
        {
            await ProblemAsync(context, 400, mistake!);
        }
        else if (!world.StartRollout(rollout))
        {
            await ProblemAsync(context, 409, "A rollout runs already. Wait until 'rollingOut' in /state is false.");
        }
        else
        {
            await JsonAsync(context, 202, new JsonObject
            {
                ["intervalSeconds"] = rollout.IntervalSeconds,
                ["pauseSeconds"] = rollout.PauseSeconds,
                ["regions"] = new JsonArray([.. World.RegionNames.Select(region => JsonValue.Create(region))]),
            });
        }
    }

    private async Task CommandAsync(HttpContext context)
    {
        if (await ReadAsync(context) is not { } json)
        {
            return;
        }

        try
        {
            var wanted = JsonObject.Create(json)!;
            var service = (string?)wanted["service"] ?? World.ServiceName;
            wanted.Remove("service");
            wanted["id"] ??= Guid.NewGuid().ToString();
            wanted["by"] ??= "page";
            wanted["at"] ??= time.GetUtcNow().ToString("O");
            var command = wanted.Deserialize(ControlJson.Default.Command)!;
            if (world.Topology.Services.All(known => known.Name != service))
            {
                await ProblemAsync(context, 400, $"There is no service '{service}'.");
                return;
            }

            if (command is { Kind: CommandKind.Unknown } or { Kind: CommandKind.Move or CommandKind.Pin or CommandKind.Drain or CommandKind.Undrain or CommandKind.PlannedMove, To: null })
            {
                await ProblemAsync(context, 400, "A command needs a kind; one that is about an endpoint needs 'to'.");
                return;
            }

            if (command.Mistake() is { } mistake)
            {
                await ProblemAsync(context, 400, $"The command is not given: {mistake}.");
                return;
            }

            // An order that ends a pause, a pin or a drain ends the one that stands: the page's user sees it.
            if (command.IsEnding)
            {
                command = command.MeantFor(await world.ControlStore.ReadAsync(service, context.RequestAborted));
            }

            await (await world.ControlStore.AppendOrderAsync(service, command, context.RequestAborted) switch
            {
                OrderWrite.Written => JsonAsync(context, 202, new JsonObject { ["id"] = command.Id }),
                OrderWrite.Full => ProblemAsync(context, 409, $"{ControlStore.OrdersMax} orders wait already, and no observer answers them. Wait, or see which observers tick; a pause, pin or drain still finds room."),
                OrderWrite.Contended => ProblemAsync(context, 409, "Others gave commands at the same moment, at every try. Give it again."),
                _ => ProblemAsync(context, 503, "The command was not acknowledged; it may stand all the same."),
            });
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or ArgumentException)
        {
            await ProblemAsync(context, 400, error.Message);
        }
    }

    /// <summary>What the regions' audits found, each once.</summary>
    private async Task<JsonArray> FindingsAsync(CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        foreach (var journal in world.Journals)
        {
            findings.AddRange(await journal.ReadFindingsAsync(JournalMax, cancellationToken));
        }

        return [.. findings.DistinctBy(finding => finding.Id).OrderBy(finding => finding.At).Select(finding => JsonSerializer.SerializeToNode(finding, ControlJson.Default.Finding))];
    }

    /// <summary>What the moves cost, as the audits of the regions that were moved to count it.</summary>
    private async Task<JsonArray> LossesAsync(CancellationToken cancellationToken)
    {
        var losses = new JsonArray();
        foreach (var moves in world.Moves)
        {
            foreach (var loss in await moves.ReadLossesAsync(JournalMax, cancellationToken))
            {
                var json = JsonSerializer.SerializeToNode(loss, ControlJson.Default.MoveLoss)!.AsObject();
                var keys = new JsonArray();
                await foreach (var key in moves.ReadKeysAsync(loss, cancellationToken))
                {
                    keys.Add(JsonSerializer.SerializeToNode(key, ControlJson.Default.LostKey));
                }

                json["keys"] = keys;
                losses.Add(json);
            }
        }

        return losses;
    }

    private async Task<JsonArray> JournalAsync(CancellationToken cancellationToken)
    {
        var entries = new List<JournalEntry>();
        foreach (var service in world.Topology.Services)
        {
            foreach (var journal in world.Journals)
            {
                entries.AddRange(await journal.ReadAsync(service.Name, JournalMax / world.Journals.Count, cancellationToken));
            }
        }

        return [.. entries.OrderBy(entry => entry.At).Select(entry => JsonSerializer.SerializeToNode(entry, ControlJson.Default.JournalEntry))];
    }

    private static async Task<JsonElement?> ReadAsync(HttpContext context)
    {
        try
        {
            var json = (await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted)).RootElement;
            if (json.ValueKind == JsonValueKind.Object)
            {
                return json;
            }

            await ProblemAsync(context, 400, "The body is not a JSON object.");
        }
        catch (JsonException error)
        {
            await ProblemAsync(context, 400, $"The body is not JSON: {error.Message}");
        }

        return null;
    }
}
