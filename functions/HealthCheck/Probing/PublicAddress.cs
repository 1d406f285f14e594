using System.Net;
using System.Net.Sockets;

namespace Failover.HealthCheck.Probing;

/// <summary>
/// Which addresses a probe may connect to: those of the public internet, and those that the topology allows by name. What a name resolves to is not ours to choose,
/// and the metadata service, a neighbour or the machine itself must never be asked on behalf of it.
/// </summary>
/// <remarks>By IANA's registries of special-purpose addresses: what is not globally reachable is refused, and of IPv6 all but 2000::/3.</remarks>
public static class PublicAddress
{
    private static readonly IPNetwork[] SpecialV4 =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
            "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        }.Select(IPNetwork.Parse),
    ];

    private static readonly IPNetwork GlobalV6 = IPNetwork.Parse("2000::/3");

    // Teredo and 6to4 carry an IPv4 address inside; the rest is for protocols, measurements and books.
    private static readonly IPNetwork[] SpecialV6 = [.. new[] { "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20" }.Select(IPNetwork.Parse)];

    /// <summary>Whether a probe may connect to <paramref name="address"/>.</summary>
    /// <param name="allowed">Networks that are allowed though they are not public.</param>
    public static bool MayBeProbed(IPAddress address, IReadOnlyList<IPNetwork> allowed)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return allowed.Any(network => network.Contains(plain))
            || (plain.AddressFamily == AddressFamily.InterNetwork
                ? !SpecialV4.Any(network => network.Contains(plain))
                : GlobalV6.Contains(plain) && !SpecialV6.Any(network => network.Contains(plain)));
    }
}
