using Failover.ControlPlane;
using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;
using Failover.HealthCheck.Dns;
using Failover.HealthCheck.Probing;
using Microsoft.Extensions.Logging;

namespace Failover.HealthCheck;

/// <summary>
/// One tick: probe, fold, beat, vote, read, decide, follow the register, journal. The same work every time, sick or well;
/// docs/what-happens-in-one-tick.md walks through it.
/// </summary>
public sealed class Tick(
    HealthCheckOptions options,
    ControlStore control,
    HttpProber prober,
    Heartbeats heartbeats,
    AuthoritativeLook looks,
    Follower follower,
    TickReport report,
    ServerClock clock,
    TimeProvider time,
    ILogger<Tick> logger)
{
    private const int VoteAttemptsMax = 3;

    private readonly Topology _topology = options.Topology;

    private Timing Timing => _topology.Timing;

    /// <summary>Ticks a slot, unless it was ticked already or is past.</summary>
    public async Task RunAsync(long slot, CancellationToken cancellationToken)
    {
        var started = new Evidence(time);
        var (read, previousSlot, previous) = await ReadPreviousAsync(cancellationToken);
        var now = time.GetUtcNow();
        if (previousSlot >= slot || Timing.SlotAt(now) - slot > 1 || slot > Timing.SlotAt(now + ServerClock.SkewMax))
        {
            Log.TickSkipped(logger, slot, previousSlot >= slot ? "ticked already" : "not now");
            return;
        }

        var anchors = prober.AnyAnswersAsync(_topology.Anchors, cancellationToken);
        var beats = heartbeats.BeatAsync(cancellationToken);
        var looking = _topology.Services.Select(service => looks.LookAsync(service, cancellationToken)).ToList();
        var probes = await ProbeAllAsync(cancellationToken);
        var round = await beats;
        var noVote = !read ? "the control table cannot be read"
            : !await anchors ? "no anchor answers: this observer is cut off"
            : !clock.IsTrusted ? $"the clock is {clock.Skew.TotalSeconds:0.0} s off"
            : null;
        if (noVote is null)
        {
            switch (await VoteAsync(previousSlot, previous, slot, probes, round, cancellationToken))
            {
                case ConditionalWrite.Refused:
                    Log.TickSkipped(logger, slot, "another tick was faster");
                    return;
                case ConditionalWrite.Unknown:
                    noVote = "the ballot was not acknowledged";
                    break;
            }
        }

        if (noVote is not null)
        {
            Log.NoVote(logger, slot, noVote);
        }

        // The vote does not wait for the look, and no service for another.
        await Task.WhenAll(_topology.Services.Select(async (service, i) =>
        {
            var look = await looking[i];
            try
            {
                await (noVote is null ? follower.FollowAsync(service, slot, look, started, cancellationToken) : report.AbstainedAsync(service, slot, noVote, cancellationToken));
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                Log.CallFailed(logger, $"Following {service.Name}", error);
            }
        }));
    }

    private async Task<(bool Read, long? Slot, Ballot? Previous)> ReadPreviousAsync(CancellationToken cancellationToken)
    {
        try
        {
            var (slot, ballot) = await control.ReadBallotAsync(options.Observer, cancellationToken);
            return (true, slot, ballot);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            Log.CallFailed(logger, "Reading the ballot", error);
            return (false, null, null);
        }
    }

    /// <summary>
    /// Folds this tick into the ballot before it and stores the result in its place. If an older slot's tick came in between, it folds again from that one's;
    /// if a write is refused because an earlier try of it stands, it stands.
    /// </summary>
    private async Task<ConditionalWrite> VoteAsync(
        long? previousSlot, Ballot? previous, long slot, Dictionary<(string Service, string Endpoint), ProbeResult> probes, HeartbeatRound round, CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= VoteAttemptsMax; attempt++)
        {
            var ballot = Fold(previous, slot, probes, round);
            if (await control.WriteBallotAsync(ballot, previousSlot, cancellationToken) is var write && write != ConditionalWrite.Refused)
            {
                return write;
            }

            (var read, previousSlot, previous) = await ReadPreviousAsync(cancellationToken);
            if (!read)
            {
                return ConditionalWrite.Unknown;
            }

            if (previousSlot >= slot)
            {
                return previous is not null && previous.Slot == slot && previous.At == ballot.At ? ConditionalWrite.Written : ConditionalWrite.Refused;
            }
        }

        return ConditionalWrite.Unknown;
    }

    private async Task<Dictionary<(string Service, string Endpoint), ProbeResult>> ProbeAllAsync(CancellationToken cancellationToken)
    {
        var probes = _topology.Services
            .SelectMany(service => service.Endpoints.Select(endpoint => (Key: (service.Name, endpoint.Name), Probe: prober.ProbeAsync(endpoint.ProbeUrl, null, cancellationToken))))
            .ToList();
        await Task.WhenAll(probes.Select(probe => probe.Probe));
        return probes.ToDictionary(probe => probe.Key, probe => probe.Probe.Result);
    }

    private Ballot Fold(Ballot? previous, long slot, Dictionary<(string Service, string Endpoint), ProbeResult> probes, HeartbeatRound round)
    {
        var now = time.GetUtcNow();
        var known = previous is not null && !HealthFold.IsGap(previous, slot, Timing) ? previous : null;
        return new Ballot
        {
            Observer = options.Observer,
            Slot = slot,
            At = now,
            Services = _topology.Services.ToDictionary(
                service => service.Name,
                service => (IReadOnlyDictionary<string, EndpointBallot>)service.Endpoints.ToDictionary(
                    endpoint => endpoint.Name,
                    endpoint => HealthFold.Next(known?.On(service.Name, endpoint.Name), probes[(service.Name, endpoint.Name)], slot, Timing))),
            Replicas = _topology.Replicas.ToDictionary(
                replica => replica,
                replica => HeartbeatFold.Next(
                    // An acknowledged heartbeat stays a fact, however long ago.
                    previous?.Replicas.GetValueOrDefault(replica),
                    slot,
                    round.Beat,
                    round.Acked.Contains(replica),
                    round.Visible.Where(there => there.Key != replica && there.Value.ContainsKey(replica)).ToDictionary(there => there.Key, there => there.Value[replica]),
                    [.. _topology.Replicas.Where(other => other != replica)],
                    now.ToUnixTimeMilliseconds())),
        };
    }
}
