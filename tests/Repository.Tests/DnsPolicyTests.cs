using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;
using static Failover.Repository.Tests.Template;

namespace Failover.Repository.Tests;

/// <summary>
/// What the observer may change in DNS, by an evaluator of the conditions that its policy has. IAM judges names, types and actions each for itself, over all changes of a batch
/// (AWS's "specifying conditions" for Route 53): what that cannot tell apart is named below, and is the code's to refuse.
/// </summary>
public partial class DnsPolicyTests
{
    private const string Name = "app.example.com";
    private const string State = "_failover.app.example.com";
    private const string Zone = "Z0123456789ABC";

    /// <summary>What the observer asks for.</summary>
    public static TheoryData<string> Allowed =>
    [
        $"DELETE {Name} A; DELETE {State} TXT; CREATE {Name} A; CREATE {State} TXT",
        $"CREATE {Name} A; CREATE {State} TXT",
        $"DELETE {Name} A; DELETE {Name} AAAA; DELETE {State} TXT; CREATE {Name} CNAME; CREATE {State} TXT",
        $"DELETE {Name} HTTPS; CREATE {Name} HTTPS; CREATE {Name} A; DELETE {State} TXT; CREATE {State} TXT",
    ];

    /// <summary>What nobody may ask for by this role.</summary>
    public static TheoryData<string> Denied =>
    [
        // Another name: alone, and hidden among what is allowed.
        "CREATE www.example.com A", "CREATE example.com A", "DELETE example.com A", "CREATE a.app.example.com A", "CREATE us-east-1.app.example.com A", "CREATE xapp.example.com A", "CREATE app.example.com.evil.com A",
        "CREATE app.example.co A", "CREATE app-example.com A", "CREATE _failover.example.com TXT", "CREATE _failover.www.example.com TXT", "CREATE _failover._failover.app.example.com TXT",
        "CREATE _acme-challenge.app.example.com TXT", "CREATE mail.example.com TXT", "CREATE _dmarc.example.com TXT",
        $"DELETE {Name} A; CREATE {Name} A; CREATE www.example.com A", $"CREATE {State} TXT; CREATE {Name} A; DELETE mail.example.com A",
        // Wildcards, also as Route 53 spells them.
        "CREATE *.example.com A", "CREATE *.app.example.com A", @"CREATE \052.app.example.com A", @"CREATE \052.example.com A", "CREATE * A",
        // Spelt otherwise than Route 53 gives names to IAM, which is in lower case and without the last dot.
        "CREATE APP.EXAMPLE.COM A", "CREATE App.example.com A", "CREATE app.example.com. A", "CREATE _FAILOVER.app.example.com TXT", "CREATE _failover.app.example.com. TXT", @"CREATE \137failover.app.example.com TXT", "CREATE  A",
        // Other types, of the very name too.
        $"CREATE {Name} NS", $"DELETE {Name} NS", "CREATE example.com NS", "DELETE example.com SOA", $"CREATE {Name} SOA", $"CREATE {Name} MX", "CREATE example.com MX", $"CREATE {Name} CAA", $"CREATE {Name} SRV", $"CREATE {Name} DS",
        $"CREATE {State} NS", $"CREATE {Name} A; CREATE {Name} MX", $"CREATE {Name} a",
        // Putting over what is there, whatever that is: it is no compare-and-swap.
        $"UPSERT {Name} A", $"UPSERT {State} TXT", $"DELETE {Name} A; UPSERT {Name} A", $"create {Name} A",
    ];

    [Theory]
    [MemberData(nameof(Allowed))]
    public void What_the_observer_asks_for_is_allowed(string changes) => Assert.True(IsAllowed(Zone, "route53:ChangeResourceRecordSets", Parse(changes)));

    [Theory]
    [MemberData(nameof(Denied))]
    public void Anything_else_is_denied(string changes) => Assert.False(IsAllowed(Zone, "route53:ChangeResourceRecordSets", Parse(changes)));

    [Theory]
    [InlineData("Z9999999999XYZ", "route53:ChangeResourceRecordSets")]
    [InlineData("*", "route53:ChangeResourceRecordSets")]
    [InlineData(Zone, "route53:DeleteHostedZone")]
    [InlineData(Zone, "route53:ChangeTagsForResource")]
    [InlineData(Zone, "route53:AssociateVPCWithHostedZone")]
    [InlineData(Zone, "route53:changeresourcerecordsetsx")]
    public void In_another_zone_or_by_another_action_nothing_is_allowed(string zone, string action) => Assert.False(IsAllowed(zone, action, Parse($"CREATE {Name} A")));

    /// <summary>A key that is absent lets <c>ForAllValues</c> hold: that is what the <c>Null</c> conditions are for.</summary>
    [Theory]
    [InlineData(Names)]
    [InlineData(Types)]
    [InlineData(Actions)]
    public void A_request_without_one_of_the_keys_is_denied(string absent)
    {
        var keys = Parse($"CREATE {Name} A");
        keys.Remove(absent);

        Assert.False(IsAllowed(Zone, "route53:ChangeResourceRecordSets", keys));
    }

    /// <summary>IAM cannot tell these from what is asked for. The code never makes them: a batch deletes no more than it was shown, and creates a whole plan (RecordBatch, and its tests).</summary>
    [Theory]
    [InlineData($"DELETE {Name} A")]
    [InlineData($"DELETE {State} TXT")]
    [InlineData($"CREATE {State} A")]
    public void What_it_cannot_tell_apart_is_known(string changes) => Assert.True(IsAllowed(Zone, "route53:ChangeResourceRecordSets", Parse(changes)));

    /// <summary>Who gives the name its first record can do nothing to one that is there.</summary>
    [Theory]
    [InlineData($"CREATE {Name} A", true)]
    [InlineData($"DELETE {Name} A", false)]
    [InlineData($"UPSERT {Name} A", false)]
    [InlineData($"DELETE {Name} A; CREATE {Name} A", false)]
    [InlineData($"CREATE {Name} TXT", false)]
    [InlineData($"CREATE {State} TXT", false)]
    [InlineData($"CREATE {State} A", false)]
    [InlineData($"CREATE {Name} A; CREATE www.{Name} A", false)]
    public void The_first_record_is_created_and_nothing_else(string changes, bool isAllowed)
    {
        Assert.Equal(isAllowed, IsAllowed(Zone, "route53:ChangeResourceRecordSets", Parse(changes), "FirstRecorderRole"));
        Assert.False(IsAllowed("Z0000000000000OTHER", "route53:ChangeResourceRecordSets", Parse(changes), "FirstRecorderRole"));
        Assert.All(new[] { Names, Types, Actions }, absent => Assert.False(IsAllowed(Zone, "route53:ChangeResourceRecordSets", Parse(changes).Where(key => key.Key != absent).ToDictionary(), "FirstRecorderRole")));
    }

    private const string Names = "route53:ChangeResourceRecordSetsNormalizedRecordNames";
    private const string Types = "route53:ChangeResourceRecordSetsRecordTypes";
    private const string Actions = "route53:ChangeResourceRecordSetsActions";

    private static Dictionary<string, string[]> Parse(string changes)
    {
        var parts = changes.Split("; ").Select(change => change.Split(' ')).ToList();
        return new() { [Names] = [.. parts.Select(part => part[1])], [Types] = [.. parts.Select(part => part[2])], [Actions] = [.. parts.Select(part => part[0])] };
    }

    /// <summary>Whether some statement of the observer's allows it. There are no Deny statements, and no operators but those that are evaluated here.</summary>
    private static bool IsAllowed(string zone, string action, Dictionary<string, string[]> keys, string roleName = "HealthCheckRole")
    {
        var (_, role) = Resources("AWS::IAM::Role").Single(role => role.Name == roleName);
        return role.AllNodes.OfType<YamlMappingNode>().Where(node => node.Children.ContainsKey("Effect") && node.Children.ContainsKey("Resource"))
            .Any(statement =>
            {
                Assert.Equal("Allow", Text(statement, "Effect"));
                return Texts(statement, "Action").Any(allowed => string.Equals(allowed, action, StringComparison.OrdinalIgnoreCase))
                    && statement.Children["Resource"] is YamlScalarNode resource && Resolve(resource) == $"arn:aws:route53:::hostedzone/{zone}"
                    && (!statement.Children.ContainsKey("Condition") || Map(statement, "Condition").All(condition => Holds(((YamlScalarNode)condition.Key).Value!, (YamlMappingNode)condition.Value, keys)));
            });
    }

    private static bool Holds(string @operator, YamlMappingNode operands, Dictionary<string, string[]> keys) => operands.All(operand =>
    {
        var values = keys.GetValueOrDefault(((YamlScalarNode)operand.Key).Value!, []);
        return @operator switch
        {
            // Every value of the request is one of the policy's, to the letter; no value at all is, too.
            "ForAllValues:StringEquals" => values.All(value => ((YamlSequenceNode)operand.Value).Any(allowed => Resolve((YamlScalarNode)allowed) == value)),
            "Null" => ((YamlScalarNode)operand.Value).Value == "false" == values.Length > 0,
            _ => throw new InvalidOperationException($"The evaluator does not know {@operator}."),
        };
    });

    private static string Resolve(YamlScalarNode node) =>
        node.Tag.ToString() == "!Ref" ? Parameter(node.Value!)
        : node.Tag.ToString() == "!Sub" ? Variable().Replace(node.Value!, variable => Parameter(variable.Groups[1].Value))
        : node.Value!;

    private static string Parameter(string name) => name switch
    {
        "ServiceName" => Name,
        "HostedZoneId" => Zone,
        "AWS::Partition" => "aws",
        _ => $"<{name}>",
    };

    [GeneratedRegex(@"\$\{([A-Za-z:]+)\}")]
    private static partial Regex Variable();
}
