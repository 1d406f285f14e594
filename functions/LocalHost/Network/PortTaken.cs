using System.Net;

namespace Failover.LocalHost.Network;

/// <summary>What to say when a port cannot be had.</summary>
internal static class PortTaken
{
    /// <summary>The error to throw when <paramref name="address"/> cannot be bound.</summary>
    public static InvalidOperationException At(IPEndPoint address, Exception cause) =>
        new(
            $"LocalHost cannot listen on {address}: {cause.Message} End the program that has it, or shift all ports with --port-base.",
            cause);
}
