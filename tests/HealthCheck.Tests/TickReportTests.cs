using System.Text;
using Amazon.DynamoDBv2;
using Failover.ControlPlane;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;
using Failover.HealthCheck.Probing;
using Failover.HealthCheck.Tests.Decision;
using Failover.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Failover.HealthCheck.Tests;

/// <summary>The metrics that alarms, and the lever <c>Switch</c>, hang on. The journal cannot be reached, which holds none of them up.</summary>
public class TickReportTests
{
    private static readonly Service Switched = World.Service with { HostedZoneId = null, Lever = Lever.Switch, Endpoints = [.. World.Service.Endpoints.Take(2)] };

    [Theory]
    [InlineData("a", true, "\"LeavePrimary\":[0]")]
    [InlineData("b", true, "\"LeavePrimary\":[1]")]
    [InlineData("b", false, null)]
    public async Task The_switch_tells_what_the_register_says_while_that_is_fresh(string endpoint, bool isFresh, string? line)
    {
        var said = await SayAsync(Switched, World.Register(endpoint) with { Primary = "a" }, "a:+ b:+", isFresh);

        Assert.Equal(line is not null, said.Contains("LeavePrimary", StringComparison.Ordinal));
        Assert.Contains(line ?? "", said, StringComparison.Ordinal);
    }

    /// <summary>Which of the two carries the check was settled at deploy time.</summary>
    [Fact]
    public async Task Other_priorities_do_not_flip_the_switch()
    {
        var turned = Switched with { Endpoints = [.. Switched.Endpoints.Select(endpoint => endpoint with { Priority = -endpoint.Priority })] };

        Assert.Equal("b", turned.Home.Name);
        Assert.Contains("\"LeavePrimary\":[0]", await SayAsync(turned, World.Register() with { Primary = "a" }, "a:+ b:+"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_lever_records_tells_no_switch() =>
        Assert.DoesNotContain("LeavePrimary", await SayAsync(World.Service, World.Register(), "a:+ b:+"), StringComparison.Ordinal);

    [Theory]
    [InlineData("a:+ b:+", false, 0)]
    [InlineData("a:9- b:9-", false, 1)]
    [InlineData("a:9- b:+", true, 1)]
    [InlineData("a:+ b:+", true, 0)]
    public async Task A_failure_that_is_held_is_counted(string says, bool paused, int count) =>
        Assert.Contains(
            $"\"HeldFailure\":[{count}]",
            await SayAsync(World.Service, World.Register() with { Paused = paused ? new Override("o", "op", World.Now, null, null) : null }, says),
            StringComparison.Ordinal);

    [Fact]
    public async Task The_certificate_that_ends_first_is_its_services()
    {
        ProbeResult Shows(int days) => new(true, "") { CertificateUntil = World.Now.AddDays(days) };
        var said = await SayAsync(report =>
        {
            report.Certificates(new Dictionary<(string, string), ProbeResult> { [("app", "a")] = Shows(60), [("app", "b")] = Shows(9), [("shop", "a")] = Shows(30), [("shop", "c")] = new(true, "") });
            return Task.CompletedTask;
        });

        Assert.Contains("\"Service\":\"app\",\"CertificateDaysLeft\":[9]", said, StringComparison.Ordinal);
        Assert.Contains("\"Service\":\"shop\",\"CertificateDaysLeft\":[30]", said, StringComparison.Ordinal);
        Assert.Contains("\"Service\":\"app\",\"Endpoint\":\"a\",\"CertificateDaysLeft\":[60]", said, StringComparison.Ordinal);
    }

    private static Task<string> SayAsync(Service service, Register register, string says, bool isFresh = true)
    {
        var view = new ControlView(register, [], [.. World.Topology.Observers.Select(observer => World.Ballot(observer, says))]);
        var look = new Look([new Listing(register.Plan.Sets, register.Plan.Txt)], HttpOk: true, "");
        var (mover, _) = Mover.Start(World.Topology, service, "o1", look, view, World.Now);
        return SayAsync(report => report.FollowedAsync(service, World.Ballot("o1", says), look, mover, new Step.Finish(Ending.Settled, ""), isFresh, TestContext.Current.CancellationToken));
    }

    private static async Task<string> SayAsync(Func<TickReport, Task> tell)
    {
        using var output = new MemoryStream();
        var time = new FakeTimeProvider(World.Now);
        var nowhere = new JournalStore(
            new AmazonDynamoDBClient("local", "local", new AmazonDynamoDBConfig { ServiceURL = "http://127.0.0.1:9", AuthenticationRegion = "us-east-1", MaxErrorRetry = 0 }), "Journal", TimeSpan.FromSeconds(2));
        await tell(new TickReport(
            new HealthCheckOptions("o1", World.Topology, "", "", "", ""), nowhere, new Metrics(new LineWriter(output), time), time, NullLogger<TickReport>.Instance));
        return Encoding.UTF8.GetString(output.ToArray());
    }
}
