using Failover.ControlPlane;
using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Probing;

namespace Failover.HealthCheck.Decision;

/// <summary>A decision of the journal, derived again.</summary>
/// <param name="Decision">What comes out now.</param>
public sealed record Replayed(JournalEntry Entry, Decision Decision)
{
    /// <summary>Whether it comes out as it was written down.</summary>
    public bool IsSame =>
        Entry.Decision == Decision.Verdict.ToString() && Entry.Diagnosis == Decision.Diagnosis.ToString()
        && (Decision.Verdict == Verdict.Hold || Entry.To == Decision.To)
        && Entry.Held.Where(held => held != nameof(HoldReason.ForeignRecord)).SequenceEqual(Decision.Held.Select(reason => reason.ToString()));
}

/// <summary>
/// Derives past decisions from the journal: as they were, which proves that the journal holds all of their reasons; or with other thresholds, which shows what those would have done.
/// </summary>
public static class Replay
{
    /// <summary>
    /// Each decision again, by the same thresholds. Left out is what was decided without a register, on a name that was frozen (the records are no part of the evidence), by other rules,
    /// or with another topology.
    /// </summary>
    public static IReadOnlyList<Replayed> Again(Topology topology, IEnumerable<JournalEntry> entries) =>
        [.. Derivable(topology, entries)
            .Where(entry => entry.Evidence!.Ballots.FirstOrDefault(ballot => ballot.Observer == entry.Observer) is not { } own || own.Topology == topology.Digest)
            .Select(entry => Derive(topology, entry, entry.Evidence!.Ballots))];

    /// <summary>
    /// Each decision with other thresholds: the probes, success and failure as the ballots in the journal recorded them, are folded again from each observer's first one on. The register stays what it was then,
    /// so that each line tells what would have been decided at that moment, and not what would have become of it.
    /// </summary>
    public static IReadOnlyList<Replayed> With(Topology topology, Timing timing, IEnumerable<JournalEntry> entries)
    {
        var other = topology with { Timing = timing };
        var derivable = Derivable(topology, entries).ToList();
        var refolded = derivable.SelectMany(entry => entry.Evidence!.Ballots.Select(ballot => (entry.Service, Ballot: ballot))).DistinctBy(folded => (folded.Service, folded.Ballot.Observer, folded.Ballot.Start))
            .GroupBy(folded => (folded.Service, folded.Ballot.Observer))
            .SelectMany(group => Refold(other, group.Select(folded => folded.Ballot).OrderBy(ballot => ballot.Start)).Select(ballot => (group.Key.Service, Ballot: ballot)))
            .ToDictionary(folded => (folded.Service, folded.Ballot.Observer, folded.Ballot.Start), folded => folded.Ballot);
        return [.. derivable.Select(entry => Derive(other, entry, [.. entry.Evidence!.Ballots.Select(ballot => IsOfOwnVersion(entry, ballot) ? refolded[(entry.Service, ballot.Observer, ballot.Start)] : ballot)]))];
    }

    /// <summary>What did not count then does not count now.</summary>
    private static bool IsOfOwnVersion(JournalEntry entry, Ballot ballot) =>
        entry.Evidence!.Ballots.FirstOrDefault(own => own.Observer == entry.Observer) is not { } own || own.Topology == ballot.Topology;

    private static IEnumerable<JournalEntry> Derivable(Topology topology, IEnumerable<JournalEntry> entries) => entries.Where(entry =>
        entry.Evidence?.Register is not null && entry.RuleVersion == Ballot.RuleVersionNow && !entry.Held.Contains(nameof(HoldReason.ForeignRecord))
        && topology.Services.Any(service => service.Name == entry.Service)).OrderBy(entry => entry.At);

    private static Replayed Derive(Topology topology, JournalEntry entry, IReadOnlyList<Ballot> ballots) => new(
        entry, Decider.Decide(topology, topology.Services.First(service => service.Name == entry.Service), entry.Evidence!.Register!, ballots, entry.Observer, entry.Evidence.Now));

    /// <summary>The first ballot is where the counting starts: what came before is not in the journal.</summary>
    private static IEnumerable<Ballot> Refold(Topology topology, IEnumerable<Ballot> ballots)
    {
        Ballot? previous = null;
        foreach (var ballot in ballots)
        {
            var first = previous is null;
            var before = previous;
            previous = ballot with
            {
                Topology = topology.Digest,
                Services = first ? ballot.Services : ballot.Services.ToDictionary(
                    service => service.Key,
                    service => (IReadOnlyDictionary<string, EndpointBallot>)service.Value.ToDictionary(endpoint => endpoint.Key, endpoint => Refold(topology, ballot, before!, service.Key, endpoint.Key))),
            };
            yield return previous;
        }
    }

    private static EndpointBallot Refold(Topology topology, Ballot ballot, Ballot before, string service, string name)
    {
        var view = ballot.On(service, name);
        if (topology.Services.FirstOrDefault(other => other.Name == service)?.Endpoint(name) is not { } endpoint)
        {
            return view;
        }

        TimeSpan? gap = ballot.Start > before.ValidUntil ? ballot.Start - before.Start : null;
        return HealthFold.Next(before.On(service, name), gap, view.Target, new ProbeResult(view.LastOk, view.Detail), ballot.Reaches(endpoint.Replica), ballot.Start, topology.Timing);
    }
}
