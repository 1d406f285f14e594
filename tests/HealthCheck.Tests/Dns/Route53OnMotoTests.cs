using System.Text;
using System.Xml.Linq;
using Amazon.Route53;
using Amazon.Route53.Model;
using Amazon.Runtime;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;
using Failover.HealthCheck.Dns;
using Failover.HealthCheck.Tests.Decision;
using Failover.Testing;

namespace Failover.HealthCheck.Tests.Dns;

/// <summary>
/// The lever against moto's Route 53, which others wrote: the form of what is sent and read. Not the fence: moto compares a DELETE with the past, not with what is there.
/// </summary>
public sealed class Route53OnMotoTests : IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;
    private static readonly XNamespace Ns = "https://route53.amazonaws.com/doc/2013-04-01/";

    private Peer _moto = null!;
    private Service _service = null!;
    private AmazonRoute53Client? _client;

    public async ValueTask InitializeAsync()
    {
        var program = Peer.Find("moto_server");
        Assert.SkipWhen(program is null, "moto_server is not on this machine ('pip install moto[server]' brings it): Route 53's wire format is tested against LocalHost's own only.");
        _moto = await Peer.StartAsync(program, port => ["-H", "127.0.0.1", "-p", $"{port}"]);
        using var http = new HttpClient();
        // moto tells services apart by the signature's scope.
        http.DefaultRequestHeaders.TryAddWithoutValidation(
            "Authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/route53/aws4_request, SignedHeaders=host, Signature=local");
        using var made = await http.PostAsync(
            new Uri(_moto.Address, "2013-04-01/hostedzone"),
            new StringContent($"<CreateHostedZoneRequest xmlns=\"{Ns}\"><Name>example.test.</Name><CallerReference>1</CallerReference></CreateHostedZoneRequest>", Encoding.UTF8, "text/xml"),
            Token);
        var zone = XDocument.Parse(await made.Content.ReadAsStringAsync(Token)).Descendants(Ns + "Id").First().Value;
        _service = World.Service with { HostedZoneId = zone };
        _client = new AmazonRoute53Client(
            new BasicAWSCredentials("local", "local"), new AmazonRoute53Config { ServiceURL = _moto.Address.ToString(), AuthenticationRegion = "us-east-1", MaxErrorRetry = 0 });
    }

    public async ValueTask DisposeAsync()
    {
        if (_moto is not null)
        {
            _client?.Dispose();
            await _moto.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_plan_is_created_read_back_and_replaced()
    {
        var (first, next) = (World.Plan("a", 0), World.Plan("b", 1));
        var records = new Route53Records(_client!);
        var empty = await records.ListAsync(_service, Token);
        Assert.Empty(empty.Sets);
        Assert.Null(empty.Txt);

        Assert.Equal(ApplyOutcome.Applied, (await records.ApplyAsync(_service, first, empty, Token)).Outcome);
        var listed = await records.ListAsync(_service, Token);
        Assert.True(listed.IsSameAs(new Listing(first.Sets, first.Txt)));

        Assert.Equal(ApplyOutcome.Applied, (await records.ApplyAsync(_service, next, listed, Token)).Outcome);
        Assert.True((await records.ListAsync(_service, Token)).IsSameAs(new Listing(next.Sets, next.Txt)));
    }

    [Fact]
    public async Task A_create_of_what_exists_is_refused()
    {
        var records = new Route53Records(_client!);
        var empty = await records.ListAsync(_service, Token);
        await records.ApplyAsync(_service, World.Plan("a", 0), empty, Token);

        Assert.Equal(ApplyOutcome.Refused, (await records.ApplyAsync(_service, World.Plan("a", 0), empty, Token)).Outcome);
    }

    [Fact]
    public async Task A_zone_that_is_not_there_is_told_by_its_name() =>
        await Assert.ThrowsAsync<NoSuchHostedZoneException>(() => new Route53Records(_client!).ListAsync(_service with { HostedZoneId = "ZNONE" }, Token));

    [Fact]
    public async Task A_listing_goes_on_over_pages()
    {
        for (var i = 0; i < 5; i++)
        {
            await _client!.ChangeResourceRecordSetsAsync(
                new ChangeResourceRecordSetsRequest
                {
                    HostedZoneId = _service.HostedZoneId,
                    ChangeBatch = new ChangeBatch
                    {
                        Changes =
                        [
                            new Change
                            {
                                Action = ChangeAction.CREATE,
                                ResourceRecordSet = new ResourceRecordSet { Name = $"n{i}.example.test.", Type = RRType.A, TTL = 60, ResourceRecords = [new ResourceRecord { Value = "192.0.2.1" }] },
                            },
                        ],
                    },
                },
                Token);
        }

        var page = await _client!.ListResourceRecordSetsAsync(new ListResourceRecordSetsRequest { HostedZoneId = _service.HostedZoneId, MaxItems = "3" }, Token);
        var rest = await _client!.ListResourceRecordSetsAsync(
            new ListResourceRecordSetsRequest { HostedZoneId = _service.HostedZoneId, StartRecordName = page.NextRecordName, StartRecordType = page.NextRecordType, MaxItems = "100" }, Token);

        Assert.Equal((3, true, false), (page.ResourceRecordSets!.Count, page.IsTruncated, rest.IsTruncated));
        Assert.Equal(
            ["n0.example.test.", "n1.example.test.", "n2.example.test.", "n3.example.test.", "n4.example.test."],
            page.ResourceRecordSets.Concat(rest.ResourceRecordSets!).Select(set => set.Name).Where(name => name!.StartsWith('n')).Order());
    }
}
