using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Failover.LocalHost.Network;

/// <summary>
/// A listening HTTP address that can be shut: then connecting is refused, and connections that were open are gone.
/// </summary>
internal sealed class Door(IPEndPoint address, RequestDelegate handler) : IAsyncDisposable
{
    private readonly SemaphoreSlim _turn = new(1);
    private WebApplication? _server;

    /// <summary>The port, after opening; of interest where 0 was asked for.</summary>
    public int Port { get; private set; } = address.Port;

    /// <summary>Opens or shuts it.</summary>
    public async Task SetOpenAsync(bool open)
    {
        await _turn.WaitAsync();
        try
        {
            if (open && _server is null)
            {
                await OpenAsync();
            }
            else if (!open && _server is { } server)
            {
                _server = null;
                await StopAsync(server);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await SetOpenAsync(false);
        _turn.Dispose();
    }

    private async Task OpenAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options =>
        {
            options.Listen(address, listen => listen.Protocols = HttpProtocols.Http1);
            options.Limits.MaxRequestBodySize = 32 * 1024 * 1024;
            options.AddServerHeader = false;
        });
        var server = builder.Build();
        server.Run(handler);
        try
        {
            await server.StartAsync();
        }
        catch (IOException error)
        {
            await server.DisposeAsync();
            throw PortTaken.At(address, error);
        }

        Port = new Uri(server.Urls.First()).Port;
        _server = server;
    }

    private static async Task StopAsync(WebApplication server)
    {
        // At once: who is being served is cut off, as when a machine dies.
        await server.StopAsync(new CancellationToken(canceled: true));
        await server.DisposeAsync();
    }
}
