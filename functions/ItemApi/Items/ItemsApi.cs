using System.Text;
using Failover.ItemApi.Answers;
using Failover.ItemApi.Routing;
using Failover.ItemApi.Writing;
using Failover.ItemRecord;

namespace Failover.ItemApi.Items;

/// <summary>What is done with items.</summary>
internal sealed class ItemsApi(ItemStore store, WriteRight right, Cursors cursors, IdempotencyKeys keys, TimeProvider time)
{
    public const int PageMax = 1000;
    public const int PageDefault = 100;
    public const string MergePatchType = "application/merge-patch+json";

    /// <summary>A page ends after this much JSON, whatever its limit: Lambda answers with 6 MB at most.</summary>
    private const int PageBytesMax = 1024 * 1024;

    /// <summary>How often it is looked further where a page would have nothing but tombstones and rows of the system's.</summary>
    private const int LooksMax = 5;

    public async Task<Answer> GetAsync(Request request, CancellationToken cancellationToken)
    {
        var id = ItemId.Of(request);
        var (match, noneMatch) = (EntityTags.Of(request, "If-Match"), EntityTags.Of(request, "If-None-Match"));
        var item = await store.ReadAsync(id, IsConsistent(request), cancellationToken) is { } found && found.IsLive(time.GetUtcNow()) ? found : null;
        if (match is not null && (item is null || !(match.IsAny || match.Strong.Contains(EntityTag.Of(item)))))
        {
            throw new ProblemException(PreconditionFailed(item));
        }

        return item is null ? throw new ProblemException(NotFound(id))
            : noneMatch is not null && (noneMatch.IsAny || noneMatch.All.Contains(EntityTag.Of(item))) ? new Answer(StatusCodes.Status304NotModified) { Headers = HeadersOf(item) }
            : Of(StatusCodes.Status200OK, item);
    }

    /// <summary>One item where the query names one, else a page.</summary>
    public Task<Answer> GetOrListAsync(Request request, CancellationToken cancellationToken) =>
        request.Query("id") is null ? ListAsync(request, cancellationToken)
        : request.Query("limit") is null && request.Query("cursor") is null ? GetAsync(request, cancellationToken)
        : throw new ProblemException(ProblemKind.InvalidQuery, "Either 'id', for one item, or 'limit' and 'cursor', for a page.");

    public async Task<Answer> PutAsync(Request request, CancellationToken cancellationToken)
    {
        var id = ItemId.Of(request);
        var precondition = EntityTags.PreconditionOf(request);
        var expiresAt = Expiry.Of(request, time.GetUtcNow(), out _);
        var body = (await ItemBody.ReadAsync(request, cancellationToken)).For(id);
        return Of(id, await WriteAsync(token => store.PutAsync(id, body.Content, expiresAt, precondition, token), cancellationToken));
    }

    public async Task<Answer> PatchAsync(Request request, CancellationToken cancellationToken)
    {
        var id = ItemId.Of(request);
        var precondition = EntityTags.PreconditionOf(request);
        var expiresAt = Expiry.Of(request, time.GetUtcNow(), out var isGiven);
        var patch = (await ItemBody.ReadAsync(request, cancellationToken, MergePatchType)).For(id);
        return Of(id, await WriteAsync(
            token => store.UpdateAsync(id, item => (MergePatch.Apply(item.Content, patch.Content), isGiven ? expiresAt : item.ExpiresAt), precondition, token), cancellationToken));
    }

    public async Task<Answer> DeleteAsync(Request request, CancellationToken cancellationToken)
    {
        var id = ItemId.Of(request);
        var precondition = EntityTags.PreconditionOf(request);
        Expiry.Refuse(request);
        return Of(id, await WriteAsync(token => store.DeleteAsync(id, precondition, token), cancellationToken));
    }

    public async Task<Answer> PostAsync(Request request, CancellationToken cancellationToken)
    {
        var key = IdempotencyKeys.Of(request);
        if (EntityTags.PreconditionOf(request) != Precondition.None)
        {
            throw new ProblemException(ProblemKind.InvalidHeader, "A create is conditional by itself: on there being no such item. PUT takes If-Match and If-None-Match.");
        }

        // A retry may ask for what was still to come at the first time.
        var expiresAt = Expiry.Parse(request);
        var isPast = expiresAt <= time.GetUtcNow();
        if (isPast && key is null)
        {
            throw Expiry.IsPast();
        }

        var body = await ItemBody.ReadAsync(request, cancellationToken);
        var create = key is null ? null : IdempotencyKeys.CreateOf(request.Caller, key, TextOf(body, expiresAt));
        var id = body.Id is not null ? ItemId.Checked(body.Id) : create is not null ? IdempotencyKeys.IdOf(create) : Guid.CreateVersion7().ToString();
        return await WriteAsync(CreateAsync, cancellationToken) switch
        {
            WriteResult.PreconditionFailed => throw new ProblemException(ProblemKind.Exists, ProblemKind.Exists.Meaning),
            // With what was asked for at the first time, whatever has become of it.
            WriteResult.Replayed(var first) => Created(new StoredItem(id, body.Content, first, SeenVersions.None, IsDeleted: false, expiresAt)),
            var result => Of(id, result),
        };

        async Task<WriteResult> CreateAsync(CancellationToken token)
        {
            if (create is not null && await keys.BindAsync(create, mayBeNew: !isPast, token) is { } done)
            {
                return new WriteResult.Replayed(done);
            }

            var result = isPast ? throw Expiry.IsPast() : await store.CreateAsync(id, body.Content, expiresAt, create, token);
            if (create is not null && ((result as WriteResult.Written)?.Item.Version ?? (result as WriteResult.Replayed)?.Version) is { } version)
            {
                await keys.KeepAsync(create, version, cancellationToken);
            }

            return result;
        }
    }

    /// <summary>The article's own contract: an item with this id is there afterwards, whether or not there was one before.</summary>
    public async Task<Answer> StoreAsync(Request request, CancellationToken cancellationToken)
    {
        if (IdempotencyKeys.Of(request) is not null)
        {
            throw new ProblemException(ProblemKind.InvalidHeader, $"{IdempotencyKeys.Header} is for creates: POST /items. Here a write that is tried again stores the same once more.");
        }

        var precondition = EntityTags.PreconditionOf(request);
        var expiresAt = Expiry.Of(request, time.GetUtcNow(), out _);
        var body = await ItemBody.ReadAsync(request, cancellationToken);
        var id = ItemId.Checked(body.Id ?? throw new ProblemException(ProblemKind.MissingId, "The member 'id' is missing."));
        return await WriteAsync(token => store.PutAsync(id, body.Content, expiresAt, precondition, token), cancellationToken) switch
        {
            WriteResult.Written written => Created(written.Item),
            var result => Of(id, result),
        };
    }

    /// <summary>Writes while there is the right to.</summary>
    private async Task<WriteResult> WriteAsync(Func<CancellationToken, Task<WriteResult>> write, CancellationToken cancellationToken)
    {
        using var until = await right.TakeAsync(cancellationToken);
        try
        {
            return await write(until.Token);
        }
        catch (OperationCanceledException) when (until.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return new WriteResult.OutcomeUnknown();
        }
    }

    private async Task<Answer> ListAsync(Request request, CancellationToken cancellationToken)
    {
        var limit = request.Query("limit") is not { } text ? PageDefault
            : int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= PageMax ? number
            : throw new ProblemException(ProblemKind.InvalidQuery, $"The limit is a whole number from 1 to {PageMax}.");
        var consistent = IsConsistent(request);
        var after = request.Query("cursor") is { } cursor ? await cursors.OpenAsync(cursor, cancellationToken) : null;
        var (items, next) = await store.ListAsync(limit, after, consistent, cancellationToken);
        for (var look = 1; items.Count == 0 && next is not null && look < LooksMax; look++)
        {
            (items, next) = await store.ListAsync(limit, next, consistent, cancellationToken);
        }

        var answered = items.Count;
        var page = Answer.Json(StatusCodes.Status200OK, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("items");
            for (var i = 0; i < items.Count; i++)
            {
                ItemJson.Write(json, items[i]);
                if (json.BytesCommitted + json.BytesPending > PageBytesMax)
                {
                    answered = i + 1;
                    break;
                }
            }

            json.WriteEndArray();
            if ((answered < items.Count ? items[answered - 1].Id : next) is { } last)
            {
                next = last;
            }

            // The cursor is sealed by the table's own key, which may have to be read first: it is written in after that.
            json.WriteNull("cursor");
            json.WriteEndObject();
        });
        return next is null ? page : page with { Body = WithCursor(page.Body, await cursors.SealAsync(next, cancellationToken)) };
    }

    /// <summary>A cursor has letters, digits, '-' and '_' only.</summary>
    private static byte[] WithCursor(ReadOnlyMemory<byte> page, string cursor) => [.. page.Span[..^"null}".Length], .. Encoding.ASCII.GetBytes($"\"{cursor}\"}}")];

    private static bool IsConsistent(Request request) => request.Query("consistent") switch
    {
        null or "false" => false,
        "true" => true,
        _ => throw new ProblemException(ProblemKind.InvalidQuery, "'consistent' is 'true' or 'false'."),
    };

    private static Answer Of(string id, WriteResult result) => result switch
    {
        WriteResult.Written { Item.IsDeleted: true } written => new Answer(StatusCodes.Status204NoContent) { Headers = HeadersOf(written.Item)[..1] },
        WriteResult.Written { Created: true } written => Created(written.Item),
        WriteResult.Written written => Of(StatusCodes.Status200OK, written.Item),
        WriteResult.NotFound => throw new ProblemException(NotFound(id)),
        WriteResult.PreconditionFailed(var current) => throw new ProblemException(PreconditionFailed(current)),
        WriteResult.KeyReused => throw new ProblemException(ProblemKind.KeyReused, ProblemKind.KeyReused.Meaning),
        WriteResult.TooLarge(var bytes) => throw new ProblemException(ProblemKind.ItemTooLarge, $"The item has {bytes} bytes, by DynamoDB's rule and with what the system adds; it holds {ItemSize.BytesMax}."),
        WriteResult.Fenced(var until) => throw new ProblemException(ProblemKind.Fenced, $"A planned move is under way: writes are refused here until it is done, at the latest at {until:u}. Nothing was written."),
        WriteResult.Forbidden => throw new ProblemException(ProblemKind.NotActive, "The right to write ended before the write was sent. Nothing was written."),
        WriteResult.Contended => throw new ProblemException(ProblemKind.Contended, ProblemKind.Contended.Meaning),
        _ => throw new ProblemException(ProblemKind.OutcomeUnknown, ProblemKind.OutcomeUnknown.Meaning),
    };

    private static Answer Created(StoredItem item)
    {
        var answer = Of(StatusCodes.Status201Created, item);
        return answer with { Headers = [.. answer.Headers, ("Location", ItemId.AddressOf(item.Id))] };
    }

    private static Answer Of(int status, StoredItem item) => Answer.Json(status, json => ItemJson.Write(json, item)) with { Headers = HeadersOf(item) };

    private static (string Name, string Value)[] HeadersOf(StoredItem item) =>
        item.ExpiresAt is { } at ? [("ETag", EntityTags.Quoted(item)), (Expiry.Header, Expiry.Text(at))] : [("ETag", EntityTags.Quoted(item))];

    private static Problem NotFound(string id) => new(ProblemKind.NotFound, $"There is no item '{(id.Length <= 100 ? id : id[..100] + "…")}'.");

    private static Problem PreconditionFailed(StoredItem? current) => current is null
        ? new Problem(ProblemKind.PreconditionFailed, "There is no such item.")
        : new Problem(ProblemKind.PreconditionFailed, $"The item's ETag is {EntityTags.Quoted(current)}.") { Headers = [("ETag", EntityTags.Quoted(current))] };

    /// <summary>All that a create asks for, one text for one meaning: members in order, numbers by value.</summary>
    private static string TextOf(ItemBody body, DateTimeOffset? expiresAt) =>
        Encoding.UTF8.GetString(Answer.Json(0, json =>
        {
            json.WriteStartArray();
            json.WriteStringValue(body.Id);
            json.WriteStringValue(expiresAt is { } at ? Expiry.Text(at) : null);
            ItemJson.Write(json, new StoredItem("", body.Content, null, SeenVersions.None, false, null));
            json.WriteEndArray();
        }).Body.Span);
}
