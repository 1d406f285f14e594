using System.Net;
using System.Net.Sockets;
using ARSoft.Tools.Net;
using ARSoft.Tools.Net.Dns;
using Failover.LocalHost.Network;
using Failover.LocalHost.Route53;

namespace Failover.LocalHost.Dns;

/// <summary>An authoritative DNS server over some zones, UDP and TCP.</summary>
internal sealed class DnsAuthority : IDisposable
{
    /// <summary>Longer than any client waits for an answer.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromMinutes(10);

    private readonly IReadOnlyList<ServedZone> _zones;
    private readonly Func<bool> _isCut;
    private readonly TimeProvider _time;
    private readonly DnsServer _server;

    /// <param name="isCut">While it says so, queries get no answer: their packets are lost.</param>
    public DnsAuthority(IReadOnlyList<ServedZone> zones, int port, Func<bool> isCut, TimeProvider? time = null)
    {
        (_zones, _isCut, _time) = (zones, isCut, time ?? TimeProvider.System);
        var address = new IPEndPoint(IPAddress.Loopback, port);
        _server = new DnsServer(new UdpServerTransport(address), new TcpServerTransport(address));
        _server.QueryReceived += AnswerAsync;
        try
        {
            _server.Start();
        }
        catch (SocketException error)
        {
            _server.Stop();
            throw PortTaken.At(address, error);
        }
    }

    public void Dispose() => _server.Stop();

    private async Task AnswerAsync(object sender, QueryReceivedEventArgs args)
    {
        if (args.Query is not DnsMessage { Questions: [var question] } query)
        {
            return;
        }

        if (_isCut())
        {
            // The library answers SERVFAIL to a query that is left without a response: by then no client waits any more.
            await Task.Delay(Silence, _time);
            return;
        }

        args.Response = Answer(query, question);
    }

    private DnsMessage Answer(DnsMessage query, DnsQuestion question)
    {
        var response = query.CreateResponseInstance();
        response.IsRecursionAllowed = false;
        var name = question.Name.ToString().TrimEnd('.').ToLowerInvariant() + ".";
        if (_zones.FirstOrDefault(zone => name == zone.Name || name.EndsWith("." + zone.Name, StringComparison.Ordinal)) is not { } zone)
        {
            response.ReturnCode = ReturnCode.Refused;
            return response;
        }

        response.IsAuthoritiveAnswer = true;
        var all = zone.Sets();
        var asked = all.Where(set => set.Name == name && (
            set.Type == "CNAME" || question.RecordType == RecordType.Any || set.Type == NameOf(question.RecordType)));
        foreach (var set in asked.GroupBy(set => set.Type).SelectMany(group => ZoneRouting.Answered([.. group])))
        {
            // An alias is followed here, as Route 53 does: a client sees the values behind it.
            var behind = set.Alias is { } alias ? all.FirstOrDefault(other => other.Name == alias.DnsName && other.Type == set.Type) : set;
            response.AnswerRecords.AddRange((behind?.Values ?? []).Select(value => Record(question.Name, behind!, value)));
        }

        if (response.AnswerRecords.Count == 0)
        {
            response.ReturnCode = all.Any(set => set.Name == name || set.Name.EndsWith("." + name, StringComparison.Ordinal)) ? ReturnCode.NoError : ReturnCode.NxDomain;
            response.AuthorityRecords.Add(Record(DomainName.Parse(zone.Name), new ZoneRecordSet(zone.Name, "SOA", 900, []), $"ns.{zone.Name} hostmaster.{zone.Name} 1 7200 900 1209600 60"));
        }

        return response;
    }

    private static string NameOf(RecordType type) => type.ToString().ToUpperInvariant();

    private static DnsRecordBase Record(DomainName name, ZoneRecordSet set, string value)
    {
        var ttl = (int)set.TtlSeconds;
        switch (set.Type)
        {
            case "A":
                return new ARecord(name, ttl, IPAddress.Parse(value));
            case "AAAA":
                return new AaaaRecord(name, ttl, IPAddress.Parse(value));
            case "TXT":
                return new TxtRecord(name, ttl, TxtValue.Parse(value).Strings ?? []);
            case "CNAME":
                return new CNameRecord(name, ttl, DomainName.Parse(value));
            // Without its parameters: nothing here compares them.
            case "HTTPS":
                var fields = value.Split(' ');
                return new HttpsRecord(
                    name, ttl, ushort.Parse(fields[0], System.Globalization.CultureInfo.InvariantCulture), fields[1] == "." ? DomainName.Root : DomainName.Parse(fields[1]), []);
            case "NS":
                return new NsRecord(name, ttl, DomainName.Parse(value));
            case "SOA":
                var parts = value.Split(' ');
                var numbers = parts[2..].Select(part => int.Parse(part, System.Globalization.CultureInfo.InvariantCulture)).ToArray();
                return new SoaRecord(
                    name, ttl, DomainName.Parse(parts[0]), DomainName.Parse(parts[1]), (uint)numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]);
            default:
                throw new NotSupportedException($"A record of type {set.Type} cannot be answered.");
        }
    }
}
