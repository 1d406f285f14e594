using Amazon.DynamoDBv2;
using Failover.ControlPlane;
using Failover.ControlPlane.Ballots;
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

    private Timing Timing => options.Topology.Timing;

    /// <summary>Follows the register of one service for one tick.</summary>
    /// <param name="own">This tick's ballot.</param>
    /// <param name="listsNow">Whether the name is due to be listed whatever its servers show.</param>
    /// <param name="look">What the world saw in this tick.</param>
    /// <param name="started">When the tick really began.</param>
    public async Task FollowAsync(Service service, Ballot own, bool listsNow, Look look, Evidence started, CancellationToken cancellationToken)
    {
        ControlView view;
        var evidence = new Evidence(time);
        try
        {
            view = await control.ReadAsync(service.Name, cancellationToken);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            Log.CallFailed(logger, "Reading the register", error);
            await report.AbstainedAsync(service, own.Start, own, "the register cannot be read", cancellationToken);
            return;
        }

        var (mover, step) = Mover.Start(options.Topology, service, options.Observer, look, view, time.GetUtcNow(), listsNow);
        while (step is not Step.Finish)
        {
            StepResult result;
            switch (step)
            {
                case Step.ReadControl:
                    var reading = new Evidence(time);
                    result = await TryAsync("Reading the register", async () =>
                        new StepResult.Control(await control.ReadAsync(service.Name, cancellationToken)), cancellationToken);

                    // A reading that failed makes what was read before it no younger.
                    evidence = result is StepResult.Control ? reading : evidence;
                    break;
                case Step.ListRecords:
                    result = await TryAsync("Listing the records", async () =>
                        new StepResult.Listed(await WithDeadlineAsync(token => providerOf(service).ListAsync(service, token), cancellationToken)), cancellationToken);
                    break;
                case Step.WriteRegister or Step.Apply or Step.Fence when Freshness.Stale(evidence.Age, started.Age, Timing) is { } stale:
                    result = new StepResult.NotDone(stale);
                    break;
                case Step.WriteRegister(var next, var expected, _):
                    result = new StepResult.Register(await control.WriteRegisterAsync(next, expected, cancellationToken));
                    break;
                case Step.Fence fence:
                    result = new StepResult.Fenced(await FenceAsync(service, fence, cancellationToken));
                    break;
                case Step.Apply(var plan, var listed):
                    result = await TryAsync("Applying the plan", async () =>
                        Applied(await WithDeadlineAsync(token => providerOf(service).ApplyAsync(service, plan, listed, token), cancellationToken, service.IsFenced ? Timing.CallTimeout : Timing.Interval)), cancellationToken);
                    if (result is StepResult.Applied(ApplyOutcome.Busy, _))
                    {
                        await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(50, 250)), time, cancellationToken);
                    }

                    break;
                default:
                    throw new InvalidOperationException($"No such step: {step}.");
            }

            (mover, step) = mover.Next(result, time.GetUtcNow());
        }

        await Task.WhenAll(
            moves.TellAsync(service, mover.Register?.LastMove, cancellationToken),
            report.FollowedAsync(service, own, look, mover, (Step.Finish)step, Freshness.Stale(evidence.Age, started.Age, Timing) is null, cancellationToken));
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
