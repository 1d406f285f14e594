using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Failover.LocalHost.DigitalOcean;
using Failover.LocalHost.Network;

namespace Failover.LocalHost.Tests;

/// <summary>DigitalOcean's records as its API keeps them.</summary>
public sealed class DigitalOceanApiTests : IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    private readonly DigitalOceanCloud _cloud = new("example.digital");
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false });
    private Door _door = null!;

    public async ValueTask InitializeAsync()
    {
        _door = new Door(new IPEndPoint(IPAddress.Loopback, 0), new DigitalOceanApi(_cloud, "secret", TimeProvider.System).HandleAsync);
        await _door.SetOpenAsync(true);
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "secret");
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _door.DisposeAsync();
    }

    [Theory]
    [InlineData("CNAME", "example.digital.", "@", "example.digital.")]
    [InlineData("CNAME", "@", "@", "example.digital.")]
    [InlineData("CNAME", "lb.example.digital.", "lb.example.digital", "lb.example.digital")]
    [InlineData("CNAME", "elsewhere.example.", "elsewhere.example", "elsewhere.example")]
    [InlineData("NS", "example.digital.", "@", "example.digital.")]
    [InlineData("TXT", "example.digital.", "example.digital.", "\"example.digital.\"")]
    public async Task Data_is_given_back_as_the_real_API_gives_it(string type, string sent, string kept, string served)
    {
        var (status, made) = await SendAsync(HttpMethod.Post, "", $$"""{"type":"{{type}}","name":"www","data":"{{sent}}","ttl":60}""");
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Equal(kept, (string?)made!["domain_record"]!["data"]);

        var (_, read) = await SendAsync(HttpMethod.Get, "/" + made["domain_record"]!["id"], null);
        Assert.Equal(kept, (string?)read!["domain_record"]!["data"]);
        Assert.Equal(served, Assert.Single(_cloud.Sets).Values[0]);
    }

    [Theory]
    [InlineData("""{"type":"A","name":"www","data":"192.0.2.1","ttl":29}""", "at least 30")]
    [InlineData("""{"type":"CNAME","name":"www","data":"example.digital","ttl":60}""", "end with a dot")]
    [InlineData("""{"type":"A","name":"www","data":"","ttl":60}""", "data can't be blank")]
    [InlineData("""{"type":"A","name":"www","data":"192.0.2.1","ttl":"soon"}""", "")]
    [InlineData("""{"type":"A","name":5,"data":"192.0.2.1","ttl":60}""", "")]
    public async Task What_DigitalOcean_refuses_is_refused(string body, string expected)
    {
        var (status, answer) = await SendAsync(HttpMethod.Post, "", body);

        Assert.Equal((HttpStatusCode)422, status);
        Assert.Contains(expected, (string?)answer!["message"], StringComparison.Ordinal);
        Assert.Empty(_cloud.Records);
    }

    [Fact]
    public async Task A_change_keeps_what_it_does_not_name()
    {
        var record = _cloud.Create("CNAME", "www", "lb.example.digital", 60);

        var (status, _) = await SendAsync(HttpMethod.Patch, $"/{record.Id}", """{"ttl":30}""");
        Assert.Equal((HttpStatusCode.OK, record with { Ttl = 30 }), (status, Assert.Single(_cloud.Records)));
        Assert.Equal((HttpStatusCode)422, (await SendAsync(HttpMethod.Put, $"/{record.Id}", """{"ttl":1}""")).Status);
        Assert.Equal((HttpStatusCode)422, (await SendAsync(HttpMethod.Put, $"/{record.Id}", """{"data":"example.digital"}""")).Status);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(HttpMethod.Put, $"/{record.Id}", """{"data":"example.digital."}""")).Status);
        Assert.Equal("@", Assert.Single(_cloud.Records).Data);
    }

    [Fact]
    public void A_long_text_is_served_in_several_strings()
    {
        _cloud.Create("TXT", "@", new string('a', 300), 60);

        Assert.Equal($"\"{new string('a', 255)}\" \"{new string('a', 45)}\"", Assert.Single(_cloud.Sets).Values[0]);
    }

    private async Task<(HttpStatusCode Status, JsonNode? Answer)> SendAsync(HttpMethod method, string path, string? body)
    {
        using var request = new HttpRequestMessage(method, $"http://127.0.0.1:{_door.Port}/v2/domains/example.digital/records{path}");
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await _http.SendAsync(request, Token);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync(Token)));
    }
}
