using System.Globalization;
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

    /// <summary>An acknowledged write, still the newest where it was made, has not reached a peer by its deadline.</summary>
    MissingWrite,

    /// <summary>A replica takes writes, and a peer shows none of its newer heartbeats.</summary>
    StalledReplication,

    /// <summary>What was written in this time may have gone unaudited. It stays open until a comparison of all replicas covers it, unless the stream could be read after all.</summary>
    AuditGap,

    /// <summary>A comparison found items that differ between replicas. It stays open until a later one finds none.</summary>
    Divergence,
}

/// <summary>One result of the audit. Its id comes from what was found, so that finding it twice makes one.</summary>
public sealed record Finding
{
    /// <summary>See <see cref="IdOf(FindingKind, string, string)"/>.</summary>
    public required string Id { get; init; }

    public required FindingKind Kind { get; init; }

    /// <summary>The region whose audit told it: that of the stream, which is the loser's own.</summary>
    public required string Region { get; init; }

    /// <summary>The region in which a write is missing, or to which replication has stalled; null of other kinds.</summary>
    public string? Peer { get; init; }

    /// <summary>The item's id; null where it is about no item, or about one that could not be read.</summary>
    public string? Key { get; init; }

    /// <summary>When the loser was replaced, as the stream says: to the second. Of other kinds, when it was found.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The write that is lost or missing.</summary>
    public ItemImage? Loser { get; init; }

    /// <summary>What replaced it, or what the peer shows in its place; null where there is nothing.</summary>
    public ItemImage? Winner { get; init; }

    /// <summary>The time that it covers; of kinds that are about a time.</summary>
    public FindingSpan? Span { get; init; }

    /// <summary>A stream record that could not be read, as Lambda handed it over: enough to give it to the function again.</summary>
    public string? Record { get; init; }

    /// <summary>
    /// The newest version of <see cref="Region"/> that the winner had seen: the finding covers the loser and those of its ancestors from there that came after.
    /// Null: it had seen none.
    /// </summary>
    public string? WinnerHadSeen { get; init; }

    /// <summary>A sentence for people.</summary>
    public required string Why { get; init; }

    /// <summary>Null while it is open.</summary>
    public FindingClosure? Closed { get; init; }

    /// <summary>
    /// Whether it stands against moving back while it is open: a write may be nowhere but in the region that was left. The others tell of what has happened already.
    /// </summary>
    public static bool Holds(FindingKind kind) => kind is FindingKind.MissingWrite or FindingKind.AuditGap or FindingKind.Divergence;

    /// <summary>The id of a finding about one version of one item: it sorts by the version's time.</summary>
    /// <param name="subject">The item's key; where one version can have several findings of a kind, what tells them apart too.</param>
    public static string IdOf(FindingKind kind, string subject, string version) =>
        $"{version}#{kind}#{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(subject)))[..16]}";

    /// <summary>The id of a finding about a time: it sorts among the versions by its beginning.</summary>
    public static string IdOf(FindingKind kind, string subject, DateTimeOffset from) =>
        IdOf(kind, subject, from.ToUnixTimeMilliseconds().ToString("x12", CultureInfo.InvariantCulture));
}

/// <summary>A time; both ends are in it.</summary>
public sealed record FindingSpan(DateTimeOffset From, DateTimeOffset To);

/// <summary>An item as a stream showed it.</summary>
/// <param name="Version">Null where a program wrote it that does not go through the API.</param>
/// <param name="Attributes">All of them, in DynamoDB's own JSON, which keeps every type. Its content can be written again through the API; put as it is, with its old version, it could not be told from the lost one.</param>
public sealed record ItemImage(string? Version, JsonElement Attributes);

/// <summary>Why a finding is closed.</summary>
/// <param name="As">
/// <c>Kept</c>: a version arrived later that had seen the loser, so its update is not lost. <c>Arrived</c>: the write is at the peer after all.
/// <c>Replaced</c>: it is no longer what its own region holds; what replaced it is audited in its turn. <c>Expired</c>: past its time to live on both sides.
/// <c>Compared</c>: a comparison of all replicas has covered it.
/// <c>Resumed</c>: replication goes on. <c>ReadAfterAll</c>: the stream was read to the end of the gap.
/// </param>
/// <param name="By">The version that says so; null where none does.</param>
public sealed record FindingClosure(string As, string? By, DateTimeOffset At);
