using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;

namespace Failover.HealthCheck.Decision;

/// <summary>When a plan is published: from then on its endpoint serves, and a withdrawal would be a move back without its gate.</summary>
/// <remarks>
/// <code>
/// lever                  | published when
/// any                    | never before it is sent
/// records                | any server shows the plan's state TXT
///                        | held for 60 s, and no server answers; held for 120 s, and at most half of them do
/// records, DigitalOcean  | the provider lists, or a server of the baseline answers, an address that only the new plan has: there the TXT comes last
/// switch                 | a server of the baseline answers the plan's endpoint
///                        | sent for 240 s, and at least half of the servers that answer give it
/// </code>
/// The baseline is the servers that this observer itself has seen to answer otherwise since the plan was made: a server that was stale before proves nothing by what it shows all along.
/// </remarks>
public static class PublicationRule
{
    /// <summary>Route 53 shows a change everywhere within 60 s.</summary>
    private static readonly TimeSpan UnansweredFor = TimeSpan.FromSeconds(60);

    /// <summary>Longer while at most half of the servers answer: one stale server must not speak for the silent ones.</summary>
    private static readonly TimeSpan HalfAnsweredFor = TimeSpan.FromSeconds(120);

    /// <summary>Four metric periods: for so long the switch's alarms may still hold what was said before.</summary>
    private static readonly TimeSpan SwitchSettles = TimeSpan.FromSeconds(240);

    /// <summary>Whether the world has seen the register's plan.</summary>
    /// <param name="self">The observer that looks.</param>
    /// <param name="listing">What the provider lists, where it was asked in this tick.</param>
    public static bool IsPublished(Service service, string self, Register register, Look look, Listing? listing, DateTimeOffset now)
    {
        if (register.Publication.SentAt is not { } sentAt)
        {
            return false;
        }

        if (service.Lever == Lever.Switch)
        {
            return InBaseline(service, self, register, look).Any(server => Look.Shows(look.Servers[server], register.Plan, hasTxt: false))
                || (sentAt + SwitchSettles <= now && look.MostShow(register.Plan, hasTxt: false));
        }

        return look.AnyShowsTxt(register.Plan) || IsLongHeld(register, look, now) || (!service.IsFenced && HasNewAddress(service, self, register, look, listing));
    }

    /// <summary>The servers that answer, and do not show the plan, as the baseline names them.</summary>
    public static IEnumerable<string> Otherwise(Service service, string self, Plan plan, Look look) =>
        look.Otherwise(plan, service.Lever != Lever.Switch).Where(server => server < service.AuthoritativeServers.Count).Select(server => NameOf(service, self, server));

    private static bool IsLongHeld(Register register, Look look, DateTimeOffset now)
    {
        if (look.Servers.Count == 0 || 2 * look.Answering > look.Servers.Count)
        {
            return false;
        }

        return register.Publication.HeldAt + (look.Answering == 0 ? UnansweredFor : HalfAnsweredFor) <= now;
    }

    private static bool HasNewAddress(Service service, string self, Register register, Look look, Listing? listing) =>
        register.Moving is { } move
        && (AnswersNewAddress(listing, register, move) || InBaseline(service, self, register, look).Any(server => AnswersNewAddress(look.Servers[server], register, move)));

    private static IEnumerable<int> InBaseline(Service service, string self, Register register, Look look) =>
        Enumerable.Range(0, Math.Min(look.Servers.Count, service.AuthoritativeServers.Count)).Where(server => register.Publication.Baseline.Contains(NameOf(service, self, server)));

    /// <summary>Two observers may list the servers in another order, so a server is named, and by who saw it.</summary>
    private static string NameOf(Service service, string self, int server) => $"{self}/{service.AuthoritativeServers[server]}";

    private static bool AnswersNewAddress(Listing? answer, Register register, Move move)
    {
        var before = register.Known.LastOrDefault(plan => plan.Endpoint == move.From)?.Sets ?? [];
        return answer is not null && answer.Sets.Any(set => set.Values.Any(value => IsIn(register.Plan.Sets, set.Type, value) && !IsIn(before, set.Type, value)));
    }

    private static bool IsIn(IReadOnlyList<RecordSet> sets, string type, string value) => sets.Any(set => set.Type == type && set.Holds(value));
}
