using System.Collections.Concurrent;
using Amazon.DynamoDBv2;
using Failover.ControlPlane;
using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;
using Failover.HealthCheck.Dns;
using Failover.ItemRecord;
using Microsoft.Extensions.Logging;

namespace Failover.HealthCheck;

/// <summary>Carries out the mover's steps for one service, each under its own deadline and only while the evidence is fresh.</summary>
public sealed class Follower(
    HealthCheckOptions options,
    ControlStore control,
    Func<Service, IDnsProvider> providerOf,
    IReadOnlyDictionary<string, IAmazonDynamoDB> replicas,
    MoveJournal moves,
    TickReport report,
    TimeProvider time,
    ILogger<Follower> logger)
{
    /// <summary>What an API says stands in the journal, several times over.</summary>
    private const int ReasonMax = 300;

    private const string NoTurn = "the DNS provider is asked for too much at once: this name's turn does not come within this tick";

    private readonly ConcurrentDictionary<IDnsProvider, TokenBucket> _buckets = [];

    private readonly ConcurrentDictionary<string, ZoneLine> _lines = [];

    private readonly PlanChecks _checks = new(options.Observer, report, options.Topology.Timing.CallTimeout, time, logger);

    private TokenBucket BucketOf(Service service) => _buckets.GetOrAdd(providerOf(service), _ => new TokenBucket(time));

    private ZoneLine LineOf(Service service) => _lines.GetOrAdd(service.HostedZoneId ?? service.DigitalOceanDomain ?? service.Name, static _ => new ZoneLine());

    private Timing Timing => options.Topology.Timing;

    /// <summary>Follows the register of one service for one tick.</summary>
    /// <param name="own">This tick's ballot.</param>
    /// <param name="listsNow">Whether the name is due to be listed whatever its servers show.</param>
    /// <param name="look">What the world saw in this tick.</param>
    /// <param name="ballots">The ballots of all, read after this tick's own was written.</param>
    /// <param name="started">When the tick really began.</param>
    /// <returns>The register of a name that is settled; null where something is under way.</returns>
    public async Task<Register?> FollowAsync(Service service, Ballot own, bool listsNow, Look look, SharedBallots ballots, Evidence started, CancellationToken cancellationToken)
    {
        ControlView view;
        Evidence evidence;
        try
        {
            (evidence, view) = await ReadAsync(service, ballots, cancellationToken);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            Log.CallFailed(logger, "Reading the register", error);
            await report.AbstainedAsync(service, own.Start, own, "the register cannot be read", cancellationToken);
            return null;
        }

        var (mover, step) = Mover.Start(options.Topology, service, options.Observer, look, view, time.GetUtcNow(), listsNow);
        using var turn = new ProviderTurn(BucketOf(service), () => Timing.Interval - started.Age, time);
        while (step is not Step.Finish)
        {
            StepResult result;
            switch (step)
            {
                case Step.ReadControl:
                    result = await TryAsync("Reading the register", async () =>
                    {
                        // A reading that fails makes what was read before it no younger.
                        (evidence, var read) = await ReadAsync(service, ballots, cancellationToken);
                        return new StepResult.Control(read);
                    }, cancellationToken);
                    break;
                case Step.AwaitTurn:
                    result = await turn.ForBatchAsync(cancellationToken) ? new StepResult.Turn() : new StepResult.NotDone(NoTurn);
                    break;
                case Step.ListRecords:
                    result = await TryAsync("Listing the records", () => ListAsync(service, turn, cancellationToken), cancellationToken);
                    break;
                case Step.WriteRegister or Step.Fence when Freshness.Stale(evidence.Age, started.Age, Timing) is { } stale:
                    result = new StepResult.NotDone(stale);
                    break;
                case Step.WriteRegister(var next, var expected, _):
                    result = new StepResult.Register(await control.WriteRegisterAsync(next, expected, cancellationToken));
                    break;
                case Step.Fence fence:
                    result = new StepResult.Fenced(await FenceAsync(service, fence, cancellationToken));
                    break;
                case Step.Apply apply:
                    result = await ApplyAsync(service, apply, turn, () => Freshness.Stale(evidence.Age, started.Age, Timing), cancellationToken);
                    break;
                default:
                    throw new InvalidOperationException($"No such step: {step}.");
            }

            (mover, step) = mover.Next(result, time.GetUtcNow());
        }

        await Task.WhenAll(
            moves.TellAsync(service, mover.Register?.LastMove, cancellationToken),
            report.FollowedAsync(service, own, look, mover, (Step.Finish)step, Freshness.Stale(evidence.Age, started.Age, Timing) is null, cancellationToken));
        return step is Step.Finish { Ending: Ending.Settled } ? mover.Register : null;
    }

    /// <summary>Once everything that is urgent is done: asks what the provider would refuse of a settled name's plans, if it is time to.</summary>
    /// <param name="started">When the tick began: what is left of its interval is for this.</param>
    public async Task CheckAsync(Service service, Register settled, Evidence started, CancellationToken cancellationToken)
    {
        if (service is { Lever: Lever.Records, Mode: not FailoverMode.ObserveOnly })
        {
            await _checks.CheckAsync(service, settled, providerOf(service), BucketOf(service), LineOf(service), Timing.Interval - started.Age, cancellationToken);
        }
    }

    /// <summary>The register is always read anew; the ballots were read a second before it at most, and that is how old the evidence is.</summary>
    private async Task<(Evidence Evidence, ControlView View)> ReadAsync(Service service, SharedBallots ballots, CancellationToken cancellationToken)
    {
        var reading = ballots.ReadAsync(cancellationToken);
        var view = await control.ReadServiceAsync(service.Name, cancellationToken);
        var (readAt, read) = await reading;
        return (readAt, view with { Ballots = read });
    }

    private async Task<StepResult> ListAsync(Service service, ProviderTurn turn, CancellationToken cancellationToken)
    {
        while (await turn.ForListingAsync(cancellationToken))
        {
            try
            {
                return new StepResult.Listed(await WithDeadlineAsync(token => providerOf(service).ListAsync(service, token), cancellationToken));
            }
            catch (ProviderBusyException)
            {
                await turn.BackOffAsync(cancellationToken);
            }
        }

        return new StepResult.NotDone(NoTurn);
    }

    /// <summary>
    /// A batch waits for the one before it in its zone. While the provider is busy with another observer's it is sent again; only the first in the line does so. What it rests on must be fresh before each try.
    /// </summary>
    private Task<StepResult> ApplyAsync(Service service, Step.Apply apply, ProviderTurn turn, Func<string?> stale, CancellationToken cancellationToken)
    {
        // DigitalOcean changes records one by one, and refuses none for another's sake.
        return service.IsFenced ? LineOf(service).EnterAsync(TryAllAsync, cancellationToken) : TryAllAsync();

        async Task<StepResult> TryAllAsync()
        {
            while (true)
            {
                if (stale() is { } why)
                {
                    return new StepResult.NotDone(why);
                }

                turn.UseBatch();
                var result = await TryAsync("Applying the plan", async () =>
                    Applied(await WithDeadlineAsync(token => providerOf(service).ApplyAsync(service, apply.Plan, apply.Listed, token), cancellationToken, service.IsFenced ? Timing.CallTimeout : Timing.Interval)), cancellationToken);
                if (result is not StepResult.Applied(ApplyOutcome.Busy, _) || !await turn.AgainAsync(cancellationToken))
                {
                    return result;
                }
            }
        }
    }

    private async Task<bool> FenceAsync(Service service, Step.Fence fence, CancellationToken cancellationToken)
    {
        try
        {
            using var deadline = cancellationToken.Within(Timing.CallTimeout);
            return await WriteFence.PutAsync(replicas[fence.Replica], options.ItemsTable, fence.Replica, service.Name, fence.Order, fence.Until, deadline.Token);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            Log.CallFailed(logger, "Fencing writes", error);
            return false;
        }
    }

    /// <param name="timeout">Where a provider has no batches a plan takes several calls, each under its own deadline.</param>
    private async Task<T> WithDeadlineAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken, TimeSpan? timeout = null)
    {
        using var deadline = cancellationToken.Within(timeout ?? Timing.CallTimeout);
        return await call(deadline.Token);
    }

    private async Task<StepResult> TryAsync(string call, Func<Task<StepResult>> run, CancellationToken cancellationToken)
    {
        try
        {
            return await run();
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            Log.CallFailed(logger, call, error);
            return new StepResult.NotDone(Printable.Of($"{call} failed: {error.Message}", ReasonMax));
        }
    }

    private static StepResult.Applied Applied(ApplyAnswer answer) => new(answer.Outcome, Printable.Of(answer.Reason, ReasonMax));
}
