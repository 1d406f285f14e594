using System.Net;
using System.Xml.Linq;
using Failover.LocalHost.Network;
using Failover.LocalHost.Route53;
using Microsoft.Extensions.Time.Testing;

namespace Failover.LocalHost.Tests;

/// <summary>Route 53's API over HTTP: what is sent is kept, pages are Route 53's, and so is the limit of requests.</summary>
public sealed class Route53ApiTests : IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;
    private static readonly XNamespace Ns = "https://route53.amazonaws.com/doc/2013-04-01/";

    private readonly FakeTimeProvider _time = new();
    private readonly HostedZone _zone = new("Z1", "example.test.");
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false });
    private RequestLimit? _limit;
    private Door _door = null!;

    public async ValueTask InitializeAsync()
    {
        _door = new Door(new IPEndPoint(IPAddress.Loopback, 0), context =>
            new Route53Api(_zone, new Faults(TimeSpan.Zero), _time, _limit).HandleAsync(context));
        await _door.SetOpenAsync(true);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _door.DisposeAsync();
    }

    [Theory]
    [InlineData("\"a\" \"b\"")]
    [InlineData("\"say \\\"hi\\\" \\344\"")]
    public async Task A_TXT_value_is_listed_exactly_as_it_was_sent(string value)
    {
        Assert.Null((await ChangeAsync("CREATE", Txt(value))).Error);

        var (_, page) = await ListAsync("?name=t.example.test&type=TXT");
        Assert.Equal(value, page.Descendants(Ns + "Value").First().Value);
        Assert.Null((await ChangeAsync("DELETE", Txt(value))).Error);
    }

    [Theory]
    [InlineData("unquoted", "InvalidCharacterString")]
    [InlineData("\"a\" b", "InvalidCharacterString")]
    public async Task A_TXT_value_that_is_none_is_refused_in_Route_53s_words(string value, string expected)
    {
        var (error, message) = await ChangeAsync("CREATE", Txt(value));

        Assert.Equal("InvalidChangeBatch", error);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sets_with_an_identifier_stand_beside_each_other_and_are_deleted_one_by_one()
    {
        await CreateWeightedAsync();

        var (_, page) = await ListAsync("?name=w.example.test");
        var sets = page.Descendants(Ns + "ResourceRecordSet").Where(set => Of(set, "Name") == "w.example.test.").ToList();
        Assert.Equal(["one 10 192.0.2.1 h1", "two 20 192.0.2.2 "],
            sets.Select(set => $"{Of(set, "SetIdentifier")} {Of(set, "Weight")} {AddressOf(set)} {Of(set, "HealthCheckId")}"));

        Assert.Equal("InvalidChangeBatch", (await ChangeAsync("DELETE", Weighted("three", 10, "192.0.2.1"))).Error);
        Assert.Equal("InvalidChangeBatch", (await ChangeAsync("DELETE", A("w", "192.0.2.1"))).Error);
        Assert.Equal("InvalidChangeBatch", (await ChangeAsync("DELETE", Weighted("two", 10, "192.0.2.2"))).Error);
        Assert.Null((await ChangeAsync("DELETE", Weighted("two", 20, "192.0.2.2"))).Error);
        Assert.NotNull(_zone.Find("w.example.test.", "A", "one"));
        Assert.Null(_zone.Find("w.example.test.", "A", "two"));
    }

    [Fact]
    public async Task A_set_without_identifier_stands_alone_and_all_others_share_one_policy()
    {
        await CreateWeightedAsync();

        Assert.Equal("InvalidChangeBatch", (await ChangeAsync("CREATE", A("w", "192.0.2.3"))).Error);
        Assert.Equal("InvalidChangeBatch",
            (await ChangeAsync("CREATE", A("w", "192.0.2.3", "<SetIdentifier>p</SetIdentifier><Failover>PRIMARY</Failover>"))).Error);
        Assert.Equal("InvalidInput", (await ChangeAsync("CREATE", A("w", "192.0.2.3", "<SetIdentifier>p</SetIdentifier>"))).Error);
        Assert.Equal("InvalidInput", (await ChangeAsync("CREATE", A("w", "192.0.2.3", "<Weight>3</Weight>"))).Error);
        Assert.Equal("InvalidChangeBatch", (await ChangeAsync("CREATE", Weighted("heavy", 256, "192.0.2.3"))).Error);
    }

    [Fact]
    public async Task Pages_lead_through_all_sets_by_name_type_and_identifier()
    {
        await CreateWeightedAsync();
        await ChangeAsync("CREATE", A("app-x", "192.0.2.4"));
        await ChangeAsync("CREATE", A("app", "192.0.2.5"));
        await ChangeAsync("CREATE", A("*", "192.0.2.6"));

        var listed = new List<string>();
        for (var query = "?maxitems=1"; query is not null;)
        {
            var (_, page) = await ListAsync(query);
            var set = Assert.Single(page.Descendants(Ns + "ResourceRecordSet"));
            Assert.True(listed.Count < 10, "The pages do not end.");
            listed.Add($"{Of(set, "Name")} {Of(set, "Type")} {Of(set, "SetIdentifier")}".TrimEnd());
            Assert.Equal("1", Of(page, "MaxItems"));
            Assert.Equal(Of(page, "NextRecordName") is null ? "false" : "true", Of(page, "IsTruncated"));
            query = Of(page, "NextRecordName") is { } name
                ? $"?maxitems=1&name={Uri.EscapeDataString(name)}&type={Of(page, "NextRecordType")}"
                    + $"&identifier={Of(page, "NextRecordIdentifier")}"
                : null;
        }

        Assert.Equal(
            [
                "example.test. NS", "example.test. SOA", "\\052.example.test. A", "app-x.example.test. A", "app.example.test. A",
                "w.example.test. A one", "w.example.test. A two",
            ],
            listed);
    }

    [Theory]
    [InlineData("?name=app.example.test", "app.example.test. A")]
    [InlineData("?name=app.example.test&type=A", "app.example.test. A")]
    [InlineData("?name=app.example.test&type=TXT", "b.example.test. A")]
    [InlineData("?name=aaz.example.test", "app.example.test. A")]
    [InlineData("?name=APP.Example.Test.", "app.example.test. A")]
    public async Task A_list_begins_at_the_first_set_that_is_not_before_what_is_asked_for(string query, string expected)
    {
        await ChangeAsync("CREATE", A("app", "192.0.2.1"));
        await ChangeAsync("CREATE", A("b", "192.0.2.1"));

        var (_, page) = await ListAsync(query);

        var first = page.Descendants(Ns + "ResourceRecordSet").First();
        Assert.Equal(expected, $"{Of(first, "Name")} {Of(first, "Type")}");
    }

    [Theory]
    [InlineData("?type=A")]
    [InlineData("?identifier=one")]
    [InlineData("?name=app.example.test&identifier=one")]
    [InlineData("?name=app.example.test&type=EARTH")]
    [InlineData("?maxitems=0")]
    [InlineData("?maxitems=many")]
    public async Task A_list_that_Route_53_refuses_is_refused(string query)
    {
        var (status, page) = await ListAsync(query);

        Assert.Equal((HttpStatusCode.BadRequest, "InvalidInput"), (status, page.Descendants(Ns + "Code").Single().Value));
    }

    [Fact]
    public async Task A_page_has_at_most_300_sets()
    {
        _zone.Apply([.. Enumerable.Range(0, 310).Select(i =>
            new ZoneChange("CREATE", new ZoneRecordSet($"n{i:D3}.example.test.", "A", 60, ["192.0.2.1"])))]);

        var (_, page) = await ListAsync("?maxitems=1000");

        Assert.Equal(300, page.Descendants(Ns + "ResourceRecordSet").Count());
        Assert.Equal(("true", "300"), (Of(page, "IsTruncated"), Of(page, "MaxItems")));
    }

    [Fact]
    public async Task Over_the_limit_every_request_is_throttled_until_time_has_passed()
    {
        _limit = new RequestLimit(10, 2, _time);
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK], [(await ListAsync("")).Status, (await ListAsync("")).Status]);

        var (status, answer) = await ListAsync("");
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(("Throttling", "Rate exceeded"), (
            answer.Descendants(Ns + "Code").Single().Value, answer.Descendants(Ns + "Message").Single().Value));
        Assert.Equal("Throttling", (await ChangeAsync("CREATE", A("app", "192.0.2.1"))).Error);
        Assert.Null(_zone.Find("app.example.test.", "A"));
        _time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Equal(HttpStatusCode.OK, (await ListAsync("")).Status);
    }

    private async Task CreateWeightedAsync()
    {
        Assert.Null((await ChangeAsync("CREATE", Weighted("one", 10, "192.0.2.1", "<HealthCheckId>h1</HealthCheckId>"))).Error);
        Assert.Null((await ChangeAsync("CREATE", Weighted("two", 20, "192.0.2.2"))).Error);
    }

    private static string AddressOf(XElement set) => set.Descendants(Ns + "Value").First().Value;

    private static string Txt(string value) => $"<Name>t.example.test</Name><Type>TXT</Type>{Records(value)}";

    private static string Records(string value) =>
        $"<TTL>60</TTL><ResourceRecords><ResourceRecord><Value>{value}</Value></ResourceRecord></ResourceRecords>";

    private static string A(string label, string address, string routing = "", string more = "") =>
        $"<Name>{label}.example.test</Name><Type>A</Type>{routing}{Records(address)}{more}";

    private static string Weighted(string identifier, int weight, string address, string more = "") =>
        A("w", address, $"<SetIdentifier>{identifier}</SetIdentifier><Weight>{weight}</Weight>", more);

    private static string? Of(XElement parent, string name) => parent.Element(Ns + name)?.Value;

    private async Task<(HttpStatusCode Status, XElement Page)> ListAsync(string query)
    {
        using var response = await _http.GetAsync(new Uri($"http://127.0.0.1:{_door.Port}/2013-04-01/hostedzone/Z1/rrset{query}"), Token);
        return (response.StatusCode, XElement.Parse(await response.Content.ReadAsStringAsync(Token)));
    }

    private async Task<(string? Error, string? Message)> ChangeAsync(string action, string set)
    {
        var batch = $"""
            <ChangeResourceRecordSetsRequest xmlns="{Ns}"><ChangeBatch><Changes><Change><Action>{action}</Action>
            <ResourceRecordSet>{set}</ResourceRecordSet></Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>
            """;
        using var response = await _http.PostAsync(new Uri($"http://127.0.0.1:{_door.Port}/2013-04-01/hostedzone/Z1/rrset/"),
            new StringContent(batch), Token);
        var answer = XElement.Parse(await response.Content.ReadAsStringAsync(Token));
        return (answer.Descendants(Ns + "Code").FirstOrDefault()?.Value, answer.Descendants(Ns + "Message").FirstOrDefault()?.Value);
    }
}
