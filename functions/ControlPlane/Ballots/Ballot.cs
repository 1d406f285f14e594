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
    /// <summary>The version of the rules that this code decides by; ballots of mixed versions hold.</summary>
    public const int RuleVersionNow = 4;

    /// <summary>The form of this record.</summary>
    public const int FormatNow = 1;

    public required string Observer { get; init; }

    /// <summary>The tick's slot.</summary>
    public required long Slot { get; init; }

    /// <summary>By the observer's clock.</summary>
    public required DateTimeOffset At { get; init; }

    public int Format { get; init; } = FormatNow;

    public int RuleVersion { get; init; } = RuleVersionNow;

    /// <summary><see cref="Topologies.Topology.Digest"/> of the observer's topology; null in ballots of a version that wrote none.</summary>
    public string? Topology { get; init; }

    /// <summary>By service name, then endpoint name.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, EndpointBallot>> Services { get; init; }

    /// <summary>By replica: what the observer's own heartbeats say.</summary>
    public required IReadOnlyDictionary<string, ReplicaBallot> Replicas { get; init; }

    /// <summary>By replica: what its journal says of its data. A replica whose journal did not answer is not in it; null in ballots of a version that asked none.</summary>
    public IReadOnlyDictionary<string, DataBallot>? Data { get; init; }

    /// <summary>The ballot on one endpoint; what was never probed is <see cref="EndpointBallot.Unknown"/>.</summary>
    public EndpointBallot On(string service, string endpoint) =>
        Services.TryGetValue(service, out var endpoints) && endpoints.TryGetValue(endpoint, out var ballot) ? ballot : EndpointBallot.Unknown;
}

/// <summary>One observer's view of one endpoint.</summary>
/// <param name="Failures">Failed ticks since the last clean run.</param>
/// <param name="CleanTicks">Successful ticks in a row.</param>
/// <param name="LastOk">Whether the latest probe succeeded.</param>
/// <param name="FailedSlots">The slots of the latest failed ticks, newest last.</param>
/// <param name="Detail">What the latest probe saw, for people.</param>
public sealed record EndpointBallot(
    Health Health, int Failures, int CleanTicks, bool LastOk, IReadOnlyList<long> FailedSlots, string Detail)
{
    /// <summary>Nothing is known.</summary>
    public static EndpointBallot Unknown { get; } = new(Health.Unknown, 0, 0, LastOk: false, [], "not probed");
}

/// <summary>What one region's journal says of the data.</summary>
/// <param name="Holds">Whether a finding is open there that stands against moving back.</param>
/// <param name="Compared">The newest comparisons whose home it is and that have ended equal or different, newest first.</param>
public sealed record DataBallot(bool Holds, IReadOnlyList<ComparedTables> Compared);

/// <summary>A comparison that has an answer.</summary>
/// <param name="CutOff">Up to when what was written was compared.</param>
public sealed record ComparedTables(IReadOnlyList<string> Regions, DateTimeOffset CutOff, bool IsEqual);

/// <summary>One observer's heartbeats into one replica.</summary>
/// <param name="AckedSlots">The latest slots in which the replica acknowledged this observer's heartbeat, newest last.</param>
/// <param name="PendingBeats">Acknowledged heartbeats, in Unix milliseconds, that some other replica has not shown yet, oldest first.</param>
/// <param name="NewestSeen">By other replica: this observer's newest heartbeat from here that is visible there, in Unix milliseconds.</param>
/// <param name="LagMs">By other replica: age of the oldest acknowledged heartbeat not visible there; 0 if none; null if unknown.</param>
public sealed record ReplicaBallot(
    IReadOnlyList<long> AckedSlots,
    IReadOnlyList<long> PendingBeats,
    IReadOnlyDictionary<string, long?> NewestSeen,
    IReadOnlyDictionary<string, long?> LagMs);
