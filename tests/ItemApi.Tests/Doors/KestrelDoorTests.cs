using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Failover.ItemApi.Tests.Doors;

/// <summary>What only a server of one's own meets: clients that are slow, or leave.</summary>
public sealed class KestrelDoorTests(KestrelWorld world) : IClassFixture<KestrelWorld>, IDisposable
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    public void Dispose() => world.Road.Happens = (_, _) => Mishap.None;

    [Fact]
    public async Task A_body_that_does_not_come_in_time_is_its_clients_fault()
    {
        using var api = await world.StartAsync(1, ("REQUEST_TIMEOUT_MS", "500"));
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, api.BaseAddress!.Port, Token);
        await using var stream = tcp.GetStream();
        using var reader = new StreamReader(stream);
        await stream.WriteAsync(Encoding.ASCII.GetBytes("PUT /items/slow HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"a\":"), Token);

        Assert.Equal("HTTP/1.1 408 Request Timeout", await reader.ReadLineAsync(Token));
        Assert.Equal((408, 0), await LineAsync("\"status\":408"));

        // What is still to come of it is passed over, and the connection is as good as before.
        await stream.WriteAsync(Encoding.ASCII.GetBytes(new string(' ', 95) + "GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), Token);
        var answers = await reader.ReadToEndAsync(Token);

        Assert.Contains("urn:failover:problem:body-too-slow", answers, StringComparison.Ordinal);
        Assert.Contains("HTTP/1.1 200 OK", answers, StringComparison.Ordinal);
        Assert.DoesNotContain(world.Lines, line => line.Contains("\"Error\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_client_that_leaves_in_the_middle_of_its_body_is_no_failure_of_the_data_path()
    {
        using var api = await world.StartAsync(1);
        var trace = "00-4bf92f3577b34da6a3ce929d0e0e4738-00f067aa0ba902b7-01";
        using (var tcp = new TcpClient { LingerState = new LingerOption(true, 0) })
        {
            await tcp.ConnectAsync(IPAddress.Loopback, api.BaseAddress!.Port, Token);
            var stream = tcp.GetStream();
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"PUT /items/left HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\ntraceparent: {trace}\r\n\r\n"), Token);

            // It is told to go on when the body is asked for; then it is gone.
            Assert.True(await stream.ReadAsync(new byte[100], Token) > 0);
        }

        var (status, serverErrors) = await LineAsync(trace);
        Assert.Contains(status, new[] { 408, 499 });
        Assert.Equal(0, serverErrors);
        Assert.DoesNotContain(world.Lines, line => line.Contains("\"Error\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_client_that_leaves_is_no_failure_of_the_data_path()
    {
        var arrived = new TaskCompletionSource();
        world.Road.Happens = (_, body) =>
        {
            if (!body.Contains("gone", StringComparison.Ordinal))
            {
                return Mishap.None;
            }

            arrived.TrySetResult();
            return Mishap.Hang;
        };
        using var leaves = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var trace = "00-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b7-01";
        using var request = new HttpRequestMessage(HttpMethod.Get, "/items/gone") { Headers = { { "traceparent", trace } } };
        var asked = world.Client.SendAsync(request, leaves.Token);
        await arrived.Task.WaitAsync(Token);
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);

        Assert.Equal((499, 0), await LineAsync(trace));
        Assert.DoesNotContain(world.Lines, line => line.Contains("\"Error\"", StringComparison.Ordinal));
    }

    /// <summary>The status and the server errors of the first request whose line has this text.</summary>
    private async Task<(int Status, int ServerErrors)> LineAsync(string text)
    {
        string? line;
        while ((line = world.Lines.FirstOrDefault(line => line.Contains(text, StringComparison.Ordinal))) is null)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Token);
        }

        using var json = JsonDocument.Parse(line);
        return (json.RootElement.GetProperty("status").GetInt32(), json.RootElement.GetProperty("ServerErrors").GetInt32());
    }
}
