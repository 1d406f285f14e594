using System.Net;
using Amazon.Runtime;
using Amazon.SimpleSystemsManagement;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;
using Failover.HealthCheck.Dns;
using Failover.HealthCheck.Probing;
using Failover.HealthCheck.Tests.Decision;
using Failover.LocalHost.DigitalOcean;
using Failover.LocalHost.Network;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Failover.HealthCheck.Tests;

/// <summary>
/// Records and load balancers at LocalHost's DigitalOcean, over HTTP and the client: what is changed in place, and what fails, hangs, or succeeds and reports failure.
/// Where <c>DIGITALOCEAN_CONTRACT_URL</c> names a server of the published contract (prism), every request is shown to it too, and none may break it. Its DELETEs are not published.
/// </summary>
public sealed class DigitalOceanTests : IAsyncLifetime
{
    private const string Domain = "example.test";
    private const string Token = "a-secret-token";
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private static readonly Service Service = World.Service with
    {
        HostedZoneId = null,
        DigitalOceanDomain = Domain,
        Endpoints =
        [
            .. World.Service.Endpoints.Select((endpoint, i) => endpoint with
            {
                Records = [new DnsTarget { Type = "A", Values = [$"192.0.2.{i + 1}", $"192.0.2.{i + 101}"] }, new DnsTarget { Type = "AAAA", Values = [$"2001:db8::{i + 1}"] }],
            }),
        ],
    };

    private static readonly Plan First = PlanOf("a", 4);
    private static readonly Plan Next = PlanOf("b", 5);
    private static readonly Register Moving = World.Register() with { Plan = Next, Known = [First] };

    private static readonly string? Contract = Environment.GetEnvironmentVariable("DIGITALOCEAN_CONTRACT_URL");

    private readonly HttpClient _contract = new();
    private readonly List<string> _violations = [];
    private readonly DigitalOceanCloud _cloud = new(Domain);
    private readonly FakeTimeProvider _time = new(World.Now);
    private readonly List<string> _requests = [];
    private Door _api = null!;
    private Door _ssm = null!;
    private bool _ssmAnswers = true;

    /// <summary>What becomes of a request; null: it is answered.</summary>
    private Func<HttpContextOf, Task<bool>>? _trouble;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(typeof(DigitalOcean.API.DigitalOceanClient).Assembly.GetType("DigitalOcean.API.Http.IConnection") is not null, "The official client speaks to DigitalOcean's own address only.");
        foreach (var set in First.Sets.Append(First.Txt))
        {
            foreach (var value in set.Values)
            {
                _cloud.Create(set.Type, set.Name[..^(Domain.Length + 1)], value, 60);
            }
        }

        // More than a page of what is not ours.
        for (var i = 0; i < 45; i++)
        {
            _cloud.Create("A", $"other-{i}", "198.51.100.1", 60);
        }

        var api = new DigitalOceanApi(_cloud, Token, TimeProvider.System);
        _api = new Door(new IPEndPoint(IPAddress.Loopback, 0), async context =>
        {
            lock (_requests)
            {
                _requests.Add($"{context.Request.Method} {context.Request.Path}");
            }

            await ShowToContractAsync(context.Request);
            if (_trouble is null || await _trouble(new HttpContextOf(context.Request.Method, context.Request.Path.Value!, async (status, body) =>
                {
                    context.Response.StatusCode = status;
                    await context.Response.WriteAsync(body, Cancel);
                },
                () => api.HandleAsync(context),
                context.Abort,
                context.RequestAborted)))
            {
                await api.HandleAsync(context);
            }
        });
        _ssm = new Door(new IPEndPoint(IPAddress.Loopback, 0), context =>
        {
            context.Response.StatusCode = _ssmAnswers ? 200 : 400;
            return context.Response.WriteAsync(_ssmAnswers ? $$$"""{"Parameter":{"Name":"/t","Type":"SecureString","Value":"{{{Token}}}\n"}}""" : """{"__type":"AccessDeniedException","message":"no"}""");
        });
        await _api.SetOpenAsync(true);
        await _ssm.SetOpenAsync(true);
        Environment.SetEnvironmentVariable("DIGITALOCEAN_API_URL", $"http://127.0.0.1:{_api.Port}/v2/");
    }

    public async ValueTask DisposeAsync()
    {
        await (_api?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_ssm?.DisposeAsync() ?? ValueTask.CompletedTask);
        _contract.Dispose();
        Assert.Empty(_violations);
    }

    [Fact]
    public async Task The_contract_refuses_what_breaks_it()
    {
        Assert.SkipWhen(Contract is null, "DIGITALOCEAN_CONTRACT_URL names no server of the contract.");
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Put, $"{Contract}/v2/domains/{Domain}/records/1") { Content = new StringContent("""{"ttl":null}""", null, "application/json") };
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer x");

        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await client.SendAsync(request, Cancel)).StatusCode);
        Assert.Equal(ApplyOutcome.Applied, (await Records().ApplyAsync(Service, Next, await Records().ListAsync(Service, Cancel), Cancel)).Outcome);
    }

    [Fact]
    public async Task Power_is_switched_by_the_client()
    {
        _cloud.Add(new LoadBalancer("lb-1", "one", "nyc3", "192.0.2.1", [1]), new Droplet(1, "d1", IsOn: true));

        Assert.Equal("power_off", (await Access().CallAsync(client => client.DropletActions.PowerOff(1), Cancel)).Type);
        Assert.Equal("off", (await Access().CallAsync(client => client.Droplets.Get(1), Cancel)).Status);
        await Access().CallAsync(client => client.DropletActions.PowerOn(1), Cancel);
        Assert.True(_cloud.Serves("lb-1"));
    }

    [Fact]
    public async Task A_plan_is_written_in_place_by_the_records_ids_and_the_name_always_has_an_address()
    {
        var records = Records();
        var ids = OfName().Select(record => record.Id).ToList();
        var fewest = int.MaxValue;
        _trouble = _ =>
        {
            fewest = Math.Min(fewest, OfName().Count(record => record.Type == "A"));
            return Task.FromResult(true);
        };

        Assert.Equal(ApplyOutcome.Applied, (await records.ApplyAsync(Service, Next, await records.ListAsync(Service, Cancel), Cancel)).Outcome);
        Assert.True((await records.ListAsync(Service, Cancel)).IsSameAs(new Listing(Next.Sets, Next.Txt)));
        Assert.Equal(ids, OfName().Select(record => record.Id));
        Assert.Equal(2, fewest);
        Assert.DoesNotContain(_requests, request => request.StartsWith("DELETE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_write_that_stopped_half_way_is_converged()
    {
        var records = Records();
        var listed = await records.ListAsync(Service, Cancel);
        for (var after = 1; after <= 3; after++)
        {
            var puts = 0;
            _trouble = context => Task.FromResult(context.Method != "PUT" || ++puts <= after || Abort(context));
            await records.ApplyAsync(Service, Next, listed, Cancel);
            _trouble = null;
            var half = await records.ListAsync(Service, Cancel);

            Assert.IsType<GateVerdict.Apply>(DnsGate.Judge(Moving, half, isFenced: false));
            Assert.Equal(ApplyOutcome.Applied, (await records.ApplyAsync(Service, Next, half, Cancel)).Outcome);
            Assert.IsType<GateVerdict.Nothing>(DnsGate.Judge(Moving, await records.ListAsync(Service, Cancel), isFenced: false));
            await records.ApplyAsync(Service, First, await records.ListAsync(Service, Cancel), Cancel);
        }
    }

    [Fact]
    public async Task A_late_writer_is_converged_and_a_persons_edit_freezes()
    {
        var records = Records();
        await records.ApplyAsync(Service, Next, await records.ListAsync(Service, Cancel), Cancel);
        var late = OfName().First(record => record.Type == "A");
        _cloud.Update(late.Id, record => record with { Data = "192.0.2.1" });
        Assert.IsType<GateVerdict.Apply>(DnsGate.Judge(Moving, await records.ListAsync(Service, Cancel), isFenced: false));

        _cloud.Update(late.Id, record => record with { Data = "198.51.100.7" });
        Assert.IsType<GateVerdict.Freeze>(DnsGate.Judge(Moving, await records.ListAsync(Service, Cancel), isFenced: false));

        _cloud.Update(late.Id, record => record with { Data = "192.0.2.1", Ttl = 61 });
        Assert.IsType<GateVerdict.Freeze>(DnsGate.Judge(Moving, await records.ListAsync(Service, Cancel), isFenced: false));
    }

    /// <summary>Three observers that make the first TXT at once make three: nothing there can be conditional.</summary>
    [Fact]
    public async Task What_was_made_twice_at_once_is_made_one()
    {
        var records = Records();
        _cloud.Create("TXT", "_failover.app", First.Txt.Values[0], 60);
        _cloud.Create("A", "app", "192.0.2.1", 60);
        var doubled = await records.ListAsync(Service, Cancel);
        var register = World.Register() with { Plan = First };

        Assert.IsType<GateVerdict.Apply>(DnsGate.Judge(register, doubled, isFenced: false));
        Assert.IsType<GateVerdict.Freeze>(DnsGate.Judge(register, doubled));
        Assert.Equal(ApplyOutcome.Applied, (await records.ApplyAsync(Service, First, doubled, Cancel)).Outcome);
        Assert.IsType<GateVerdict.Nothing>(DnsGate.Judge(register, await records.ListAsync(Service, Cancel), isFenced: false));

        _cloud.Create("TXT", "_failover.app", "hello", 60);
        Assert.IsType<GateVerdict.Freeze>(DnsGate.Judge(register, await records.ListAsync(Service, Cancel), isFenced: false));
    }

    [Fact]
    public async Task What_is_no_longer_as_listed_is_not_touched()
    {
        var records = Records();
        var listed = await records.ListAsync(Service, Cancel);
        _cloud.Update(OfName().First().Id, record => record with { Data = "198.51.100.7" });

        Assert.Equal(ApplyOutcome.Refused, (await records.ApplyAsync(Service, Next, listed, Cancel)).Outcome);
        Assert.DoesNotContain(_requests, request => request.StartsWith("PUT", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_too_much_goes_last_and_what_is_missing_is_made_first()
    {
        var records = Records();
        var three = PlanOf("a", 6) with { Sets = [new RecordSet(Service.Name, "A", 60, ["192.0.2.1", "192.0.2.5", "192.0.2.6"]), First.Sets[1]] };
        await records.ApplyAsync(Service, three, await records.ListAsync(Service, Cancel), Cancel);
        Assert.Equal(3, OfName().Count(record => record.Type == "A"));

        await records.ApplyAsync(Service, First, await records.ListAsync(Service, Cancel), Cancel);
        Assert.Equal(2, OfName().Count(record => record.Type == "A"));
        Assert.True(_requests.FindLastIndex(request => request.StartsWith("PUT", StringComparison.Ordinal)) > 0);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await records.ApplyAsync(Service, First with { Sets = [] }, await records.ListAsync(Service, Cancel), Cancel));
    }

    [Fact]
    public async Task Types_that_exclude_each_other_are_told_before_the_day()
    {
        var records = Records();
        var cname = PlanOf("c", 6) with { Sets = [new RecordSet(Service.Name, "CNAME", 60, ["lb.example.net"])] };
        var before = _requests.Count;

        Assert.Null(await records.RefusalOfAsync(Service, First, Next, Cancel));
        Assert.Null(await records.RefusalOfAsync(Service, First, cname, Cancel));
        _cloud.Create("MX", "app", "mail.example.net.", 60);
        Assert.Contains("CNAME cannot stand beside the name's MX", await records.RefusalOfAsync(Service, First, cname, Cancel), StringComparison.Ordinal);
        Assert.DoesNotContain(_requests.Skip(before), request => !request.StartsWith("GET", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(429, """{"id":"too_many_requests","message":"API rate limit exceeded."}""", ApplyOutcome.Busy)]
    [InlineData(403, """{"id":"forbidden","message":"Load Balancer can't be updated while it processes previous actions"}""", ApplyOutcome.Busy)]
    [InlineData(500, """{"id":"server_error","message":"Unexpected server-side error"}""", ApplyOutcome.Unknown)]
    [InlineData(502, "<html>bad gateway</html>", ApplyOutcome.Unknown)]
    [InlineData(504, "", ApplyOutcome.Unknown)]
    public async Task An_api_that_is_busy_or_broken_is_told_as_that(int status, string body, ApplyOutcome outcome)
    {
        var records = Records();
        var listed = await records.ListAsync(Service, Cancel);
        _trouble = async context =>
        {
            if (context.Method == "PUT")
            {
                await context.Answer(status, body);
                return false;
            }

            return true;
        };

        Assert.Equal(outcome, (await records.ApplyAsync(Service, Next, listed, Cancel)).Outcome);
    }

    /// <summary>P4: DigitalOcean answers <c>@</c> for a CNAME to the domain itself; it was applied, and then taken for a stranger's.</summary>
    [Fact]
    public async Task A_CNAME_to_the_domain_itself_is_recognised_after_it_was_applied()
    {
        var plan = Plan.Of(Service, "b", [new RecordSet(Service.Name, "CNAME", 60, [Domain])], 5, World.Now, "o1", "Cname");
        _cloud.Create("CNAME", "app", "elsewhere.example.net", 60);
        foreach (var record in _cloud.Records.Where(record => record.Type is "A" or "AAAA").ToList())
        {
            _cloud.Delete(record.Id);
        }

        var records = Records();
        Assert.Equal(ApplyOutcome.Applied, (await records.ApplyAsync(Service, plan, await records.ListAsync(Service, Cancel), Cancel)).Outcome);
        var register = Moving with { Plan = plan };
        Assert.IsType<GateVerdict.Nothing>(DnsGate.Judge(register, await records.ListAsync(Service, Cancel), isFenced: false));
    }

    [Fact]
    public async Task A_permission_that_is_missing_is_an_error_that_says_so_and_tells_no_token()
    {
        var records = Records();
        var listed = await records.ListAsync(Service, Cancel);
        _trouble = async context =>
        {
            if (context.Method == "PUT")
            {
                await context.Answer(403, """{"id":"forbidden","message":"You do not have permission to perform this action."}""");
                return false;
            }

            return true;
        };

        var error = await Assert.ThrowsAsync<DigitalOcean.API.Exceptions.ApiException>(() => records.ApplyAsync(Service, Next, listed, Cancel));
        Assert.DoesNotContain(Token, error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_is_lost_after_the_write_is_found_by_reading()
    {
        var records = Records();
        var listed = await records.ListAsync(Service, Cancel);
        var txt = OfName().Single(record => record.Type == "TXT").Id;
        _trouble = async context =>
        {
            if (context.Method == "PUT" && context.Path.EndsWith($"/{txt}", StringComparison.Ordinal))
            {
                await context.Handle();
                context.Abort();
                return false;
            }

            return true;
        };

        Assert.Equal(ApplyOutcome.Unknown, (await records.ApplyAsync(Service, Next, listed, Cancel)).Outcome);
        _trouble = null;
        Assert.IsType<GateVerdict.Nothing>(DnsGate.Judge(Moving, await records.ListAsync(Service, Cancel), isFenced: false));
    }

    [Fact]
    public async Task An_api_that_hangs_ends_with_the_deadline()
    {
        var records = Records();
        var listed = await records.ListAsync(Service, Cancel);
        _trouble = async context =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.Aborted).ContinueWith(_ => { }, TaskScheduler.Default);
            return false;
        };

        Assert.Equal(ApplyOutcome.Unknown, (await Records(TimeSpan.FromMilliseconds(300)).ApplyAsync(Service, Next, listed, Cancel)).Outcome);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Records(TimeSpan.FromMilliseconds(300)).ListAsync(Service, Cancel));
    }

    [Fact]
    public async Task A_broken_answer_is_not_taken_for_an_empty_name()
    {
        _trouble = async context =>
        {
            await context.Answer(200, """{"domain_records":[{}]}""");
            return false;
        };

        await Assert.ThrowsAsync<InvalidOperationException>(() => Records().ListAsync(Service, Cancel));
    }

    [Fact]
    public async Task A_load_balancer_tells_its_state_and_its_droplets_power_and_is_asked_twice_a_minute()
    {
        _cloud.Add(new LoadBalancer("lb-1", "one", "nyc3", "192.0.2.1", [1, 2]), new Droplet(1, "d1", IsOn: true), new Droplet(2, "d2", IsOn: false));
        var balancers = new LoadBalancers(Access(), TimeSpan.FromSeconds(20), _time, NullLogger<LoadBalancers>.Instance);

        Assert.Equal(new LoadBalancerState("active", 2, 1), (await balancers.AskAsync(["lb-1"], Cancel))["lb-1"]);
        _cloud.SetPower(1, false);
        var asked = _requests.Count;
        Assert.False((await balancers.AskAsync(["lb-1"], Cancel))["lb-1"].IsBroken);
        Assert.Equal(asked, _requests.Count);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.True((await balancers.AskAsync(["lb-1"], Cancel))["lb-1"].IsBroken);
        _cloud.SetPower(1, true);
        _cloud.SetStatus("lb-1", "errored");
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.True((await balancers.AskAsync(["lb-1"], Cancel))["lb-1"].IsBroken);
    }

    [Theory]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(0)]
    public async Task An_api_that_says_nothing_of_a_load_balancer_is_no_witness(int status)
    {
        _cloud.Add(new LoadBalancer("lb-1", "one", "nyc3", "192.0.2.1", []));
        _trouble = async context =>
        {
            if (status == 0)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.Aborted).ContinueWith(_ => { }, TaskScheduler.Default);
            }
            else
            {
                await context.Answer(status, """{"id":"x","message":"y"}""");
            }

            return false;
        };

        Assert.Empty(await new LoadBalancers(Access(), TimeSpan.FromMilliseconds(500), _time, NullLogger<LoadBalancers>.Instance).AskAsync(["lb-1"], Cancel));
    }

    private async Task ShowToContractAsync(HttpRequest request)
    {
        if (Contract is null || request.Method == "DELETE")
        {
            return;
        }

        request.EnableBuffering();
        using var reader = new StreamReader(request.Body, leaveOpen: true);
        var body = await reader.ReadToEndAsync(Cancel);
        request.Body.Position = 0;
        using var shown = new HttpRequestMessage(new HttpMethod(request.Method), Contract + request.Path + request.QueryString) { Content = body.Length == 0 ? null : new StringContent(body, null, "application/json") };
        shown.Headers.TryAddWithoutValidation("Authorization", request.Headers.Authorization.ToString());
        using var answer = await _contract.SendAsync(shown, Cancel);
        if (!answer.IsSuccessStatusCode)
        {
            _violations.Add($"{request.Method} {request.Path} {body}: {(int)answer.StatusCode} {string.Join(' ', answer.Headers.TryGetValues("sl-violations", out var why) ? why : [])}");
        }
    }

    [Fact]
    public async Task A_type_that_the_plan_has_no_longer_goes_and_a_name_without_any_is_mended()
    {
        var records = Records();
        var addressOnly = Plan.Of(Service, "b", [Next.Sets[0]], 5, World.Now, "o1", "First");
        Assert.Equal(ApplyOutcome.Applied, (await records.ApplyAsync(Service, addressOnly, await records.ListAsync(Service, Cancel), Cancel)).Outcome);
        Assert.DoesNotContain(OfName(), record => record.Type == "AAAA");

        foreach (var record in OfName().Where(record => record.Type == "A"))
        {
            _cloud.Delete(record.Id);
        }

        var empty = await records.ListAsync(Service, Cancel);
        Assert.IsType<GateVerdict.Apply>(DnsGate.Judge(World.Register() with { Plan = addressOnly }, empty, isFenced: false));
        Assert.Equal(ApplyOutcome.Applied, (await records.ApplyAsync(Service, addressOnly, empty, Cancel)).Outcome);
    }

    /// <summary>A token outlives a day without parameters, and is read again once it is refused.</summary>
    [Fact]
    public async Task A_token_is_kept_while_it_cannot_be_read_and_dropped_once_it_is_refused()
    {
        var access = Access();
        await access.CallAsync(client => client.LoadBalancers.GetAll(), Cancel);
        _time.Advance(TimeSpan.FromHours(1));
        _ssmAnswers = false;
        await access.CallAsync(client => client.LoadBalancers.GetAll(), Cancel);
        _trouble = async context =>
        {
            await context.Answer(401, """{"id":"unauthorized","message":"Unable to authenticate you."}""");
            return false;
        };
        await Assert.ThrowsAsync<DigitalOcean.API.Exceptions.ApiException>(() => access.CallAsync(client => client.LoadBalancers.GetAll(), Cancel));
        _trouble = null;
        await Assert.ThrowsAnyAsync<Exception>(() => access.CallAsync(client => client.LoadBalancers.GetAll(), Cancel));
        _ssmAnswers = true;
        await access.CallAsync(client => client.LoadBalancers.GetAll(), Cancel);
    }

    private static bool Abort(HttpContextOf context)
    {
        context.Abort();
        return false;
    }

    private List<DomainRecord> OfName() => [.. _cloud.Records.Where(record => record.Name is "app" or "_failover.app")];

    private AmazonSimpleSystemsManagementClient Parameters() => new(
        new BasicAWSCredentials("test", "test"), new AmazonSimpleSystemsManagementConfig { ServiceURL = $"http://127.0.0.1:{_ssm.Port}", AuthenticationRegion = "us-east-1" });

    private DigitalOceanRecords Records(TimeSpan? timeout = null) => new(Access(timeout));

    private DigitalOceanAccess Access(TimeSpan? timeout = null) => new(Parameters, "/t", timeout ?? TimeSpan.FromSeconds(20), _time);

    private static Plan PlanOf(string endpoint, long epoch) => Plan.For(Service, Service.Endpoint(endpoint)!, epoch, World.Now, "o1", "First");

    /// <summary>A request, and what may be done with it.</summary>
    private sealed record HttpContextOf(string Method, string Path, Func<int, string, Task> Answer, Func<Task> Handle, Action Abort, CancellationToken Aborted);
}
