using System.Text.Json;
using Failover.ControlPlane;
using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;
using Failover.HealthCheck.Dns;
using Failover.HealthCheck.Probing;
using Failover.Hosting;
using Microsoft.Extensions.Logging;

namespace Failover.HealthCheck;

/// <summary>
/// One tick: probe, fold, beat, vote, read, decide, follow the register, journal. The same work every time, sick or well;
/// docs/what-happens-in-one-tick.md walks through it.
/// </summary>
public sealed class Tick(
    HealthCheckOptions options,
    ControlStore control,
    JournalStore journal,
    HttpProber prober,
    Heartbeats heartbeats,
    AuthoritativeLook looks,
    Route53Records records,
    ServerClock clock,
    Metrics metrics,
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
            await TryAsync($"Following {service.Name}", async () =>
            {
                await (noVote is null ? FollowAsync(service, slot, look, started, cancellationToken) : AbstainAsync(service, slot, noVote, cancellationToken));
                return new StepResult.NotDone("");
            }, cancellationToken);
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

    /// <summary>Carries out the mover's steps for one service, and journals what came of it.</summary>
    private async Task FollowAsync(Service service, long slot, Look look, Evidence started, CancellationToken cancellationToken)
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
            await AbstainAsync(service, slot, "the register cannot be read", cancellationToken);
            return;
        }

        var (mover, step) = Mover.Start(_topology, service, options.Observer, look, view, time.GetUtcNow());
        while (step is not Step.Finish)
        {
            StepResult result;
            switch (step)
            {
                case Step.ReadControl:
                    evidence = new Evidence(time);
                    result = await TryAsync("Reading the register", async () =>
                        new StepResult.Control(await control.ReadAsync(service.Name, cancellationToken)), cancellationToken);
                    break;
                case Step.ListRecords:
                    result = await TryAsync("Listing the records", async () =>
                        new StepResult.Listed(await WithDeadlineAsync(token => records.ListAsync(service, token), cancellationToken)), cancellationToken);
                    break;
                // Evidence and deadline are checked just before each write, which bounds how late one can start: a process that
                // slept does nothing with what it knew. What is under way then is fenced by the write's own condition.
                case Step.WriteRegister or Step.Apply when evidence.Age > Timing.EvidenceLifetime || started.Age > 2 * Timing.Interval:
                    result = new StepResult.NotDone($"the evidence is {started.Age.TotalSeconds:0} s old: nothing is done with it");
                    break;
                case Step.WriteRegister(var next, var expected, _):
                    result = new StepResult.Register(await control.WriteRegisterAsync(next, expected, cancellationToken));
                    break;
                case Step.Apply(var plan, var listed):
                    result = await TryAsync("Applying the plan", async () =>
                        new StepResult.Applied(await WithDeadlineAsync(token => records.ApplyAsync(service, plan, listed, token), cancellationToken)), cancellationToken);
                    if (result is StepResult.Applied(ApplyOutcome.Busy))
                    {
                        await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(50, 250)), time, cancellationToken);
                    }

                    break;
                default:
                    throw new InvalidOperationException($"No such step: {step}.");
            }

            (mover, step) = mover.Next(result, time.GetUtcNow());
        }

        await ReportAsync(service, slot, mover, (Step.Finish)step, cancellationToken);
    }

    private async Task ReportAsync(Service service, long slot, Mover mover, Step.Finish finish, CancellationToken cancellationToken)
    {
        var decision = mover.Acted?.Decision ?? new Decision.Decision(Verdict.Hold, null, Diagnosis.Contested, [], finish.Why);
        if (finish.Ending == Ending.Frozen)
        {
            Log.Frozen(logger, service.Name, finish.Why);
        }

        if (decision.Held.Count > 0)
        {
            Log.Held(logger, service.Name, string.Join(',', decision.Held), decision.Why);
        }

        Log.Decided(logger, service.Name, decision.Diagnosis.ToString(), decision.Verdict.ToString(), decision.Why, string.Join("; ", mover.Log));
        metrics.Emit(
            [("Service", service.Name), ("Observer", options.Observer)],
            [
                ("Vote", "Count", 1),
                ("Frozen", "Count", finish.Ending == Ending.Frozen ? 1 : 0),
                ("HeldFailure", "Count", decision.Held.Count > 0 ? 1 : 0),
                ("DecisionToMove", "Count", decision.Verdict == Verdict.Hold ? 0 : 1),
                ("Epoch", "None", mover.Register?.Epoch ?? 0),
            ]);
        await JournalAsync(
            service, slot, mover.Acted, decision,
            finish.Ending == Ending.Frozen ? [.. decision.Held.Append(HoldReason.NameFrozen).Distinct()] : decision.Held,
            [.. mover.Log, $"{finish.Ending}: {finish.Why}"],
            cancellationToken);
    }

    private async Task AbstainAsync(Service service, long slot, string why, CancellationToken cancellationToken)
    {
        metrics.Emit([("Service", service.Name), ("Observer", options.Observer)], [("Vote", "Count", 0)]);
        await JournalAsync(
            service, slot, null, new Decision.Decision(Verdict.Hold, null, Diagnosis.ObserverIsolated, [HoldReason.NoVote], why), [HoldReason.NoVote], [], cancellationToken);
    }

    private async Task JournalAsync(
        Service service, long slot, Judgement? judgement, Decision.Decision decision, IReadOnlyList<HoldReason> held, IReadOnlyList<string> steps, CancellationToken cancellationToken)
    {
        await TryAsync("Writing the journal", async () =>
        {
            await journal.WriteAsync(
                new JournalEntry
                {
                    Service = service.Name,
                    At = time.GetUtcNow(),
                    Observer = options.Observer,
                    Slot = slot,
                    Epoch = judgement?.View.Register?.Epoch,
                    Decision = decision.Verdict.ToString(),
                    Diagnosis = decision.Diagnosis.ToString(),
                    Held = [.. held.Select(reason => reason.ToString())],
                    Why = decision.Why,
                    Steps = steps,
                    Evidence = judgement is null ? null : EvidenceOf(judgement),
                },
                cancellationToken);
            return new StepResult.NotDone("");
        }, cancellationToken);
    }

    /// <summary>All that the decider was given, so that its decision can be derived again.</summary>
    private static JsonElement EvidenceOf(Judgement judgement)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("now", judgement.At);
            writer.WritePropertyName("register");
            JsonSerializer.Serialize(writer, judgement.View.Register, ControlJson.Default.Register!);
            writer.WritePropertyName("command");
            JsonSerializer.Serialize(writer, judgement.View.Command, ControlJson.Default.Command!);
            writer.WriteStartArray("ballots");
            foreach (var ballot in judgement.View.Ballots)
            {
                JsonSerializer.Serialize(writer, ballot, ControlJson.Default.Ballot);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        using var document = JsonDocument.Parse(buffer.ToArray());
        return document.RootElement.Clone();
    }

    private async Task<T> WithDeadlineAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Timing.CallTimeout);
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
            return new StepResult.NotDone($"{call} failed: {error.Message}");
        }
    }
}
