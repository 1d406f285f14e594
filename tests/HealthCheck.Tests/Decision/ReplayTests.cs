using Failover.ControlPlane;
using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;
using Failover.HealthCheck.Probing;

namespace Failover.HealthCheck.Tests.Decision;

/// <summary>A journal of forty ticks in which endpoint a fails from the twentieth on, derived again and with other thresholds.</summary>
public class ReplayTests
{
    private const int Fails = 20;
    private static readonly IReadOnlyList<JournalEntry> Journal = Record();

    [Fact]
    public void The_journal_holds_all_reasons_of_every_decision()
    {
        var replayed = Replay.Again(World.Topology, Journal);

        Assert.Equal(40, replayed.Count);
        Assert.All(replayed, decision => Assert.True(decision.IsSame, decision.Entry.Why));
        Assert.Equal(StartOf(Fails + 2), FirstMove(replayed));
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(5, 4)]
    public void Other_thresholds_show_when_they_would_have_moved(int downAfter, int ticks) =>
        Assert.Equal(StartOf(Fails + ticks), FirstMove(Replay.With(World.Topology, new Timing(DownAfterTicks: downAfter, UpAfterTicks: 6), Journal)));

    [Fact]
    public void A_decision_that_was_written_down_otherwise_is_found()
    {
        var forged = Journal.Select(entry => entry.Start == StartOf(Fails + 2) ? entry with { Decision = "Hold", Held = ["Paused"] } : entry);

        Assert.Equal([StartOf(Fails + 2)], Replay.Again(World.Topology, forged).Where(decision => !decision.IsSame).Select(decision => decision.Entry.Start));
    }

    [Fact]
    public void What_was_decided_by_other_rules_or_without_a_register_is_left_out()
    {
        var entry = Journal[0];

        Assert.Empty(Replay.Again(World.Topology, [entry with { RuleVersion = Ballot.RuleVersionNow - 1 }, entry with { Evidence = entry.Evidence! with { Register = null } }, entry with { Evidence = null }]));
    }

    private static DateTimeOffset StartOf(int tick) => World.Now.AddSeconds(10 * tick);

    private static DateTimeOffset? FirstMove(IEnumerable<Replayed> replayed) => replayed.FirstOrDefault(decision => decision.Decision.Verdict == Verdict.Move)?.Entry.Start;

    private static List<JournalEntry> Record()
    {
        var journal = new List<JournalEntry>();
        var ballots = World.Topology.Observers.ToDictionary(observer => observer, Ballot? (_) => null);
        for (var slot = 0; slot < 40; slot++)
        {
            var now = World.Now.AddSeconds(10 * slot);
            foreach (var observer in World.Topology.Observers)
            {
                var probes = World.Service.Endpoints.ToDictionary(endpoint => (World.Name, endpoint.Name), endpoint => new ProbeResult(endpoint.Name != "a" || slot < Fails, ""));
                var round = new HeartbeatRound(now.ToUnixTimeMilliseconds(), World.Topology.Replicas.ToHashSet(), new Dictionary<string, IReadOnlyDictionary<string, long>>());
                ballots[observer] = BallotFold.Next(World.Topology, observer, ballots[observer], new TickId(now, observer), new Observation(probes, round, AnyAnchorAnswers: true, TimeSpan.Zero, new Dictionary<string, DataBallot>()), now);
            }

            IReadOnlyList<Ballot> read = [.. ballots.Values.Select(ballot => ballot!)];
            var decision = Decider.Decide(World.Topology, World.Service, World.Register(), read, "o1", now);
            journal.Add(new JournalEntry
            {
                Service = World.Name,
                At = now,
                Observer = "o1",
                Start = now,
                Decision = decision.Verdict.ToString(),
                Diagnosis = decision.Diagnosis.ToString(),
                Held = [.. decision.Held.Select(reason => reason.ToString())],
                Why = decision.Why,
                To = decision.To,
                RuleVersion = Ballot.RuleVersionNow,
                Steps = [],
                Evidence = new JournalEvidence(now, World.Register(), null, read),
            });
        }

        return journal;
    }
}
