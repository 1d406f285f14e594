using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Failover.ControlPlane.Registers;

namespace Failover.ControlPlane.Topologies;

/// <summary>What is guarded, from where, and how patiently. Read from a file that <see cref="TopologyFile"/> validates whole.</summary>
public sealed record Topology
{
    /// <summary>The control regions, each with an observer; an odd number, three in production.</summary>
    public required IReadOnlyList<string> Observers { get; init; }

    /// <summary>The regions that hold a replica of the items table.</summary>
    public required IReadOnlyList<string> Replicas { get; init; }

    /// <summary>Addresses outside the system that tell an observer whether it is cut off itself.</summary>
    public required IReadOnlyList<Anchor> Anchors { get; init; }

    /// <summary>Networks that probes may reach though they are not of the public internet, as <c>10.1.0.0/16</c>.</summary>
    public IReadOnlyList<string> AllowedNetworks { get; init => field = value ?? []; } = [];

    /// <summary>The names that are guarded.</summary>
    public required IReadOnlyList<Service> Services { get; init; }

    /// <summary>How often and how patiently.</summary>
    public Timing Timing { get; init => field = value ?? new Timing(); } = new();

    private static readonly ConditionalWeakTable<Topology, string> Digests = [];

    /// <summary>
    /// 16 hex digits over all that decisions depend on: observers must agree on it before they act. Addresses by which an observer reaches things are left out; each may have its own.
    /// </summary>
    [JsonIgnore]
    public string Digest => Digests.GetValue(this, static topology => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(topology.Normal(), TopologyJson.Default.Topology)))[..16]);

    private Topology Normal()
    {
        var nowhere = new Uri("about:blank");
        return this with
        {
            Anchors = [],
            AllowedNetworks = [],
            Services = [.. Services.Select(service => service with
            {
                LookUrl = nowhere,
                AuthoritativeServers = [],
                Endpoints = [.. service.Endpoints.Select(endpoint => endpoint with { ProbeUrl = nowhere })],
            })],
        };
    }
}

/// <summary>An address outside the system. Two anchors must share neither operator nor region, or they fail together.</summary>
public sealed record Anchor
{
    public required string Name { get; init; }

    public required Uri Url { get; init; }

    public required string Operator { get; init; }

    public required string Region { get; init; }
}

/// <summary>One DNS name and the endpoints that can serve it.</summary>
public sealed record Service
{
    /// <summary>The name, without a trailing dot, in lower case.</summary>
    public required string Name { get; init; }

    /// <summary>How the name is moved.</summary>
    public Lever Lever { get; set; }

    /// <summary>The Route 53 hosted zone that holds the name; null where DigitalOcean does, or the lever edits nothing.</summary>
    public string? HostedZoneId { get; init; }

    /// <summary>The DigitalOcean domain that holds the name; null where Route 53 does.</summary>
    public string? DigitalOceanDomain { get; init; }

    /// <summary>The zone's authoritative servers, <c>host</c> or <c>host:port</c>; what any of them shows is published; one that is silent decides nothing.</summary>
    public required IReadOnlyList<string> AuthoritativeServers { get; init; }

    /// <summary>What is fetched through the name to verify a move; its host is the service's name.</summary>
    public required Uri LookUrl { get; init; }

    /// <summary>The time to live of the records, in seconds.</summary>
    public int TtlSeconds { get; set; } = 60;

    /// <summary>Who has the last word on an automatic move.</summary>
    public FailoverMode Mode { get; set; }

    /// <summary>Who begins a move back.</summary>
    public MoveBackMode MoveBack { get; set; }

    /// <summary>How much data an automatic move may cost.</summary>
    public RpoRule Rpo { get; init => field = value ?? new RpoRule(); } = new();

    /// <summary>When no automatic move begins.</summary>
    public IReadOnlyList<MaintenanceWindow> Maintenance { get; init => field = value ?? []; } = [];

    /// <summary>The places that can serve the name.</summary>
    public required IReadOnlyList<ServiceEndpoint> Endpoints { get; init; }

    /// <summary>The name of the TXT record that shows the state.</summary>
    [JsonIgnore]
    public string StateName => "_failover." + Name;

    /// <summary>Whether a write to the name can be conditional on what is there: on Route 53. DigitalOcean's fence is the register alone.</summary>
    [JsonIgnore]
    public bool IsFenced => DigitalOceanDomain is null;

    /// <summary>The endpoint that serves when nothing is wrong: of the lowest priority number.</summary>
    [JsonIgnore]
    public ServiceEndpoint Home => Endpoints.OrderBy(endpoint => endpoint.Priority).ThenBy(endpoint => endpoint.Name, StringComparer.Ordinal).First();

    /// <summary>The endpoint of that name, or null.</summary>
    public ServiceEndpoint? Endpoint(string? name)
    {
        // Asked in every decision: without an enumerator and a closure it is several times as fast.
        for (var i = 0; i < Endpoints.Count; i++)
        {
            if (Endpoints[i].Name == name)
            {
                return Endpoints[i];
            }
        }

        return null;
    }
}

/// <summary>How a name is moved; docs/two-levers.md lets one choose.</summary>
public enum Lever
{
    /// <summary>By editing its records.</summary>
    Records = 0,

    /// <summary>By the metric <c>LeavePrimary</c>, on which hang health checks and a pair of failover records that were made at deploy time. Two endpoints only.</summary>
    Switch,
}

/// <summary>Who has the last word on an automatic move.</summary>
public enum FailoverMode
{
    /// <summary>The observers.</summary>
    Automatic = 0,

    /// <summary>An operator, by the command <c>Approve</c>.</summary>
    Approve,

    /// <summary>Nobody: everything is probed, decided and journaled, and nothing touches the name, on an operator's order neither.</summary>
    ObserveOnly,
}

/// <summary>Who begins a move back.</summary>
public enum MoveBackMode
{
    /// <summary>An operator.</summary>
    Manual = 0,

    /// <summary>The observers, once the gate is open and the tables were compared twice and found equal.</summary>
    Automatic,
}

/// <summary>What a service would rather lose.</summary>
public enum RpoPreference
{
    /// <summary>Data: the move is made, and its bound on lost data is told.</summary>
    PreferAvailability = 0,

    /// <summary>Time: the move waits while it could cost more than the limit, or nobody can say.</summary>
    PreferData,
}

/// <summary>How much data an automatic move may cost.</summary>
/// <param name="LimitSeconds">
/// How stale the newest heartbeat of the replica that is left may be in the target's. A region that is lost for good grows staler by the second,
/// so a limit below the time of detection means that only an operator leaves it.
/// </param>
public sealed record RpoRule(RpoPreference Prefer = RpoPreference.PreferAvailability, int LimitSeconds = 300);

/// <summary>A weekly window, in UTC, in which no automatic move begins.</summary>
/// <param name="Start">As <c>02:00</c>.</param>
/// <param name="Minutes">How long; it may reach into the next day.</param>
public sealed record MaintenanceWindow(DayOfWeek Day, string Start, int Minutes)
{
    private const int MinutesOfWeek = 7 * 24 * 60;

    /// <summary>The minute of the week in which it opens; Sunday is the first day.</summary>
    /// <exception cref="FormatException"><see cref="Start"/> is no time of day; a validated topology has none such.</exception>
    [JsonIgnore]
    public int OpensAtMinute => ((int)Day * 24 * 60) + (int)TimeOnly.ParseExact(Start, "HH:mm", CultureInfo.InvariantCulture).ToTimeSpan().TotalMinutes;

    /// <summary>Whether it is open.</summary>
    public bool IsOpen(DateTimeOffset now)
    {
        var minute = ((int)now.UtcDateTime.DayOfWeek * 24 * 60) + (int)now.UtcDateTime.TimeOfDay.TotalMinutes;
        return (minute - OpensAtMinute + MinutesOfWeek) % MinutesOfWeek < Minutes;
    }
}

/// <summary>One place that can serve.</summary>
public sealed record ServiceEndpoint
{
    /// <summary>Short: it stands in the state TXT.</summary>
    public required string Name { get; init; }

    /// <summary>The region of the replica that it uses.</summary>
    public required string Replica { get; init; }

    /// <summary>What a probe fetches.</summary>
    public required Uri ProbeUrl { get; init; }

    /// <summary>What it must answer.</summary>
    public ProbeExpectation Expect { get; init => field = value ?? ProbeExpectation.Default; } = ProbeExpectation.Default;

    /// <summary>The lower, the sooner it is chosen.</summary>
    public int Priority { get; set; } = 100;

    /// <summary>The DigitalOcean load balancer in front of it, whose state is asked for too.</summary>
    public string? LoadBalancerId { get; init; }

    /// <summary>The records that the name has while this endpoint serves it.</summary>
    public required IReadOnlyList<DnsTarget> Records { get; init; }

    private static readonly ConditionalWeakTable<ServiceEndpoint, string> Digests = [];

    /// <summary>8 hex digits over what a probe is about: its address, what it must answer, and the records. With another digest it is another target under the same name.</summary>
    [JsonIgnore]
    public string Digest => Digests.GetValue(this, static endpoint => Convert.ToHexStringLower(
        SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(endpoint with { Priority = 0 }, TopologyJson.Default.ServiceEndpoint)))[..8]);
}

/// <summary>What an endpoint that serves answers.</summary>
/// <param name="StatusCode">Exactly this.</param>
/// <param name="LatencyMilliseconds">Within so long; null: within the probe's deadline.</param>
/// <param name="Json">What its body says.</param>
public sealed record ProbeExpectation(int StatusCode = 200, int? LatencyMilliseconds = null, IReadOnlyList<JsonCondition>? Json = null)
{
    /// <summary>200, in time.</summary>
    public static readonly ProbeExpectation Default = new();

    /// <summary>What its body says; empty: anything.</summary>
    public IReadOnlyList<JsonCondition> Json { get; init => field = value ?? []; } = Json ?? [];
}

/// <summary>What a JSON body says at one place.</summary>
/// <param name="Path">The place, by RFC 6901: <c>/region</c>.</param>
/// <param name="Is">The value, as text.</param>
/// <param name="FreshWithinSeconds">The value is a time, not further from now than so.</param>
public sealed record JsonCondition(string Path, string? Is = null, int? FreshWithinSeconds = null);

/// <summary>One record set of an endpoint.</summary>
public sealed record DnsTarget
{
    /// <summary>A, AAAA, CNAME or HTTPS.</summary>
    public required string Type { get; init; }

    /// <summary>Addresses in their canonical form, for they are compared with what DNS answers; one name for a CNAME; for HTTPS as in a zone file: <c>1 . alpn=h2</c>.</summary>
    public IReadOnlyList<string> Values { get; init => field = value ?? []; } = [];

    /// <summary>In place of values, on Route 53: an alias.</summary>
    public Alias? Alias { get; init; }
}

/// <summary>The arithmetic of detection. By default a failed endpoint is left after 30 s, a lost region after 60 s.</summary>
/// <param name="IntervalSeconds">How far apart ticks lie.</param>
/// <param name="ProbeTimeoutMilliseconds">The deadline of one probe, heartbeat or look.</param>
/// <param name="ConnectTimeoutMilliseconds">Of that, until a probe's connection stands, TLS included; 0: two thirds.</param>
/// <param name="FirstByteTimeoutMilliseconds">Of that, until a probe's answer begins; 0: all of it.</param>
/// <param name="CallTimeoutMilliseconds">The deadline of one call to a control plane.</param>
/// <param name="DownAfterTicks">Failed ticks since the last clean run that make an endpoint <c>Down</c>.</param>
/// <param name="UpAfterTicks">Successful ticks in a row that make it <c>Up</c>, and forgive its failures.</param>
/// <param name="LostAfterTicks">Failed ticks after which it is left although its region's data path is dead too: a move then can cost data.</param>
/// <param name="CoolDownMinutes">How long an automatic move holds off the next. The hour is orchestrator's.</param>
/// <param name="StableMinutes">How long an endpoint must have been up, without one failed tick, before a move back to it.</param>
/// <remarks>Parameters, not properties: what a file leaves out gets its default only so.</remarks>
public sealed record Timing(
    int IntervalSeconds = 10,
    int ProbeTimeoutMilliseconds = 3000,
    int CallTimeoutMilliseconds = 2000,
    int ConnectTimeoutMilliseconds = 0,
    int FirstByteTimeoutMilliseconds = 0,
    int DownAfterTicks = 3,
    int UpAfterTicks = 6,
    int LostAfterTicks = 6,
    int CoolDownMinutes = 60,
    double StableMinutes = 10)
{
    /// <summary>Of the probe's deadline, until its connection stands.</summary>
    public int ConnectTimeoutMilliseconds { get; init; } = ConnectTimeoutMilliseconds == 0 ? ProbeTimeoutMilliseconds * 2 / 3 : ConnectTimeoutMilliseconds;

    /// <summary>Of the probe's deadline, until its answer begins.</summary>
    public int FirstByteTimeoutMilliseconds { get; init; } = FirstByteTimeoutMilliseconds == 0 ? ProbeTimeoutMilliseconds : FirstByteTimeoutMilliseconds;

    [JsonIgnore]
    public TimeSpan Interval => TimeSpan.FromSeconds(IntervalSeconds);

    [JsonIgnore]
    public TimeSpan CoolDown => TimeSpan.FromMinutes(CoolDownMinutes);

    [JsonIgnore]
    public TimeSpan ProbeTimeout => TimeSpan.FromMilliseconds(ProbeTimeoutMilliseconds);

    [JsonIgnore]
    public TimeSpan CallTimeout => TimeSpan.FromMilliseconds(CallTimeoutMilliseconds);

    /// <summary><see cref="StableMinutes"/> as a duration.</summary>
    [JsonIgnore]
    public TimeSpan Stable => TimeSpan.FromMinutes(StableMinutes);

    /// <summary>For how long a ballot counts while ticks come regularly: three intervals, at least 30 s.</summary>
    [JsonIgnore]
    public TimeSpan BallotLifetime => TimeSpan.FromSeconds(Math.Max(30, 3 * IntervalSeconds));

    /// <summary>How old evidence may be when a write starts.</summary>
    [JsonIgnore]
    public TimeSpan EvidenceLifetime => Interval;

    /// <summary>The start of the tick that <paramref name="now"/> lies in: a multiple of the interval since 1970.</summary>
    public DateTimeOffset StartAt(DateTimeOffset now) => DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds() / IntervalSeconds * IntervalSeconds);
}
