using System.Net;
using System.Text.Json.Nodes;
using Failover.Testing;
using Failover.LocalHost.Network;
using Failover.LocalHost.Route53;

namespace Failover.LocalHost.Tests;

/// <summary>LocalHost's Route 53, read and written by the AWS CLI, which others wrote.</summary>
public sealed class Route53CliTests : IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    private readonly HostedZone _zone = new("Z0LOCALHOST", "example.test.");
    private readonly string? _aws = Peer.Find("aws");
    private Door _door = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(_aws is null, "The AWS CLI is not on this machine: LocalHost's Route 53 is spoken to by our own client only.");
        _door = new Door(new IPEndPoint(IPAddress.Loopback, 0), new Route53Api(_zone, new Faults(TimeSpan.Zero), TimeProvider.System).HandleAsync);
        await _door.SetOpenAsync(true);
    }

    public async ValueTask DisposeAsync()
    {
        if (_door is not null)
        {
            await _door.DisposeAsync();
        }
    }

    [Fact]
    public async Task The_zone_and_its_records_are_listed()
    {
        _zone.Apply([new ZoneChange("CREATE", new ZoneRecordSet("app.example.test.", "A", 5, ["127.0.0.11"]))]);

        var zones = JsonNode.Parse((await AwsAsync("list-hosted-zones")).Output)!["HostedZones"]!.AsArray();
        Assert.Equal(("/hostedzone/Z0LOCALHOST", "example.test."), ((string?)Assert.Single(zones)!["Id"], (string?)zones[0]!["Name"]));
        var sets = JsonNode.Parse((await AwsAsync("list-resource-record-sets", "--hosted-zone-id", "Z0LOCALHOST")).Output)!["ResourceRecordSets"]!.AsArray();
        var set = Assert.Single(sets, set => (string?)set!["Type"] == "A")!;
        Assert.Equal(("app.example.test.", 5, "127.0.0.11"), ((string?)set["Name"], (int)set["TTL"]!, (string?)set["ResourceRecords"]![0]!["Value"]));
    }

    [Fact]
    public async Task A_batch_is_applied_and_one_that_does_not_match_is_refused_whole()
    {
        var made = await ChangeAsync(("CREATE", "app.example.test", "A", "127.0.0.11"), ("CREATE", "_failover.app.example.test", "TXT", "\\\"v=1\\\""));
        Assert.Equal("INSYNC", (string?)JsonNode.Parse(made.Output)!["ChangeInfo"]!["Status"]);

        var refused = await ChangeAsync(("DELETE", "app.example.test", "A", "127.0.0.99"), ("CREATE", "other.example.test", "A", "127.0.0.12"));

        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("InvalidChangeBatch", refused.Error, StringComparison.Ordinal);
        Assert.Equal("127.0.0.11", Assert.Single(_zone.Find("app.example.test.", "A")!.Values));
        Assert.Equal("\"v=1\"", Assert.Single(_zone.Find("_failover.app.example.test.", "TXT")!.Values));
        Assert.Null(_zone.Find("other.example.test.", "A"));
    }

    private Task<(int ExitCode, string Output, string Error)> ChangeAsync(params (string Action, string Name, string Type, string Value)[] changes) => AwsAsync(
        "change-resource-record-sets", "--hosted-zone-id", "Z0LOCALHOST", "--change-batch",
        $$"""{"Changes":[{{string.Join(',', changes.Select(change => $$$"""{"Action":"{{{change.Action}}}","ResourceRecordSet":{"Name":"{{{change.Name}}}","Type":"{{{change.Type}}}","TTL":5,"ResourceRecords":[{"Value":"{{{change.Value}}}"}]}}"""))}}]}""");

    private Task<(int ExitCode, string Output, string Error)> AwsAsync(params string[] arguments) => Peer.RunAsync(
        _aws!,
        ["--endpoint-url", $"http://127.0.0.1:{_door.Port}", "--output", "json", "route53", .. arguments],
        new Dictionary<string, string> { ["AWS_ACCESS_KEY_ID"] = "local", ["AWS_SECRET_ACCESS_KEY"] = "local", ["AWS_DEFAULT_REGION"] = "us-east-1", ["AWS_CONFIG_FILE"] = "/dev/null", ["AWS_SHARED_CREDENTIALS_FILE"] = "/dev/null", ["AWS_PAGER"] = "" },
        Token);
}
