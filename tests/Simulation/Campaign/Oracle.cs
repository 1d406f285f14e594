using System.Collections.Immutable;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;

namespace Failover.Simulation.Campaign;

/// <summary>
/// Reads a history as an auditor would, who never saw the code: what the probes really saw, what the zone really held, who ordered what.
/// It has its own counters and its own reading of the state TXT, and no part of the production code decides anything here.
/// </summary>
internal sealed class Oracle(Schedule schedule, History history)
{
    private const long Interval = 10_000;

    /// <summary>How long a ballot counts, and how far two clocks that may vote can lie apart.</summary>
    private const long BallotLifetime = 30_000 + 7000;

    /// <summary>From the reading that a write rests on to its start.</summary>
    private const long ReadToWrite = Interval + 5000;

    private static readonly string[] Automatic = ["EndpointDown", "RegionLost"];

    private readonly Setting _setting = schedule.Setting;

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

        return BrokenByRegisters();
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
        if (change.WriteStarted - change.TickStarted > (2 * Interval) + 3000 && !schedule.Faults.Any(fault => fault.Kind is FaultKind.ClockSkewed))
        {
            return $"S7: a write started {(change.WriteStarted - change.TickStarted) / 1000} s after its tick";
        }

        var from = EndpointOf(previous.Sets);
        if (from == serves)
        {
            return null;
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
        if (!Count(change.WriteStarted, (states, acked) => states[from] is { Health: 'D', LastOk: false } && states[to].Health == 'U'))
        {
            return $"S4: an automatic move from {from} to {to} that no majority's probes bear out";
        }

        var replica = _setting.RegionOf(from);
        if (!Count(change.WriteStarted, (states, acked) => states[from].Failures >= 6 || states[from].Failed.Count(slot => acked.GetValueOrDefault((slot, replica)) >= 2) >= 3))
        {
            return $"S4: {why} after less than six failed ticks, and less than three with a living data path";
        }

        if (_setting.Service.Rpo.Prefer == RpoPreference.PreferData && from == 0 && _setting.RegionOf(to) == 1 && !(change.NewestBeatAge - (change.At - Since(change)) <= (_setting.Service.Rpo.LimitSeconds * 1000) + 20_000))
        {
            return $"the move could cost {change.NewestBeatAge / 1000} s of data, and the service prefers data";
        }

        return null;
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

        return Count(change.WriteStarted, (states, _) => states[to].Clean >= _setting.Timing.StableTicks) ? null : "S6: a move back to what has not long been up";
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

        var obeyed = history.Registers.Select(stored => stored.Register.LastCommand).OfType<CommandOutcome>().Distinct().GroupBy(outcome => outcome.Id);
        return obeyed.Any(outcomes => outcomes.Count() > 1) ? "an order was obeyed twice" : null;
    }

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

    /// <summary>Whether at some moment shortly before a write a majority's ballots that counted were so, and all were by the same rules.</summary>
    private bool Count(long writeStarted, Func<Counter[], Dictionary<(long Slot, int Replica), int>, bool> so)
    {
        var acked = new Dictionary<(long, int), int>();
        var observers = new (long At, Counter[] Endpoints, bool OtherRules, string Topology)?[3];
        var last = new long[3];
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

            // A slot is one tick, however often it was fired.
            if (observers[ballot.Observer] is not null && ballot.Slot <= last[ballot.Observer])
            {
                continue;
            }

            var before = observers[ballot.Observer] is { } known && (ballot.Slot - last[ballot.Observer]) * Interval <= 30_000 ? known.Endpoints : new Counter[ballot.Ok.Length];
            observers[ballot.Observer] = (ballot.At, [.. ballot.Ok.Select((ok, i) => before[i].Next(ok, ballot.Slot))], ballot.OtherRules, ballot.Topology);
            for (var replica = 0; replica < 2; replica++)
            {
                acked[(ballot.Slot, replica)] = acked.GetValueOrDefault((ballot.Slot, replica)) + (ballot.Acked[replica] ? 1 : 0);
            }

            last[ballot.Observer] = ballot.Slot;
            if (ballot.At >= writeStarted - ReadToWrite && Holds(ballot.At))
            {
                return true;
            }
        }

        return Holds(Math.Max(writeStarted - ReadToWrite, observers.Max(observer => observer?.At ?? 0)));

        bool Holds(long at) => observers.Count(observer => observer is { } vote && at - vote.At <= BallotLifetime && so(vote.Endpoints, acked)) >= 2
            && !observers.Any(observer => observer is { OtherRules: true } vote && at - vote.At <= 30_000 - 7000)
            && observers.Where(observer => observer is { } vote && at - vote.At <= 30_000 - 7000).Select(observer => observer!.Value.Topology).Distinct().Count() <= 1;
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

    /// <summary>The auditor's own count: three failures since the last six clean ones are down.</summary>
    private readonly record struct Counter(char Health, int Clean, bool LastOk, ImmutableList<long>? Slots)
    {
        public ImmutableList<long> Failed => Slots ?? [];

        public int Failures => Failed.Count;

        public Counter Next(bool ok, long slot) => ok
            ? Clean + 1 >= 6 ? new Counter('U', Clean + 1, true, null) : new Counter(Health, Clean + 1, true, Slots)
            : new Counter(Failures + 1 >= 3 ? 'D' : Health, 0, false, Failed.Add(slot));
    }
}
