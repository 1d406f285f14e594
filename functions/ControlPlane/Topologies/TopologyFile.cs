using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Failover.ControlPlane.Ballots;

namespace Failover.ControlPlane.Topologies;

/// <summary>Reads a topology and validates it whole: every mistake is told at once, with its place in the file.</summary>
public static class TopologyFile
{
    private static readonly string[] Types = ["A", "AAAA", "CNAME", "HTTPS"];

    /// <summary>Reads the file at <paramref name="path"/>.</summary>
    /// <exception cref="TopologyException">The file is missing, is not JSON, or has mistakes.</exception>
    public static Topology Load(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new TopologyException([$"{path}: cannot be read: {error.Message}"]);
        }
    }

    /// <summary>Reads a topology from JSON.</summary>
    /// <exception cref="TopologyException">The text is not JSON, or has mistakes.</exception>
    public static Topology Parse(string json)
    {
        Topology topology;
        try
        {
            topology = JsonSerializer.Deserialize(json, TopologyJson.Default.Topology) ?? throw new TopologyException(["$: is null; an object is expected"]);
        }
        catch (JsonException error)
        {
            throw new TopologyException([$"{error.Path ?? "$"}: {error.Message}"]);
        }

        var mistakes = Mistakes(topology).ToList();
        return mistakes.Count == 0 ? topology : throw new TopologyException(mistakes);
    }

    private static IEnumerable<string> Mistakes(Topology topology)
    {
        if (topology.Observers.Count < 3 || topology.Observers.Count % 2 == 0)
        {
            yield return $"$.observers: {topology.Observers.Count} given; a majority needs an odd number, at least 3";
        }

        if (topology.Replicas.Count < 2)
        {
            yield return $"$.replicas: {topology.Replicas.Count} given; recovery from the loss of one needs at least 2";
        }

        if (topology.Services.Count == 0)
        {
            yield return "$.services: empty; name at least one service";
        }

        if (topology.Replicas.Distinct().Count() == topology.Replicas.Count && BallotSize.Of(topology) is > BallotSize.Max and var size)
        {
            yield return $"$.services: a ballot on all of them can grow to {size} bytes, and {BallotSize.Max} are the most: guard fewer services or endpoints with one system, or give them shorter names";
        }

        foreach (var mistake in Doubles("$.observers", topology.Observers)
            .Concat(Doubles("$.replicas", topology.Replicas))
            .Concat(Doubles("$.anchors[].name", topology.Anchors.Select(anchor => anchor.Name)))
            .Concat(Doubles("$.services[].name", topology.Services.Select(service => service.Name)))
            .Concat(AnchorMistakes(topology.Anchors))
            .Concat(topology.AllowedNetworks.Where(network => !IPNetwork.TryParse(network, out _)).Select(network => $"$.allowedNetworks: '{network}' is no network such as 10.1.0.0/16"))
            .Concat(TimingMistakes(topology.Timing))
            .Concat(topology.Services.SelectMany((service, index) => ServiceMistakes(topology, service, $"$.services[{index}]"))))
        {
            yield return mistake;
        }
    }

    private static IEnumerable<string> AnchorMistakes(IReadOnlyList<Anchor> anchors)
    {
        if (anchors.Count < 2)
        {
            yield return $"$.anchors: {anchors.Count} given; one alone cannot tell its own failure from ours, so at least 2";
        }

        foreach (var mistake in anchors.SelectMany((anchor, index) => UrlMistakes($"$.anchors[{index}].url", anchor.Url)))
        {
            yield return mistake;
        }

        for (var i = 0; i < anchors.Count; i++)
        {
            for (var j = 0; j < i; j++)
            {
                if (anchors[i].Operator == anchors[j].Operator || anchors[i].Region == anchors[j].Region)
                {
                    yield return $"$.anchors[{i}]: shares its operator or region with $.anchors[{j}]: they would fail together";
                }
            }
        }
    }

    private static IEnumerable<string> TimingMistakes(Timing timing)
    {
        (string Name, double Value, int Min, int Max)[] ranges =
        [
            ("intervalSeconds", timing.IntervalSeconds, 1, 60),
            ("probeTimeoutMilliseconds", timing.ProbeTimeoutMilliseconds, 50, 10_000),
            ("connectTimeoutMilliseconds", timing.ConnectTimeoutMilliseconds, 20, timing.ProbeTimeoutMilliseconds),
            ("firstByteTimeoutMilliseconds", timing.FirstByteTimeoutMilliseconds, 20, timing.ProbeTimeoutMilliseconds),
            ("callTimeoutMilliseconds", timing.CallTimeoutMilliseconds, 50, 10_000),
            ("downAfterTicks", timing.DownAfterTicks, 3, 10),
            ("upAfterTicks", timing.UpAfterTicks, 2, 60),
            ("lostAfterTicks", timing.LostAfterTicks, 2, 16),
            ("coolDownMinutes", timing.CoolDownMinutes, 1, 1440),
            ("stableMinutes", timing.StableMinutes, 0, 1440),
        ];
        foreach (var (name, value, min, max) in ranges)
        {
            if (!(value >= min && value <= max))
            {
                yield return $"$.timing.{name}: {value}; must be {min} to {max}";
            }
        }

        // A tick probes, then makes up to four control-plane calls one after another in the common case; all of it must fit the two
        // intervals after which the function is ended, and a probe alone must leave the interval to which it belongs room for the vote.
        if (timing.ProbeTimeoutMilliseconds + timing.CallTimeoutMilliseconds > timing.IntervalSeconds * 1000)
        {
            yield return $"$.timing: probeTimeoutMilliseconds + callTimeoutMilliseconds is {timing.ProbeTimeoutMilliseconds + timing.CallTimeoutMilliseconds}; it must not exceed the interval of {timing.IntervalSeconds * 1000}";
        }

        if (timing.FirstByteTimeoutMilliseconds < timing.ConnectTimeoutMilliseconds)
        {
            yield return $"$.timing.firstByteTimeoutMilliseconds: {timing.FirstByteTimeoutMilliseconds} is less than connectTimeoutMilliseconds, {timing.ConnectTimeoutMilliseconds}";
        }

        if (timing.LostAfterTicks < timing.DownAfterTicks)
        {
            yield return $"$.timing.lostAfterTicks: {timing.LostAfterTicks} is less than downAfterTicks, {timing.DownAfterTicks}: a lost region must stay lost longer";
        }

        if (timing.UpAfterTicks < timing.DownAfterTicks)
        {
            yield return $"$.timing.upAfterTicks: {timing.UpAfterTicks} is less than downAfterTicks, {timing.DownAfterTicks}: coming back must be slower than leaving";
        }
    }

    private static IEnumerable<string> ServiceMistakes(Topology topology, Service service, string at)
    {
        if (service.Name != service.Name.ToLowerInvariant() || service.Name.EndsWith('.') || Uri.CheckHostName(service.Name) != UriHostNameType.Dns
            || !service.Name.Contains('.', StringComparison.Ordinal))
        {
            yield return $"{at}.name: '{service.Name}' is not a DNS name in lower case without a trailing dot";
        }

        if (service.AuthoritativeServers.Count == 0)
        {
            yield return $"{at}.authoritativeServers: empty; a move is verified at the zone's own servers";
        }

        if (!Enum.IsDefined(service.Lever) || !Enum.IsDefined(service.Mode) || !Enum.IsDefined(service.MoveBack) || !Enum.IsDefined(service.Rpo.Prefer))
        {
            yield return $"{at}: lever, mode, moveBack and rpo.prefer are named by their words";
        }

        if (service.LookUrl.IsAbsoluteUri && service.LookUrl.Host != service.Name)
        {
            yield return $"{at}.lookUrl: its host is '{service.LookUrl.Host}'; it must be '{service.Name}', since it is fetched through the name";
        }

        if (service.TtlSeconds is < 1 or > 3600)
        {
            yield return $"{at}.ttlSeconds: {service.TtlSeconds}; must be 1 to 3600";
        }

        if (service.Endpoints.Count < 2)
        {
            yield return $"{at}.endpoints: {service.Endpoints.Count} given; recovery needs at least 2";
        }

        if (service.HostedZoneId is { } zone && (zone.Length is 0 or > 32 || zone.AsSpan().ContainsAnyExcept("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")))
        {
            yield return $"{at}.hostedZoneId: '{zone}' is not the id of a Route 53 zone, such as Z0123456789ABCDEFGHIJ: leave '/hostedzone/' out";
        }

        if (service.Lever == Lever.Records && (service.HostedZoneId is null) == (service.DigitalOceanDomain is null))
        {
            yield return $"{at}: a name has one authority: give hostedZoneId or digitalOceanDomain";
        }

        if (service.Lever == Lever.Switch && (service.Endpoints.Count != 2 || service.HostedZoneId is not null || service.DigitalOceanDomain is not null))
        {
            yield return $"{at}: the lever 'Switch' has exactly two endpoints, and edits no zone: leave hostedZoneId and digitalOceanDomain out";
        }

        if (service.DigitalOceanDomain is { } domain)
        {
            if (service.Name != domain && !service.Name.EndsWith("." + domain, StringComparison.Ordinal))
            {
                yield return $"{at}.digitalOceanDomain: '{domain}' does not hold '{service.Name}'";
            }

            if (service.TtlSeconds < 30)
            {
                yield return $"{at}.ttlSeconds: {service.TtlSeconds}; DigitalOcean's least is 30";
            }

            if (service.Endpoints.SelectMany(endpoint => endpoint.Records).Any(record => record.Type == "HTTPS")
                || service.Endpoints.Select(endpoint => string.Join(',', endpoint.Records.Select(record => record.Type).Order(StringComparer.Ordinal))).Distinct().Count() > 1)
            {
                yield return $"{at}.endpoints: DigitalOcean's records are changed in place, so every endpoint has the same types; and it knows no HTTPS records";
            }
        }

        if (service.Rpo.LimitSeconds is < 1 or > 86_400)
        {
            yield return $"{at}.rpo.limitSeconds: {service.Rpo.LimitSeconds}; must be 1 to 86400";
        }

        for (var i = 0; i < service.Maintenance.Count; i++)
        {
            var window = service.Maintenance[i];
            if (!TimeOnly.TryParseExact(window.Start, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out _) || !Enum.IsDefined(window.Day) || window.Minutes is < 1 or > 1440)
            {
                yield return $"{at}.maintenance[{i}]: {window.Day} '{window.Start}' for {window.Minutes} minutes; give a day, a start as 02:00 (UTC) and 1 to 1440 minutes";
            }
        }

        foreach (var mistake in Doubles($"{at}.endpoints[].name", service.Endpoints.Select(endpoint => endpoint.Name)).Concat(UrlMistakes($"{at}.lookUrl", service.LookUrl)))
        {
            yield return mistake;
        }

        for (var i = 0; i < service.Endpoints.Count; i++)
        {
            foreach (var mistake in EndpointMistakes(topology, service, i, $"{at}.endpoints[{i}]"))
            {
                yield return mistake;
            }
        }
    }

    private static IEnumerable<string> EndpointMistakes(Topology topology, Service service, int index, string at)
    {
        var endpoint = service.Endpoints[index];
        if (endpoint.Name.Length is 0 or > 40 || endpoint.Name.AsSpan().ContainsAnyExcept("abcdefghijklmnopqrstuvwxyz0123456789-"))
        {
            yield return $"{at}.name: '{endpoint.Name}' must be 1 to 40 of a-z, 0-9 and '-': it stands in a TXT record";
        }

        if (!topology.Replicas.Contains(endpoint.Replica))
        {
            yield return $"{at}.replica: '{endpoint.Replica}' is none of $.replicas";
        }

        if (endpoint.Records.Count == 0)
        {
            yield return $"{at}.records: empty; the name would have no answer";
        }

        foreach (var mistake in UrlMistakes($"{at}.probeUrl", endpoint.ProbeUrl).Concat(Doubles($"{at}.records[].type", endpoint.Records.Select(record => record.Type))))
        {
            yield return mistake;
        }

        if (endpoint.Expect.StatusCode is < 100 or > 599 || endpoint.Expect.LatencyMilliseconds < 1 || endpoint.Expect.LatencyMilliseconds > topology.Timing.ProbeTimeoutMilliseconds)
        {
            yield return $"{at}.expect: a status of 100 to 599, and a latency of 1 ms to the probe's deadline, {topology.Timing.ProbeTimeoutMilliseconds}";
        }

        foreach (var condition in endpoint.Expect.Json)
        {
            if (!condition.Path.StartsWith('/') || (condition.Is is null) == (condition.FreshWithinSeconds is null) || condition.FreshWithinSeconds < 1)
            {
                yield return $"{at}.expect.json: '{condition.Path}'; give a path such as /region, and either 'is' or 'freshWithinSeconds' of at least 1";
            }
        }

        foreach (var mistake in endpoint.Records.SelectMany(record => RecordMistakes($"{at}.records", service, record)))
        {
            yield return mistake;
        }

        if (endpoint.Records.Any(record => PointsAt(service, record)))
        {
            yield return $"{at}.records: leads to '{service.Name}' itself: the name would have no answer";
        }

        if (endpoint.Records.Sum(record => record.Type.Length + record.Values.Sum(value => value.Length) + (record.Alias is { } alias ? alias.DnsName.Length + alias.HostedZoneId.Length : 0)) > RecordsMax)
        {
            yield return $"{at}.records: longer than {RecordsMax} characters together: the register remembers many plans";
        }

        if (endpoint.Records.Count > 0 && endpoint.Records.All(record => record.Type == "HTTPS"))
        {
            yield return $"{at}.records: HTTPS records alone are no address";
        }

        if (endpoint.Records.Count > 1 && endpoint.Records.Any(record => record.Type == "CNAME"))
        {
            yield return $"{at}.records: a CNAME stands alone, or not at all";
        }

        for (var other = 0; other < index; other++)
        {
            if (TargetsOf(endpoint).Intersect(TargetsOf(service.Endpoints[other])).Any())
            {
                yield return $"{at}.records: shares a target with endpoint '{service.Endpoints[other].Name}': DNS could not tell which of them serves";
            }
        }
    }

    /// <summary>How much of a plan is an endpoint's.</summary>
    private const int RecordsMax = 1000;

    private static bool PointsAt(Service service, DnsTarget record)
    {
        return record.Type switch
        {
            "CNAME" => record.Values.Any(IsItself),
            "HTTPS" => record.Values.Any(value => value.Split(' ') is ["0", var target, ..] && IsItself(target)),
            _ => record.Alias is { } alias && IsItself(alias.DnsName),
        };

        bool IsItself(string target) => string.Equals(target.TrimEnd('.'), service.Name, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>What tells one endpoint from another. An HTTPS record may well be the same for all.</summary>
    private static IEnumerable<(string Type, string Target)> TargetsOf(ServiceEndpoint endpoint) => endpoint.Records
        .Where(record => record.Type != "HTTPS")
        .SelectMany(record => record.Alias is { } alias ? [(record.Type, "alias " + alias.DnsName)] : record.Values.Select(value => (record.Type, value)));

    private static IEnumerable<string> RecordMistakes(string at, Service service, DnsTarget record)
    {
        if (!Types.Contains(record.Type))
        {
            yield return $"{at}: type '{record.Type}' is none of {string.Join(", ", Types)}";
        }
        else if (record.Alias is { } alias)
        {
            if (record.Values.Count > 0 || record.Type is not ("A" or "AAAA") || alias.HostedZoneId.Length == 0 || Uri.CheckHostName(alias.DnsName.TrimEnd('.')) != UriHostNameType.Dns)
            {
                yield return $"{at}: an alias is of type A or AAAA, has a hostedZoneId and a dnsName, and no values";
            }

            if (service.HostedZoneId is null || service.Lever == Lever.Switch)
            {
                yield return $"{at}: only Route 53 has aliases, and with the lever 'Switch' nothing would tell which of them is answered";
            }
        }
        else if (record.Values.Distinct().Count() != record.Values.Count)
        {
            yield return $"{at}: '{string.Join(", ", record.Values)}' has a value twice";
        }
        else if (record.Values.Count == 0 || record.Values.Any(value => !IsValue(record.Type, value)) || (record.Type == "CNAME" && record.Values.Count > 1))
        {
            yield return $"{at}: '{string.Join(", ", record.Values)}' is no value of type {record.Type}";
        }
        else if (record.Type == "HTTPS" && record.Values.Any(value => value.Split(' ') is not [_, ".", .. var parameters] || parameters.Any(parameter => parameter.StartsWith("port=", StringComparison.OrdinalIgnoreCase))))
        {
            yield return $"{at}: '{string.Join(", ", record.Values)}' leads clients to another name or port than the probes: an HTTPS record has the target '.' and no 'port'";
        }
    }

    private static bool IsValue(string type, string value) => type switch
    {
        "A" => IPAddress.TryParse(value, out var four) && four.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork && four.ToString() == value,
        "AAAA" => IPAddress.TryParse(value, out var six) && six.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 && six.ToString() == value,
        "CNAME" => Uri.CheckHostName(value.TrimEnd('.')) == UriHostNameType.Dns && value.Contains('.', StringComparison.Ordinal),
        _ => value.Split(' ') is [var priority, { Length: > 0 }, ..] && ushort.TryParse(priority, NumberStyles.None, CultureInfo.InvariantCulture, out _) && Ascii.IsValid(value),
    };

    private static IEnumerable<string> UrlMistakes(string at, Uri url)
    {
        if (!url.IsAbsoluteUri || url.Scheme is not ("http" or "https") || url.UserInfo.Length > 0)
        {
            yield return $"{at}: '{url.OriginalString}' is not an http or https address without user information";
        }
    }

    private static IEnumerable<string> Doubles(string at, IEnumerable<string> names) =>
        names.GroupBy(name => name).Where(group => group.Count() > 1).Select(group => $"{at}: '{group.Key}' stands there {group.Count()} times");
}

/// <summary>A topology has mistakes; the message lists all of them.</summary>
public sealed class TopologyException(IReadOnlyList<string> mistakes)
    : Exception("The topology is not valid:\n" + string.Join('\n', mistakes.Select(mistake => "  " + mistake)))
{
    /// <summary>Each with its place in the file.</summary>
    public IReadOnlyList<string> Mistakes { get; } = mistakes;
}
