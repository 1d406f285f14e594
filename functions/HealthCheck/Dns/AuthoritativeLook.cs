using System.Net;
using System.Net.Sockets;
using DnsClient;
using DnsClient.Protocol;
using Failover.ControlPlane;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;
using Failover.HealthCheck.Probing;

namespace Failover.HealthCheck.Dns;

/// <summary>
/// Looks at a name as the world does: asks every authoritative server (no control plane is involved), then fetches the name's page
/// from the address that they answer.
/// </summary>
public sealed class AuthoritativeLook(HttpProber prober, TimeSpan timeout)
{
    /// <summary>One look. What does not answer is missing from it; it never throws for a server's sake.</summary>
    public async Task<Look> LookAsync(Service service, CancellationToken cancellationToken)
    {
        var servers = await Task.WhenAll(service.AuthoritativeServers.Select(server => AskAsync(server, service, cancellationToken)));
        var newest = Newest(servers);

        // Resolving and fetching share one deadline: a look takes two of them at most, and the tick waits for it.
        using var deadline = cancellationToken.Within(timeout);
        try
        {
            if (newest < 0 || servers[newest]!.Sets is not [{ Values: [var value, ..] } set, ..] || await AddressAsync(set.Type, value, deadline.Token) is not { } address)
            {
                return new Look(servers, HttpOk: false, "no address is answered", newest);
            }

            var probe = await prober.ProbeAsync(service.LookUrl, ProbeExpectation.Default, address, deadline.Token);
            return new Look(servers, probe.Ok, probe.Detail, newest);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new Look(servers, HttpOk: false, $"not served within {timeout.TotalSeconds:0.0} s, resolving included", newest);
        }
    }

    /// <summary>A server that gives the most common answer, and of those whose state TXT is of the highest epoch; -1 if none answers. One server that is stale, or ahead, does not choose.</summary>
    private static int Newest(Listing?[] servers)
    {
        var best = (Epoch: long.MinValue, Alike: 0, Index: -1);
        for (var i = 0; i < servers.Length; i++)
        {
            if (servers[i] is not { } answer)
            {
                continue;
            }

            var epoch = answer.Txt is { Values: [var text] } && StateTxt.TryParse(text) is { } state ? state.Epoch : -1;
            var alike = servers.Count(other => other is not null && RecordSet.AreSame(other.Sets, answer.Sets));
            if (alike > best.Alike || (alike == best.Alike && epoch > best.Epoch))
            {
                best = (epoch, alike, i);
            }
        }

        return best.Index;
    }

    /// <summary>A CNAME leads to a name of somebody else's, which is resolved as everybody resolves it.</summary>
    private static async Task<IPAddress?> AddressAsync(string type, string value, CancellationToken cancellationToken)
    {
        if (type is "A" or "AAAA")
        {
            return IPAddress.Parse(value);
        }

        try
        {
            return (await System.Net.Dns.GetHostAddressesAsync(value.TrimEnd('.'), cancellationToken)).FirstOrDefault();
        }
        catch (Exception error) when (error is SocketException or ArgumentException || !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task<Listing?> AskAsync(string server, Service service, CancellationToken cancellationToken)
    {
        try
        {
            using var deadline = cancellationToken.Within(timeout);
            var client = new LookupClient(new LookupClientOptions(await ResolveAsync(server, deadline.Token))
            {
                Recursion = false,
                UseCache = false,
                Retries = 1,
                Timeout = timeout / 2,
            });
            var answers = await Task.WhenAll(
                client.QueryAsync(service.Name, QueryType.A, cancellationToken: deadline.Token),
                client.QueryAsync(service.Name, QueryType.AAAA, cancellationToken: deadline.Token),
                client.QueryAsync(service.StateName, QueryType.TXT, cancellationToken: deadline.Token));

            // A name that does not exist is an answer; a server that failed gave none.
            if (answers.Any(answer => answer.Header.ResponseCode is not (DnsHeaderResponseCode.NoError or DnsHeaderResponseCode.NotExistentDomain)))
            {
                return null;
            }

            var sets = answers[0].Answers.Concat(answers[1].Answers).DistinctBy(record => record.ToString())
                .Where(record => Plain(record.DomainName) == service.Name)
                .GroupBy(record => record.RecordType)
                .Select(group => new RecordSet(service.Name, group.Key.ToString(), group.First().TimeToLive, [.. group.Select(ValueOf).OfType<string>()]))
                .ToList();
            var state = answers[2].Answers.TxtRecords().ToList();
            return new Listing(sets, state.Count == 0 ? null : new RecordSet(service.StateName, "TXT", state[0].TimeToLive, [.. state.Select(txt => string.Concat(txt.Text))]));
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private static string? ValueOf(DnsResourceRecord record) => record switch
    {
        AddressRecord address => address.Address.ToString(),
        CNameRecord alias => alias.CanonicalName.Value,
        _ => null,
    };

    private static string Plain(DnsString name) => name.Value.TrimEnd('.').ToLowerInvariant();

    private static async Task<IPEndPoint> ResolveAsync(string server, CancellationToken cancellationToken)
    {
        if (IPEndPoint.TryParse(server, out var endpoint))
        {
            return endpoint.Port == 0 ? new IPEndPoint(endpoint.Address, 53) : endpoint;
        }

        var (host, port) = server.LastIndexOf(':') is > 0 and var colon && int.TryParse(server[(colon + 1)..], out var given) ? (server[..colon], given) : (server, 53);
        var addresses = await System.Net.Dns.GetHostAddressesAsync(host, AddressFamily.InterNetwork, cancellationToken);
        return new IPEndPoint(addresses[0], port);
    }
}
