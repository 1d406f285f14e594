using System.Globalization;

namespace Failover.LocalHost.Route53;

/// <summary>How a set shares its name and type with others: each has an identifier, and all of them the same policy.</summary>
/// <param name="Identifier"><c>SetIdentifier</c>, 1 to 128 characters.</param>
/// <param name="Policy">The element that names the policy, and with it its value: <c>Weight</c>, <c>Region</c>, <c>Failover</c> or
/// <c>MultiValueAnswer</c>.</param>
public sealed record ZoneRouting(string Identifier, string Policy, string Value)
{
    /// <summary>The policies that are spoken here.</summary>
    public static readonly IReadOnlyList<string> Policies = ["Weight", "Region", "Failover", "MultiValueAnswer"];

    private const int MultiValueMax = 8;

    /// <summary>What is wrong with it; null if nothing is.</summary>
    public string? Mistake => Policy switch
    {
        "Weight" when !byte.TryParse(Value, NumberStyles.None, CultureInfo.InvariantCulture, out _) => $"Weight is 0 to 255, not '{Value}'",
        "Failover" when Value is not ("PRIMARY" or "SECONDARY") => $"Failover is PRIMARY or SECONDARY, not '{Value}'",
        "MultiValueAnswer" when Value is not ("true" or "false") => $"MultiValueAnswer is true or false, not '{Value}'",
        _ => Identifier.Length is < 1 or > 128 ? "SetIdentifier has 1 to 128 characters" : null,
    };

    /// <summary>Which of the sets of one name and type DNS answers. Health checks are not simulated: every set counts as healthy.</summary>
    public static IReadOnlyList<ZoneRecordSet> Answered(IReadOnlyList<ZoneRecordSet> sets)
    {
        if (sets.Count == 1)
        {
            return sets;
        }

        return sets[0].Routing?.Policy switch
        {
            "MultiValueAnswer" => [.. sets.Take(MultiValueMax)],
            "Failover" => [sets.FirstOrDefault(set => set.Routing!.Value == "PRIMARY") ?? sets[0]],
            "Weight" => [Drawn(sets)],
            _ => [sets[0]],
        };
    }

    private static ZoneRecordSet Drawn(IReadOnlyList<ZoneRecordSet> sets)
    {
        var weights = sets.Select(set => int.Parse(set.Routing!.Value, CultureInfo.InvariantCulture)).ToList();
        if (weights.Sum() == 0)
        {
            return sets[Random.Shared.Next(sets.Count)];
        }

        var drawn = Random.Shared.Next(weights.Sum());
        var index = 0;
        for (; drawn >= weights[index]; index++)
        {
            drawn -= weights[index];
        }

        return sets[index];
    }
}
