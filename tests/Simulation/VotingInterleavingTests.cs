using Failover.ControlPlane.Ballots;
using System.Collections.Immutable;
using Failover.ControlPlane;
using Failover.HealthCheck.Decision;
using Failover.HealthCheck.Probing;

namespace Failover.Simulation;

/// <summary>
/// Ticks of one observer that overlap, in every interleaving of their steps over the production vote, with writes that are dropped, answered too late, or not at all,
/// and ticks that die: no tick is counted twice, none of a later one is lost, and ballots only grow younger.
/// </summary>
public class VotingInterleavingTests(ITestOutputHelper output)
{
    private static readonly DateTimeOffset Start = Scene.Topology.Timing.StartAt(Scene.Now);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public void Overlapping_ticks_count_each_start_once(int one, int two) => Explore([one, two], faults: 2);

    [Fact]
    public void Three_overlapping_ticks_count_each_start_once() => Explore([0, 0, 1], faults: 1);

    [Fact]
    public void A_ballot_that_takes_any_place_is_found() =>
        Assert.Throws<RuleBrokenException>(() => Explore([0, 1], faults: 1, ignoresToken: true));

    private void Explore(IReadOnlyList<int> offsets, int faults, bool ignoresToken = false)
    {
        var (states, endings) = (0, 0);
        Visit(new State(new StoredBallot(null, null), [.. offsets.Select((offset, i) => new Tick(new TickId(Start.AddSeconds(10 * offset), $"t{i}"), null, null))], [], faults));
        output.WriteLine($"{states} states, {endings} endings");
        Assert.True(endings > 1);

        void Visit(State state)
        {
            states++;
            var moved = false;
            foreach (var next in Successors(state))
            {
                moved = true;
                if (next.Stored.Ballot?.Start < state.Stored.Ballot?.Start)
                {
                    throw new RuleBrokenException("a ballot was replaced by an older one");
                }

                // Every probe fails: what the ballot has counted are the starts up to its own, each at most once.
                if (next.Stored.Ballot is { } ballot && ballot.On(Scene.Name, "a").Failures > offsets.Distinct().Count(offset => Start.AddSeconds(10 * offset) <= ballot.Start))
                {
                    throw new RuleBrokenException($"a tick was counted twice: {ballot.On(Scene.Name, "a").Failures} failures");
                }

                Visit(next);
            }

            if (moved)
            {
                return;
            }

            endings++;
            foreach (var voted in state.Ticks.Where(tick => tick.Step is VoteStep.End { Ending: VoteEnding.Voted }))
            {
                if (!state.Counted.Contains(voted.Id.Start) || !(state.Stored.Ballot?.Start >= voted.Id.Start) || state.Stored.Ballot.On(Scene.Name, "a").Failures != state.Counted.Count)
                {
                    throw new RuleBrokenException($"the tick of {voted.Id.Start} voted, and its failure is not counted");
                }
            }
        }

        IEnumerable<State> Successors(State state)
        {
            for (var i = 0; i < state.Ticks.Length; i++)
            {
                foreach (var next in Act(state, i))
                {
                    yield return next;
                }
            }

            foreach (var late in state.InFlight)
            {
                yield return Take(state with { InFlight = state.InFlight.Remove(late) }, late).State;
            }
        }

        IEnumerable<State> Act(State state, int i)
        {
            var tick = state.Ticks[i];
            var now = Start.AddSeconds(10 * offsets.Max()).AddMilliseconds(i);
            if (tick.Step is VoteStep.End || tick.Dead)
            {
                yield break;
            }

            if (state.Faults > 0 && tick.Step is not null)
            {
                yield return (state with { Faults = state.Faults - 1 }).With(i, tick with { Dead = true });
            }

            switch (tick.Step)
            {
                case null:
                    yield return state.With(i, Stepped(tick, Voting.Start(Scene.Topology, "one", tick.Id, state.Stored, now)));
                    break;
                case VoteStep.LookAround:
                    yield return state.With(i, Stepped(tick, tick.Voting!.Next(Fails, now)));
                    break;
                case VoteStep.ReadBallot:
                    yield return state.With(i, Stepped(tick, tick.Voting!.Next(state.Stored, now)));
                    break;
                case VoteStep.WriteBallot write:
                    var (taken, took) = Take(state, write);
                    yield return taken.With(i, Stepped(tick, tick.Voting!.Next(took ? ConditionalWrite.Written : ConditionalWrite.Refused)));
                    if (state.Faults > 0)
                    {
                        var unanswered = (state with { Faults = state.Faults - 1 }).With(i, Stepped(tick, tick.Voting!.Next(ConditionalWrite.Unknown)));
                        yield return unanswered;
                        yield return unanswered with { Stored = taken.Stored, Counted = taken.Counted };
                        yield return unanswered with { InFlight = state.InFlight.Add(write) };

                        // The SDK's second try of a write whose answer was lost finds its own ballot there.
                        yield return (taken with { Faults = state.Faults - 1 }).With(i, Stepped(tick, tick.Voting!.Next(ConditionalWrite.Refused)));
                    }

                    break;
            }
        }

        (State State, bool Took) Take(State state, VoteStep.WriteBallot write) => state.Stored.Token == write.PreviousToken || ignoresToken
            ? (state with { Stored = new StoredBallot(write.Ballot.Token, write.Ballot), Counted = state.Counted.Add(write.Ballot.Start) }, true)
            : (state, false);
    }

    private static Tick Stepped(Tick tick, (Voting State, VoteStep Step) next) => tick with { Voting = next.State, Step = next.Step };

    private static readonly Observation Fails = new(
        Scene.Service.Endpoints.ToDictionary(endpoint => (Scene.Name, endpoint.Name), _ => new ProbeResult(Ok: false, "")),
        new HeartbeatRound(0, new HashSet<string>(), new Dictionary<string, IReadOnlyDictionary<string, long>>()),
        AnyAnchorAnswers: true,
        TimeSpan.Zero,
        new Dictionary<string, DataBallot>());

    private sealed record Tick(TickId Id, Voting? Voting, VoteStep? Step)
    {
        public bool Dead { get; init; }
    }

    private sealed record State(StoredBallot Stored, ImmutableArray<Tick> Ticks, ImmutableList<VoteStep.WriteBallot> InFlight, int Faults)
    {
        /// <summary>The starts whose ballots came to stand.</summary>
        public ImmutableHashSet<DateTimeOffset> Counted { get; init; } = [];

        public State With(int i, Tick tick) => this with { Ticks = Ticks.SetItem(i, tick) };
    }
}
