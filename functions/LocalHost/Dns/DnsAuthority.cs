using System.Collections.Immutable;
using System.Net;
using ARSoft.Tools.Net;
using ARSoft.Tools.Net.Dns;
using Failover.LocalHost.Route53;

namespace Failover.LocalHost.Dns;

/// <summary>An authoritative DNS server over a hosted zone, UDP and TCP.</summary>
internal sealed class DnsAuthority : IDisposable
{
    private readonly HostedZone _zone;
    private readonly Func<bool> _isCut;
    private readonly DnsServer _server;

    /// <param name="isCut">While it says so, queries get no answer: their packets are lost.</param>
    public DnsAuthority(HostedZone zone, int port, Func<bool> isCut)
    {
        (_zone, _isCut) = (zone, isCut);
        var address = new IPEndPoint(IPAddress.Loopback, port);
        _server = new DnsServer(new UdpServerTransport(address), new TcpServerTransport(address));
        _server.QueryReceived += AnswerAsync;
        _server.Start();
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
            await Task.Delay(TimeSpan.FromSeconds(10), TimeProvider.System);
        }

        args.Response = Answer(query, question);
    }

    private DnsMessage Answer(DnsMessage query, DnsQuestion question)
    {
        var response = query.CreateResponseInstance();
        response.IsRecursionAllowed = false;
        var name = question.Name.ToString().TrimEnd('.').ToLowerInvariant() + ".";
        if (name != _zone.Name && !name.EndsWith("." + _zone.Name, StringComparison.Ordinal))
        {
            response.ReturnCode = ReturnCode.Refused;
            return response;
        }

        response.IsAuthoritiveAnswer = true;
        var sets = _zone.Sets.Where(set => set.Name == name).ToImmutableArray();
        foreach (var set in sets.Where(set => set.Type == "CNAME" || question.RecordType == RecordType.Any || set.Type == NameOf(question.RecordType)))
        {
            response.AnswerRecords.AddRange(set.Values.Select(value => Record(question.Name, set, value)));
        }

        if (response.AnswerRecords.Count == 0)
        {
            response.ReturnCode = _zone.Exists(name) ? ReturnCode.NoError : ReturnCode.NxDomain;
            var soa = _zone.Find(_zone.Name, "SOA")!;
            response.AuthorityRecords.Add(Record(DomainName.Parse(_zone.Name), soa, soa.Values[0]));
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
                return new TxtRecord(name, ttl, value.Trim('"'));
            case "CNAME":
                return new CNameRecord(name, ttl, DomainName.Parse(value));
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
