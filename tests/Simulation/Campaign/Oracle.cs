using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;

namespace Failover.Simulation.Campaign;

/// <summary>
/// Reads a history as an auditor would, who never saw the code: what the probes really saw, what the zone really held, who ordered what.
/// It has its own counters and its own reading of the state TXT, and no part of the production code decides anything here.
/// </summary>
internal sealed class Oracle(Schedule schedule, History history)
{
    /// <summary>How far two clocks that may vote can lie apart.</summary>
    private const long Clocks = 7000;

    private static readonly string[] Automatic = ["EndpointDown", "RegionLost"];

    private readonly Setting _setting = schedule.Setting;

    /// <summary>The longer of the intervals that observers have.</summary>
    private readonly long _interval = 1000 * Math.Max(schedule.Setting.Timing.IntervalSeconds, schedule.Setting.Next?.Topology.Timing.IntervalSeconds ?? 0);

    /// <summary>From the reading that a write rests on to its start.</summary>
    private long ReadToWrite => _interval + 5000;

    /// <summary>The first rule that the history breaks; null if it breaks none.</summary>
    public string? FirstBroken()
    {
        string? before = null;
        for (var i = 0; i < history.Zone.Count; i++)
        {
            if (Broken(i) is { } broken)
            {
                return $"{broken}\n  at {history.Zone[i].At / 1000.0:0.0} s: {string.Join(", ", history.Zone[i].Sets)}; {string.Join(" | ", history.Zone[i].Txt)}\n  before: {before}";
            }

            before = string.Join(" | ", history.Zone[i].Txt);
        }

        return BrokenByRegisters() ?? BrokenBySilence() ?? BrokenByVotes();
    }

    /// <summary>Faults that keep no observer from voting.</summary>
    private static readonly FaultKind[] Harmless =
    [
        FaultKind.EndpointDown, FaultKind.AllEndpointsDown, FaultKind.EndpointFlaps, FaultKind.WriteMissing, FaultKind.ReplicationPaused, FaultKind.ReplicationSlow, FaultKind.DnsApiDown,
        FaultKind.DnsApiFlaky, FaultKind.DnsSlow, FaultKind.ServerSilent, FaultKind.ServerStale, FaultKind.TtlCountedDown, FaultKind.HumanEdit, FaultKind.Order, FaultKind.MixedVersions,
    ];

    /// <summary>Whatever is rolled out, no observer that can vote misses more than three of the longer intervals.</summary>
    private string? BrokenByVotes()
    {
        if (!schedule.Faults.All(fault => Harmless.Contains(fault.Kind)))
        {
            return null;
        }

        for (var observer = 0; observer < 3; observer++)
        {
            var last = 0L;
            foreach (var at in history.Ballots.Where(ballot => ballot.Observer == observer).Select(ballot => ballot.At).Append(history.Met[^1].At))
            {
                if (at - last > 3 * _interval)
                {
                    return $"observer {observer} lost its vote for {(at - last) / 1000} s, until {at / 1000} s, and nothing kept it from voting";
                }

                last = at;
            }
        }

        return null;
    }

    /// <summary>
    /// L1, during faults too: clients who meet a dead endpoint for longer than detection, two ticks and what a publication may last are either led elsewhere, or a voter's metric says that it is overdue.
    /// </summary>
    private string? BrokenBySilence()
    {
        var tick = schedule.Faults.Any(fault => fault.Kind is FaultKind.TickQueueDown or FaultKind.ScheduleTrouble) ? Math.Max(119_000, _interval) : _interval;
        var lag = schedule.Faults.Any(fault => fault.Kind is FaultKind.ServerStale or FaultKind.DnsSlow) ? 120_000 : 0;
        var limit = (11 * tick) + (_setting.IsSwitch ? 240_000 : 60_000) + lag + 30_000;
        var since = -1L;
        for (var i = 0; i < history.Met.Count; i++)
        {
            var met = history.Met[i];
            if (met.IsUp || met.IsFlapping || (i > 0 && history.Met[i - 1].Endpoint != met.Endpoint))
            {
                since = met.IsUp ? -1 : met.At;
                continue;
            }

            since = since < 0 ? met.At : since;
            var voters = history.Ticks.Where(ended => ended.At > met.At - (4 * tick) && ended.At <= met.At).ToList();

            // An observer without a vote says so by another metric; and what was detected before begins anew after it.
            if (voters.Count <= 6)
            {
                since = met.At;
                continue;
            }

            if (met.At - since < limit)
            {
                continue;
            }

            if (voters.TrueForAll(ended => ended.OverdueSeconds <= 0))
            {
                return $"L1: clients met a dead endpoint for {(met.At - since) / 1000} s, to {met.At / 1000} s, and no voter's metric said that anything was overdue";
            }

            since = met.At;
        }

        return null;
    }

    private string? Broken(int i)
    {
        var change = history.Zone[i];
        if (change.By is null)
        {
            return null;
        }

        var previous = history.Zone[i - 1];
        var lastOfOurs = history.Zone.Take(i).LastOrDefault(other => other.By is not null);
        var serves = EndpointOf(change.Sets);
        if (change.Sets.Count == 0)
        {
            return "S1: the name is empty";
        }

        if (serves < 0)
        {
            return "S1: the name answers what nobody configured";
        }

        if (change.Txt.Count != 1 || Words(change.Txt[0]) is not { } txt)
        {
            return "the state TXT is missing or cannot be read";
        }

        // The same once more: a person had removed it.
        if (lastOfOurs is not null && lastOfOurs.Txt[0] != change.Txt[0] && Words(lastOfOurs.Txt[0])!["epoch"] is var last && long.Parse(txt["epoch"]) <= long.Parse(last))
        {
            return "S2, S3: an epoch was applied twice, or an older one after a newer";
        }

        // The very first TXT is made where there is none, whoever took it away.
        if (IsForeign(i - 1) && !(previous.Txt.Count == 0 && txt["epoch"] == "0") && !history.Orders.Any(order => order.Command.Kind == CommandKind.Adopt && order.At > previous.At - 600_000))
        {
            return "what a person wrote was overwritten";
        }

        if (change.CutOff)
        {
            return "S9: an observer that was cut off, or had a wrong clock, wrote the name";
        }

        // A clock that was set back while the process slept deceives it; then the batch's own condition is what holds.
        if (change.WriteStarted - change.TickStarted > (2 * _interval) + 3000 && !schedule.Faults.Any(fault => fault.Kind is FaultKind.ClockSkewed))
        {
            return $"S7: a write started {(change.WriteStarted - change.TickStarted) / 1000} s after its tick";
        }

        var from = EndpointOf(previous.Sets);
        if (from == serves)
        {
            return null;
        }

        // Where a batch is a compare-and-swap, a withdrawal only ever confirms what is there.
        if (txt["why"] is "Withdrawn" or "Paused")
        {
            return "a withdrawal moved the name back, with no gate";
        }

        return Automatic.Contains(txt["why"]) ? BrokenByMove(i, from, serves, txt["why"])
            // What is left by it may have failed meanwhile; then it goes on as a move away.
            : txt["why"] == "MoveBack" ? BrokenByMoveBack(change, from, serves) is { } broken && BrokenByEvidence(change, from, serves, txt["why"]) is not null ? broken : null
            : txt["why"] == "Planned" && _setting.RegionOf(from) != _setting.RegionOf(serves) && !(change.FencedAt is { } fenced && change.Behind[_setting.RegionOf(from)] >= fenced)
                ? "a planned move was made before what was written had arrived"
            : txt["why"] is "Command" or "Override" or "Planned" && !history.Orders.Any(order => order.At < change.At) ? "the name was moved in an operator's name, who never said anything"
            : null;
    }

    private string? BrokenByMove(int i, int from, int to, string why)
    {
        var change = history.Zone[i];

        if (history.Registers.LastOrDefault(stored => stored.At <= change.WriteStarted)?.Register is { } register)
        {
            // A person who has pinned the name there since, or drained what it leaves, has made the move his own.
            var written = SimWorld.Epoch.AddMilliseconds(change.WriteStarted);
            if ((register.Pinned is { } pin && pin.Endpoint == _setting.Service.Endpoints[to].Name && !(pin.Order.Until <= written))
                || (register.Drained.TryGetValue(_setting.Service.Endpoints[from].Name, out var drain) && !(drain.Until <= written)))
            {
                return null;
            }

            // A move that was applied a moment ago and withdrawn in the same moment never counted: what is left then is what served before it.
            var active = _setting.Service.Endpoints.ToList().FindIndex(endpoint => endpoint.Name == register.Active);
            if (BrokenByEvidence(change, from, to, why) is { } broken && (active < 0 || active == to || BrokenByEvidence(change, active, to, why) is not null))
            {
                return broken;
            }
        }

        // S6: by the world's changes alone. What landed within a cool-down, without a person in between.
        var coolDown = (long)_setting.Timing.CoolDown.TotalMilliseconds - 60_000;
        var since = history.Orders.Where(order => order.At < change.At && order.Command.Kind == CommandKind.Ack).Select(order => order.At).DefaultIfEmpty(-1).Max();
        var recent = 0;
        for (var j = 1; j < i; j++)
        {
            var other = history.Zone[j];
            if (other.At > since && change.At - other.At < coolDown && other.By is not null && EndpointOf(other.Sets) != EndpointOf(history.Zone[j - 1].Sets)
                && Automatic.Contains(Words(other.Txt[0])!["why"]))
            {
                recent++;
            }
        }

        return recent > 1 ? "S6: a third automatic move within one cool-down, and nobody acknowledged" : null;
    }

    /// <summary>S4: what observers saw, and what the move could cost.</summary>
    private string? BrokenByEvidence(ZoneChange change, int from, int to, string why)
    {
        if (BrokenByBallots(change.WriteStarted, from, to, why) is { } broken)
        {
            return broken;
        }

        if (_setting.Service.Rpo.Prefer == RpoPreference.PreferData && from == 0 && _setting.RegionOf(to) == 1 && !(change.NewestBeatAge - (change.At - Since(change)) <= (_setting.Service.Rpo.LimitSeconds * 1000) + 20_000))
        {
            return $"the move could cost {change.NewestBeatAge / 1000} s of data, and the service prefers data";
        }

        return null;
    }

    /// <summary>S4: one and the same majority saw the one down and the other up, each with its latest probe, for long enough.</summary>
    private string? BrokenByBallots(long writeStarted, int from, int to, string why)
    {
        if (!Count(writeStarted, states => states[from] is { Health: 'D', LastOk: false } && states[to] is { Health: 'U', LastOk: true }))
        {
            return $"S4: an automatic move from {from} to {to} that no majority's probes bear out";
        }

        return Count(writeStarted, states => states[from] is { Health: 'D', LastOk: false } && states[to] is { Health: 'U', LastOk: true } && (states[from].Failures >= 6 || states[from].Lived >= 3))
            ? null : $"S4: {why} after less than six failed ticks, and less than three whose own heartbeat was acknowledged";
    }

    private string? BrokenByMoveBack(ZoneChange change, int from, int to)
    {
        var (here, there) = (_setting.RegionOf(from), _setting.RegionOf(to));
        var unseen = here == there ? 0 : change.Unseen.Max() - (change.At - change.WriteStarted);
        if (unseen > 60_000)
        {
            return $"S6: a move back while replication was {unseen / 1000} s behind";
        }

        // A ballot counts for half a minute, and clocks may differ.
        if (here != there && change.MissingSince < change.WriteStarted - 60_000)
        {
            return $"S6: a move back while a write had been missing for {(change.WriteStarted - change.MissingSince) / 1000} s";
        }

        return Count(change.WriteStarted, states => states[to].LastOk && states[to].Start - states[to].CleanSince >= _setting.Timing.Stable.TotalMilliseconds) ? null : "S6: a move back to what has not long been up";
    }

    private string? BrokenByRegisters()
    {
        for (var i = 1; i < history.Registers.Count; i++)
        {
            var (before, after) = (history.Registers[i - 1].Register, history.Registers[i].Register);
            if (after.Rev != before.Rev + 1)
            {
                return "rev did not rise by one: a write was erased";
            }

            if (after.Plan.Epoch < before.Plan.Epoch)
            {
                return "S2: the register's epoch went back";
            }

            if (after.Plan.Epoch == before.Plan.Epoch && after.Plan.Id != before.Plan.Id)
            {
                return "S3: two plans of one epoch";
            }

            if (history.Registers[i].CutOff)
            {
                return "S9: an observer that was cut off, or had a wrong clock, wrote the register";
            }

            if (BrokenByPublication(i, before, after) is { } unpublished)
            {
                return unpublished;
            }

            // An operator's override wins.
            var began = after.Moving is { Kind: MoveKind.Automatic } && before.Moving?.Kind is not MoveKind.Automatic;
            var now = SimWorld.Epoch.AddMilliseconds(history.Registers[i].At);
            if (began && (InForce(before.Paused) || InForce(before.Pinned?.Order)))
            {
                return "S10: an automatic move was begun against a pause or a pin";
            }

            if (began && before.Drained.TryGetValue(after.Moving!.To, out var drain) && InForce(drain))
            {
                return "S10: an automatic move to a drained endpoint";
            }

            if (after.Moving is { Kind: MoveKind.Back } back && before.Moving?.Kind is not MoveKind.Back && after.LastCommand == before.LastCommand && BrokenByItself(history.Registers[i], back) is { } broken)
            {
                return broken;
            }

            if (began && _setting.Service.Mode == FailoverMode.Approve && before.Approved is null)
            {
                return "a move was made that needed approval and had none";
            }

            // Half a minute: clocks may differ, and a write may be on its way.
            bool InForce(Override? order) => order is not null && (order.Until is null || order.Until > now.AddSeconds(30));
        }

        if (BrokenByCoolDown() is { } uncooled)
        {
            return uncooled;
        }

        return BrokenByAnswers();
    }

    /// <summary>S10: no order is answered twice, and no pause is refused.</summary>
    private string? BrokenByAnswers()
    {
        var answers = history.Registers.SelectMany(stored => stored.Register.Answered).Distinct().ToLookup(answer => answer.Id);
        if (answers.FirstOrDefault(given => given.Count() > 1) is { } twice)
        {
            return $"S10: the order {twice.Key} was answered twice";
        }

        foreach (var (at, order) in history.Orders)
        {
            if (order.Kind == CommandKind.Pause && answers[order.Id].FirstOrDefault() is { Obeyed: false } answer && answer.At - order.At < Command.Lifetime)
            {
                return $"S10: a pause of {at / 1000.0:0.0} s was {answer.Says}";
            }
        }

        return null;
    }

    /// <summary>S6, whatever the lever: automatic moves that were published within one cool-down, with no acknowledgement between them.</summary>
    private string? BrokenByCoolDown()
    {
        var coolDown = (long)_setting.Timing.CoolDown.TotalMilliseconds - 60_000;
        var published = new List<long>();
        for (var i = 1; i < history.Registers.Count; i++)
        {
            var (before, after) = (history.Registers[i - 1].Register, history.Registers[i]);
            if (after.Register.LastMove == before.LastMove || before.Moving is not { Kind: MoveKind.Automatic })
            {
                continue;
            }

            var acknowledged = history.Orders.Where(order => order.At < after.At && order.Command.Kind == CommandKind.Ack).Select(order => order.At).DefaultIfEmpty(-1).Max();
            published.RemoveAll(at => at < after.At - coolDown || at < acknowledged);
            published.Add(after.At);
            if (published.Count > 2)
            {
                return $"S6: three automatic moves were published within {(after.At - published[0]) / 1000} s, and nobody acknowledged";
            }
        }

        return null;
    }

    /// <summary>What was sent and seen is never withdrawn; and with the switch, where the register is all that there is, an automatic move rests on what the probes saw when its epoch was taken.</summary>
    private string? BrokenByPublication(int i, Register before, Register after)
    {
        if (after.Epoch == before.Epoch)
        {
            return Took(before.Publication.SentAt, after.Publication.SentAt) || Took(before.Publication.HeldAt, after.Publication.HeldAt) || Took(before.Publication.PublishedAt, after.Publication.PublishedAt)
                ? "a fact of an epoch was taken back" : null;
        }

        var stored = history.Registers[i];
        if (Words(after.Plan.Txt.Values[0])!["why"] is "Withdrawn" or "Paused" && after.Plan.Endpoint != before.Plan.Endpoint)
        {
            if (_setting.IsSwitch && before.Publication.SentAt is not null)
            {
                return "a switch was withdrawn after it was sent";
            }

            if (before.Publication.PublishedAt is not null)
            {
                return "a move was withdrawn after it was published";
            }
        }

        if (!_setting.IsSwitch || after.Moving is not { Kind: MoveKind.Automatic } move)
        {
            return null;
        }

        var (from, to) = (IndexOf(move.From), IndexOf(move.To));
        return from == to ? null : BrokenByBallots(stored.WriteStarted, from, to, "an automatic move");

        static bool Took(DateTimeOffset? one, DateTimeOffset? other) => one is not null && other is null;
    }

    private int IndexOf(string endpoint) => _setting.Service.Endpoints.ToList().FindIndex(other => other.Name == endpoint);

    /// <summary>A move back that nobody ordered: it must be wanted, and the tables must have been compared twice since the last move, and equal both times.</summary>
    private string? BrokenByItself(RegisterStored taken, Move back)
    {
        if (_setting.Service.MoveBack != MoveBackMode.Automatic)
        {
            return "S6: a move back that nobody ordered";
        }

        if (_setting.RegionOf(_setting.Service.Endpoints.ToList().FindIndex(endpoint => endpoint.Name == back.From)) == _setting.RegionOf(0))
        {
            return null;
        }

        var left = history.Zone.Where(change => change.At <= taken.WriteStarted).Reverse().TakeWhile(change => EndpointOf(change.Sets) != 0).Select(change => change.At).DefaultIfEmpty(0).Last();
        var compared = history.Comparisons.Where(comparison => comparison.At <= taken.WriteStarted).ToList();

        // Between a reading and what is decided by it there can be a tick, and half a minute: one comparison more or less.
        return Enumerable.Range(0, 2).Any(late => compared.SkipLast(late).TakeLast(2).ToList() is [var one, var other] && one.IsEqual && other.IsEqual && one.CutOff > left - 1000)
            ? null : "S6: a move back by itself without two equal comparisons since the last move";
    }

    /// <summary>Whether what the zone held there was a person's, and not what was there before him.</summary>
    private bool IsForeign(int i)
    {
        if (history.Zone[i].By is not null || i == 0)
        {
            return false;
        }

        var ours = history.Zone.Take(i).LastOrDefault(change => change.By is not null);
        return ours is null || !RecordSet.AreSame([.. ours.Sets], [.. history.Zone[i].Sets]) || !ours.Txt.SequenceEqual(history.Zone[i].Txt);
    }

    /// <summary>Whether at some moment shortly before a write a majority's ballots that counted were so, all by the same rules and with the same topology.</summary>
    private bool Count(long writeStarted, Func<Counter[], bool> so)
    {
        var observers = new Vote?[3];
        foreach (var ballot in history.Ballots)
        {
            if (ballot.At > writeStarted)
            {
                break;
            }

            if (ballot.At >= writeStarted - ReadToWrite && Holds(ballot.At - 1))
            {
                return true;
            }

            // A tick is made once, however often it was fired; but one of a clock that was ahead is replaced.
            if (observers[ballot.Observer] is { } last && ballot.Start <= last.Start && last.Start <= ballot.At + Clocks)
            {
                continue;
            }

            observers[ballot.Observer] = Next(observers[ballot.Observer], ballot);
            if (ballot.At >= writeStarted - ReadToWrite && Holds(ballot.At))
            {
                return true;
            }
        }

        return Holds(Math.Max(writeStarted - ReadToWrite, observers.Max(observer => observer?.At ?? 0)));

        bool Holds(long at) => observers.Where(observer => observer is { OtherRules: false } vote && at <= vote.ValidUntil + Clocks && so(vote.Endpoints))
            .GroupBy(observer => observer!.Topology).Any(alike => alike.Count() >= 2);
    }

    /// <summary>The auditor's own reading of one more ballot: how long it counts, and what is gone on from.</summary>
    private Vote Next(Vote? before, BallotStored ballot)
    {
        var known = before is { } vote && vote.Start < ballot.Start ? before : null;
        long[] spacings = known is null ? [] : [.. known.Spacings.TakeLast(2), Math.Min(ballot.Start - known.Start, 120_000)];
        var validUntil = ballot.Start + Math.Max(Math.Max(30_000, 3 * ballot.Interval), Math.Min(spacings.Sum(), 180_000));
        var isGap = known is not null && ballot.Start > known.ValidUntil;
        var endpoints = new Counter[ballot.Ok.Length];
        for (var i = 0; i < endpoints.Length; i++)
        {
            var counter = known?.Endpoints[i] ?? default;
            if (isGap)
            {
                counter = counter.Health == 'U' && ballot.Ok[i] && ballot.Start - known!.Start <= 180_000 ? new Counter('U', 0, 0, 0, false, 0, 0) : default;
            }

            endpoints[i] = counter.Next(ballot.Ok[i], ballot.Acked[_setting.RegionOf(i)], ballot.Start);
        }

        return new Vote(ballot.At, ballot.Start, validUntil, spacings, endpoints, ballot.OtherRules, ballot.Topology);
    }

    private int EndpointOf(IReadOnlyList<RecordSet> sets)
    {
        for (var i = 0; i < _setting.Service.Endpoints.Count; i++)
        {
            if (sets is [{ Type: "A", TtlSeconds: 60, Values: [var value] } set] && set.Name == Setting.Name && value == $"192.0.2.{i + 1}")
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>When the epoch was taken: what was too little to hold the beginning does not end the move.</summary>
    private static long Since(ZoneChange change) =>
        (long)(DateTimeOffset.Parse(Words(change.Txt[0])!["since"], System.Globalization.CultureInfo.InvariantCulture) - SimWorld.Epoch).TotalMilliseconds;

    private static Dictionary<string, string>? Words(string text)
    {
        var words = text.Split(' ').Select(word => word.Split('=', 2)).ToList();
        return words.All(word => word.Length == 2) && words.Select(word => word[0]).SequenceEqual(["v", "epoch", "active", "since", "by", "plan", "why"])
            ? words.ToDictionary(word => word[0], word => word[1])
            : null;
    }

    private sealed record Vote(long At, long Start, long ValidUntil, long[] Spacings, Counter[] Endpoints, bool OtherRules, string Topology);

    /// <summary>The auditor's own count: three failures since the last six clean ones are down.</summary>
    private readonly record struct Counter(char Health, int Failures, int Lived, int Clean, bool LastOk, long CleanSince, long Start)
    {
        public Counter Next(bool ok, bool lived, long start)
        {
            if (!ok)
            {
                return new Counter(Failures + 1 >= 3 ? 'D' : Health, Failures + 1, Lived + (lived ? 1 : 0), 0, false, 0, start);
            }

            var since = Clean == 0 ? start : CleanSince;
            return Clean + 1 >= 6 ? new Counter('U', 0, 0, Clean + 1, true, since, start) : new Counter(Health, Failures, Lived, Clean + 1, true, since, start);
        }
    }
}
