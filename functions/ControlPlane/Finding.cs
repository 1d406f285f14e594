using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Failover.ControlPlane;

/// <summary>What the audit can find.</summary>
public enum FindingKind
{
    /// <summary>A version was replaced by one that had not seen it, or removed before its time: its update is gone.</summary>
    LostUpdate,

    /// <summary>As <see cref="LostUpdate"/>, but both are the same create, tried twice: nothing but the copy is gone.</summary>
    Duplicate,

    /// <summary>A program that does not go through the API changed an item.</summary>
    ForeignEdit,
}

/// <summary>One result of the audit. Its id comes from what was found, so that finding it twice makes one.</summary>
public sealed record Finding
{
    /// <summary>See <see cref="IdOf"/>.</summary>
    public required string Id { get; init; }

    public required FindingKind Kind { get; init; }

    /// <summary>The region whose stream told it: the loser's own.</summary>
    public required string Region { get; init; }

    /// <summary>The item's id.</summary>
    public required string Key { get; init; }

    /// <summary>When the loser was replaced, as the stream says: to the second.</summary>
    public required DateTimeOffset At { get; init; }

    public required ItemImage Loser { get; init; }

    /// <summary>Null where the item was removed.</summary>
    public ItemImage? Winner { get; init; }

    /// <summary>
    /// The newest version of <see cref="Region"/> that the winner had seen: the finding covers the loser and those of its ancestors from there that came after.
    /// Null: it had seen none.
    /// </summary>
    public string? WinnerHadSeen { get; init; }

    /// <summary>A sentence for people.</summary>
    public required string Why { get; init; }

    /// <summary>Null while it is open.</summary>
    public FindingClosure? Closed { get; init; }

    /// <summary>The id of a finding about one version of one item: it sorts by the version's time.</summary>
    public static string IdOf(FindingKind kind, string key, string version) =>
        $"{version}#{kind}#{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))[..16]}";
}

/// <summary>An item as a stream showed it.</summary>
/// <param name="Version">Null where a program wrote it that does not go through the API.</param>
/// <param name="Attributes">All of them, in DynamoDB's own JSON, which keeps every type. Its content can be written again through the API; put as it is, with its old version, it could not be told from the lost one.</param>
public sealed record ItemImage(string? Version, JsonElement Attributes);

/// <summary>Why a finding is closed.</summary>
/// <param name="As"><c>Kept</c>: a version arrived later that had seen the loser, so its update is not lost.</param>
/// <param name="By">The version that says so.</param>
public sealed record FindingClosure(string As, string By, DateTimeOffset At);
