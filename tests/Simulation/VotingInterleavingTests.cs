using Failover.ControlPlane.Ballots;
using System.Collections.Immutable;
using Failover.ControlPlane;
using Failover.HealthCheck.Decision;
using Failover.HealthCheck.Probing;

namespace Failover.Simulation;

/// <summary>
/// Ticks of one observer that overlap, in every interleaving of their steps over the production vote, with writes that are dropped, answered too late, or not at all,
/// and ticks that die: no slot is counted twice, none of a later one is lost, and ballots only grow younger.
/// </summary>
public class VotingInterleavingTests(ITestOutputHelper output)
{
    private static readonly long Slot = Scene.Topology.Timing.SlotAt(Scene.Now);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public void Overlapping_ticks_count_each_slot_once(int one, int two) => Explore([Slot + one, Slot + two], faults: 2);

    [Fact]
    public void Three_overlapping_ticks_count_each_slot_once() => Explore([Slot, Slot, Slot + 1], faults: 1);

    [Fact]
    public void A_ballot_that_takes_any_place_is_found() =>
        Assert.Throws<RuleBrokenException>(() => Explore([Slot, Slot + 1], faults: 1, ignoresSlot: true));

    private void Explore(IReadOnlyList<long> slots, int faults, bool ignoresSlot = false)
    {
        var (states, endings) = (0, 0);
        Visit(new State(new StoredBallot(null, null), [.. slots.Select(slot => new Tick(slot, null, null))], [], faults));
        output.WriteLine($"{states} states, {endings} endings");
        Assert.True(endings > 1);

        void Visit(State state)
        {
            states++;
            var moved = false;
            foreach (var next in Successors(state))
            {
                moved = true;
                if (next.Stored.Slot < state.Stored.Slot)
                {
                    throw new RuleBrokenException("a ballot was replaced by an older one");
                }

                // Every probe fails: what the ballot has counted must be the slots that it stands for, each once.
                if (next.Stored.Ballot?.On(Scene.Name, "a") is { } view && (view.FailedSlots.Distinct().Count() != view.FailedSlots.Count || view.Failures != view.FailedSlots.Count))
                {
                    throw new RuleBrokenException($"a slot was counted twice: {string.Join(',', view.FailedSlots)}");
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
                if (state.Stored.Ballot?.On(Scene.Name, "a").FailedSlots.Contains(voted.Slot) != true)
                {
                    throw new RuleBrokenException($"slot {voted.Slot} voted, and its failure is not counted");
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
                yield return state with { Stored = Take(state.Stored, late).Stored, InFlight = state.InFlight.Remove(late) };
            }
        }

        IEnumerable<State> Act(State state, int i)
        {
            var tick = state.Ticks[i];
            var now = Scene.Now.AddSeconds(10 * (tick.Slot - Slot)).AddMilliseconds(i);
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
                    yield return state.With(i, Stepped(tick, Voting.Start(Scene.Topology, "one", tick.Slot, state.Stored, now)));
                    break;
                case VoteStep.LookAround:
                    yield return state.With(i, Stepped(tick, tick.Voting!.Next(Fails, now)));
                    break;
                case VoteStep.ReadBallot:
                    yield return state.With(i, Stepped(tick, tick.Voting!.Next(state.Stored, now)));
                    break;
                case VoteStep.WriteBallot write:
                    var (stored, took) = Take(state.Stored, write);
                    yield return (state with { Stored = stored }).With(i, Stepped(tick, tick.Voting!.Next(took ? ConditionalWrite.Written : ConditionalWrite.Refused)));
                    if (state.Faults > 0)
                    {
                        var unanswered = (state with { Faults = state.Faults - 1 }).With(i, Stepped(tick, tick.Voting!.Next(ConditionalWrite.Unknown)));
                        yield return unanswered;
                        yield return unanswered with { Stored = stored };
                        yield return unanswered with { InFlight = state.InFlight.Add(write) };

                        // The SDK's second try of a write whose answer was lost finds its own ballot there.
                        yield return (state with { Stored = stored, Faults = state.Faults - 1 }).With(i, Stepped(tick, tick.Voting!.Next(ConditionalWrite.Refused)));
                    }

                    break;
            }
        }

        (StoredBallot Stored, bool Took) Take(StoredBallot stored, VoteStep.WriteBallot write) =>
            stored.Slot == write.PreviousSlot || ignoresSlot ? (new StoredBallot(write.Ballot.Slot, write.Ballot), true) : (stored, false);
    }

    private static Tick Stepped(Tick tick, (Voting State, VoteStep Step) next) => tick with { Voting = next.State, Step = next.Step };

    private static readonly Observation Fails = new(
        Scene.Service.Endpoints.ToDictionary(endpoint => (Scene.Name, endpoint.Name), _ => new ProbeResult(Ok: false, "")),
        new HeartbeatRound(0, new HashSet<string>(), new Dictionary<string, IReadOnlyDictionary<string, long>>()),
        AnyAnchorAnswers: true,
        TimeSpan.Zero,
        new Dictionary<string, DataBallot>());

    private sealed record Tick(long Slot, Voting? Voting, VoteStep? Step)
    {
        public bool Dead { get; init; }
    }

    private sealed record State(StoredBallot Stored, ImmutableArray<Tick> Ticks, ImmutableList<VoteStep.WriteBallot> InFlight, int Faults)
    {
        public State With(int i, Tick tick) => this with { Ticks = Ticks.SetItem(i, tick) };
    }
}
