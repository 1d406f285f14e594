using Failover.ControlPlane;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;
using Failover.HealthCheck.Probing;

namespace Failover.Simulation.Campaign;

/// <summary>
/// One tick of one observer: the production vote, the production mover and the production rule of freshness, with this world's calls between their steps,
/// and a process around them that may sleep or die at each.
/// </summary>
internal sealed class SimTick(SimWorld world, Bug bug, int observer, DateTimeOffset start)
{
    private readonly long _started = world.Now;
    private readonly DateTimeOffset _startedWall = world.Clock(observer);
    private readonly bool[] _ok = new bool[world.Setting.Service.Endpoints.Count];
    private readonly bool[] _acked = new bool[2];
    private readonly Topology _topology = bug.TopologyOf(world.TopologyOf(observer), observer);
    private long _evidence;
    private DateTimeOffset _evidenceWall;
    private long _frozen;
    private long _frozenAtEvidence;
    private bool _cutOff;
    private Look _look = new([], HttpOk: false, "");
    private Voting _voting = null!;
    private Mover _mover = null!;

    /// <summary>What the last reading of the control table and the last listing said, for bugs.</summary>
    public ControlView? LastView { get; private set; }

    public Listing? LastListing { get; private set; }

    public SimWorld World => world;

    private DateTimeOffset Now => world.Clock(observer);

    private string Self => world.Setting.Topology.Observers[observer];

    private bool ControlFails => world.IsIsolated(observer) || world.Is(FaultKind.ControlDown) || world.Is(FaultKind.ControlRegionLost, observer);

    private bool DnsFails => world.IsIsolated(observer) || world.Is(FaultKind.DnsApiDown);

    /// <summary>Begins it.</summary>
    public void Run()
    {
        ReadBallot(stored =>
        {
            (_voting, var step) = Voting.Start(_topology, Self, new TickId(start, $"{observer}-{_started}-{world.Ticks}"), bug.Stored(stored, start, _topology.Timing.Interval), Now);
            Vote(step);
        });
    }

    /// <summary>A bug's: removes, some time later, the sets of every plan older than the one that is the newest now.</summary>
    public Step Cleans(Step step)
    {
        var keep = LastView!.Register!.Plan;
        world.After(world.Between(0, 120_000), () =>
        {
            if (world.Zone.Txt is { } txt && !txt.IsSameAs(keep.Txt))
            {
                world.SetZone([], txt, observer, world.Now, world.Now, cutOff: false);
            }
        });
        return step;
    }

    /// <summary>Lets the tick go on after a while, unless its process died or fell asleep.</summary>
    public void GoOn(long delay, Action then) => world.After(delay, () =>
    {
        if (!world.IsAlive(observer) || world.Chance(world.Active(FaultKind.Crashes) / 8))
        {
            return;
        }

        if (world.Chance(world.Active(FaultKind.Pauses) / 4))
        {
            var asleep = (long)(Math.Pow(world.Random.NextDouble(), 3) * 600_000);

            // A monotonic clock may stand still while a machine is frozen.
            _frozen += world.Chance(0.5) ? asleep : 0;
            world.After(asleep, () =>
            {
                if (world.IsAlive(observer))
                {
                    then();
                }
            });
            return;
        }

        then();
    });

    private void ReadBallot(Action<StoredBallot?> then)
    {
        StoredBallot? stored = null;
        world.Call(this, ControlFails, world.Active(FaultKind.ControlFlaky) / 2, () => (stored = world.StoredBallot(observer)) is not null, end => then(end == CallEnd.Done ? stored : null));
    }

    private void Vote(VoteStep step)
    {
        switch (step)
        {
            case VoteStep.LookAround:
                var looked = LookAround();
                GoOn(world.Is(FaultKind.LooksSlow) ? world.Between(50, 6000) : world.Between(50, 400), () =>
                {
                    var seen = bug.Observation(looked);
                    (_voting, var next) = _voting.Next(seen, Now);
                    Vote(next);
                });
                break;
            case VoteStep.WriteBallot(var ballot, var previousToken):
                world.Call(
                    this, ControlFails, world.Active(FaultKind.ControlFlaky), () => world.StoreBallot(observer, ballot, previousToken, _topology, _ok, _acked),
                    end =>
                    {
                        (_voting, var next) = _voting.Next(Answer(end));
                        Vote(next);
                    });
                break;
            case VoteStep.ReadBallot:
                ReadBallot(stored =>
                {
                    (_voting, var next) = _voting.Next(stored, Now);
                    Vote(next);
                });
                break;
            case VoteStep.End(VoteEnding.Voted, _):
                Follow();
                break;
        }
    }

    private Observation LookAround()
    {
        var service = world.Setting.Service;
        var probes = new Dictionary<(string, string), ProbeResult>();
        for (var i = 0; i < service.Endpoints.Count; i++)
        {
            _ok[i] = world.Sees(observer, i);
            probes[(service.Name, service.Endpoints[i].Name)] = _ok[i] ? Probed : NotProbed;
        }

        var beat = Now.ToUnixTimeMilliseconds();
        var acked = new HashSet<string>();
        var visible = new Dictionary<string, IReadOnlyDictionary<string, long>>();
        for (var replica = 0; replica < 2; replica++)
        {
            if (world.TakesData(observer, replica))
            {
                acked.Add(Replica(replica));
                _acked[replica] = true;
                world.Beat(observer, replica, beat);
            }
        }

        for (var replica = 0; replica < 2; replica++)
        {
            if (world.TakesData(observer, replica))
            {
                var rows = new Dictionary<string, long>();
                for (var origin = 0; origin < 2; origin++)
                {
                    if (world.NewestBeat(observer, origin, replica) is { } beaten)
                    {
                        rows[Replica(origin)] = beaten;
                    }
                }

                visible[Replica(replica)] = rows;
            }
        }

        Listing?[] shown = [.. Enumerable.Range(0, SimWorld.Servers).Select(server => world.SeesNothing(observer) ? null : world.Answer(server))];
        var newest = Newest(shown);
        var serving = newest >= 0 ? world.EndpointOf(shown[newest]!.Sets) : -1;
        _look = new Look(shown, serving >= 0 && world.Sees(observer, serving), "", newest);
        var skew = world.Skew(observer);
        _cutOff = world.SeesNothing(observer) || skew.Duration() > TimeSpan.FromSeconds(3.5);
        return new Observation(probes, new HeartbeatRound(beat, acked, visible), !world.SeesNothing(observer), skew, Enumerable.Range(0, 2).Where(replica => world.TakesData(observer, replica)).ToDictionary(Replica, world.Journal)) { Unsettled = world.UnsettledOf(observer) };
    }

    /// <summary>As production code chooses whose answer it fetches from: the most common, and of those the highest epoch.</summary>
    private static int Newest(Listing?[] shown) => Enumerable.Range(0, shown.Length).Where(i => shown[i] is not null)
        .OrderByDescending(i => shown.Count(other => other is not null && RecordSet.AreSame(other.Sets, shown[i]!.Sets)))
        .ThenByDescending(i => shown[i]!.Txt is { Values: [var text] } && StateTxt.TryParse(text) is { } state ? state.Epoch : -1).Append(-1).First();

    private void Follow() => ReadControl(view =>
    {
        if (view is null)
        {
            return;
        }

        (_mover, var step) = Mover.Start(_topology, _topology.Services[0], Self, _look, view, Now, listsNow: world.Chance(0.02));
        Do(step);
    });

    private void ReadControl(Action<ControlView?> then)
    {
        var reading = (world.Now, Now, _frozen);
        ControlView? view = null;
        world.Call(
            this, ControlFails, world.Active(FaultKind.ControlFlaky) / 2, () => (view = world.View()) is not null,
            end =>
            {
                LastView = end == CallEnd.Done ? bug.View(this, view!, Now) : null;
                if (LastView is not null)
                {
                    (_evidence, _evidenceWall, _frozenAtEvidence) = reading;
                }

                then(LastView);
            });
    }

    private void Do(Step wanted)
    {
        var step = bug.Does(this, wanted);
        switch (step)
        {
            case Step.Finish(var ending, _):
                Emit();
                var overdue = Overdue.Of(_topology.Services[0], _topology.Timing, _mover, _look, ending, _voting.Own!, bug.ForgetsOverdue ? null : world.SinceOf(observer, _voting.Own!));
                world.Remember(observer, start, overdue.Since);
                world.History.Ticks.Add(new TickEnded(world.Now, observer, ending.ToString(), [.. _mover.Acted?.Decision.Held.Select(reason => reason.ToString()) ?? []], overdue.Seconds));
                break;
            case Step.ReadControl:
                ReadControl(view => Next(view is null ? new StepResult.NotDone("cannot read") : new StepResult.Control(view)));
                break;
            case Step.AwaitTurn:
                GoOn(world.Chance(0.05) ? world.Between(0, 9000) : 0, () => Next(new StepResult.Turn()));
                break;
            case Step.ListRecords:
                Listing? listed = null;
                world.Call(
                    this, DnsFails, world.Active(FaultKind.DnsApiFlaky) / 2, () => (listed = world.Zone) is not null,
                    end =>
                    {
                        LastListing = listed;
                        Next(end == CallEnd.Done ? new StepResult.Listed(listed!) : new StepResult.NotDone("cannot list"));
                    });
                break;
            case Step.WriteRegister or Step.Apply or Step.Fence when !bug.IgnoresFreshness && Freshness.Stale(Age(_evidence, _frozen - _frozenAtEvidence, _evidenceWall), Age(_started, _frozen, _startedWall), _topology.Timing) is { } stale:
                Next(new StepResult.NotDone(stale));
                break;
            case Step.WriteRegister(var register, var expected, _):
                var writeStarted = world.Now;
                world.Call(
                    this, ControlFails, world.Active(FaultKind.ControlFlaky), () => world.StoreRegister(register, expected, writeStarted, _started, _cutOff),
                    end => Next(new StepResult.Register(Answer(end))));
                break;
            case Step.Apply(var plan, var listing):
                Apply(plan, listing);
                break;
            case Step.Fence(var replica, _, var until):
                world.Call(
                    this, !world.TakesData(observer, replica == "r0" ? 0 : 1), 0, () => Fence(until),
                    end => Next(new StepResult.Fenced(end == CallEnd.Done)));
                break;
        }
    }

    private void Apply(Plan plan, Listing listing)
    {
        var writeStarted = world.Now;
        world.Call(
            this, DnsFails, world.Active(FaultKind.DnsApiFlaky), () => bug.Batches(RecordBatch.Of(plan, listing), world).All(batch => world.Batch(batch, observer, writeStarted, _started, _cutOff)),
            end => Next(new StepResult.Applied(end switch
            {
                CallEnd.Done => ApplyOutcome.Applied,
                CallEnd.Refused => ApplyOutcome.Refused,
                CallEnd.Throttled => ApplyOutcome.Busy,
                _ => ApplyOutcome.Unknown,
            })));
    }

    /// <summary>The metric on which the switch hangs, as the production report emits it.</summary>
    private void Emit()
    {
        if (world.Setting.IsSwitch && _mover.Register is { Primary: { } primary } register
            && Freshness.Stale(Age(_evidence, _frozen - _frozenAtEvidence, _evidenceWall), Age(_started, _frozen, _startedWall), _topology.Timing) is null)
        {
            world.Emit(observer, register.SentEndpoint != primary);
        }
    }

    private bool Fence(DateTimeOffset? until)
    {
        world.FencedAt = until is null ? null : world.FencedAt ?? world.Now;
        return true;
    }

    private void Next(StepResult result)
    {
        (_mover, var step) = _mover.Next(result, Now);
        Do(step);
    }

    private TimeSpan Age(long since, long frozen, DateTimeOffset wall)
    {
        var (monotonic, byWall) = (TimeSpan.FromMilliseconds(world.Now - since - frozen), Now - wall);
        return monotonic > byWall ? monotonic : byWall;
    }

    private static ConditionalWrite Answer(CallEnd end) => end switch
    {
        CallEnd.Done => ConditionalWrite.Written,
        CallEnd.Refused => ConditionalWrite.Refused,
        _ => ConditionalWrite.Unknown,
    };

    private static string Replica(int replica) => replica == 0 ? "r0" : "r1";

    private static readonly ProbeResult Probed = new(Ok: true, "");
    private static readonly ProbeResult NotProbed = new(Ok: false, "");
}
