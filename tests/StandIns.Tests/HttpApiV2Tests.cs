using System.Buffers;
using System.Text;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.AspNetCoreServer.Internal;
using Failover.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Failover.StandIns.Tests;

/// <summary>An HTTP API event as a request and back, where the official package is known to be wrong above all.</summary>
public class HttpApiV2Tests
{
    [Theory]
    [InlineData("If-Match", "\"a,b\"")]
    [InlineData("User-Agent", "Mozilla/5.0 (X11, Linux)")]
    [InlineData("Date", "Mon, 23 Nov 2026 08:00:00 GMT")]
    public void A_header_keeps_its_commas(string name, string value)
    {
        var request = Request(headers: new() { [name.ToLowerInvariant()] = value });

        Assert.Equal(value, Assert.Single(request.Headers[name].ToArray()));
    }

    [Theory]
    [InlineData("prod", "/prod/items/x", "/prod", "/items/x")]
    [InlineData("prod", "/prod", "/prod", "/")]
    [InlineData("prod", "/products", "", "/products")]
    [InlineData("$default", "/items", "", "/items")]
    public void A_stage_is_stripped_at_a_boundary_only(string stage, string path, string pathBase, string rest)
    {
        var request = Request(path: path, stage: stage);

        Assert.Equal((pathBase, rest), (request.PathBase.Value, request.Path.Value));
    }

    [Theory]
    [InlineData("/items/a%2Fb")]
    [InlineData("/items/50%25")]
    [InlineData("/items/a+b")]
    public void A_path_that_the_gateway_decoded_is_not_decoded_again(string path) => Assert.Equal(path, Request(path: path).Path.Value);

    [Fact]
    public void Cookies_query_and_body_arrive()
    {
        var request = Request(query: "a=1&b=%20", cookies: ["x=1", "y=2"], body: Convert.ToBase64String([0xFF, 0x00]), isBase64: true);

        Assert.Equal("?a=1&b=%20", request.QueryString.Value);
        Assert.Equal(("1", "2"), (request.Cookies["x"], request.Cookies["y"]));
        Assert.Equal(2, request.ContentLength);
        Assert.Equal(0xFF, request.Body.ReadByte());
        Assert.Equal("203.0.113.9", request.HttpContext.Connection.RemoteIpAddress!.ToString());
    }

    [Fact]
    public async Task Text_goes_out_as_text_and_bytes_as_base64()
    {
        var text = await RespondAsync(response => response.BodyWriter.WriteAsync(Encoding.UTF8.GetBytes("{\"é\":1}")).AsTask());
        var bytes = await RespondAsync(response => response.Body.WriteAsync(new byte[] { 0xFF, 0xFE }).AsTask());

        Assert.Equal(("{\"é\":1}", false), (text.Body, text.IsBase64Encoded));
        Assert.Equal((Convert.ToBase64String([0xFF, 0xFE]), true), (bytes.Body, bytes.IsBase64Encoded));
    }

    [Fact]
    public async Task What_is_not_flushed_is_lost_as_in_the_official_package()
    {
        var answer = await RespondAsync(response =>
        {
            response.BodyWriter.Write("lost"u8);
            return Task.CompletedTask;
        });

        Assert.Equal("", answer.Body);
    }

    [Fact]
    public async Task An_answer_has_started_once_something_is_written()
    {
        var context = new DefaultHttpContext(Features());
        Assert.False(context.Response.HasStarted);
        await context.Response.WriteAsync("x", TestContext.Current.CancellationToken);
        Assert.True(context.Response.HasStarted);
    }

    [Fact]
    public async Task Each_cookie_goes_out_alone_and_no_header_is_null()
    {
        var answer = await RespondAsync(response =>
        {
            response.StatusCode = 201;
            response.Cookies.Append("a", "1");
            response.Cookies.Append("b", "2");
            response.Headers.Vary = new(["Accept", "Origin"]);
            return Task.CompletedTask;
        });

        Assert.Equal(201, answer.StatusCode);
        Assert.Equal(2, answer.Cookies!.Length);
        Assert.Equal("Accept,Origin", answer.Headers!["vary"]);
        Assert.DoesNotContain(answer.Headers, header => header.Value is null);
    }

    private static HttpRequest Request(
        string path = "/", string stage = "$default", string query = "", string[]? cookies = null, Dictionary<string, string>? headers = null, string? body = null, bool isBase64 = false) =>
        new DefaultHttpContext(Features(path, stage, query, cookies, headers, body, isBase64)).Request;

    private static FeatureCollection Features(
        string path = "/", string stage = "$default", string query = "", string[]? cookies = null, Dictionary<string, string>? headers = null, string? body = null, bool isBase64 = false) =>
        HttpApiV2.ToFeatures(
            new APIGatewayHttpApiV2ProxyRequest
            {
                RawPath = path,
                RawQueryString = query,
                Cookies = cookies,
                Headers = headers,
                Body = body,
                IsBase64Encoded = isBase64,
                RequestContext = new()
                {
                    Stage = stage,
                    DomainName = "api.example.test",
                    Http = new() { Method = "GET", Path = path, Protocol = "HTTP/1.1", SourceIp = "203.0.113.9" },
                },
            },
            new TestLambdaContext(TimeSpan.FromSeconds(1)));

    private static async Task<APIGatewayHttpApiV2ProxyResponse> RespondAsync(Func<HttpResponse, Task> write)
    {
        var features = Features();
        await write(new DefaultHttpContext(features).Response);
        return HttpApiV2.ToResponse(features);
    }
}
