using Failover.ControlPlane.Registers;

namespace Failover.HealthCheck.Decision;

/// <summary>What the world sees of a name: asked of its authoritative servers, and fetched over HTTP through what they answer. One look a tick.</summary>
/// <param name="Servers">One answer a server, in the topology's order; null where it gave none.</param>
/// <param name="HttpOk">Whether the address that was fetched from served the name.</param>
/// <param name="HttpServer">Which server's answer that address came from; -1 where there was none.</param>
public sealed record Look(IReadOnlyList<Listing?> Servers, bool HttpOk, string HttpDetail, int HttpServer = 0)
{
    /// <summary>How many servers answered.</summary>
    public int Answering => Servers.Count(answer => answer is not null);

    /// <summary>Whether at least half of the servers that answer show the whole plan. A server that is silent decides nothing, and of two a stale one does not outweigh the other.</summary>
    public bool MostShow(Plan plan, bool hasTxt) => Answering > 0 && 2 * CountShowing(plan, hasTxt) >= Answering;

    /// <summary>Whether every server that answers shows the whole plan.</summary>
    public bool AllShow(Plan plan, bool hasTxt) => Answering > 0 && CountShowing(plan, hasTxt) == Answering;

    /// <summary>Whether the address that served over HTTP is the plan's.</summary>
    public bool ServesThrough(Plan plan, bool hasTxt) => HttpOk && HttpServer >= 0 && HttpServer < Servers.Count && Shows(Servers[HttpServer], plan, hasTxt);

    /// <summary>Whether any server shows the plan's own state TXT, which proves that the plan has taken effect.</summary>
    public bool AnyShowsTxt(Plan plan)
    {
        foreach (var answer in Servers)
        {
            if (answer?.Txt is { } txt && HasSameValues(txt, plan.Txt))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether one server's answer is exactly what the plan says, as far as servers can tell: of an opaque set they show the addresses behind it, or nothing.</summary>
    /// <param name="hasTxt">Whether the lever writes a state TXT.</param>
    public static bool Shows(Listing? answer, Plan plan, bool hasTxt)
    {
        if (answer is null || (hasTxt && !(answer.Txt is { } txt && HasSameValues(txt, plan.Txt))))
        {
            return false;
        }

        if (!plan.IsOpaque)
        {
            return AreShown(answer.Sets, plan.Sets);
        }

        List<RecordSet> told = [.. answer.Sets.Where(set => !plan.Sets.Any(opaque => opaque.IsOpaque && opaque.Type == set.Type))];
        return AreShown(told, [.. plan.Sets.Where(set => !set.IsOpaque)]);
    }

    /// <summary>The positions of the servers that answer, and do not show the plan.</summary>
    public IEnumerable<int> Otherwise(Plan plan, bool hasTxt) =>
        Enumerable.Range(0, Servers.Count).Where(i => Servers[i] is { } answer && !Shows(answer, plan, hasTxt));

    private int CountShowing(Plan plan, bool hasTxt)
    {
        var count = 0;
        foreach (var answer in Servers)
        {
            count += Shows(answer, plan, hasTxt) ? 1 : 0;
        }

        return count;
    }

    private static bool AreShown(IReadOnlyList<RecordSet> answered, IReadOnlyList<RecordSet> sets) =>
        answered.Count == sets.Count && answered.All(answer => sets.Any(set => HasSameValues(answer, set)));

    /// <summary>A server may count the time to live down, as one behind a cache does. It never shows more than the plan's.</summary>
    private static bool HasSameValues(RecordSet answer, RecordSet set) =>
        answer.TtlSeconds is > 0 and var ttl && ttl <= set.TtlSeconds && (answer with { TtlSeconds = set.TtlSeconds }).IsSameAs(set);
}
