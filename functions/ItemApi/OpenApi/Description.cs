using System.Text.Json;
using Failover.ItemApi.Access;
using Failover.ItemApi.Answers;
using Failover.ItemApi.Health;
using Failover.ItemApi.Routing;

namespace Failover.ItemApi.OpenApi;

/// <summary>The API's description, OpenAPI 3.1, made from the routes themselves: nothing is served that it does not tell, and the other way round.</summary>
/// <param name="access">Which scopes are asked for, if any.</param>
internal sealed class Description(AccessRule access)
{
    private static readonly Parameter[] EveryAnswer =
    [
        new("Failover-Region", "The region that answered.", """{"type":"string"}""", "us-east-1", IsRequired: true),
        new("Failover-Version", "The version of the program that answered.", """{"type":"string"}""", "1.0.0", IsRequired: true),
        new("Failover-Epoch", "The number of the current move, as far as this process knows it.", """{"type":"integer"}""", "3"),
    ];

    private static readonly Parameter RetryAfter = new("Retry-After", "After how many seconds to try again.", """{"type":"integer","minimum":1}""", "1", IsRequired: true);
    private static readonly Parameter Challenge = new("WWW-Authenticate", "What is asked for.", """{"type":"string"}""", "Bearer", IsRequired: true);
    private static readonly Parameter CurrentTag = new("ETag", "The item's present ETag, where there is an item.", """{"type":"string"}""", "\"019aa1b2c3d40000-us-east-1-k3v9x2m1\"");

    private Answer? _document;

    public IReadOnlyList<Route> Routes { get; set; } = [];

    public Task<Answer> GetAsync(Request request, CancellationToken cancellationToken) => Task.FromResult(_document ??= Answer.Json(StatusCodes.Status200OK, Write));

    private void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("openapi", "3.1.1");
        json.WriteStartObject("info");
        json.WriteString("title", "Items");
        json.WriteString("version", BuildVersion.Text);
        json.WriteString("description", Info);
        json.WriteStartObject("license");
        json.WriteString("name", "MIT");
        json.WriteString("identifier", "MIT");
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartArray("servers");
        json.WriteStartObject();
        json.WriteString("url", "/");
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteStartObject("paths");
        foreach (var path in Routes.GroupBy(route => route.Template))
        {
            json.WriteStartObject(path.Key);
            if (path.Key.Contains("{id}", StringComparison.Ordinal))
            {
                json.WriteStartArray("parameters");
                WriteParameter(json, "path", new Parameter("id", "The item's id.", """{"type":"string","pattern":"^[A-Za-z0-9.~-][A-Za-z0-9._~-]{0,254}$"}""", "order-17", IsRequired: true));
                json.WriteEndArray();
            }

            foreach (var route in path)
            {
                json.WriteStartObject(MethodName(route.Method));
                WriteOperation(json, route);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
        WriteComponents(json);
        json.WriteEndObject();
    }

    private void WriteComponents(Utf8JsonWriter json)
    {
        json.WriteStartObject("components");
        if (Routes.Any(route => access.Asks(route.Access)))
        {
            json.WritePropertyName("securitySchemes");
            json.WriteRawValue("""{"bearer":{"type":"http","scheme":"bearer","bearerFormat":"JWT"}}""");
        }

        json.WritePropertyName("schemas");
        json.WriteRawValue(Schemas);
        json.WriteStartObject("headers");
        foreach (var header in EveryAnswer)
        {
            json.WriteStartObject(header.Name);
            WriteParts(json, header);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteStartObject("examples");
        foreach (var kind in ProblemKind.All.Intersect(Routes.SelectMany(ProblemsOf)))
        {
            json.WriteStartObject(kind.Slug);
            json.WriteString("summary", kind.Meaning);
            json.WriteStartObject("value");
            json.WriteString("type", ProblemKind.TypePrefix + kind.Slug);
            json.WriteString("title", kind.Title);
            json.WriteNumber("status", kind.Status);
            json.WriteString("detail", kind.Meaning);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteOperation(Utf8JsonWriter json, Route route)
    {
        json.WriteString("operationId", route.Name);
        json.WriteString("summary", route.Summary);
        json.WriteStartArray("security");
        if (access.Asks(route.Access))
        {
            json.WriteStartObject();
            json.WriteStartArray("bearer");
            json.WriteStringValue(access.ScopeFor(route.Access));
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("parameters");
        foreach (var parameter in route.Query ?? [])
        {
            WriteParameter(json, "query", parameter);
        }

        foreach (var parameter in route.Headers)
        {
            WriteParameter(json, "header", parameter);
        }

        json.WriteEndArray();
        if (route.Body != BodyKind.None)
        {
            WriteBody(json, route.Body);
        }

        json.WriteStartObject("responses");
        var isHead = route.Method == "HEAD";
        foreach (var success in route.Successes)
        {
            json.WriteStartObject(StatusText(success.Status));
            json.WriteString("description", success.Meaning);
            WriteHeaders(json, success.Headers);
            if (success.Schema is { } schema && !isHead)
            {
                json.WriteStartObject("content");
                WriteMediaType(json, "application/json", schema, success.Example!);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        foreach (var status in ProblemsOf(route).GroupBy(problem => problem.Status).Where(status => route.Successes.All(success => success.Status != status.Key)))
        {
            WriteProblems(json, status.Key, [.. status], isHead);
        }

        json.WriteEndObject();
    }

    private IEnumerable<ProblemKind> ProblemsOf(Route route) =>
        route.Problems.Concat(!access.Asks(route.Access) ? [] : [ProblemKind.Unauthenticated, ProblemKind.InsufficientScope]).Append(ProblemKind.Failed).Distinct().OrderBy(problem => problem.Status);

    private static void WriteProblems(Utf8JsonWriter json, int status, IReadOnlyList<ProblemKind> kinds, bool isHead)
    {
        json.WriteStartObject(StatusText(status));
        json.WriteString("description", string.Join(", ", kinds.Select(kind => kind.Slug)));
        WriteHeaders(json,
        [
            .. kinds.Any(kind => kind.RetryAfterSeconds is not null) ? [RetryAfter with { IsRequired = kinds.All(kind => kind.RetryAfterSeconds is not null) }] : Array.Empty<Parameter>(),
            .. status is StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden ? [Challenge] : Array.Empty<Parameter>(),
            .. status == StatusCodes.Status412PreconditionFailed ? [CurrentTag] : Array.Empty<Parameter>(),
        ]);
        if (!isHead)
        {
            json.WriteStartObject("content");
            json.WriteStartObject("application/problem+json");
            WriteReference(json, "schema", "schemas/Problem");
            json.WriteStartObject("examples");
            foreach (var kind in kinds)
            {
                WriteReference(json, kind.Slug, "examples/" + kind.Slug);
            }

            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteBody(Utf8JsonWriter json, BodyKind body)
    {
        json.WriteStartObject("requestBody");
        json.WriteBoolean("required", true);
        json.WriteStartObject("content");
        foreach (var type in body == BodyKind.MergePatch ? [Items.ItemsApi.MergePatchType, "application/json"] : new[] { "application/json" })
        {
            WriteMediaType(json, type, body == BodyKind.MergePatch ? "MergePatch" : "NewItem", body == BodyKind.MergePatch ? """{"paid":true,"note":null}""" : """{"paid":false,"total":12.5,"note":"by hand"}""");
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteMediaType(Utf8JsonWriter json, string type, string schema, string example)
    {
        json.WriteStartObject(type);
        WriteReference(json, "schema", "schemas/" + schema);
        json.WritePropertyName("example");
        json.WriteRawValue(example);
        json.WriteEndObject();
    }

    /// <summary>Those of every answer, and its own.</summary>
    private static void WriteHeaders(Utf8JsonWriter json, IReadOnlyList<Parameter> headers)
    {
        json.WriteStartObject("headers");
        foreach (var header in EveryAnswer)
        {
            WriteReference(json, header.Name, "headers/" + header.Name);
        }

        foreach (var header in headers)
        {
            json.WriteStartObject(header.Name);
            WriteParts(json, header);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteReference(Utf8JsonWriter json, string name, string to)
    {
        json.WriteStartObject(name);
        json.WriteString("$ref", "#/components/" + to);
        json.WriteEndObject();
    }

    private static void WriteParameter(Utf8JsonWriter json, string place, Parameter parameter)
    {
        json.WriteStartObject();
        json.WriteString("name", parameter.Name);
        json.WriteString("in", place);
        WriteParts(json, parameter);
        json.WriteEndObject();
    }

    private static void WriteParts(Utf8JsonWriter json, Parameter parameter)
    {
        json.WriteString("description", parameter.Meaning);
        if (parameter.IsRequired)
        {
            json.WriteBoolean("required", true);
        }

        // In the schema: beside it, pages to try an API with take an example for what is to be sent.
        json.WritePropertyName("schema");
        json.WriteRawValue(parameter.Example is not { } example ? parameter.Schema
            : $"{parameter.Schema[..^1]},\"examples\":[{(parameter.Schema.Contains("\"string\"", StringComparison.Ordinal) ? $"\"{JsonEncodedText.Encode(example)}\"" : example)}]}}");
    }

    private static string MethodName(string method) => method switch
    {
        "GET" => "get",
        "HEAD" => "head",
        "PUT" => "put",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => "post",
    };

    private static string StatusText(int status) => status.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private const string Info =
        "Items over a DynamoDB global table. An item is a JSON object. Numbers keep their value to 38 digits, not their spelling; strings are kept as they are, without normalisation; members keep no order. "
        + "Items that other programs wrote read in JSON's own types: sets as sorted arrays, binary values as base64; a PATCH that does not touch them keeps them as they are. "
        + "Every write is conditional on what was there: no update is lost within a region. Two regions that write one item at once both succeed, and DynamoDB keeps the last; the audit names what was lost. "
        + "Every failure is a problem (RFC 9457) with a type of its own.";

    private const string Schemas = """
        {
          "Item": { "type": "object", "description": "An item: its id, and members of the client's.", "required": ["id"], "properties": { "id": { "type": "string" } }, "additionalProperties": true },
          "NewItem": { "type": "object", "description": "An item as a client sends it. Names that begin with '_' belong to the system.", "properties": { "id": { "type": "string", "description": "The same as in the address, or left out; of a create, the id." } }, "additionalProperties": true },
          "MergePatch": { "type": "object", "description": "A JSON Merge Patch (RFC 7396).", "additionalProperties": true },
          "Page": {
            "type": "object", "required": ["items", "cursor"],
            "properties": { "items": { "type": "array", "items": { "$ref": "#/components/schemas/Item" } }, "cursor": { "type": ["string", "null"], "description": "For the next page; null: this is the last." } }
          },
          "PageOrItem": { "oneOf": [{ "$ref": "#/components/schemas/Page" }, { "$ref": "#/components/schemas/Item" }] },
          "Problem": {
            "type": "object", "required": ["type", "title", "status", "detail"],
            "properties": {
              "type": { "type": "string", "description": "What kind of problem, for programs." },
              "title": { "type": "string" },
              "status": { "type": "integer" },
              "detail": { "type": "string", "description": "What is wrong with this request, for people." },
              "pointer": { "type": "string", "description": "Where in the body: a JSON pointer (RFC 6901)." },
              "active": { "type": "string", "description": "The endpoint that has the right to write." }
            }
          },
          "Live": { "type": "object", "required": ["status", "region", "version"], "properties": { "status": { "const": "live" }, "region": { "type": "string" }, "version": { "type": "string" } } },
          "Ready": {
            "type": "object", "required": ["status", "region", "at", "version"],
            "properties": {
              "status": { "type": "string" }, "region": { "type": "string" },
              "at": { "type": "string", "format": "date-time", "description": "When the data path was looked at." }, "version": { "type": "string" },
              "epoch": { "type": "integer", "description": "The number of the current move, where it is known." },
              "active": { "type": "string", "description": "The endpoint that shall serve, where it is known." },
              "replicationLagMs": { "type": "object", "description": "How old each other replica's newest heartbeat is here.", "additionalProperties": { "type": "integer" } }
            }
          },
          "Document": { "type": "object", "required": ["openapi"], "properties": { "openapi": { "type": "string" } } }
        }
        """;
}
