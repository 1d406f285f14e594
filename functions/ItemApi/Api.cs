using Failover.ItemApi.Access;
using Failover.ItemApi.Answers;
using Failover.ItemApi.Health;
using Failover.ItemApi.Items;
using Failover.ItemApi.OpenApi;
using Failover.ItemApi.Routing;

namespace Failover.ItemApi;

/// <summary>All that the API has, in one table: it is served by it, and described by it.</summary>
internal static class Api
{
    private const string Tag = "\"019aa1b2c3d40000-us-east-1-k3v9x2m1\"";
    private const string Text = """{"type":"string"}""";
    private const string ItemExample = """{"id":"order-17","paid":true,"total":12.5}""";

    private static readonly Parameter Id = new("id", "The id of an item: any text of 1 to 2048 bytes of UTF-8 that does not begin with '_'.", """{"type":"string","minLength":1}""", "orders/17", IsRequired: true);
    private static readonly Parameter Consistent = new("consistent", "True: a strongly consistent read, in this region. It costs twice as much.", """{"type":"boolean","default":false}""", "true");
    private static readonly Parameter IfMatch = new("If-Match", "Only if the item has one of these ETags; '*': only if there is an item.", Text, Tag);
    private static readonly Parameter IfNoneMatch = new("If-None-Match", "Only if the item has none of these ETags; '*': only if there is no item.", Text, "*");
    private static readonly Parameter ExpiresAt = new(Expiry.Header, "When the item ends by itself (RFC 3339, whole seconds), or 'never'. A PUT or POST without it makes an item that never does; a PATCH without it changes nothing about it.", Text, "2027-01-31T12:00:00Z");
    private static readonly Parameter Key = new(IdempotencyKeys.Header, "1 to 255 visible ASCII characters, unique for each create of a caller. A create that is tried again with it is done once, and answered as it was the first time; it is remembered for eight days at least.", """{"type":"string","minLength":1,"maxLength":255}""", "8e03978e-40d5-43dd-bc93-6894a57f9324");

    private static readonly Parameter ETag = new("ETag", "The item's version, for If-Match and If-None-Match.", Text, Tag, IsRequired: true);
    private static readonly Parameter Location = new("Location", "The item's address.", Text, "/items/order-17", IsRequired: true);
    private static readonly Parameter Ends = new(Expiry.Header, "When the item ends by itself; absent where it never does.", Text, "2027-01-31T12:00:00Z");

    private static readonly ProblemKind[] DataPath = [ProblemKind.Throttled, ProblemKind.Unavailable, ProblemKind.NotTaken];
    private static readonly ProblemKind[] Reading = [.. DataPath, ProblemKind.InvalidQuery, ProblemKind.InvalidUnicode, ProblemKind.InvalidId, ProblemKind.MissingId, ProblemKind.NotFound, ProblemKind.InvalidHeader, ProblemKind.PreconditionFailed];
    private static readonly ProblemKind[] Body =
    [
        ProblemKind.InvalidJson, ProblemKind.CommentInJson, ProblemKind.TrailingData, ProblemKind.NotAnObject, ProblemKind.DuplicateMember, ProblemKind.InvalidUnicode, ProblemKind.NumberTooPrecise,
        ProblemKind.NumberOutOfRange, ProblemKind.TooDeep, ProblemKind.InvalidName, ProblemKind.ReservedName, ProblemKind.BodyTooLarge, ProblemKind.ItemTooLarge, ProblemKind.UnsupportedMediaType, ProblemKind.BodyTooSlow,
    ];

    private static readonly ProblemKind[] Writing =
    [
        .. DataPath, ProblemKind.InvalidQuery, ProblemKind.InvalidUnicode, ProblemKind.InvalidId, ProblemKind.MissingId, ProblemKind.InvalidHeader, ProblemKind.Fenced, ProblemKind.NotActive,
        ProblemKind.Contended, ProblemKind.ClockDrift, ProblemKind.OutcomeUnknown,
    ];

    private static readonly ProblemKind[] Changing = [.. Writing, ProblemKind.PreconditionFailed];

    private static readonly Success Read = new(StatusCodes.Status200OK, "The item.", "Item", ItemExample) { Headers = [ETag, Ends] };
    private static readonly Success NotModified = new(StatusCodes.Status304NotModified, "The item has one of the ETags in If-None-Match.") { Headers = [ETag, Ends] };
    private static readonly Success Replaced = new(StatusCodes.Status200OK, "The item as it is now.", "Item", ItemExample) { Headers = [ETag, Ends] };
    private static readonly Success Created = new(StatusCodes.Status201Created, "The item; there was none before.", "Item", ItemExample) { Headers = [ETag, Ends, Location] };
    private static readonly Success Deleted = new(StatusCodes.Status204NoContent, "There is no such item any more.") { Headers = [ETag] };

    public static IReadOnlyList<Route> Routes(ItemsApi items, HealthApi health, AccessRule access)
    {
        var description = new Description(access);
        IReadOnlyList<Route> routes =
        [
            .. WithHead(new Route("GET", "/items/{id}", AccessKind.Read, items.GetAsync)
            {
                Name = "getItem", Summary = "Read an item.", Query = [Consistent], Headers = [IfNoneMatch, IfMatch], Successes = [Read, NotModified], Problems = Reading,
            }),
            new Route("PUT", "/items/{id}", AccessKind.Write, items.PutAsync)
            {
                Name = "putItem", Summary = "Store an item, replacing what was there.", Headers = [IfMatch, IfNoneMatch, ExpiresAt], Body = BodyKind.Item,
                Successes = [Replaced, Created], Problems = [.. Changing, .. Body, ProblemKind.IdDiffers],
            },
            new Route("PATCH", "/items/{id}", AccessKind.Write, items.PatchAsync)
            {
                Name = "patchItem", Summary = "Change some members of an item (JSON Merge Patch, RFC 7396): a null removes a member.", Headers = [IfMatch, IfNoneMatch, ExpiresAt], Body = BodyKind.MergePatch,
                Successes = [Replaced], Problems = [.. Changing, .. Body, ProblemKind.IdDiffers, ProblemKind.NotFound],
            },
            new Route("DELETE", "/items/{id}", AccessKind.Write, items.DeleteAsync)
            {
                Name = "deleteItem", Summary = "Delete an item.", Headers = [IfMatch, IfNoneMatch], Successes = [Deleted], Problems = [.. Changing, ProblemKind.NotFound],
            },
            .. WithHead(new Route("GET", "/items", AccessKind.Read, items.GetOrListAsync)
            {
                Name = "getItems", Summary = "Read a page of items, or with 'id' one item.",
                Query =
                [
                    Id with { IsRequired = false },
                    new("limit", "How many stored items are looked at for a page: it has as many at the most, and may have none though there are more.", $$"""{"type":"integer","minimum":1,"maximum":{{ItemsApi.PageMax}},"default":{{ItemsApi.PageDefault}}}""", "100"),
                    new("cursor", "Where the page before ended: its 'cursor'.", Text),
                    Consistent,
                ],
                Headers = [IfNoneMatch, IfMatch],
                Successes = [new Success(StatusCodes.Status200OK, "A page, in the table's own order; or with 'id' the item, with its ETag.", "PageOrItem", """{"items":[{"id":"order-17","total":12.5}],"cursor":null}""") { Headers = [ETag with { IsRequired = false }, Ends] }, NotModified],
                Problems = [.. Reading, ProblemKind.InvalidCursor],
            }),
            new Route("PUT", "/items", AccessKind.Write, items.PutAsync)
            {
                Name = "putItemById", Summary = "Store an item with any id.", Query = [Id], Headers = [IfMatch, IfNoneMatch, ExpiresAt], Body = BodyKind.Item,
                Successes = [Replaced, Created], Problems = [.. Changing, .. Body, ProblemKind.IdDiffers],
            },
            new Route("PATCH", "/items", AccessKind.Write, items.PatchAsync)
            {
                Name = "patchItemById", Summary = "Change some members of an item with any id.", Query = [Id], Headers = [IfMatch, IfNoneMatch, ExpiresAt], Body = BodyKind.MergePatch,
                Successes = [Replaced], Problems = [.. Changing, .. Body, ProblemKind.IdDiffers, ProblemKind.NotFound],
            },
            new Route("DELETE", "/items", AccessKind.Write, items.DeleteAsync)
            {
                Name = "deleteItemById", Summary = "Delete an item with any id.", Query = [Id], Headers = [IfMatch, IfNoneMatch], Successes = [Deleted], Problems = [.. Changing, ProblemKind.NotFound],
            },
            new Route("POST", "/items", AccessKind.Write, items.PostAsync)
            {
                Name = "createItem", Summary = "Create an item, with the id in its body or one that is made for it.", Headers = [Key, ExpiresAt], Body = BodyKind.Item,
                Successes = [Created], Problems = [.. Writing, .. Body, ProblemKind.Exists, ProblemKind.KeyReused],
            },
            new Route("GET", "/", AccessKind.Read, items.GetAsync)
            {
                Name = "get", Summary = "Read an item: the contract of the article that this began with.", Query = [Id, Consistent], Headers = [IfNoneMatch, IfMatch], Successes = [Read, NotModified], Problems = Reading,
            },
            new Route("POST", "/", AccessKind.Write, items.StoreAsync)
            {
                Name = "store", Summary = "Store an item, new or not: the contract of the article that this began with. The id is in the body.", Headers = [IfMatch, IfNoneMatch, ExpiresAt], Body = BodyKind.Item,
                Successes = [Created with { Meaning = "The item is stored." }], Problems = [.. Changing, .. Body],
            },
            .. WithHead(new Route("GET", "/health/live", AccessKind.Public, health.LiveAsync)
            {
                Name = "live", Summary = "Whether the process lives.", Query = null, Successes = [new Success(StatusCodes.Status200OK, "It does.", "Live", """{"status":"live","region":"us-east-1","version":"1.0.0"}""")],
            }),
            .. WithHead(new Route("GET", "/health/ready", AccessKind.Public, health.ReadyAsync)
            {
                Name = "ready", Summary = "Whether it can serve: a strong read on the data path, not older than a second.", Query = null,
                Successes =
                [
                    new Success(StatusCodes.Status200OK, "It can.", "Ready", """{"status":"ready","region":"us-east-1","at":"2026-11-26T12:00:00Z","version":"1.0.0","epoch":3,"active":"us-east-1","replicationLagMs":{"us-west-2":840}}"""),
                    new Success(StatusCodes.Status503ServiceUnavailable, "The data path does not answer.", "Ready", """{"status":"the data path does not answer","region":"us-east-1","at":"2026-11-26T12:00:00Z","version":"1.0.0"}"""),
                ],
            }),
            .. WithHead(new Route("GET", "/openapi/v1.json", AccessKind.Public, description.GetAsync)
            {
                Name = "describe", Summary = "This description.", Query = null, Successes = [new Success(StatusCodes.Status200OK, "An OpenAPI 3.1 document.", "Document", """{"openapi":"3.1.1"}""")],
            }),
        ];
        description.Routes = routes;
        return routes;
    }

    private static Route[] WithHead(Route get) => [get, get with { Method = "HEAD", Name = get.Name + "Head", Summary = get.Summary + " The headers only." }];
}
