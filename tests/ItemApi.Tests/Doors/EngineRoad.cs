using System.Net;
using Failover.LocalHost.Network;
using Microsoft.AspNetCore.Http;

namespace Failover.ItemApi.Tests.Doors;

/// <summary>What happens to a call on its way to the engine.</summary>
internal enum Mishap
{
    None,

    /// <summary>The engine says that it is too much.</summary>
    Throttled,

    /// <summary>It never arrives, and no answer comes.</summary>
    Hang,

    /// <summary>It takes effect, and the answer is lost.</summary>
    AnswerLost,

    /// <summary>It arrives when it is released.</summary>
    Held,

    /// <summary>It never arrives: the connection breaks.</summary>
    RequestLost,

    /// <summary>The connection breaks, and it arrives a while later all the same.</summary>
    Late,
}

/// <summary>The road from the API to the engine, on which things happen.</summary>
internal sealed class EngineRoad(Uri engine) : IAsyncDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false });
    private readonly System.Collections.Concurrent.ConcurrentBag<Task> _late = [];
    private Door _door = null!;

    /// <summary>Is asked of each call, by its operation and body.</summary>
    public Func<string, string, Mishap> Happens { get; set; } = (_, _) => Mishap.None;

    /// <summary>Lets go on what is held.</summary>
    public TaskCompletionSource Release { get; set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Uri Address => new($"http://127.0.0.1:{_door.Port}/");

    public static async Task<EngineRoad> OpenAsync(Uri engine)
    {
        var road = new EngineRoad(engine);
        road._door = new Door(new IPEndPoint(IPAddress.Loopback, 0), road.HandleAsync);
        await road._door.SetOpenAsync(true);
        return road;
    }

    /// <summary>Waits until everything that is late has arrived.</summary>
    public Task ArrivedAsync() => Task.WhenAll(_late);

    public async ValueTask DisposeAsync()
    {
        await ArrivedAsync();
        await _door.DisposeAsync();
        _http.Dispose();
    }

    private async Task HandleAsync(HttpContext context)
    {
        var target = context.Request.Headers["X-Amz-Target"].ToString();
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var mishap = Happens(target[(target.IndexOf('.', StringComparison.Ordinal) + 1)..], System.Text.Encoding.UTF8.GetString(body.ToArray()));
        switch (mishap)
        {
            case Mishap.Throttled:
                context.Response.StatusCode = StatusCodes.Status400BadRequest;
                context.Response.ContentType = "application/x-amz-json-1.0";
                await context.Response.WriteAsync("""{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"Too fast."}""");
                return;
            case Mishap.Hang:
                await Passage.AllowsAsync(context, FaultMode.Hang);
                return;
            case Mishap.Held:
                await Release.Task;
                break;
            case Mishap.RequestLost:
                context.Abort();
                return;
        }

        var headers = new[] { "X-Amz-Target", "X-Amz-Date", "Authorization" }.ToDictionary(name => name, name => context.Request.Headers[name].ToString());
        if (mishap == Mishap.Late)
        {
            context.Abort();
            _late.Add(LateAsync(headers, body.ToArray()));
            return;
        }

        var (status, answer) = await ForwardAsync(headers, body.ToArray());
        if (mishap == Mishap.AnswerLost)
        {
            context.Abort();
            return;
        }

        context.Response.StatusCode = status;
        context.Response.ContentType = "application/x-amz-json-1.0";
        context.Response.ContentLength = answer.Length;
        await context.Response.Body.WriteAsync(answer);
    }

    private async Task LateAsync(Dictionary<string, string> headers, byte[] body)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(150)), TimeProvider.System);
        await ForwardAsync(headers, body);
    }

    private async Task<(int Status, byte[] Answer)> ForwardAsync(Dictionary<string, string> headers, byte[] body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, engine) { Content = new ByteArrayContent(body) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/x-amz-json-1.0");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await _http.SendAsync(request);
        return ((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync());
    }
}
