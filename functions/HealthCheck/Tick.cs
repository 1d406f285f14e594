using Failover.ControlPlane;
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
    LoadBalancers loadBalancers,
    Heartbeats heartbeats,
    DataJournals journals,
    AuthoritativeLook looks,
    Follower follower,
    TickReport report,
    ServerClock clock,
    TimeProvider time,
    ILogger<Tick> logger)
{
    private readonly Topology _topology = options.Topology;

    /// <summary>Makes the tick that stands for <paramref name="start"/>, unless it was made already or is past.</summary>
    public async Task RunAsync(DateTimeOffset start, CancellationToken cancellationToken)
    {
        var started = new Evidence(time);
        IReadOnlyList<Task<Look>> looking = [];
        var (voting, step) = Voting.Start(_topology, options.Observer, new TickId(start, Guid.NewGuid().ToString("N")), await ReadBallotAsync(cancellationToken), time.GetUtcNow());
        while (step is not VoteStep.End)
        {
            switch (step)
            {
                case VoteStep.LookAround:
                    // The vote does not wait for the look.
                    looking = [.. _topology.Services.Select(service => looks.LookAsync(service, cancellationToken))];
                    var seen = await LookAroundAsync(cancellationToken);
                    (voting, step) = voting.Next(seen, time.GetUtcNow());
                    break;
                case VoteStep.WriteBallot(var ballot, var previousToken):
                    (voting, step) = voting.Next(await control.WriteBallotAsync(ballot, previousToken, cancellationToken));
                    break;
                case VoteStep.ReadBallot:
                    var stored = await ReadBallotAsync(cancellationToken);
                    (voting, step) = voting.Next(stored, time.GetUtcNow());
                    break;
                default:
                    throw new InvalidOperationException($"No such step: {step}.");
            }
        }

        var (ending, why) = (VoteStep.End)step;
        if (ending == VoteEnding.Skipped)
        {
            Log.TickSkipped(logger, start, why);
            return;
        }

        if (ending == VoteEnding.NoVote)
        {
            Log.NoVote(logger, start, why);
        }

        report.Paced(start, voting.Own);

        // No service waits for another.
        var ballots = new SharedBallots(control, time, _topology.Timing.Interval);
        var settled = await Task.WhenAll(_topology.Services.Select(async (service, i) =>
        {
            try
            {
                if (ending == VoteEnding.Voted)
                {
                    return await follower.FollowAsync(service, voting.Own!, IsListingDue(service, voting.Before, start), await looking[i], ballots, started, cancellationToken);
                }

                await report.AbstainedAsync(service, start, voting.Own, why, cancellationToken);
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                Log.CallFailed(logger, $"Following {service.Name}", error);
            }

            return null;
        }));

        foreach (var (service, register) in _topology.Services.Zip(settled))
        {
            if (register is not null)
            {
                await follower.CheckAsync(service, register, started, cancellationToken);
            }
        }
    }

    /// <summary>Every ten minutes a name is listed whatever its servers show; each service at another moment, so that the provider never gets all of them at once.</summary>
    public static bool IsListingDue(Service service, DateTimeOffset? before, DateTimeOffset start)
    {
        const long Period = 600;
        var offset = service.Name.Aggregate(0L, (sum, letter) => ((31 * sum) + letter) % Period);
        return before is { } last && Turn(last) != Turn(start);

        long Turn(DateTimeOffset at) => (at.ToUnixTimeSeconds() + offset) / Period;
    }

    private async Task<StoredBallot?> ReadBallotAsync(CancellationToken cancellationToken)
    {
        try
        {
            var (token, ballot) = await control.ReadBallotAsync(options.Observer, cancellationToken);
            return new StoredBallot(token, ballot);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            Log.CallFailed(logger, "Reading the ballot", error);
            return null;
        }
    }

    private async Task<Observation> LookAroundAsync(CancellationToken cancellationToken)
    {
        var anchors = prober.AskAsync(_topology.Anchors, cancellationToken);
        var balancers = loadBalancers.AskAsync([.. _topology.Services.SelectMany(service => service.Endpoints).Select(endpoint => endpoint.LoadBalancerId).OfType<string>()], cancellationToken);
        var beats = heartbeats.BeatAsync(cancellationToken);
        var data = journals.AskAsync(cancellationToken);
        var probes = await Task.WhenAll(_topology.Services.SelectMany(service => service.Endpoints.Select(async endpoint =>
            (Key: (service.Name, endpoint.Name), endpoint.LoadBalancerId, Result: await prober.ProbeAsync(endpoint.ProbeUrl, endpoint.Expect, null, cancellationToken)))));
        var asked = await anchors;
        report.Anchors(asked);
        var states = await balancers;
        var results = probes.ToDictionary(probe => probe.Key, probe => probe.LoadBalancerId is { } id && states.TryGetValue(id, out var state) ? state.Judge(probe.Result) : probe.Result);
        report.Certificates(results);
        return new Observation(results, await beats, asked.Any(anchor => anchor.Answers), clock.Skew, await data) { Unsettled = report.Unsettled };
    }
}
