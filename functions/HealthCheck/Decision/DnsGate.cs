using Failover.ControlPlane.Registers;

namespace Failover.HealthCheck.Decision;

/// <summary>What the provider's API lists: the name's address sets and its state TXT sets, exactly.</summary>
public sealed record Listing(IReadOnlyList<RecordSet> Sets, RecordSet? Txt)
{
    /// <summary>Whether two listings are the same to the letter: a deletion must repeat what is there.</summary>
    public bool IsExactly(Listing other) =>
        Sets.Select(set => set.ToString()).Order(StringComparer.Ordinal).SequenceEqual(other.Sets.Select(set => set.ToString()).Order(StringComparer.Ordinal)) && Txt?.ToString() == other.Txt?.ToString();

    /// <summary>Whether two listings show the same.</summary>
    public bool IsSameAs(Listing other) =>
        RecordSet.AreSame(Sets, other.Sets) && (Txt is null ? other.Txt is null : other.Txt is { } txt && Txt.IsSameAs(txt));
}

/// <summary>What may be done to the name.</summary>
public abstract record GateVerdict
{
    private GateVerdict()
    {
    }

    /// <summary>The name is as the plan says.</summary>
    public sealed record Nothing : GateVerdict;

    /// <summary>Replace exactly what was listed by the plan.</summary>
    public sealed record Apply : GateVerdict;

    /// <summary>Touch nothing, and alarm: what is there was written by nobody we know.</summary>
    public sealed record Freeze(string Reason) : GateVerdict;

    /// <summary>The withdrawn move surfaced all the same: the next epoch keeps it.</summary>
    public sealed record Keep(Plan Surfaced) : GateVerdict;
}

/// <summary>
/// The gate before every write to the name. It decides what a listing allows; the write itself then replaces exactly that listing,
/// so that whoever changed the name in between, a human too, makes the whole batch fail.
/// </summary>
/// <remarks>
/// <code>
/// TXT epoch against register      | sets                         | do
/// equal, same plan                | as the plan / differ         | nothing / freeze (a human's edit)
/// equal, another plan             | any                          | freeze
/// lower, a plan we know           | as that plan / otherwise     | apply / freeze
///   ... and the register's plan withdraws it, and was itself neither held nor published: it surfaced, so the next epoch keeps it
/// higher                          | any                          | freeze until adopt
/// missing                         | register at epoch 0 and sets its plan's / otherwise | create / freeze
/// as adopted (TXT and sets)       | exactly as then              | apply
/// </code>
/// Where a write cannot be conditional, plans may be mixed: record by record of plans that we know is a late writer's, or a half-done write, and is converged; anything else freezes.
/// </remarks>
public static class DnsGate
{
    /// <summary>A plan has at most one set a type: A, AAAA and HTTPS, or a CNAME.</summary>
    public const int SetsMax = 4;

    /// <summary>What may be done, with that register and that listing.</summary>
    /// <param name="isFenced">Whether the write can be conditional on the listing.</param>
    public static GateVerdict Judge(Register register, Listing listing, bool isFenced = true)
    {
        if (register.Adopted is { } adopted && (adopted.Txt is null ? listing.Txt is null : adopted.Txt == TextOf(listing)) && RecordSet.AreSame(adopted.Sets, listing.Sets))
        {
            return new GateVerdict.Apply();
        }

        if (listing.Sets.Count > SetsMax)
        {
            return new GateVerdict.Freeze($"the name has {listing.Sets.Count} address sets; no plan has more than {SetsMax}");
        }

        if (listing.Txt is not { } set)
        {
            return register.Epoch == 0 && RecordSet.AreSame(listing.Sets, register.Plan.Sets)
                ? new GateVerdict.Apply()
                : new GateVerdict.Freeze("the state TXT is missing");
        }

        // Where nothing is conditional, two may have made it at once.
        if (!isFenced && set.Values.Count > 1 && set.Values.All(value => StateTxt.TryParse(value) is { } one && register.Find(one)?.Txt.Values[0] == value))
        {
            return JudgeUnfenced(register, listing, null);
        }

        if (set.Values.Count != 1 || StateTxt.TryParse(set.Values[0]) is not { } txt)
        {
            return new GateVerdict.Freeze("the state TXT is not ours");
        }

        if (txt.Epoch > register.Epoch)
        {
            return new GateVerdict.Freeze($"the state TXT is of epoch {txt.Epoch}, the register of {register.Epoch}: it was lost or restored");
        }

        if (register.Find(txt) is not { } plan || !set.IsSameAs(plan.Txt))
        {
            return new GateVerdict.Freeze($"the state TXT names plan {txt.Plan} of epoch {txt.Epoch}, which the register does not know");
        }

        if (!isFenced)
        {
            return JudgeUnfenced(register, listing, plan);
        }

        if (!RecordSet.AreSame(plan.Sets, listing.Sets))
        {
            return new GateVerdict.Freeze($"the sets are not those of plan {txt.Plan}: somebody edited them");
        }

        return plan.Id == register.Plan.Id ? new GateVerdict.Nothing()
            : plan.Id == register.Withdraws?.Id && register.Publication is { HeldAt: null, PublishedAt: null } ? new GateVerdict.Keep(plan)
            : new GateVerdict.Apply();
    }

    private static GateVerdict JudgeUnfenced(Register register, Listing listing, Plan? shown)
    {
        if (shown?.Id == register.Plan.Id && RecordSet.AreSame(listing.Sets, shown.Sets))
        {
            return new GateVerdict.Nothing();
        }

        var known = register.Known.Append(register.Plan).SelectMany(plan => plan.Sets).ToList();
        var foreign = listing.Sets.FirstOrDefault(set => set.Values.Any(value => !known.Any(own => own.Type == set.Type && own.TtlSeconds == set.TtlSeconds && own.Holds(value))));

        // Two who remove the same surplus can remove all: that is mended, not kept.
        return foreign is null ? new GateVerdict.Apply()
            : new GateVerdict.Freeze($"{foreign} is of no plan that we know: somebody edited it");
    }

    private static string? TextOf(Listing listing) => listing.Txt is { Values: [var text] } ? text : null;
}
