using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Failover.LocalHost.DigitalOcean;

/// <summary>DigitalOcean's API, version 2, over one account: load balancers, droplets and their power, and the records of one domain; pages, and the limit of requests.</summary>
internal sealed class DigitalOceanApi(DigitalOceanCloud cloud, string token, TimeProvider time)
{
    public const string Root = "/v2";

    private const int PageMax = 200;
    private const int PageOtherwise = 20;
    private const int RequestsAnHour = 5000;
    private const int TtlMin = 30;

    private static readonly string[] NotBlank = ["type", "name", "data"];

    private long _hour;
    private int _requests;
    private long _actions;

    public async Task HandleAsync(HttpContext context)
    {
        var hour = time.GetUtcNow().ToUnixTimeSeconds() / 3600;
        if (Interlocked.Exchange(ref _hour, hour) != hour)
        {
            Interlocked.Exchange(ref _requests, 0);
        }

        var left = RequestsAnHour - Interlocked.Increment(ref _requests);
        context.Response.Headers["ratelimit-limit"] = RequestsAnHour.ToString(CultureInfo.InvariantCulture);
        context.Response.Headers["ratelimit-remaining"] = Math.Max(0, left).ToString(CultureInfo.InvariantCulture);
        context.Response.Headers["ratelimit-reset"] = ((hour + 1) * 3600).ToString(CultureInfo.InvariantCulture);
        var (status, answer) = context.Request.Headers.Authorization != "Bearer " + token ? (401, Error("unauthorized", "Unable to authenticate you."))
            : left < 0 ? (429, Error("too_many_requests", "API rate limit exceeded."))
            : await CheckedAsync(context.Request);
        context.Response.StatusCode = status;
        if (answer is not null)
        {
            context.Response.ContentType = "application/json; charset=utf-8";
            await context.Response.WriteAsync(answer.ToJsonString());
        }
    }

    private async Task<(int Status, JsonNode? Answer)> CheckedAsync(HttpRequest request)
    {
        try
        {
            return await AnswerAsync(request);
        }
        catch (Exception error) when (error is InvalidOperationException or FormatException)
        {
            return (422, Error("unprocessable_entity", error.Message));
        }
    }

    private async Task<(int Status, JsonNode? Answer)> AnswerAsync(HttpRequest request)
    {
        var path = request.Path.Value!.Trim('/').Split('/');
        JsonObject? body = null;
        if (request.Method is "POST" or "PUT" or "PATCH")
        {
            try
            {
                body = (await JsonNode.ParseAsync(request.Body, cancellationToken: request.HttpContext.RequestAborted)) as JsonObject;
            }
            catch (JsonException)
            {
                return (400, Error("bad_request", "The body is not JSON."));
            }
        }

        return (request.Method, path) switch
        {
            ("GET", ["v2", "load_balancers"]) => Page(request, "load_balancers", cloud.LoadBalancers.Select(Json)),
            ("GET", ["v2", "load_balancers", var id]) => cloud.LoadBalancers.FirstOrDefault(balancer => balancer.Id == id) is { } found ? (200, new JsonObject { ["load_balancer"] = Json(found) }) : NotFound(),
            ("GET", ["v2", "droplets"]) => Page(request, "droplets", cloud.Droplets.Select(Json)),
            ("GET", ["v2", "droplets", var id]) => cloud.Droplets.FirstOrDefault(droplet => Is(id, droplet.Id)) is { } found ? (200, new JsonObject { ["droplet"] = Json(found) }) : NotFound(),
            ("POST", ["v2", "droplets", var id, "actions"]) => Power(id, (string?)body?["type"]),
            ("GET", ["v2", "domains", var domain, "records"]) when domain == cloud.Domain => Page(request, "domain_records", cloud.Records
                .Where(record => request.Query["type"].FirstOrDefault() is not { } type || record.Type == type)
                .Where(record => request.Query["name"].FirstOrDefault() is not { } name || $"{record.Name}.{domain}" == name || (record.Name == "@" && name == domain)).Select(Json)),
            ("POST", ["v2", "domains", var domain, "records"]) when domain == cloud.Domain => Create(body),
            ("GET", ["v2", "domains", var domain, "records", var id]) when domain == cloud.Domain => cloud.Records.FirstOrDefault(record => Is(id, record.Id)) is { } found ? (200, Record(found)) : NotFound(),
            ("PUT" or "PATCH", ["v2", "domains", var domain, "records", var id]) when domain == cloud.Domain => Update(id, body),
            ("DELETE", ["v2", "domains", var domain, "records", var id]) when domain == cloud.Domain => long.TryParse(id, out var number) && cloud.Delete(number) ? (204, null) : NotFound(),
            _ => NotFound(),
        };
    }

    private (int Status, JsonNode? Answer) Create(JsonObject? body) =>
        Mistake(body, known: null) is { } mistake ? (422, Error("unprocessable_entity", mistake))
        : (201, Record(cloud.Create((string)body!["type"]!, (string)body["name"]!, Stored((string)body["type"]!, (string)body["data"]!),
            (int?)body["ttl"] ?? 1800)));

    /// <summary>Changes what the body names; the rest stays.</summary>
    private (int Status, JsonNode? Answer) Update(string id, JsonObject? body)
    {
        if (cloud.Records.FirstOrDefault(record => Is(id, record.Id)) is not { } known)
        {
            return NotFound();
        }

        if (Mistake(body, known) is { } mistake)
        {
            return (422, Error("unprocessable_entity", mistake));
        }

        var type = (string?)body!["type"] ?? known.Type;
        var data = (string?)body["data"] is { } given ? Stored(type, given) : known.Data;
        var (name, ttl) = ((string?)body["name"] ?? known.Name, (int?)body["ttl"] ?? known.Ttl);
        var changed = known with { Type = type, Name = name, Data = data, Ttl = ttl };
        return cloud.Update(known.Id, _ => changed) is { } record ? (200, Record(record)) : NotFound();
    }

    private (int Status, JsonNode? Answer) Power(string id, string? type)
    {
        if (type is not ("power_on" or "power_off"))
        {
            return (422, Error("unprocessable_entity", $"'{type}' is not spoken here: power_on and power_off are."));
        }

        return long.TryParse(id, out var number) && cloud.SetPower(number, type == "power_on")
            ? (201, new JsonObject
            {
                ["action"] = new JsonObject { ["id"] = Interlocked.Increment(ref _actions), ["status"] = "completed", ["type"] = type, ["resource_id"] = number, ["resource_type"] = "droplet" },
            })
            : NotFound();
    }

    /// <summary>As DigitalOcean keeps data: a host's name without the dot at its end, and the domain itself as <c>@</c>.</summary>
    private string Stored(string type, string data)
    {
        if (!DomainRecord.NamesAHost(type))
        {
            return data;
        }

        var host = data.TrimEnd('.').ToLowerInvariant();
        return host == cloud.Domain ? "@" : host;
    }

    private static string? Mistake(JsonObject? body, DomainRecord? known)
    {
        if (body is null)
        {
            return "The body is no JSON object.";
        }

        if (known is null && NotBlank.FirstOrDefault(member => (string?)body[member] is null or "") is { } missing)
        {
            return $"{missing} can't be blank";
        }

        if ((int?)body["ttl"] is < TtlMin)
        {
            return $"Ttl must be at least {TtlMin}.";
        }

        var type = (string?)body["type"] ?? known!.Type;
        return DomainRecord.NamesAHost(type) && (string?)body["data"] is { } data && data != "@" && !data.EndsWith('.')
            ? "Data needs to end with a dot (.)" : null;
    }

    private static (int Status, JsonNode? Answer) Page(HttpRequest request, string root, IEnumerable<JsonObject> rows)
    {
        var all = rows.ToList();
        var size = int.TryParse(request.Query["per_page"], out var asked) ? Math.Clamp(asked, 1, PageMax) : PageOtherwise;
        var page = int.TryParse(request.Query["page"], out var number) ? Math.Max(1, number) : 1;
        var links = new JsonObject();
        if (page * size < all.Count)
        {
            links["pages"] = new JsonObject { ["next"] = $"{request.Scheme}://{request.Host}{request.Path}?page={page + 1}&per_page={size}" };
        }

        return (200, new JsonObject { [root] = new JsonArray([.. all.Skip((page - 1) * size).Take(size)]), ["links"] = links, ["meta"] = new JsonObject { ["total"] = all.Count } });
    }

    private static JsonObject Record(DomainRecord record) => new() { ["domain_record"] = Json(record) };

    private static JsonObject Json(DomainRecord record) => new()
    {
        ["id"] = record.Id, ["type"] = record.Type, ["name"] = record.Name, ["data"] = record.Data, ["ttl"] = record.Ttl,
        ["priority"] = null, ["port"] = null, ["weight"] = null, ["flags"] = null, ["tag"] = null,
    };

    private static JsonObject Json(LoadBalancer balancer) => new()
    {
        ["id"] = balancer.Id, ["name"] = balancer.Name, ["ip"] = balancer.Ip, ["status"] = balancer.Status, ["region"] = new JsonObject { ["slug"] = balancer.Region },
        ["droplet_ids"] = new JsonArray([.. balancer.Droplets.Select(id => JsonValue.Create(id))]),
    };

    private static JsonObject Json(Droplet droplet) => new() { ["id"] = droplet.Id, ["name"] = droplet.Name, ["status"] = droplet.IsOn ? "active" : "off", ["locked"] = false };

    private static (int Status, JsonNode? Answer) NotFound() => (404, Error("not_found", "The resource you requested could not be found."));

    private static JsonObject Error(string id, string message) => new() { ["id"] = id, ["message"] = message, ["request_id"] = Guid.NewGuid().ToString() };

    private static bool Is(string text, long id) => long.TryParse(text, out var number) && number == id;
}
