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

    /// <summary>It never arrives: the connection breaks.</summary>
    RequestLost,
}

/// <summary>The road from the API to the engine, on which things happen.</summary>
internal sealed class EngineRoad(Uri engine) : IAsyncDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false });
    private Door _door = null!;

    /// <summary>Is asked of each call, by its operation and body.</summary>
    public Func<string, string, Mishap> Happens { get; set; } = (_, _) => Mishap.None;

    public Uri Address => new($"http://127.0.0.1:{_door.Port}/");

    public static async Task<EngineRoad> OpenAsync(Uri engine)
    {
        var road = new EngineRoad(engine);
        road._door = new Door(new IPEndPoint(IPAddress.Loopback, 0), road.HandleAsync);
        await road._door.SetOpenAsync(true);
        return road;
    }

    public async ValueTask DisposeAsync()
    {
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
            case Mishap.RequestLost:
                context.Abort();
                return;
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, engine) { Content = new ByteArrayContent(body.ToArray()) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/x-amz-json-1.0");
        foreach (var name in new[] { "X-Amz-Target", "X-Amz-Date", "Authorization" })
        {
            request.Headers.TryAddWithoutValidation(name, context.Request.Headers[name].ToString());
        }

        using var response = await _http.SendAsync(request);
        var answer = await response.Content.ReadAsByteArrayAsync();
        if (mishap == Mishap.AnswerLost)
        {
            context.Abort();
            return;
        }

        context.Response.StatusCode = (int)response.StatusCode;
        context.Response.ContentType = "application/x-amz-json-1.0";
        context.Response.ContentLength = answer.Length;
        await context.Response.Body.WriteAsync(answer);
    }
}
