using System.Collections.Concurrent;
using Failover.ControlPlane;
using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;
using Failover.HealthCheck.Probing;
using Failover.Hosting;
using Microsoft.Extensions.Logging;

namespace Failover.HealthCheck;

/// <summary>What a tick tells of itself: one line of the journal with its evidence, log lines, metrics. The same every time, sick or well.</summary>
public sealed class TickReport(HealthCheckOptions options, JournalStore journal, Metrics metrics, TimeProvider time, ILogger<TickReport> logger)
{
    /// <summary>ACME clients renew a month before the end; half of that is late.</summary>
    private static readonly TimeSpan CertificateWarning = TimeSpan.FromDays(14);

    private readonly ConcurrentDictionary<string, (DateTimeOffset AsOf, DateTimeOffset? Since)> _unsettled = [];
    private readonly ConcurrentDictionary<string, int> _plansRefused = [];

    /// <summary>What this process left unsettled in its last tick.</summary>
    public Unsettled Unsettled
    {
        get
        {
            var remembered = _unsettled.ToArray();
            return remembered.Length == 0 ? Unsettled.Nothing
                : new Unsettled(
                    remembered.Max(service => service.Value.AsOf),
                    remembered.Where(service => service.Value.Since is not null).ToDictionary(service => service.Key, service => service.Value.Since!.Value));
        }
    }

    /// <summary>How far apart ticks lie, in intervals: 1 is as configured; with one tick a minute it is 6.</summary>
    /// <param name="own">This tick's ballot, or the one before.</param>
    public void Paced(DateTimeOffset start, Ballot? own)
    {
        metrics.Emit([("Observer", options.Observer)], new Metric("TickSpacing", "None", Math.Max(1, (start - Before()) / Timing.Interval)));

        DateTimeOffset Before()
        {
            if (own is not null && own.Start < start)
            {
                return own.Start;
            }

            return own?.StartsBefore is [.., var last] ? last : start - Timing.Interval;
        }
    }

    /// <summary>The anchors were asked. One that is silent alone is its own failure, or the way to it: it takes no vote, and is told.</summary>
    public void Anchors(IReadOnlyList<(Anchor Anchor, bool Answers)> asked)
    {
        List<string> silent = [.. asked.Where(anchor => !anchor.Answers).Select(anchor => anchor.Anchor.Name)];
        if (silent.Count > 0)
        {
            Log.AnchorsSilent(logger, string.Join(", ", silent), silent.Count, asked.Count);
        }

        metrics.Emit([("Observer", options.Observer)], new Metric("AnchorsSilent", "Count", silent.Count));
    }

    /// <summary>How long the certificates still last that the probes were shown.</summary>
    public void Certificates(IReadOnlyDictionary<(string Service, string Endpoint), ProbeResult> probes)
    {
        foreach (var ((service, endpoint), probe) in probes)
        {
            if (probe.CertificateUntil is { } until)
            {
                var left = until - time.GetUtcNow();
                metrics.Emit([("Service", service), ("Endpoint", endpoint)], new Metric("CertificateDaysLeft", "None", left.TotalDays));
                if (left < CertificateWarning)
                {
                    Log.CertificateEnds(logger, service, endpoint, until);
                }
            }
        }

        // An alarm names its dimensions, and endpoints are the topology's to name.
        foreach (var service in probes.Where(probe => probe.Value.CertificateUntil is not null).GroupBy(probe => probe.Key.Service))
        {
            metrics.Emit([("Service", service.Key)], new Metric("CertificateDaysLeft", "None", service.Min(probe => probe.Value.CertificateUntil!.Value - time.GetUtcNow()).TotalDays));
        }
    }

    /// <summary>How many endpoints' plans the DNS provider would refuse. Every tick's report repeats it from then on.</summary>
    public void Checked(Service service, int refused) => _plansRefused[service.Name] = refused;

    /// <summary>The mover came to an end for this tick.</summary>
    /// <param name="own">This tick's ballot.</param>
    /// <param name="isFresh">Whether what was read may still be acted on.</param>
    public async Task FollowedAsync(Service service, Ballot own, Look look, Mover mover, Step.Finish finish, bool isFresh, CancellationToken cancellationToken)
    {
        var decision = mover.Acted?.Decision ?? new Decision.Decision(Verdict.Hold, null, Diagnosis.Contested, [], finish.Why);
        if (finish.Ending == Ending.Frozen)
        {
            Log.Frozen(logger, service.Name, finish.Why);
        }

        if (finish.Ending == Ending.Rejected)
        {
            Log.Rejected(logger, service.Name, finish.Why);
        }

        if (decision.Held.Count > 0)
        {
            Log.Held(logger, service.Name, string.Join(',', decision.Held), decision.Why);
        }

        Log.Decided(logger, service.Name, decision.Diagnosis.ToString(), decision.Verdict.ToString(), decision.Why, string.Join("; ", mover.Log));
        metrics.Emit(
            [("Service", service.Name), ("Observer", options.Observer)],
            [
                new Metric("Vote", "Count", 1),
                new Metric("Frozen", "Count", finish.Ending == Ending.Frozen ? 1 : 0),
                new Metric("OlderPlanVisible", "Count", mover.HasRegressed ? 1 : 0),
                new Metric("HeldFailure", "Count", decision.Held.Any(reason => reason is not (HoldReason.NoDataGate or HoldReason.Backlog)) ? 1 : 0),
                new Metric("DecisionToMove", "Count", decision.Verdict == Verdict.Hold ? 0 : 1),
                new Metric("Epoch", "None", mover.Register?.Epoch ?? 0),
                .. _plansRefused.TryGetValue(service.Name, out var refused) ? [new Metric("PlansRefused", "Count", refused)] : Array.Empty<Metric>(),
            ]);
        Tell(service, own.Start, Overdue.Of(service, Timing, mover, look, finish.Ending, own, SinceOf(service, own)));
        // Each observer in its own region: two of three alarms, each with its memory, are the fence. Who is neither of the two says nothing.
        if (service.Lever == Lever.Switch && isFresh && mover.Register is { Primary: { } primary } register && (register.SentEndpoint == primary || service.Endpoint(register.SentEndpoint) is not null))
        {
            metrics.Emit([("Service", service.Name)], new Metric("LeavePrimary", "None", register.SentEndpoint == primary ? 0 : 1));
        }

        await JournalAsync(
            service, own.Start, mover.Acted, decision,
            finish.Ending == Ending.Frozen ? [.. decision.Held.Append(HoldReason.ForeignRecord).Distinct()] : decision.Held,
            [.. mover.Log, $"{finish.Ending}: {finish.Why}"],
            cancellationToken);
    }

    /// <summary>This observer has no vote in this tick: it decided nothing and touched nothing.</summary>
    /// <param name="own">Its ballot of this tick or the one before; null where none is known.</param>
    public async Task AbstainedAsync(Service service, DateTimeOffset start, Ballot? own, string why, CancellationToken cancellationToken)
    {
        Tell(service, start, Overdue.WithoutVote(start, own is null ? Timing.Interval : Overdue.Tick(own, Timing), SinceOf(service, own)));
        metrics.Emit([("Service", service.Name), ("Observer", options.Observer)], new Metric("Vote", "Count", 0));
        await JournalAsync(
            service, start, null, new Decision.Decision(Verdict.Hold, null, Diagnosis.ObserverIsolated, [HoldReason.NoVote], why), [HoldReason.NoVote], [], cancellationToken);
    }

    private Timing Timing => options.Topology.Timing;

    /// <summary>The first tick that was not settled, as this process or an earlier one remembers it.</summary>
    private DateTimeOffset? SinceOf(Service service, Ballot? own)
    {
        var stored = own?.Unsettled ?? Unsettled.Nothing;
        if (_unsettled.TryGetValue(service.Name, out var remembered) && remembered.AsOf > stored.AsOf)
        {
            return remembered.Since;
        }

        return stored.Since.TryGetValue(service.Name, out var since) ? since : null;
    }

    private void Tell(Service service, DateTimeOffset start, Overdue overdue)
    {
        _unsettled[service.Name] = (start, overdue.Since);
        metrics.Emit([("Service", service.Name), ("Observer", options.Observer)], new Metric("OverdueSeconds", "Seconds", overdue.Seconds));
        if (overdue.Seconds > 0)
        {
            Log.IsOverdue(logger, service.Name, overdue.Stage, overdue.Seconds);
        }
    }

    private async Task JournalAsync(
        Service service, DateTimeOffset start, Judgement? judgement, Decision.Decision decision, IReadOnlyList<HoldReason> held, IReadOnlyList<string> steps, CancellationToken cancellationToken)
    {
        try
        {
            await journal.WriteAsync(
                new JournalEntry
                {
                    Service = service.Name,
                    At = time.GetUtcNow(),
                    Observer = options.Observer,
                    Start = start,
                    Epoch = judgement?.View.Register?.Epoch,
                    Decision = decision.Verdict.ToString(),
                    Diagnosis = decision.Diagnosis.ToString(),
                    Held = [.. held.Select(reason => reason.ToString())],
                    Why = decision.Why,
                    RuleVersion = Ballot.RuleVersionNow,
                    To = decision.To,
                    DataLossMs = decision.DataLossMs,
                    Steps = steps,
                    Evidence = judgement is null ? null : JournalEvidence.Of(judgement.At, judgement.View, service.Name),
                },
                cancellationToken);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            Log.CallFailed(logger, "Writing the journal", error);
        }
    }
}
