using System.Net;
using System.Text;
using System.Text.Json;
using Failover.ItemRecord;
using Failover.Testing;
using Microsoft.AspNetCore.Mvc.Testing;

namespace Failover.ItemApi.Tests;

/// <summary>The whole application over a real engine.</summary>
public sealed class ItemsTests : IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    private TestEngine _engine = null!;
    private WebApplicationFactory<ItemApiOptions> _application = null!;
    private HttpClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _engine = await TestEngine.StartAsync();
        (string Name, string Value)[] settings =
        [
            ("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_ENDPOINT_URL", _engine.Address.ToString()), ("ITEMS_TABLE", await _engine.TableAsync("id")), ("CALL_TIMEOUT_MS", "3000"),
        ];
        foreach (var (name, value) in settings)
        {
            Environment.SetEnvironmentVariable(name, value);
        }

        _application = new WebApplicationFactory<ItemApiOptions>();
        _client = _application.CreateClient();
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _application.DisposeAsync();
        await _engine.DisposeAsync();
    }

    [Fact]
    public async Task An_item_is_put_read_replaced_and_deleted()
    {
        var created = await PutAsync("/items/x", """{"n":1.10,"deep":{"list":[1,"a",null,true]}}""");
        var read = await _client.GetAsync(new Uri("/items/x", UriKind.Relative), Token);
        var replaced = await PutAsync("/items/x", """{"n":2}""");
        var deleted = await _client.DeleteAsync(new Uri("/items/x", UriKind.Relative), Token);

        Assert.Equal((HttpStatusCode.Created, "/items/x"), (created.StatusCode, created.Headers.Location!.ToString()));
        Assert.Equal(created.Headers.ETag, read.Headers.ETag);
        Assert.Equal("""{"id":"x","deep":{"list":[1,"a",null,true]},"n":1.1}""", await read.Content.ReadAsStringAsync(Token));
        Assert.Equal(HttpStatusCode.OK, replaced.StatusCode);
        Assert.NotEqual(created.Headers.ETag, replaced.Headers.ETag);
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await _client.GetAsync(new Uri("/items/x", UriKind.Relative), Token)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await _client.DeleteAsync(new Uri("/items/x", UriKind.Relative), Token)).StatusCode);
    }

    [Fact]
    public async Task A_post_creates_once()
    {
        var named = await PostAsync("""{"id":"a~b","n":1}""");
        var unnamed = await PostAsync("""{"n":1}""");

        Assert.Equal((HttpStatusCode.Created, "/items/a~b"), (named.StatusCode, named.Headers.Location!.OriginalString));
        Assert.Equal(HttpStatusCode.Conflict, (await PostAsync("""{"id":"a~b"}""")).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync("""{"id":"."}""")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await _client.GetAsync(unnamed.Headers.Location, Token)).StatusCode);
    }

    [Fact]
    public async Task Preconditions_hold_or_say_what_is_there()
    {
        var first = await PutAsync("/items/p", """{"n":1}""");
        var second = await PutAsync("/items/p", """{"n":2}""", ifMatch: first.Headers.ETag!.Tag);
        var stale = await PutAsync("/items/p", """{"n":3}""", ifMatch: first.Headers.ETag.Tag);
        var exists = await PutAsync("/items/p", """{"n":3}""", ifNoneMatch: "*");

        Assert.Equal(HttpStatusCode.OK, second.StatusCode);
        Assert.Equal((HttpStatusCode.PreconditionFailed, HttpStatusCode.PreconditionFailed), (stale.StatusCode, exists.StatusCode));
        Assert.Contains(second.Headers.ETag!.Tag.Trim('"'), await stale.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await PutAsync("/items/absent", "{}", ifMatch: first.Headers.ETag.Tag)).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await PutAsync("/items/p", "{}", ifMatch: "\"other\"")).StatusCode);
    }

    [Theory]
    [InlineData("/items/_heartbeat", "{}", "belongs to the system")]
    [InlineData("/items/a%20b", "{}", "An id is 1 to 255")]
    [InlineData("/items/x", "{\"n\":1e200}", "DynamoDB does not take this item")]
    [InlineData("/items/x", "", "not a JSON object")]
    [InlineData("/items/x", "[]", "not a JSON object")]
    [InlineData("/items/x", "{\"a\":1", "not a JSON object")]
    [InlineData("/items/x", "{\"a\":1}x", "not a JSON object")]
    [InlineData("/items/x", "{\"a\":1,\"a\":2}", "not a JSON object")]
    [InlineData("/items/x", "{\"_v\":1}", "'_v'")]
    [InlineData("/items/x", "{\"id\":\"y\"}", "differs")]
    [InlineData("/items/x", "{\"id\":7}", "not a string")]
    [InlineData("/items/x", "{\"n\":123456789012345678901234567890123456789}", "39 significant digits")]
    [InlineData("/items/x", "{\"s\":\"\\ud800\"}", "Unicode")]
    public async Task Bad_input_is_told_as_a_problem(string path, string body, string expected)
    {
        var answer = await PutAsync(path, body);
        var problem = await answer.Content.ReadAsStringAsync(Token);

        Assert.Equal((HttpStatusCode.BadRequest, "application/problem+json"), (answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
        using var json = JsonDocument.Parse(problem);
        Assert.Contains(expected, json.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_that_cannot_be_an_item_is_refused()
    {
        var answer = await PutAsync("/items/x", $"{{\"s\":\"{new string('x', 420_000)}\"}}");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task Lists_in_pages()
    {
        for (var i = 0; i < 5; i++)
        {
            await PutAsync($"/items/l{i}", "{}");
        }

        var ids = new List<string>();
        string? cursor = null;
        do
        {
            using var page = JsonDocument.Parse(await _client.GetStringAsync(new Uri($"/items?limit=2{(cursor is null ? "" : "&cursor=" + cursor)}", UriKind.Relative), Token));
            ids.AddRange(page.RootElement.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetString()!));
            cursor = page.RootElement.GetProperty("cursor").GetString();
        }
        while (cursor is not null);

        Assert.Equal(["l0", "l1", "l2", "l3", "l4"], ids.Order());
        Assert.Equal(HttpStatusCode.BadRequest, (await _client.GetAsync(new Uri("/items?limit=0", UriKind.Relative), Token)).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await _client.GetAsync(new Uri("/items?cursor=%21", UriKind.Relative), Token)).StatusCode);
    }

    [Fact]
    public async Task Ready_is_the_data_path_and_live_is_the_process()
    {
        var ready = await _client.GetAsync(new Uri("/health/ready", UriKind.Relative), Token);
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        Assert.Contains("us-east-1", await ready.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);

        await _engine.DisposeAsync();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await _client.GetAsync(new Uri("/health/ready", UriKind.Relative), Token)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await _client.GetAsync(new Uri("/health/live", UriKind.Relative), Token)).StatusCode);
        var put = await PutAsync("/items/x", "{}");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "application/problem+json"), (put.StatusCode, put.Content.Headers.ContentType!.MediaType));
    }

    [Fact]
    public async Task A_fenced_write_is_told_to_come_again_and_changes_nothing()
    {
        using var client = _engine.Client();
        await WriteFence.PutAsync(client, Environment.GetEnvironmentVariable("ITEMS_TABLE")!, "us-east-1", "app", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200), Token);
        var put = await PutAsync("/items/x", "{}");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(5)), (put.StatusCode, put.Headers.RetryAfter!.Delta));
        Assert.Equal("application/problem+json", put.Content.Headers.ContentType!.MediaType);
        Assert.Contains("planned move", await put.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await _client.GetAsync(new Uri("/items/x", UriKind.Relative), Token)).StatusCode);
    }

    private Task<HttpResponseMessage> PutAsync(string path, string body, string? ifMatch = null, string? ifNoneMatch = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Put, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (ifMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        }

        if (ifNoneMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", ifNoneMatch);
        }

        return _client.SendAsync(request, Token);
    }

    private Task<HttpResponseMessage> PostAsync(string body) =>
        _client.PostAsync(new Uri("/items", UriKind.Relative), new StringContent(body, Encoding.UTF8, "application/json"), Token);
}
