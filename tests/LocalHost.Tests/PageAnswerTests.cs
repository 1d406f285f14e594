using System.Net;
using System.Text.Json.Nodes;
using Failover.LocalHost.Network;
using Failover.LocalHost.Page;
using Microsoft.AspNetCore.Http;

namespace Failover.LocalHost.Tests;

/// <summary>What the control API answers when it cannot answer.</summary>
public sealed class PageAnswerTests
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_does_not_come_in_time_is_worth_another_try()
    {
        foreach (var error in new Exception[] { new TaskCanceledException("A task was canceled."), new OperationCanceledException(),
            new TimeoutException() })
        {
            var (status, retryAfter, problem) = await AskAsync(_ => throw error);

            Assert.Equal((HttpStatusCode.ServiceUnavailable, 1.0), (status, retryAfter));
            Assert.Equal(503, (int)problem["status"]!);
            Assert.DoesNotContain("canceled", (string?)problem["detail"], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Any_other_failure_is_an_error_with_its_reason()
    {
        var (status, retryAfter, problem) = await AskAsync(_ => throw new InvalidOperationException("no such thing"));

        Assert.Equal((HttpStatusCode.InternalServerError, null, "no such thing"), (status, retryAfter, (string?)problem["detail"]));
    }

    private static async Task<(HttpStatusCode Status, double? RetryAfter, JsonNode Problem)> AskAsync(RequestDelegate answer)
    {
        await using var door = new Door(new IPEndPoint(IPAddress.Loopback, 0), context => PageAnswer.GuardAsync(context, answer));
        await door.SetOpenAsync(true);
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var response = await http.GetAsync(new Uri($"http://127.0.0.1:{door.Port}/"), Token);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        return (response.StatusCode, response.Headers.RetryAfter?.Delta?.TotalSeconds,
            JsonNode.Parse(await response.Content.ReadAsStringAsync(Token))!);
    }
}
