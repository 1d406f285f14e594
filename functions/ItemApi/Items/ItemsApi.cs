using System.Buffers.Text;
using System.Text;
using Failover.ItemRecord;

namespace Failover.ItemApi.Items;

/// <summary>The routes of items.</summary>
internal static class ItemsApi
{
    private const int PageMax = 1000;

    public static void MapItems(this IEndpointRouteBuilder routes)
    {
        var items = routes.MapGroup("/items");
        items.MapGet("/{id}", GetAsync);
        items.MapPut("/{id}", PutAsync);
        items.MapDelete("/{id}", DeleteAsync);
        items.MapPost("", PostAsync);
        items.MapGet("", ListAsync);
    }

    private static async Task<IResult> GetAsync(string id, ItemStore store, TimeProvider time, CancellationToken cancellationToken)
    {
        if (ItemId.MistakeIn(id) is { } mistake)
        {
            return Problems.BadRequest(mistake);
        }

        return await store.ReadAsync(id, consistent: false, cancellationToken) is { } item && item.IsLive(time.GetUtcNow())
            ? new ItemResult(item, StatusCodes.Status200OK, null)
            : Problems.NotFound(id);
    }

    private static async Task<IResult> PutAsync(string id, HttpRequest request, ItemStore store, CancellationToken cancellationToken)
    {
        if (ItemId.MistakeIn(id) is { } mistake)
        {
            return Problems.BadRequest(mistake);
        }

        var body = await ItemBody.ReadAsync(request, cancellationToken);
        if (body.Mistake is not null)
        {
            return Problems.BadRequest(body.Mistake);
        }

        if (body.Id is not null && body.Id != id)
        {
            return Problems.BadRequest("The member 'id' differs from the id in the path.");
        }

        return await WithPreconditionAsync(request, precondition => store.PutAsync(id, body.Content, precondition, cancellationToken), id);
    }

    private static async Task<IResult> PostAsync(HttpRequest request, ItemStore store, CancellationToken cancellationToken)
    {
        var body = await ItemBody.ReadAsync(request, cancellationToken);
        if (body.Mistake is not null)
        {
            return Problems.BadRequest(body.Mistake);
        }

        var id = body.Id ?? Guid.CreateVersion7().ToString();
        return await store.PutAsync(id, body.Content, new Precondition(null, IfAbsent: true), cancellationToken) is var result
            && result is WriteResult.PreconditionFailed
            ? Problems.Conflict(id)
            : ToResult(result, id);
    }

    private static async Task<IResult> DeleteAsync(string id, HttpRequest request, ItemStore store, CancellationToken cancellationToken) =>
        ItemId.MistakeIn(id) is { } mistake
            ? Problems.BadRequest(mistake)
            : await WithPreconditionAsync(request, precondition => store.DeleteAsync(id, precondition, cancellationToken), id);

    private static async Task<IResult> ListAsync(ItemStore store, CancellationToken cancellationToken, int limit = 100, string? cursor = null)
    {
        if (limit is < 1 or > PageMax)
        {
            return Problems.BadRequest($"The limit is 1 to {PageMax}.");
        }

        string? after = null;
        if (cursor is not null)
        {
            if (!Base64Url.IsValid(cursor))
            {
                return Problems.BadRequest("The cursor is not one that this API gave.");
            }

            after = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor));
        }

        var (items, next) = await store.ListAsync(limit, after, cancellationToken);
        return new ItemPageResult(items, next is null ? null : Base64Url.EncodeToString(Encoding.UTF8.GetBytes(next)));
    }

    private static async Task<IResult> WithPreconditionAsync(HttpRequest request, Func<Precondition, Task<WriteResult>> write, string id)
    {
        try
        {
            var ifNoneMatch = request.Headers.IfNoneMatch.ToString();
            if (ifNoneMatch is not ("" or "*"))
            {
                return Problems.BadRequest("On a write, If-None-Match holds '*' only.");
            }

            return ToResult(await write(new Precondition(ETag.Parse(request.Headers.IfMatch), ifNoneMatch == "*")), id);
        }
        catch (FormatException error)
        {
            return Problems.BadRequest(error.Message);
        }
    }

    private static IResult ToResult(WriteResult result, string id) => result switch
    {
        WriteResult.Written { Item.IsDeleted: true } => Results.NoContent(),
        WriteResult.Written { Created: true } written => new ItemResult(written.Item, StatusCodes.Status201Created, "/items/" + Uri.EscapeDataString(id)),
        WriteResult.Written written => new ItemResult(written.Item, StatusCodes.Status200OK, null),
        WriteResult.NotFound => Problems.NotFound(id),
        WriteResult.PreconditionFailed { Current.Version: { } version } => Problems.PreconditionFailed($"The item's ETag is {ETag.Of(version)}."),
        WriteResult.PreconditionFailed { Current: null } => Problems.PreconditionFailed("There is no such item."),
        WriteResult.PreconditionFailed => Problems.PreconditionFailed("The item has no ETag: another program wrote it."),
        WriteResult.Fenced(var until) => Problems.Fenced(until),
        WriteResult.Contended => Problems.Contended(),
        _ => Problems.OutcomeUnknown(),
    };
}
