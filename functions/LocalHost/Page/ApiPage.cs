using System.Text.Json.Nodes;
using Failover.LocalHost.Functions;

namespace Failover.LocalHost.Page;

/// <summary>A page to try the item API with, of either region: Swagger UI over the API's own description. What it sends goes through the region's function as from anywhere else.</summary>
internal sealed class ApiPage(World world)
{
    private const string Html = """
        <!doctype html>
        <html lang="en">
        <head><meta charset="utf-8"><title>Items - try the API</title><link rel="stylesheet" href="/api/ui/swagger-ui.css"></head>
        <body>
        <div id="ui"></div>
        <script src="/api/ui/swagger-ui-bundle.js"></script>
        <script src="/api/ui/swagger-ui-standalone-preset.js"></script>
        <script>
          SwaggerUIBundle({
            urls: URLS, dom_id: '#ui', deepLinking: true, tryItOutEnabled: true, displayRequestDuration: true, validatorUrl: null,
            presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset], layout: 'StandaloneLayout',
          });
        </script>
        </body>
        </html>
        """;

    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(10) };

    private static readonly Dictionary<string, string> Files = new()
    {
        ["swagger-ui.css"] = "text/css",
        ["swagger-ui-bundle.js"] = "text/javascript",
        ["swagger-ui-standalone-preset.js"] = "text/javascript",
    };

    /// <summary>Answers what lies below <c>/api</c>; false: there is no such thing.</summary>
    public async Task<bool> HandleAsync(HttpContext context, string[] path)
    {
        switch (path)
        {
            case []:
                context.Response.ContentType = "text/html";
                var urls = new JsonArray([.. Serving.Select(region => new JsonObject { ["name"] = region.Name, ["url"] = $"/api/{region.Name}/openapi.json" })]);
                await context.Response.WriteAsync(Html.Replace("URLS", urls.ToJsonString(), StringComparison.Ordinal));
                return true;
            case ["ui", var file] when Files.TryGetValue(file, out var type):
                await SendAsync(context, Path.Combine(AppContext.BaseDirectory, "swagger-ui", file), type);
                return true;
            case [var name, "openapi.json"] when Find(name) is { } region:
                await DescribeAsync(context, region);
                return true;
            case [var name, ..] when Find(name) is { } region:
                context.Request.Path = "/" + string.Join('/', path[1..]);
                await HttpApi.HandleAsync(context, region.ItemApi!);
                return true;
            default:
                return false;
        }
    }

    private IEnumerable<Regions.Region> Serving => world.Regions.Where(region => region.ItemApi is not null);

    private Regions.Region? Find(string name) => Serving.FirstOrDefault(region => region.Name == name);

    /// <summary>The API's own description, with this page's road to it as its server.</summary>
    private async Task DescribeAsync(HttpContext context, Regions.Region region)
    {
        var document = JsonNode.Parse(await Http.GetStringAsync(new Uri($"http://127.0.0.1:{world.Options.Ports.ItemApi(region.Number)}/openapi/v1.json"), context.RequestAborted))!;
        document["servers"] = new JsonArray(new JsonObject { ["url"] = "/api/" + region.Name, ["description"] = region.Name });
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(document.ToJsonString());
    }

    private static async Task SendAsync(HttpContext context, string file, string type)
    {
        if (!File.Exists(file))
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            await context.Response.WriteAsync("Swagger UI is not installed: the build takes it from npm. Build again with npm at hand.");
            return;
        }

        context.Response.ContentType = type;
        await context.Response.SendFileAsync(file);
    }
}
