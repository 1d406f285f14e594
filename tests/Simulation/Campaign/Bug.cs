using Failover.ControlPlane;
using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;

namespace Failover.Simulation.Campaign;

/// <summary>A mistake that somebody could make, planted at a seam of the production code: in what it is told, in what it does, or in what its store checks.</summary>
internal sealed class Bug
{
    /// <summary>The code as it is.</summary>
    public static readonly Bug None = new();

    /// <summary>Freshness is checked when the tick begins, and not before each write.</summary>
    public bool IgnoresFreshness { get; init; }

    /// <summary>Registers are written whatever is there.</summary>
    public bool IgnoresRev { get; init; }

    /// <summary>Batches overwrite what is there, as UPSERT does.</summary>
    public bool Upserts { get; init; }

    /// <summary>A tick that was made already is folded again.</summary>
    public bool CountsATickTwice { get; init; }

    /// <summary>What is overdue is counted from this tick on, whatever was unfinished before it.</summary>
    public bool ForgetsOverdue { get; init; }

    /// <summary>Ticks are ordered by an index that shrinks when the interval grows.</summary>
    public bool OrdersByIndex { get; init; }

    /// <summary>An order takes the place of those that wait.</summary>
    public bool ReplacesOrders { get; init; }

    /// <summary>How an operator's tool addresses an order.</summary>
    public Func<Command, ControlView, Command> MeantFor { get; init; } = static (order, view) => order.MeantFor(view);

    /// <summary>Counters from before a long gap go on as if there had been none.</summary>
    public bool SurvivesGaps { get; init; }

    public Func<Topology, int, Topology> TopologyOf { get; init; } = static (topology, _) => topology;

    /// <summary>What a tick takes its observer's ballot for.</summary>
    public StoredBallot? Stored(StoredBallot? stored, DateTimeOffset start, TimeSpan interval)
    {
        if (stored?.Ballot is not { } ballot)
        {
            return stored;
        }

        if (CountsATickTwice && ballot.Start == start)
        {
            return stored with { Ballot = ballot with { Start = start.AddSeconds(-10) } };
        }

        if (OrdersByIndex && ballot.StartsBefore is [.., var last] && ballot.Start - last < interval)
        {
            return stored with { Ballot = ballot with { Start = start } };
        }

        return SurvivesGaps ? stored with { Ballot = ballot with { ValidUntil = DateTimeOffset.MaxValue } } : stored;
    }

    public Func<Observation, Observation> Observation { get; init; } = static seen => seen;

    public Func<SimTick, ControlView, DateTimeOffset, ControlView> View { get; init; } = static (_, view, _) => view;

    public Func<SimTick, Step, Step> Does { get; init; } = static (_, step) => step;

    public Func<IReadOnlyList<RecordChange>, SimWorld, IEnumerable<IReadOnlyList<RecordChange>>> Batches { get; init; } = static (batch, _) => [batch];

    /// <summary>What every ballot says of every endpoint, changed.</summary>
    public static Func<SimTick, ControlView, DateTimeOffset, ControlView> Endpoints(Func<EndpointBallot, EndpointBallot> change) => (_, view, _) => view with
    {
        Ballots = [.. view.Ballots.Select(ballot => ballot with
        {
            Services = ballot.Services.ToDictionary(
                service => service.Key,
                service => (IReadOnlyDictionary<string, EndpointBallot>)service.Value.ToDictionary(endpoint => endpoint.Key, endpoint => change(endpoint.Value))),
        })],
    };

    /// <summary>What every ballot says of every replica, changed.</summary>
    public static Func<SimTick, ControlView, DateTimeOffset, ControlView> Replicas(Func<ReplicaBallot, DateTimeOffset, ReplicaBallot> change) => (_, view, now) => view with
    {
        Ballots = [.. view.Ballots.Select(ballot => ballot with { Replicas = ballot.Replicas.ToDictionary(replica => replica.Key, replica => change(replica.Value, now)) })],
    };

    /// <summary>The register, changed on its way to who decides.</summary>
    public static Func<SimTick, ControlView, DateTimeOffset, ControlView> Registers(Func<Register, Register> change) =>
        (_, view, _) => view.Register is { } register ? view with { Register = change(register) } : view;
}
