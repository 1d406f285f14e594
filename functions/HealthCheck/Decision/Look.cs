using Failover.ControlPlane.Registers;

namespace Failover.HealthCheck.Decision;

/// <summary>What the world sees of a name: asked of its authoritative servers, and fetched over HTTP through what they answer. One look a tick.</summary>
/// <param name="Servers">One answer a server; null where it gave none.</param>
/// <param name="HttpOk">Whether the address that they answer served the name.</param>
public sealed record Look(IReadOnlyList<Listing?> Servers, bool HttpOk, string HttpDetail)
{
    /// <summary>Whether every authoritative server answers exactly as the plan says.</summary>
    public bool Shows(Plan plan)
    {
        foreach (var answer in Servers)
        {
            if (answer?.Txt is not { } txt || !txt.IsSameAs(plan.Txt) || !RecordSet.AreSame(answer.Sets, plan.Sets))
            {
                return false;
            }
        }

        return Servers.Count > 0;
    }
}
