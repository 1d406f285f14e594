using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;

namespace Failover.HealthCheck.Decision;

/// <summary>
/// For how long the world has not shown what the register wants, past what is normal: one figure, whatever the cause.
/// </summary>
/// <remarks>
/// <code>
/// what a tick found                              | may last
/// frozen, rejected, no register, a hold, no vote | 2 ticks from the first tick that was not settled
/// decided, and no epoch taken                    | 1 tick from there
/// taken, and not held by the provider            | 2 ticks from there
/// held (with the switch: sent), not published    | 60 s from then (the switch: 240 s, four metric periods)
/// published, and some servers answer otherwise   | 120 s from then
/// published, and not served over HTTP            | 2 ticks from then
/// done, and some servers show another plan       | 120 s from the first tick that was not settled; no server answers: 2 ticks
/// a failure is being detected                    | the ticks that detection takes, and one more
/// </code>
/// The first tick that was not settled survives epochs, so that taking and withdrawing in turn is seen; a whole settled tick clears it. Resolvers' times to live never count.
/// </remarks>
/// <param name="Since">The first tick that was not settled; null if this one is.</param>
/// <param name="Seconds">0 while nothing is overdue.</param>
/// <param name="Stage">What is waited for, for people.</param>
public sealed record Overdue(DateTimeOffset? Since, double Seconds, string Stage)
{
    private const int TicksToAct = 2;

    /// <summary>Two ticks of one a minute lie no further apart.</summary>
    private static readonly TimeSpan TickMax = TimeSpan.FromSeconds(120);

    private static readonly TimeSpan HeldFor = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan SwitchFor = TimeSpan.FromSeconds(240);
    private static readonly TimeSpan LagFor = TimeSpan.FromSeconds(120);

    /// <summary>Reasons that hold nothing which clients wait for.</summary>
    private static readonly HoldReason[] Patient = [HoldReason.Detecting, HoldReason.NoDataGate, HoldReason.Backlog];

    /// <summary>Whether a tick without a vote is overdue: it decides nothing.</summary>
    /// <param name="tick">What <see cref="Tick"/> says.</param>
    /// <param name="before">The first tick before this one that was not settled.</param>
    public static Overdue WithoutVote(DateTimeOffset start, TimeSpan tick, DateTimeOffset? before) => From(before ?? start, "no vote", before ?? start, TicksToAct * tick, start);

    /// <summary>How far apart ticks lie: an interval, or more while the queue of ticks is gone. The longest of the last three spacings; an interruption is no spacing.</summary>
    public static TimeSpan Tick(ControlPlane.Ballots.Ballot own, Timing timing)
    {
        var longest = timing.Interval;
        var start = own.Start;
        foreach (var before in own.StartsBefore.Reverse())
        {
            longest = start - before > longest ? start - before : longest;
            start = before;
        }

        return longest > TickMax && timing.Interval < TickMax ? TickMax : longest;
    }

    /// <summary>What a tick that has a vote leaves unfinished.</summary>
    public static Overdue Of(Service service, Timing timing, Mover mover, Look look, Ending ending, ControlPlane.Ballots.Ballot own, DateTimeOffset? before)
    {
        var (start, tick) = (own.Start, Tick(own, timing));
        var since = before ?? start;
        if (ending is Ending.Frozen or Ending.Rejected || mover.Register is not { } register || mover.Decision is not { } decision)
        {
            return From(since, ending.ToString(), since, TicksToAct * tick, start);
        }

        if (decision.Held.Any(reason => !Patient.Contains(reason)))
        {
            return From(since, string.Join(", ", decision.Held), since, TicksToAct * tick, start);
        }

        if (Unpublished(service, register, look, since, tick, start) is { } unpublished)
        {
            return unpublished;
        }

        if (decision.Verdict != Verdict.Hold && ending is not Ending.DryRun)
        {
            return From(since, "decided, not taken", since, tick, start);
        }

        // A failure that is being detected neither begins nor ends what was unfinished before it.
        return decision.Held.Contains(HoldReason.Detecting) && own.On(service.Name, register.Serving).FailedSince is { } failedSince
            ? From(before, "detecting", failedSince, (timing.LostAfterTicks + 1) * tick, start)
            : new Overdue(null, 0, "settled");
    }

    private static Overdue? Unpublished(Service service, Register register, Look look, DateTimeOffset since, TimeSpan tick, DateTimeOffset start)
    {
        var isSwitch = service.Lever == Lever.Switch;
        var publication = register.Publication;
        if (service.Mode == FailoverMode.ObserveOnly)
        {
            return null;
        }

        if (publication.SentAt is null || (!isSwitch && publication.HeldAt is null))
        {
            return From(since, "taken, not held", since, TicksToAct * tick, start);
        }

        if (publication.PublishedAt is not { } publishedAt)
        {
            var (from, allowance) = isSwitch ? (publication.SentAt.Value, SwitchFor) : (publication.HeldAt!.Value, HeldFor);
            return register.Moving is null && look.MostShow(register.Plan, !isSwitch) ? null : From(since, "held, not published", from, allowance, start);
        }

        if (look.Answering == 0)
        {
            return From(since, "no authoritative server answers", since, TicksToAct * tick, start);
        }

        if (register.Moving is null)
        {
            return look.AllShow(register.Plan, !isSwitch) ? null : From(since, "some servers show another plan", since, LagFor, start);
        }

        return look.AllShow(register.Plan, !isSwitch)
            ? From(since, "published, not served", publishedAt, TicksToAct * tick, start)
            : From(since, "published, servers lag", publishedAt, LagFor, start);
    }

    private static Overdue From(DateTimeOffset? since, string stage, DateTimeOffset from, TimeSpan allowance, DateTimeOffset start) =>
        new(since, Math.Max(0, (start - from - allowance).TotalSeconds), stage);
}
