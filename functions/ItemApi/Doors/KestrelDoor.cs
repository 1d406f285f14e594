using System.Net;
using System.Runtime.InteropServices;
using Failover.ItemApi.Items;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Failover.ItemApi.Doors;

/// <summary>The door on a Droplet, behind nginx: Kestrel by itself.</summary>
internal static class KestrelDoor
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(20);

    /// <summary>Serves until the process is told to end; then it finishes what it has begun.</summary>
    /// <param name="listen">See <see cref="ItemApiOptions.Listen"/>.</param>
    public static async Task RunAsync(Function function, string listen, ILoggerFactory logging)
    {
        var options = new KestrelServerOptions { AddServerHeader = false };
        // The function refuses what is too large by itself, and says how large.
        options.Limits.MaxRequestBodySize = 2 * ItemBody.BytesMax;
        if (listen.StartsWith("unix:", StringComparison.Ordinal))
        {
            options.ListenUnixSocket(listen["unix:".Length..]);
        }
        else
        {
            options.Listen(IPEndPoint.TryParse(listen, out var address) ? address : throw new InvalidOperationException($"LISTEN is '{listen}': it must be an address and a port, as [::1]:8080, or unix: and a path."));
        }

        using var server = new KestrelServer(Options.Create(options), new SocketTransportFactory(Options.Create(new SocketTransportOptions()), logging), logging);
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        await server.StartAsync(new HttpApplication(function), CancellationToken.None);
        await stopped.Task;
        using var deadline = new CancellationTokenSource(StopTimeout, TimeProvider.System);
        await server.StopAsync(deadline.Token);

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stopped.TrySetResult();
        }
    }
}
