using System.Text.Json;
using System.Text.Json.Nodes;
using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Topologies;

namespace Failover.ControlPlane.Tests;

/// <summary>A topology file is validated whole.</summary>
public class TopologyTests
{
    [Fact]
    public void A_good_file_is_read_with_its_defaults()
    {
        var topology = TopologyFile.Parse(Good().ToJsonString());

        Assert.Equal((10, 3, 6, 6), (topology.Timing.IntervalSeconds, topology.Timing.DownAfterTicks, topology.Timing.UpAfterTicks, topology.Timing.LostAfterTicks));
        Assert.Equal(TimeSpan.FromSeconds(30), topology.Timing.BallotLifetime);
    }

    public static TheoryData<string, string> Mistakes => new()
    {
        { "$.observers = [\"a\",\"b\"]", "$.observers: 2 given" },
        { "$.replicas = [\"r1\"]", "$.replicas: 1 given" },
        { "$.anchors[1].operator = \"one\"", "$.anchors[1]: shares its operator" },
        { "$.services[0].name = \"App.example.test\"", "$.services[0].name" },
        { "$.services[0].lookUrl = \"http://other.test/\"", "$.services[0].lookUrl: its host" },
        { "$.services[0].endpoints[1].replica = \"r9\"", "$.services[0].endpoints[1].replica: 'r9' is none" },
        { "$.services[0].endpoints[1].records[0].values = [\"192.0.2.1\"]", "shares a target" },
        { "$.services[0].endpoints[0].records[0].values = [\"300.1.1.1\"]", "no value of type A" },
        { "$.services[0].endpoints[0].probeUrl = \"ftp://x/\"", "not an http or https address" },
        { "$.services[0].endpoints[0].probeUrl = \"http://u:p@x/\"", "not an http or https address" },
        { "$.services[0].endpoints[0].name = \"has space\"", "stands in a TXT record" },
        { "$.timing = {\"lostAfterTicks\":2}", "a lost region must stay lost longer" },
        { "$.timing = {\"intervalSeconds\":2}", "must not exceed the interval" },
        { "$.timing = {\"upAfterTicks\":2}", "coming back must be slower" },
        { "$.unknown = 1", "unknown" },
        { "$.services[0].digitalOceanDomain = \"example.test\"", "a name has one authority" },
        { "$.services[0].hostedZoneId = null", "a name has one authority" },
        { "$.services[0].lever = \"Switch\"", "edits no zone" },
        { "$.services[0].rpo = {\"limitSeconds\":0}", "rpo.limitSeconds: 0" },
        { "$.services[0].maintenance = [{\"day\":\"Sunday\",\"start\":\"25:00\",\"minutes\":5}]", "$.services[0].maintenance[0]" },
        { "$.services[0].endpoints[0].expect = {\"latencyMilliseconds\":99999}", "endpoints[0].expect" },
        { "$.services[0].endpoints[0].expect = {\"json\":[{\"path\":\"region\",\"is\":\"x\"}]}", "expect.json: 'region'" },
        { "$.services[0].endpoints[0].expect = {\"json\":[{\"path\":\"/region\"}]}", "expect.json: '/region'" },
        { "$.services[0].endpoints[0].records = [{\"type\":\"MX\",\"values\":[\"10 mail.test\"]}]", "type 'MX' is none" },
        { "$.services[0].endpoints[0].records = [{\"type\":\"CNAME\",\"values\":[\"a.test\",\"b.test\"]}]", "no value of type CNAME" },
        { "$.services[0].endpoints[0].records = [{\"type\":\"CNAME\",\"values\":[\"a.test\"]},{\"type\":\"A\",\"values\":[\"192.0.2.9\"]}]", "a CNAME stands alone" },
        { "$.services[0].endpoints[0].records = [{\"type\":\"A\",\"values\":[\"192.0.2.9\"],\"alias\":{\"hostedZoneId\":\"Z\",\"dnsName\":\"a.test\"}}]", "an alias is of type" },
        { "$.services[0].endpoints[0].records = [{\"type\":\"HTTPS\",\"values\":[\"alpn=h2\"]}]", "no value of type HTTPS" },
        { "$.services[0].endpoints[0].records = [{\"type\":\"A\",\"values\":[\"192.0.2.9\"]},{\"type\":\"HTTPS\",\"values\":[\"1 . port=8443\"]}]", "the target '.' and no 'port'" },
        { "$.services[0].endpoints[0].records = [{\"type\":\"A\",\"values\":[\"192.0.2.9\"]},{\"type\":\"HTTPS\",\"values\":[\"1 svc.example.net. alpn=h2\"]}]", "the target '.' and no 'port'" },
        { "$.allowedNetworks = [\"10.0.0/33\"]", "$.allowedNetworks: '10.0.0/33'" },
        { "$.timing = {\"connectTimeoutMilliseconds\":5000}", "connectTimeoutMilliseconds" },
        { "$.timing = {\"downAfterTicks\":2}", "downAfterTicks: 2; must be 3 to 10" },
        { "$.services[0].hostedZoneId = \"/hostedzone/Z1\"", "leave '/hostedzone/' out" },
        { "$.services[0].hostedZoneId = \"\"", "is not the id of a Route 53 zone" },
        { "$.services[0].endpoints[0].records = [{\"type\":\"CNAME\",\"values\":[\"App.example.test.\"]}]", "leads to 'app.example.test' itself" },
        { "$.services[0].endpoints[0].records = [{\"type\":\"A\",\"alias\":{\"hostedZoneId\":\"Z1\",\"dnsName\":\"app.example.test.\"}}]", "leads to 'app.example.test' itself" },
        { "$.services[0].endpoints[0].records = [{\"type\":\"A\",\"values\":[\"192.0.2.9\"]},{\"type\":\"HTTPS\",\"values\":[\"0 app.example.test.\"]}]", "leads to 'app.example.test' itself" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_told_with_its_place(string change, string expected)
    {
        var file = Good();
        Apply(file, change);

        var error = Assert.Throws<TopologyException>(() => TopologyFile.Parse(file.ToJsonString()));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    /// <summary>F8: every tick reads the ballots of all observers, and DynamoDB takes no more than 400 KB.</summary>
    [Theory]
    [InlineData(50, 3, true)]
    [InlineData(50, 6, false)]
    public void A_topology_whose_ballots_could_grow_too_large_is_refused(int services, int endpoints, bool fits)
    {
        var file = Good();
        var one = file["services"]![0]!;
        file["services"] = new JsonArray([.. Enumerable.Range(0, services).Select(i =>
        {
            var service = one.DeepClone();
            service["name"] = $"service-{i}.example.test";
            service["lookUrl"] = $"http://service-{i}.example.test/";
            service["endpoints"] = new JsonArray([.. Enumerable.Range(0, endpoints).Select(j =>
            {
                var endpoint = one["endpoints"]![0]!.DeepClone();
                endpoint["name"] = $"endpoint-number-{j}";
                endpoint["records"] = JsonNode.Parse($"[{{\"type\":\"A\",\"values\":[\"192.0.2.{j + 1}\"]}}]");
                return endpoint;
            })]);
            return service;
        })]);

        if (fits)
        {
            Assert.InRange(BallotSize.Of(TopologyFile.Parse(file.ToJsonString())), 40_000, BallotSize.Max);
        }
        else
        {
            Assert.Contains("a ballot on all of them can grow to", Assert.Throws<TopologyException>(() => TopologyFile.Parse(file.ToJsonString())).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void All_mistakes_are_told_at_once()
    {
        var file = Good();
        Apply(file, "$.replicas = [\"r1\"]");
        Apply(file, "$.services[0].ttlSeconds = 0");

        Assert.True(Assert.Throws<TopologyException>(() => TopologyFile.Parse(file.ToJsonString())).Mistakes.Count >= 3);
    }

    [Fact]
    public void The_schema_names_exactly_what_the_reader_knows()
    {
        using var schema = JsonDocument.Parse(typeof(Topology).Assembly.GetManifestResourceStream("topology.schema.json")!);
        var written = JsonSerializer.SerializeToElement(TopologyFile.Parse(Good().ToJsonString()), TopologyJson.Default.Topology);

        foreach (var member in written.EnumerateObject())
        {
            Assert.True(schema.RootElement.GetProperty("properties").TryGetProperty(member.Name, out _), member.Name);
        }

        Assert.Equal(
            written.GetProperty("timing").EnumerateObject().Select(member => member.Name).Order(),
            schema.RootElement.GetProperty("properties").GetProperty("timing").GetProperty("properties").EnumerateObject().Select(member => member.Name).Order());
    }

    [Theory]
    [InlineData("""[{"type":"A","alias":{"hostedZoneId":"Z2","dnsName":"d-x.execute-api.us-east-1.amazonaws.com"}},{"type":"HTTPS","values":["1 . alpn=h2"]}]""")]
    [InlineData("""[{"type":"CNAME","values":["lb.example.net"]}]""")]
    [InlineData("""[{"type":"A","values":["192.0.2.9"]},{"type":"AAAA","values":["2001:db8::9"]}]""")]
    public void Every_kind_of_record_is_read(string records)
    {
        var file = Good();
        Apply(file, "$.services[0].endpoints[0].records = " + records);

        Assert.NotEmpty(TopologyFile.Parse(file.ToJsonString()).Services[0].Endpoints[0].Records);
    }

    [Fact]
    public void DigitalOcean_asks_for_the_same_types_everywhere_and_its_own_least_time_to_live()
    {
        var file = Good();
        file["services"]![0]!.AsObject().Remove("hostedZoneId");
        Apply(file, "$.services[0].digitalOceanDomain = \"example.test\"");
        TopologyFile.Parse(file.ToJsonString());
        Apply(file, "$.services[0].ttlSeconds = 29");
        Apply(file, "$.services[0].endpoints[0].records = [{\"type\":\"CNAME\",\"values\":[\"lb.example.net\"]}]");
        var mistakes = Assert.Throws<TopologyException>(() => TopologyFile.Parse(file.ToJsonString())).Mistakes;

        Assert.Contains(mistakes, mistake => mistake.Contains("least is 30", StringComparison.Ordinal));
        Assert.Contains(mistakes, mistake => mistake.Contains("same types", StringComparison.Ordinal));
    }

    private static JsonObject Good() => JsonNode.Parse("""
        {
          "observers": ["o1", "o2", "o3"],
          "replicas": ["r1", "r2"],
          "anchors": [
            { "name": "x", "url": "https://one.test/", "operator": "one", "region": "north" },
            { "name": "y", "url": "https://two.test/", "operator": "two", "region": "south" }
          ],
          "services": [{
            "name": "app.example.test",
            "hostedZoneId": "Z1",
            "authoritativeServers": ["ns-1.example.test"],
            "lookUrl": "https://app.example.test/health/ready",
            "endpoints": [
              { "name": "e1", "replica": "r1", "probeUrl": "https://e1.test/", "records": [{ "type": "A", "values": ["192.0.2.1"] }] },
              { "name": "e2", "replica": "r2", "probeUrl": "https://e2.test/", "records": [{ "type": "A", "values": ["192.0.2.2"] }] }
            ]
          }]
        }
        """)!.AsObject();

    /// <summary>Sets a value by a path such as <c>$.services[0].name = "x"</c>.</summary>
    private static void Apply(JsonObject file, string change)
    {
        var (path, value) = change.Split(" = ", 2) is [var left, var right] ? (left, JsonNode.Parse(right)) : throw new FormatException(change);
        var steps = path[2..].Replace("[", ".", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal).Split('.');
        JsonNode node = file;
        foreach (var step in steps[..^1])
        {
            node = node is JsonArray array ? array[int.Parse(step, System.Globalization.CultureInfo.InvariantCulture)]! : node[step]!;
        }

        node[steps[^1]] = value;
    }
}
