using System.Text.Json;
using Failover.LocalHost.Network;

namespace Failover.LocalHost.Tests;

/// <summary>What can be asked to break, and what is said of anything else.</summary>
public class FaultRequestTests
{
    [Theory]
    [InlineData("""{"kind":"region-down","region":"east","mode":"hang"}""")]
    [InlineData("""{"kind":"region-down","region":"east"}""")]
    [InlineData("""{"kind":"endpoint-down","endpoint":"east","mode":"refuse"}""")]
    [InlineData("""{"kind":"observer-isolated","region":"west"}""")]
    [InlineData("""{"kind":"control-lost-answer","share":0.5}""")]
    [InlineData("""{"kind":"replication-pause"}""")]
    [InlineData("""{"kind":"replication-lag","from":"east","to":"west","lagMs":500}""")]
    [InlineData("""{"kind":"dns-api-down"}""")]
    [InlineData("""{"kind":"dns-server-silent","server":1}""")]
    [InlineData("""{"kind":"tick-queue-down"}""")]
    [InlineData("""{"kind":"tick-queue-down","region":"north"}""")]
    [InlineData("""{"kind":"dns-server-silent","server":2}""")]
    public void The_contract_is_understood(string json) => Assert.Null(Read(json).Mistake);

    [Theory]
    [InlineData("{}", "kind is ''")]
    [InlineData("""{"kind":"earthquake"}""", "kind is 'earthquake'")]
    [InlineData("""{"kind":"region-down"}""", "needs 'region'")]
    [InlineData("""{"kind":"region-down","region":"mars"}""", "'mars' is no region")]
    [InlineData("""{"kind":"endpoint-down","endpoint":"mars"}""", "'mars' is no endpoint")]
    [InlineData("""{"kind":"region-down","region":"east","lagMs":3}""", "takes no 'lagMs'")]
    [InlineData("""{"kind":"region-down","region":"east","mode":"burn"}""", "mode")]
    [InlineData("""{"kind":"control-lost-answer","share":2}""", "0 to 1")]
    [InlineData("""{"kind":"replication-lag","lagMs":-1}""", "lagMs")]
    [InlineData("""{"kind":"replication-pause","from":"north"}""", "holds no replica")]
    [InlineData("""{"kind":"dns-server-silent"}""", "needs 'server'")]
    [InlineData("""{"kind":"dns-server-silent","server":0}""", "server is 1 to 2, not 0")]
    [InlineData("""{"kind":"dns-server-silent","server":3}""", "server is 1 to 2, not 3")]
    [InlineData("""{"kind":"dns-server-silent","server":"one"}""", "server")]
    [InlineData("""{"kind":"tick-queue-down","region":"mars"}""", "'mars' is no region")]
    [InlineData("""{"kind":"dns-api-down","server":1}""", "takes no 'server'")]
    public void Anything_else_is_told_what_is_wrong(string json, string expected) => Assert.Contains(expected, Read(json).Mistake, StringComparison.Ordinal);

    private static (Fault? Fault, string? Mistake) Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        return FaultRequest.Read(document.RootElement.Clone(), ["east", "west", "north"], ["east", "west"], ["east", "west"]);
    }
}
