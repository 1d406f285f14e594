using System.Net;
using System.Text.Json;
using Amazon.DynamoDBv2.Model;
using Failover.ItemApi.Tests.Doors;
using Failover.ItemRecord;

namespace Failover.ItemApi.Tests;

/// <summary>What clients do with items, through each door.</summary>
public abstract class ItemsTests(ApiWorld world) : IDisposable
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    private static int _number;

    private readonly string _id = $"item-{Interlocked.Increment(ref _number)}";

    private HttpClient Api => world.Client;

    private string Path => "/items/" + _id;

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        world.Road.Happens = (_, _) => Mishap.None;
        world.AssertEveryLineIsOneObject();
    }

    [Fact]
    public async Task An_item_is_put_read_replaced_and_deleted()
    {
        var created = await Api.AskAsync("PUT", Path, """{"n":1.10,"deep":{"list":[1,"a",null,true]}}""");
        var read = await Api.AskAsync("GET", Path);
        var head = await Api.AskAsync("HEAD", Path);
        var replaced = await Api.AskAsync("PUT", Path, """{"n":2}""");
        var deleted = await Api.AskAsync("DELETE", Path);

        Assert.Equal((HttpStatusCode.Created, Path), (created.Status, created.Headers["Location"]));
        Assert.Equal($$"""{"id":"{{_id}}","deep":{"list":[1,"a",null,true]},"n":1.1}""", read.Body);
        Assert.Equal((created.ETag, created.Body), (read.ETag, read.Body));
        Assert.Equal((HttpStatusCode.OK, "", read.ETag, read.Headers["Content-Length"]), (head.Status, head.Body, head.ETag, head.Headers["Content-Length"]));
        Assert.Equal(HttpStatusCode.OK, replaced.Status);
        Assert.NotEqual(created.ETag, replaced.ETag);
        Assert.Equal((HttpStatusCode.NoContent, ""), (deleted.Status, deleted.Body));
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), ((await Api.AskAsync("GET", Path)).Status, (await Api.AskAsync("DELETE", Path)).Status));
        Assert.Equal(ApiWorld.Region, read.Headers["Failover-Region"]);
    }

    [Fact]
    public async Task Any_id_goes_by_query()
    {
        foreach (var id in new[] { "a/b", "ü 😀+&=%", ".", "..", "\u0001\n", new string('x', 2048) })
        {
            var path = "/items?id=" + Uri.EscapeDataString(id);
            var created = await Api.AskAsync("PUT", path, "{}");
            var read = await Api.AskAsync("GET", path);
            var patched = await Api.AskAsync("PATCH", path, """{"n":1}""");
            var article = await Api.AskAsync("GET", "/?id=" + Uri.EscapeDataString(id));

            Assert.Equal((HttpStatusCode.Created, path), (created.Status, created.Headers["Location"]));
            Assert.Equal((HttpStatusCode.OK, id), (read.Status, read.Member("id")));
            Assert.Equal((HttpStatusCode.OK, patched.Body), (patched.Status, article.Body));
            Assert.Equal(HttpStatusCode.NoContent, (await Api.AskAsync("DELETE", path)).Status);
        }
    }

    [Fact]
    public async Task The_articles_own_contract_stands_at_the_root()
    {
        var stored = await Api.AskAsync("POST", "/", $$"""{"id":"{{_id}}","n":1}""");
        var again = await Api.AskAsync("POST", "/", $$"""{"id":"{{_id}}","n":2}""");
        var other = await Api.AskAsync("PUT", "/", "{}");

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Created), (stored.Status, again.Status));
        Assert.Equal(again.Body, (await Api.AskAsync("GET", "/?id=" + _id)).Body);
        Assert.Equal(HttpStatusCode.NotFound, (await Api.AskAsync("GET", "/?id=absent")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await Api.AskAsync("GET", "/")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await Api.AskAsync("POST", "/", """{"n":1}""")).Status);
        Assert.Equal((HttpStatusCode.MethodNotAllowed, "GET,POST"), (other.Status, other.Headers["Allow"].Replace(" ", "", StringComparison.Ordinal)));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await Api.AskAsync("HEAD", "/")).Status);
    }

    [Fact]
    public async Task A_patch_changes_what_it_names_and_nothing_else()
    {
        await Api.AskAsync("PUT", Path, """{"keep":1,"gone":2,"deep":{"keep":[1,null],"gone":{"x":1}},"text":"a"}""");
        var patched = await Api.AskAsync("PATCH", Path, """{"gone":null,"deep":{"gone":null,"new":{"a":null,"b":1}},"text":{"now":"an object"},"absent":null}""");
        var same = await Api.AskAsync("PATCH", Path, "{}", ("Content-Type", "application/json"));

        Assert.Equal("{\"id\":\"" + _id + "\",\"deep\":{\"keep\":[1,null],\"new\":{\"b\":1}},\"keep\":1,\"text\":{\"now\":\"an object\"}}", patched.Body);
        Assert.Equal((HttpStatusCode.OK, patched.Body), (same.Status, same.Body));
        Assert.Equal(HttpStatusCode.NotFound, (await Api.AskAsync("PATCH", "/items/absent", "{}")).Status);
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await Api.AskAsync("PATCH", "/items/absent", "{}", ("If-Match", "*"))).Status);
    }

    [Fact]
    public async Task What_others_wrote_is_read_and_survives_a_patch_that_does_not_touch_it()
    {
        using var dynamoDb = world.Engine.Client();
        var foreign = new Dictionary<string, AttributeValue>
        {
            ["id"] = new(_id),
            ["set"] = new() { SS = ["b", "a"] },
            ["numbers"] = new() { NS = ["2", "10"] },
            ["bytes"] = new() { B = new MemoryStream([1, 2, 3]) },
            ["deep"] = new() { M = new() { ["inner"] = new() { BS = [new MemoryStream([9])] } } },
            ["_theirs"] = new("hidden"),
        };
        await dynamoDb.PutItemAsync(world.Table, foreign, Token);
        var read = await Api.AskAsync("GET", Path);
        var stale = await Api.AskAsync("PATCH", Path, """{"n":1}""", ("If-Match", "\"foreign-0\""));
        var patched = await Api.AskAsync("PATCH", Path, """{"n":1,"deep":{"m":2}}""", ("If-Match", read.ETag!));
        var item = (await dynamoDb.GetItemAsync(world.Table, new() { ["id"] = new(_id) }, Token)).Item;

        Assert.Equal($$"""{"id":"{{_id}}","bytes":"AQID","deep":{"inner":["CQ=="]},"numbers":[10,2],"set":["a","b"]}""", read.Body);
        Assert.Equal((HttpStatusCode.PreconditionFailed, HttpStatusCode.OK), (stale.Status, patched.Status));
        Assert.Equal(["a", "b"], item["set"].SS.Order());
        Assert.Equal([1, 2, 3], item["bytes"].B.ToArray());
        Assert.Equal([9], item["deep"].M["inner"].BS.Single().ToArray());
        Assert.Equal("hidden", item["_theirs"].S);
        Assert.DoesNotContain("_", patched.Body.Replace(_id, "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Preconditions_hold_or_say_what_is_there()
    {
        var first = await Api.AskAsync("PUT", Path, """{"n":1}""");
        var second = await Api.AskAsync("PUT", Path, """{"n":2}""", ("If-Match", $"\"other\", {first.ETag}"));
        var stale = await Api.AskAsync("PUT", Path, """{"n":3}""", ("If-Match", first.ETag!));
        var weak = await Api.AskAsync("PUT", Path, """{"n":3}""", ("If-Match", "W/" + second.ETag));
        var exists = await Api.AskAsync("PUT", Path, """{"n":3}""", ("If-None-Match", "*"));
        var same = await Api.AskAsync("DELETE", Path, null, ("If-None-Match", second.ETag!));
        var unchanged = await Api.AskAsync("GET", Path, null, ("If-None-Match", $"\"a,b\", W/{second.ETag}"));

        Assert.Equal(HttpStatusCode.OK, second.Status);
        Assert.All([stale, weak, exists, same], answer => Assert.Equal((HttpStatusCode.PreconditionFailed, second.ETag), (answer.Status, answer.ETag)));
        Assert.Equal((HttpStatusCode.NotModified, "", second.ETag), (unchanged.Status, unchanged.Body, unchanged.ETag));
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await Api.AskAsync("GET", Path, null, ("If-Match", first.ETag!))).Status);
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await Api.AskAsync("PUT", "/items/absent", "{}", ("If-Match", "*"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await Api.AskAsync("PUT", Path, "{}", ("If-Match", "*"))).Status);
    }

    [Fact]
    public async Task A_create_is_done_once_however_often_it_is_tried()
    {
        var key = ("Idempotency-Key", "key of " + _id);
        var bare = ("Idempotency-Key", "key-of-" + _id);
        var first = await Api.AskAsync("POST", "/items", """{"n":1.0,"m":2}""", bare);
        var retry = await Api.AskAsync("POST", "/items", """{ "m": 2, "n": 1 }""", ("Idempotency-Key", $"\"key-of-{_id}\""));
        var other = await Api.AskAsync("POST", "/items", """{"n":2}""", bare);
        var otherId = await Api.AskAsync("POST", "/items", $$"""{"id":"{{_id}}","m":2,"n":1}""", bare);
        var path = first.Headers["Location"];
        await Api.AskAsync("PATCH", path, """{"n":3}""");
        var late = await Api.AskAsync("POST", "/items", """{"n":1,"m":2}""", bare);
        await Api.AskAsync("DELETE", path);
        var later = await Api.AskAsync("POST", "/items", """{"n":1,"m":2}""", bare);

        Assert.Equal(HttpStatusCode.Created, first.Status);
        Assert.All([retry, late, later], answer => Assert.Equal((HttpStatusCode.Created, first.Body, first.ETag, path), (answer.Status, answer.Body, answer.ETag, answer.Headers["Location"])));
        Assert.Equal((HttpStatusCode.UnprocessableEntity, HttpStatusCode.UnprocessableEntity), (other.Status, otherId.Status));
        Assert.Equal(HttpStatusCode.NotFound, (await Api.AskAsync("GET", path)).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await Api.AskAsync("POST", "/items", "{}", key)).Status);
    }

    [Fact]
    public async Task A_create_with_an_id_is_done_once_too_and_conflicts_with_what_is_there()
    {
        var first = await Api.AskAsync("POST", "/items", $$"""{"id":"{{_id}}"}""", ("Idempotency-Key", "named-" + _id));
        var retry = await Api.AskAsync("POST", "/items", $$"""{"id":"{{_id}}"}""", ("Idempotency-Key", "named-" + _id));
        var other = await Api.AskAsync("POST", "/items", $$"""{"id":"{{_id}}"}""", ("Idempotency-Key", "another-" + _id));
        var without = await Api.AskAsync("POST", "/items", $$"""{"id":"{{_id}}"}""");
        var unnamed = await Api.AskAsync("POST", "/items", "{}");

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Created, first.ETag), (first.Status, retry.Status, retry.ETag));
        Assert.Equal((HttpStatusCode.Conflict, HttpStatusCode.Conflict), (other.Status, without.Status));
        Assert.Equal(HttpStatusCode.OK, (await Api.AskAsync("GET", unnamed.Headers["Location"])).Status);
    }

    [Fact]
    public async Task A_create_is_known_again_whatever_became_of_its_item()
    {
        var key = ("Idempotency-Key", "long-" + _id);
        var ends = ("Item-Expires-At", TimeProvider.System.GetUtcNow().AddSeconds(3).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture));
        var first = await Api.AskAsync("POST", "/items", $$"""{"id":"{{_id}}","n":1}""", key);
        var short1 = await Api.AskAsync("POST", "/items", "{}", ("Idempotency-Key", "short-" + _id), ends);
        await RemakeAsync("long");
        var retry = await Api.AskAsync("POST", "/items", $$"""{"id":"{{_id}}","n":1}""", key);
        while ((await Api.AskAsync("GET", short1.Headers["Location"])).Status == HttpStatusCode.OK)
        {
            await Task.Delay(TimeSpan.FromSeconds(0.1), TimeProvider.System, Token);
        }

        var short2 = await Api.AskAsync("POST", "/items", "{}", ("Idempotency-Key", "short-" + _id), ends);

        Assert.Equal((HttpStatusCode.Created, first.Body, first.ETag), (retry.Status, retry.Body, retry.ETag));
        Assert.Equal((HttpStatusCode.Created, short1.Body, short1.ETag, short1.Headers["Item-Expires-At"]), (short2.Status, short2.Body, short2.ETag, short2.Headers["Item-Expires-At"]));
        Assert.Equal("""{"id":"ID","n":2}""".Replace("ID", _id, StringComparison.Ordinal), (await Api.AskAsync("GET", Path)).Body);
        Assert.Equal(HttpStatusCode.NotFound, (await Api.AskAsync("GET", short1.Headers["Location"])).Status);
    }

    [Fact]
    public async Task A_create_that_was_told_is_kept_and_one_that_could_not_be_kept_is_not_told()
    {
        var key = ("Idempotency-Key", "kept-" + _id);
        var body = $$"""{"id":"{{_id}}"}""";
        world.Road.Happens = (operation, call) => operation == "UpdateItem" && call.Contains("if_not_exists", StringComparison.Ordinal) ? Mishap.RequestLost : Mishap.None;
        var unknown = await Api.AskAsync("POST", "/items", body, key);
        world.Road.Happens = (_, _) => Mishap.None;
        var made = await Api.AskAsync("GET", Path);
        var retry = await Api.AskAsync("POST", "/items", body, key);
        await RemakeAsync("kept");
        var late = await Api.AskAsync("POST", "/items", body, key);

        Assert.Equal((HttpStatusCode.Created, made.ETag), (late.Status, late.ETag));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "outcome-unknown"), (unknown.Status, unknown.Problem));
        Assert.Equal((HttpStatusCode.Created, made.ETag), (retry.Status, retry.ETag));
    }

    [Fact]
    public async Task A_create_that_is_refused_for_its_past_end_binds_no_key()
    {
        var key = ("Idempotency-Key", "mended-" + _id);
        var past = await Api.AskAsync("POST", "/items", "{}", key, ("Item-Expires-At", "2001-01-01T00:00:00Z"));
        var mended = await Api.AskAsync("POST", "/items", "{}", key, ("Item-Expires-At", "2999-01-01T00:00:00Z"));

        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.Created), (past.Status, mended.Status));
    }

    /// <summary>Others delete the item and make it anew, several times, so that the item itself has forgotten how it began.</summary>
    private async Task RemakeAsync(string prefix)
    {
        for (var i = 0; i < 3; i++)
        {
            await Api.AskAsync("DELETE", Path);
            await Api.AskAsync("POST", "/items", $$"""{"id":"{{_id}}","n":2}""", ("Idempotency-Key", $"{prefix}-{i}-{_id}"));
        }
    }

    [Fact]
    public async Task The_articles_store_heeds_every_header_that_a_put_does()
    {
        var body = $$"""{"id":"{{_id}}"}""";
        var first = await Api.AskAsync("POST", "/", body, ("If-None-Match", "*"), ("Item-Expires-At", "2999-01-31T12:00:00Z"));
        var again = await Api.AskAsync("POST", "/", body, ("If-None-Match", "*"));
        var other = await Api.AskAsync("POST", "/", body, ("If-Match", "\"other\""));
        var same = await Api.AskAsync("POST", "/", body, ("If-Match", first.ETag!));

        Assert.Equal((HttpStatusCode.Created, "2999-01-31T12:00:00Z"), (first.Status, first.Headers["Item-Expires-At"]));
        Assert.Equal((HttpStatusCode.PreconditionFailed, HttpStatusCode.PreconditionFailed, HttpStatusCode.Created), (again.Status, other.Status, same.Status));
    }

    [Fact]
    public async Task An_item_ends_when_its_client_said()
    {
        var put = await Api.AskAsync("PUT", Path, "{}", ("Item-Expires-At", "2999-01-31T12:00:00.75+01:00"));
        var kept = await Api.AskAsync("PATCH", Path, "{}");
        var cleared = await Api.AskAsync("PATCH", Path, "{}", ("Item-Expires-At", "never"));
        await Api.AskAsync("PUT", Path, "{}", ("Item-Expires-At", "2999-01-31T12:00:00Z"));
        await Api.AskAsync("DELETE", Path);
        using var dynamoDb = world.Engine.Client();
        var tombstone = StoredItem.FromAttributes((await dynamoDb.GetItemAsync(world.Table, new() { ["id"] = new(_id) }, Token)).Item);

        Assert.Equal("2999-01-31T11:00:00Z", put.Headers["Item-Expires-At"]);
        Assert.Equal("2999-01-31T11:00:00Z", kept.Headers["Item-Expires-At"]);
        Assert.False(cleared.Headers.ContainsKey("Item-Expires-At"));
        Assert.True(tombstone.IsDeleted && tombstone.ExpiresAt < TimeProvider.System.GetUtcNow().AddDays(9) && tombstone.ExpiresAt > TimeProvider.System.GetUtcNow().AddDays(7));
    }

    [Fact]
    public async Task Lists_in_pages_and_knows_its_own_cursors()
    {
        for (var i = 0; i < 5; i++)
        {
            await Api.AskAsync("PUT", $"/items/list-{_id}-{i}", "{}");
        }

        var ids = new List<string>();
        string? cursor = null, last = null;
        do
        {
            var page = await Api.AskAsync("GET", $"/items?limit=2&consistent=true{(cursor is null ? "" : "&cursor=" + cursor)}");
            using var json = JsonDocument.Parse(page.Body);
            ids.AddRange(json.RootElement.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetString()!));
            cursor = page.Member("cursor");
            last = cursor ?? last;
        }
        while (cursor is not null);

        Assert.Equal(Enumerable.Range(0, 5).Select(i => $"list-{_id}-{i}"), ids.Where(id => id.StartsWith("list-" + _id, StringComparison.Ordinal)).Order());
        Assert.Equal(ids.Count, ids.Distinct().Count());
        for (var at = 0; at < last!.Length; at += 5)
        {
            var tampered = await Api.AskAsync("GET", $"/items?cursor={last[..at]}{(last[at] == 'A' ? 'B' : 'A')}{last[(at + 1)..]}");
            Assert.Equal((HttpStatusCode.BadRequest, "invalid-cursor"), (tampered.Status, tampered.Problem));
        }
    }

    [Fact]
    public async Task A_page_ends_before_it_is_too_large_to_be_answered()
    {
        // In text, each of these is 2.4 MB: a hundred of them would be 240.
        for (var i = 0; i < 4; i++)
        {
            Assert.True((await Api.AskAsync("PUT", $"/items/large-{_id}-{i}", $$"""{"text":"{{string.Concat(Enumerable.Repeat("\\u0001", 200_000))}}"}""")).Status is HttpStatusCode.Created);
        }

        var found = 0;
        string? cursor = null;
        do
        {
            var page = await Api.AskAsync("GET", "/items" + (cursor is null ? "" : "?cursor=" + cursor));
            Assert.True(page.Status == HttpStatusCode.OK && page.Body.Length < 4_000_000);
            using var json = JsonDocument.Parse(page.Body);
            found += json.RootElement.GetProperty("items").EnumerateArray().Count(item => item.GetProperty("id").GetString()!.StartsWith("large-" + _id, StringComparison.Ordinal));
            cursor = page.Member("cursor");
        }
        while (cursor is not null);

        Assert.Equal(4, found);
        for (var i = 0; i < 4; i++)
        {
            await Api.AskAsync("DELETE", $"/items/large-{_id}-{i}");
        }
    }

    [Fact]
    public async Task A_write_whose_answer_was_lost_is_told_as_the_success_that_it_was()
    {
        var lost = 0;
        world.Road.Happens = (operation, body) => operation == "PutItem" && body.Contains(_id, StringComparison.Ordinal) && Interlocked.Increment(ref lost) == 1 ? Mishap.AnswerLost : Mishap.None;
        var put = await Api.AskAsync("PUT", Path, """{"n":1}""");

        Assert.Equal(HttpStatusCode.Created, put.Status);
        Assert.Equal((put.ETag, put.Body), ((await Api.AskAsync("GET", Path)).ETag, (await Api.AskAsync("GET", Path)).Body));
    }

    [Fact]
    public async Task A_write_that_nobody_can_prove_is_told_as_unknown()
    {
        world.Road.Happens = (operation, body) => operation == "PutItem" && body.Contains(_id, StringComparison.Ordinal) ? Mishap.RequestLost : Mishap.None;
        var put = await Api.AskAsync("PUT", Path, """{"n":1}""");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "outcome-unknown", "1"), (put.Status, put.Problem, put.Headers["Retry-After"]));
    }

    [Fact]
    public async Task What_the_engine_throttles_is_told_to_come_again()
    {
        world.Road.Happens = (_, body) => body.Contains(_id, StringComparison.Ordinal) ? Mishap.Throttled : Mishap.None;
        var (get, put) = (await Api.AskAsync("GET", Path), await Api.AskAsync("PUT", Path, "{}"));

        Assert.All([get, put], answer => Assert.Equal((HttpStatusCode.TooManyRequests, "throttled", "1"), (answer.Status, answer.Problem, answer.Headers["Retry-After"])));
    }

    [Fact]
    public async Task A_write_that_may_have_happened_is_never_told_as_throttled()
    {
        var writes = 0;
        world.Road.Happens = (operation, body) => !body.Contains(_id, StringComparison.Ordinal) || (operation != "PutItem" && writes == 0) ? Mishap.None
            : operation == "PutItem" && Interlocked.Increment(ref writes) == 1 ? Mishap.AnswerLost
            : Mishap.Throttled;
        var put = await Api.AskAsync("PUT", Path, "{}");
        world.Road.Happens = (_, _) => Mishap.None;

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "outcome-unknown"), (put.Status, put.Problem));
        Assert.Equal(HttpStatusCode.OK, (await Api.AskAsync("GET", Path)).Status);
    }

    [Fact]
    public async Task An_engine_that_hangs_costs_a_client_its_patience_and_no_more()
    {
        using var api = await world.StartAsync(1, ("CALL_TIMEOUT_MS", "300"), ("REQUEST_TIMEOUT_MS", "1000"));
        world.Road.Happens = (_, body) => body.Contains(_id, StringComparison.Ordinal) ? Mishap.Hang : Mishap.None;
        var (get, put) = (await api.AskAsync("GET", Path), await api.AskAsync("PUT", Path, "{}"));

        Assert.All([get, put], answer => Assert.Equal((HttpStatusCode.ServiceUnavailable, "unavailable"), (answer.Status, answer.Problem)));
    }

    [Fact]
    public async Task A_fenced_write_is_told_to_come_again_and_changes_nothing()
    {
        using var dynamoDb = world.Engine.Client();
        await WriteFence.PutAsync(dynamoDb, world.Table, ApiWorld.Region, "app", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200), Token);
        using var api = await world.StartAsync(1);
        var put = await api.AskAsync("PUT", Path, "{}");
        await dynamoDb.DeleteItemAsync(world.Table, new() { ["id"] = new("_fence#" + ApiWorld.Region) }, Token);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "fenced", "5"), (put.Status, put.Problem, put.Headers["Retry-After"]));
        Assert.Equal(HttpStatusCode.NotFound, (await api.AskAsync("GET", Path)).Status);
    }

    [Fact]
    public async Task A_clock_is_not_dragged_into_the_future()
    {
        using var dynamoDb = world.Engine.Client();
        var ahead = TimeProvider.System.GetUtcNow().AddMinutes(10);
        var item = new StoredItem(_id, new Dictionary<string, AttributeValue>(), ItemVersion.Create(ahead.ToUnixTimeMilliseconds(), 0, "us-west-2", "writer00"), SeenVersions.None, false, null);
        await dynamoDb.PutItemAsync(world.Table, item.ToAttributes(), Token);
        var put = await Api.AskAsync("PUT", Path, "{}");
        var other = await Api.AskAsync("PUT", Path + "-other", "{}");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "clock-drift"), (put.Status, put.Problem));
        Assert.True(ItemVersion.TryParse(other.ETag!.Trim('"'), out var version) && version.UnixMilliseconds < ahead.AddMinutes(-9).ToUnixTimeMilliseconds());
        Assert.Contains(world.Lines, line => line.Contains("\"ClockAheadMs\":", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_item_that_grows_too_large_is_refused_before_the_engine_is_asked()
    {
        await Api.AskAsync("PUT", Path, $$"""{"a":"{{new string('x', 300_000)}}"}""");
        var patched = await Api.AskAsync("PATCH", Path, $$"""{"b":"{{new string('x', 200_000)}}"}""");
        var escaped = await Api.AskAsync("PUT", Path, $$"""{"b":"{{string.Concat(Enumerable.Repeat("\\u0001", 400_000))}}"}""");

        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "item-too-large"), (patched.Status, patched.Problem));
        Assert.Equal(HttpStatusCode.OK, escaped.Status);
        Assert.Equal(HttpStatusCode.NoContent, (await Api.AskAsync("DELETE", Path)).Status);
    }

    [Fact]
    public async Task Ready_is_the_data_path_and_live_is_the_process()
    {
        using var api = await world.StartAsync(1, ("CALL_TIMEOUT_MS", "5000"));
        var ready = await api.AskAsync("GET", "/health/ready");
        var calls = 0;
        world.Road.Happens = (_, body) => body.Contains("_ready", StringComparison.Ordinal) && Interlocked.Increment(ref calls) > 0 ? Mishap.Hang : Mishap.None;
        await Task.Delay(TimeSpan.FromSeconds(1.1), TimeProvider.System, Token);
        var sick = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => api.AskAsync("GET", "/health/ready?from=prober")));
        var asked = calls;

        Assert.Equal((HttpStatusCode.OK, ApiWorld.Region), (ready.Status, ready.Member("region")));
        Assert.All(sick, answer => Assert.Equal((HttpStatusCode.ServiceUnavailable, "no-store"), (answer.Status, answer.Headers["Cache-Control"])));
        // The SDK tries twice; however many ask, it is one look.
        Assert.InRange(asked, 1, 4);
        Assert.Equal(HttpStatusCode.OK, (await api.AskAsync("HEAD", "/health/live")).Status);
    }

    [Fact]
    public async Task A_request_is_one_line_with_nothing_of_the_clients_in_it()
    {
        var trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        await Api.AskAsync("GET", Path + "?consistent=true", null, ("traceparent", trace), ("User-Agent", "secret-agent"), ("Authorization", "Bearer secret-token"));
        await Api.AskAsync("GET", "/items?id=secret-id", null, ("traceparent", "secret\ttrace"));
        await Api.AskAsync("SECRET", "/secret-path");
        await Api.AskAsync("PUT", Path, """{"secret-member":01}""");
        var line = world.Lines.Single(text => text.Contains(trace, StringComparison.Ordinal));

        Assert.DoesNotContain(world.Lines, text => text.Contains("secret", StringComparison.OrdinalIgnoreCase));
        using var json = JsonDocument.Parse(line);
        Assert.Equal(("GET", "/items/{id}", 404, "not-found"), (json.RootElement.GetProperty("method").GetString(), json.RootElement.GetProperty("Route").GetString(), json.RootElement.GetProperty("status").GetInt32(), json.RootElement.GetProperty("problem").GetString()));
        var metrics = json.RootElement.GetProperty("_aws").GetProperty("CloudWatchMetrics")[0];
        Assert.All(metrics.GetProperty("Metrics").EnumerateArray(), metric => Assert.True(json.RootElement.TryGetProperty(metric.GetProperty("Name").GetString()!, out _)));
        Assert.All(metrics.GetProperty("Dimensions").EnumerateArray().SelectMany(set => set.EnumerateArray()), name => Assert.True(json.RootElement.TryGetProperty(name.GetString()!, out _)));
    }
}

/// <summary>Behind API Gateway.</summary>
public sealed class ItemsThroughLambdaTests(LambdaWorld world) : ItemsTests(world), IClassFixture<LambdaWorld>;

/// <summary>By itself.</summary>
public sealed class ItemsThroughKestrelTests(KestrelWorld world) : ItemsTests(world), IClassFixture<KestrelWorld>;
