using System.Text.Json.Serialization.Metadata;
using Failover.ControlPlane.Registers;

namespace Failover.ControlPlane.Tests;

/// <summary>
/// A version that does not know a member erases it when it writes the register back. So a register with other members is stored under another attribute, which an older version does not find.
/// </summary>
public class RegisterFormTests
{
    /// <summary>Of the form that <c>ControlStore</c> stores as <c>register_v2</c>. If this changes after a release, raise the number there, and say so in the release's notes. (No release has had v2 without <c>answered</c> and <c>orderId</c>.)</summary>
    private const string Members =
        "Adoption(sets,txt) Alias(dnsName,evaluateTargetHealth,hostedZoneId) CommandOutcome(at,id,obeyed,says) CoolDown(automaticMoves,since,until) FenceToLift(notBefore,order,replica) "
        + "Move(from,isForced,kind,since,to) Override(by,orderId,reason,since,until) Pin(endpoint,force,order) Plan(endpoint,epoch,id,sets,txt) PlannedMove(by,fencedAt,from,replica,since,to,until) "
        + "Publication(baseline,heldAt,publishedAt,sentAt) PublishedMove(at,epoch,from,to) RecordSet(alias,name,ttlSeconds,type,values) "
        + "Register(active,adopted,answered,approved,coolDown,drained,epoch,fenceToLift,known,lastMove,moving,observers,paused,pinned,plan,planned,primary,publication,rev,service,serving,withdrawals,withdraws) "
        + "WithdrawnPlan(id,kind)";

    [Fact]
    public void The_registers_members_change_only_with_the_name_that_it_is_stored_by()
    {
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Visit(typeof(Register));

        Assert.Equal(Members, string.Join(' ', found.Select(type => $"{type.Key}({type.Value})")));

        void Visit(Type type)
        {
            if (ControlJson.Default.GetTypeInfo(type) is not { } info || found.ContainsKey(type.Name))
            {
                return;
            }

            if (info.Kind == JsonTypeInfoKind.Object)
            {
                // What is left out of the JSON has no getter here.
                var members = info.Properties.Where(property => property.Get is not null).ToList();
                found[type.Name] = string.Join(',', members.Select(property => property.Name).Order(StringComparer.Ordinal));
                members.ForEach(property => Visit(property.PropertyType));
            }
            else if (info.ElementType is { } element)
            {
                Visit(element);
            }
        }
    }
}
