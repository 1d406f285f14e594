using Failover.ControlPlane.Registers;

namespace Failover.HealthCheck.Decision;

/// <summary>What the world sees of a name: asked of its authoritative servers, and fetched over HTTP through what they answer. One look a tick.</summary>
/// <param name="Servers">One answer a server; null where it gave none.</param>
/// <param name="HttpOk">Whether the address that they answer served the name.</param>
public sealed record Look(IReadOnlyList<Listing?> Servers, bool HttpOk, string HttpDetail)
{
    /// <summary>
    /// Whether every authoritative server answers exactly as the plan says, as far as servers can tell: of an opaque set they show the addresses behind it, or nothing.
    /// </summary>
    /// <param name="hasTxt">Whether the lever writes a state TXT.</param>
    public bool Shows(Plan plan, bool hasTxt = true)
    {
        IReadOnlyList<RecordSet> visible = plan.IsOpaque ? [.. plan.Sets.Where(set => !set.IsOpaque)] : plan.Sets;
        foreach (var answer in Servers)
        {
            if (answer is null || (hasTxt && (answer.Txt is not { } txt || !txt.IsSameAs(plan.Txt)))
                || !RecordSet.AreSame(plan.IsOpaque ? [.. answer.Sets.Where(set => !plan.Sets.Any(opaque => opaque.IsOpaque && opaque.Type == set.Type))] : answer.Sets, visible))
            {
                return false;
            }
        }

        return Servers.Count > 0;
    }
}
