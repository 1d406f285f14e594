using System.Collections.Immutable;

namespace Failover.LocalHost.Network;

/// <summary>How something that is broken behaves.</summary>
public enum FaultMode
{
    /// <summary>Connections are refused, or reset.</summary>
    Refuse,

    /// <summary>Connections are taken, and never answered.</summary>
    Hang,
}

/// <summary>One fault in force.</summary>
public sealed record Fault(string Id, string Kind)
{
    public string? Region { get; init; }

    public string? Endpoint { get; init; }

    public string? From { get; init; }

    public string? To { get; init; }

    public FaultMode? Mode { get; init; }

    public double? Share { get; init; }

    public int? LagMs { get; init; }

    public int? Ms { get; init; }

    public int? PeriodMs { get; init; }

    /// <summary>The number of a DNS server, from 1.</summary>
    public int? Server { get; init; }
}

/// <summary>All faults in force: what the parts of the world ask before they let anything pass.</summary>
internal sealed class Faults(TimeSpan defaultLag, TimeProvider? time = null)
{
    private ImmutableList<Fault> _all = [];
    private long _number;

    public IReadOnlyList<Fault> All => _all;

    public Fault Add(Fault fault)
    {
        var named = fault with { Id = $"f{Interlocked.Increment(ref _number)}" };
        ImmutableInterlocked.Update(ref _all, all => all.Add(named));
        return named;
    }

    public bool Remove(string id)
    {
        var before = _all;
        ImmutableInterlocked.Update(ref _all, all => all.RemoveAll(fault => fault.Id == id));
        return before.Any(fault => fault.Id == id);
    }

    public void Clear() => ImmutableInterlocked.Update(ref _all, all => all.Clear());

    public FaultMode? RegionDown(string region) => Mode(fault => fault.Kind == "region-down" && fault.Region == region);

    public FaultMode? EndpointDown(string endpoint) =>
        RegionDown(endpoint) ?? Mode(fault => fault.Kind == "endpoint-down" && fault.Endpoint == endpoint);

    /// <summary>Whether an endpoint that comes and goes is gone at this moment: in every second half of its period.</summary>
    public FaultMode? EndpointGone(string endpoint) => Mode(fault => fault.Kind == "endpoint-flap" && fault.Endpoint == endpoint
        && (time ?? TimeProvider.System).GetUtcNow().ToUnixTimeMilliseconds() / (fault.PeriodMs!.Value / 2) % 2 == 1);

    public TimeSpan ControlDelay(string region) => TimeSpan.FromMilliseconds(
        _all.Where(fault => fault.Kind == "control-slow" && (fault.Region ?? region) == region).Select(fault => fault.Ms!.Value).DefaultIfEmpty(0).Max());

    public double ConflictShare(string region) =>
        _all.Where(fault => fault.Kind == "control-conflict" && (fault.Region ?? region) == region).Select(fault => fault.Share ?? 1).DefaultIfEmpty(0).Max();

    public FaultMode? DnsApiDown() => Mode(fault => fault.Kind == "dns-api-down");

    /// <summary>Whether the packets to and from the k-th DNS server are lost.</summary>
    public bool IsDnsServerSilent(int server) => _all.Any(fault => fault.Kind == "dns-server-silent" && fault.Server == server);

    /// <summary>Whether the queue of ticks in a region takes no messages and delivers none.</summary>
    public bool IsTickQueueDown(string region) => _all.Any(fault => fault.Kind == "tick-queue-down" && (fault.Region ?? region) == region);

    public bool IsIsolated(string observer) => _all.Any(fault => fault.Kind == "observer-isolated" && fault.Region == observer);

    public double LostAnswerShare(string region) =>
        _all.Where(fault => fault.Kind == "control-lost-answer" && (fault.Region ?? region) == region).Select(fault => fault.Share ?? 1).DefaultIfEmpty(0).Max();

    public bool IsPaused(string from, string to) =>
        RegionDown(from) is not null || RegionDown(to) is not null || _all.Any(fault => fault.Kind == "replication-pause" && IsBetween(fault, from, to));

    public TimeSpan Lag(string from, string to) =>
        _all.LastOrDefault(fault => fault.Kind == "replication-lag" && IsBetween(fault, from, to)) is { LagMs: { } lag } ? TimeSpan.FromMilliseconds(lag) : defaultLag;

    /// <summary>Which share of the items that are replicated is lost on the way; heartbeats are not, so that replication seems to be well.</summary>
    public double DroppedShare(string from, string to) => Share("replication-drop", from, to);

    /// <summary>Which share arrives with other content.</summary>
    public double CorruptedShare(string from, string to) => Share("replication-corrupt", from, to);

    private double Share(string kind, string from, string to) =>
        _all.Where(fault => fault.Kind == kind && IsBetween(fault, from, to)).Select(fault => fault.Share ?? 1).DefaultIfEmpty(0).Max();

    /// <summary>Without from and to it is every direction; with one of them, every other end.</summary>
    private static bool IsBetween(Fault fault, string from, string to) => (fault.From ?? from) == from && (fault.To ?? to) == to;

    private FaultMode? Mode(Func<Fault, bool> applies) => _all.FirstOrDefault(applies) is { } fault ? fault.Mode ?? FaultMode.Refuse : null;
}
