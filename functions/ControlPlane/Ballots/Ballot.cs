using System.Text.Json.Serialization;

namespace Failover.ControlPlane.Ballots;

/// <summary>What one observer thinks of one endpoint. Unknown is never Down, and never Up.</summary>
public enum Health
{
    Unknown = 0,
    Up,
    Down,
}

/// <summary>What an observer stores each tick, one for all services. It is a vote, and the observer's memory.</summary>
public sealed record Ballot
{
    /// <summary>The version of the rules that this code decides by. A decision counts ballots of its own version only.</summary>
    public const int RuleVersionNow = 5;

    public required string Observer { get; init; }

    /// <summary>The time that the tick stands for: a multiple of the interval, whenever the tick really began.</summary>
    public required DateTimeOffset Start { get; init; }

    /// <summary>When it was made, by the observer's clock.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Past this it neither counts nor is gone on from. Each ballot carries its own, because ticks come rarely while the queue of ticks is gone.</summary>
    public required DateTimeOffset ValidUntil { get; init; }

    /// <summary>The starts of the three ticks before, newest last: the pace, by which the ballot counts.</summary>
    public IReadOnlyList<DateTimeOffset> StartsBefore { get; init => field = value ?? []; } = [];

    /// <summary>Random: the next ballot replaces exactly this one, and an unanswered write is recognised by it.</summary>
    public required string Token { get; init; }

    public int RuleVersion { get; init; } = RuleVersionNow;

    /// <summary><see cref="Topologies.Topology.Digest"/> of the observer's topology.</summary>
    public required string Topology { get; init; }

    /// <summary>By service name, then endpoint name.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, EndpointBallot>> Services { get; init; }

    /// <summary>By replica: what the observer's own heartbeats say.</summary>
    public required IReadOnlyDictionary<string, ReplicaBallot> Replicas { get; init; }

    /// <summary>By replica: what its journal says of its data. A replica whose journal did not answer is missing.</summary>
    public IReadOnlyDictionary<string, DataBallot> Data { get; init => field = value ?? NoData; } = NoData;

    /// <summary>Which services the observer last left unsettled, and since when: its memory of what is overdue.</summary>
    public Unsettled Unsettled { get; init => field = value ?? Unsettled.Nothing; } = Unsettled.Nothing;

    private static readonly Dictionary<string, DataBallot> NoData = [];

    /// <summary>The ballot on one endpoint; what was never probed is <see cref="EndpointBallot.Unknown"/>.</summary>
    public EndpointBallot On(string service, string endpoint) =>
        Services.TryGetValue(service, out var endpoints) && endpoints.TryGetValue(endpoint, out var ballot) ? ballot : EndpointBallot.Unknown;

    /// <summary>Whether the observer's heartbeat into that replica was acknowledged in the ballot's own tick.</summary>
    public bool Reaches(string replica) => Replicas.TryGetValue(replica, out var beats) && beats.Acked;

    /// <summary>The same ballot with what it says of one service only: a journal line of one service holds no other's.</summary>
    public Ballot Of(string service) => this with
    {
        Unsettled = Unsettled with { Since = Unsettled.Since.Where(since => since.Key == service).ToDictionary() },
        Services = Services.TryGetValue(service, out var endpoints) ? new Dictionary<string, IReadOnlyDictionary<string, EndpointBallot>> { [service] = endpoints } : [],
    };
}

/// <summary>One observer's view of one endpoint.</summary>
/// <param name="Failures">Failed ticks since the last clean run.</param>
/// <param name="Lived">How many of them <em>lived</em>: the same tick's heartbeat into the endpoint's replica was acknowledged, so the observer's way to that region was open.</param>
/// <param name="CleanTicks">Successful ticks in a row.</param>
/// <param name="LastOk">Whether the latest probe succeeded.</param>
/// <param name="CleanSince">The first of the successful ticks in a row; null if the latest probe failed.</param>
/// <param name="FailedSince">The first failed tick since the last clean run; null if there was none.</param>
/// <param name="Target"><see cref="Topologies.ServiceEndpoint.Digest"/> of what was probed: health of another target is not carried over.</param>
/// <param name="Detail">What the latest probe saw, for people: printable, at most <see cref="DetailMax"/> bytes in JSON.</param>
public sealed record EndpointBallot(
    Health Health, int Failures, int Lived, int CleanTicks, bool LastOk, DateTimeOffset? CleanSince, DateTimeOffset? FailedSince, string Target, string Detail)
{
    /// <summary>How long <see cref="Detail"/> is at most: a ballot holds many.</summary>
    public const int DetailMax = 100;

    /// <summary>Nothing is known.</summary>
    public static EndpointBallot Unknown { get; } = new(Health.Unknown, 0, 0, 0, LastOk: false, null, null, "", "not probed");

    /// <summary>Whether it is up, and the latest probe bears that out.</summary>
    [JsonIgnore]
    public bool IsUp => Health == Health.Up && LastOk;

    /// <summary>Whether it is down, and the latest probe bears that out.</summary>
    [JsonIgnore]
    public bool IsFailing => Health == Health.Down && !LastOk;
}

/// <summary>Which services a tick left unsettled.</summary>
/// <param name="AsOf">The start of that tick.</param>
/// <param name="Since">By service that was not settled: the first tick that was not.</param>
public sealed record Unsettled(DateTimeOffset AsOf, IReadOnlyDictionary<string, DateTimeOffset> Since)
{
    /// <summary>Of an observer that has never followed a register.</summary>
    public static Unsettled Nothing { get; } = new(DateTimeOffset.MinValue, new Dictionary<string, DateTimeOffset>());

    /// <summary>The newer of two memories.</summary>
    public static Unsettled Newer(Unsettled one, Unsettled other) => one.AsOf >= other.AsOf ? one : other;
}

/// <summary>What one region's journal says of the data.</summary>
/// <param name="Holds">Whether a finding is open there that stands against moving back.</param>
/// <param name="Compared">The newest comparisons whose home it is and that have ended equal or different, newest first.</param>
public sealed record DataBallot(bool Holds, IReadOnlyList<ComparedTables> Compared);

/// <summary>A comparison that has an answer.</summary>
/// <param name="CutOff">Up to when what was written was compared.</param>
public sealed record ComparedTables(IReadOnlyList<string> Regions, DateTimeOffset CutOff, bool IsEqual);

/// <summary>One observer's heartbeats into one replica.</summary>
/// <param name="Acked">Whether the replica acknowledged this tick's heartbeat.</param>
/// <param name="PendingBeats">Acknowledged heartbeats, in Unix milliseconds, that some other replica has not shown yet, oldest first.</param>
/// <param name="NewestSeen">By other replica: this observer's newest heartbeat from here that is visible there, in Unix milliseconds.</param>
/// <param name="LagMs">By other replica: age of the oldest acknowledged heartbeat not visible there; 0 if none; null if unknown.</param>
public sealed record ReplicaBallot(
    bool Acked,
    IReadOnlyList<long> PendingBeats,
    IReadOnlyDictionary<string, long?> NewestSeen,
    IReadOnlyDictionary<string, long?> LagMs);
