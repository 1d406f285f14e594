using System.Globalization;
using System.Security.Cryptography;

namespace Failover.ControlPlane.Compares;

/// <summary>What a comparison of whole tables is at. Each phase begins when the one before has ended in every region.</summary>
public enum ComparePhase
{
    /// <summary>Every region adds up the hashes of its own items, bucket by bucket.</summary>
    Digest,

    /// <summary>Every region lists the keys and hashes of the buckets that are not equal.</summary>
    Drill,

    /// <summary>The lists are laid side by side.</summary>
    Match,

    /// <summary>What differs in them is read strongly in both regions, twice, with the time between in which what is in flight arrives.</summary>
    Check,

    /// <summary>It has ended, see <see cref="Comparison.Outcome"/>.</summary>
    Done,
}

/// <summary>How a comparison ended.</summary>
public enum CompareOutcome
{
    /// <summary>Up to the cut-off, every region holds the same items.</summary>
    Equal,

    /// <summary>They differ, and every difference is named.</summary>
    Different,

    /// <summary>It could not be done in time: a region did not answer for too long.</summary>
    Incomplete,

    /// <summary>Somebody has cancelled it.</summary>
    Cancelled,
}

/// <summary>
/// A comparison of one table's replicas: what was asked for, and how far it is. It lies in the journal of one region, its home, which alone changes it; the others read it there.
/// </summary>
public sealed record Comparison
{
    /// <summary>After this it is given up: a region that is gone for so long is compared when it is back.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    /// <summary>Sorts by time.</summary>
    public required string Id { get; init; }

    /// <summary>The region whose items the others' are compared with, and which keeps the account.</summary>
    public required string Home { get; init; }

    /// <summary>The other regions.</summary>
    public required IReadOnlyList<string> Peers { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>Who asked.</summary>
    public required string By { get; init; }

    /// <summary>Items that were written later are left out: replication may not have brought them everywhere yet.</summary>
    public required DateTimeOffset CutOff { get; init; }

    /// <summary>Items are spread over two to this power of buckets, by the hash of their key.</summary>
    public required int BucketBits { get; init; }

    /// <summary>Of this comparison's hashes: drawn at random, so that nobody can make items beforehand whose sums are equal.</summary>
    public required long Seed { get; init; }

    /// <summary>How much reading it may take from each region's table.</summary>
    public required double ReadUnitsPerSecond { get; init; }

    /// <summary>In this time everything written arrives everywhere, unless replication stands still: longer than twice replication's lag.</summary>
    public required int SettleSeconds { get; init; }

    public ComparePhase Phase { get; init; }

    /// <summary>Of phases from <see cref="ComparePhase.Drill"/> on: a bit for each bucket that is not equal everywhere, in base64.</summary>
    public string? Unequal { get; init; }

    /// <summary>Into how many lists the keys of unequal buckets are spread.</summary>
    public int Groups { get; init; }

    /// <summary>Null until it has ended.</summary>
    public CompareOutcome? Outcome { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>What it came to, and took; known once every region has hashed its items.</summary>
    public IReadOnlyDictionary<string, CompareTotals> Totals { get; init; } = new Dictionary<string, CompareTotals>();

    /// <summary>Buckets that were not equal.</summary>
    public int UnequalBuckets { get; init; }

    /// <summary>Keys that were read again in both regions.</summary>
    public long Candidates { get; init; }

    /// <summary>Items that differ.</summary>
    public long Differences { get; init; }

    /// <summary>The regions that are compared, home first.</summary>
    public IEnumerable<string> Regions => Peers.Prepend(Home);

    /// <summary>How many items fall into one bucket, about: few enough that one different item has few others listed with it.</summary>
    private const int ItemsABucket = 64;

    /// <summary>A bucket's sum is 16 bytes, and the sums of a segment are written anew each time that it is kept: 64 KB.</summary>
    private const int BucketBitsMax = 12;

    private const int BucketBitsMin = 6;

    /// <summary>Asks for one.</summary>
    /// <param name="items">How many items there are, about.</param>
    /// <exception cref="ArgumentException">Something is out of its range; the message says what.</exception>
    public static Comparison Ask(
        IReadOnlyList<string> regions, string by, long items, double readUnitsPerSecond, TimeSpan settle, DateTimeOffset now, DateTimeOffset? cutOff = null)
    {
        if (regions.Distinct().Count() is var count && (count < 2 || count != regions.Count))
        {
            throw new ArgumentException($"Name at least two regions, each once, not '{string.Join(',', regions)}'.", nameof(regions));
        }

        if (readUnitsPerSecond is not (>= 1 and <= 1_000_000))
        {
            throw new ArgumentException($"The budget is 1 to 1,000,000 read units a second and region, not {readUnitsPerSecond.ToString(CultureInfo.InvariantCulture)}.", nameof(readUnitsPerSecond));
        }

        if (settle < TimeSpan.FromSeconds(1) || settle > TimeSpan.FromHours(12))
        {
            throw new ArgumentException($"Items are given 1 second to 12 hours to arrive, not {settle}.", nameof(settle));
        }

        if (cutOff > now)
        {
            throw new ArgumentException($"The cut-off {cutOff:u} is in the future.", nameof(cutOff));
        }

        return new Comparison
        {
            Id = string.Create(CultureInfo.InvariantCulture, $"{now.ToUnixTimeMilliseconds():x12}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}"),
            Home = regions[0],
            Peers = [.. regions.Skip(1)],
            At = now,
            By = by,
            CutOff = cutOff ?? now - settle,
            BucketBits = (int)Math.Clamp(Math.Ceiling(Math.Log2(Math.Max(1, items) / (double)ItemsABucket)), BucketBitsMin, BucketBitsMax),
            Seed = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long))),
            ReadUnitsPerSecond = readUnitsPerSecond,
            SettleSeconds = (int)settle.TotalSeconds,
        };
    }
}

/// <summary>What one region read.</summary>
/// <param name="Items">Those that are older than the cut-off, and not the system's own.</param>
/// <param name="ReadUnits">As DynamoDB counted them, of the first reading of the whole table.</param>
public sealed record CompareTotals(long Items, long Scanned, double ReadUnits);

/// <summary>One item that differs.</summary>
/// <param name="Kind">Seen from the home region.</param>
/// <param name="Peer">The region that it is compared with.</param>
/// <param name="HomeVersion">Null where there is no item, or one without a version.</param>
/// <param name="PeerVersion">As <paramref name="HomeVersion"/>.</param>
public sealed record Difference(string Key, DifferenceKind Kind, string Peer, string? HomeVersion, string? PeerVersion);

/// <summary>How an item differs.</summary>
public enum DifferenceKind
{
    /// <summary>The home region has it, and the peer does not.</summary>
    Missing,

    /// <summary>The peer has it, and the home region does not.</summary>
    Extra,

    /// <summary>Both have it, not the same.</summary>
    Changed,
}
