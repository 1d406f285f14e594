using System.Buffers.Binary;
using System.Collections;

namespace Failover.ReplicationAudit.Compare;

/// <summary>
/// The hashes of items, added up in buckets by the hash of their key: whoever adds the same items has the same sums, in whatever order, and in whatever parts.
/// </summary>
/// <param name="bits">Two to this power of buckets.</param>
public sealed class BucketSums(int bits)
{
    private const int BytesASum = 16;

    private readonly UInt128[] _sums = new UInt128[1 << bits];

    /// <summary>The bucket of a key.</summary>
    public static int BucketOf(UInt128 keyHash, int bits) => (int)(keyHash >> (128 - bits));

    /// <summary>Adds an item.</summary>
    public void Add(UInt128 keyHash, UInt128 itemHash) => _sums[BucketOf(keyHash, bits)] += itemHash;

    /// <summary>Adds the sums of other items.</summary>
    public void Add(BucketSums others)
    {
        for (var i = 0; i < _sums.Length; i++)
        {
            _sums[i] += others._sums[i];
        }
    }

    /// <summary>Marks the buckets in which others have another sum.</summary>
    public void MarkUnequal(BucketSums others, BitArray unequal)
    {
        for (var i = 0; i < _sums.Length; i++)
        {
            unequal[i] |= _sums[i] != others._sums[i];
        }
    }

    public byte[] ToBytes()
    {
        var bytes = new byte[_sums.Length * BytesASum];
        for (var i = 0; i < _sums.Length; i++)
        {
            BinaryPrimitives.WriteUInt128LittleEndian(bytes.AsSpan(i * BytesASum), _sums[i]);
        }

        return bytes;
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote.</summary>
    /// <exception cref="FormatException">They are of another number of buckets.</exception>
    public static BucketSums FromBytes(ReadOnlySpan<byte> bytes, int bits)
    {
        var sums = new BucketSums(bits);
        if (bytes.Length != sums._sums.Length * BytesASum)
        {
            throw new FormatException($"{bytes.Length} bytes are not the sums of {sums._sums.Length} buckets.");
        }

        for (var i = 0; i < sums._sums.Length; i++)
        {
            sums._sums[i] = BinaryPrimitives.ReadUInt128LittleEndian(bytes[(i * BytesASum)..]);
        }

        return sums;
    }
}

/// <summary>The buckets that are not equal, and into which list the keys of each go.</summary>
public sealed class UnequalBuckets
{
    private readonly int[] _groups;
    private readonly int _bits;

    /// <param name="text">See <see cref="ControlPlane.Compares.Comparison.Unequal"/>.</param>
    /// <param name="groups">How many lists there are.</param>
    public UnequalBuckets(string text, int groups, int bits)
    {
        _bits = bits;
        var unequal = new BitArray(Convert.FromBase64String(text));
        _groups = new int[1 << bits];
        var count = Enumerable.Range(0, _groups.Length).Count(bucket => unequal[bucket]);
        for (int bucket = 0, rank = 0; bucket < _groups.Length; bucket++)
        {
            _groups[bucket] = unequal[bucket] ? (int)((long)rank++ * groups / count) : -1;
        }
    }

    /// <summary>The list of a key; null if its bucket is equal.</summary>
    public int? GroupOf(UInt128 keyHash) => _groups[BucketSums.BucketOf(keyHash, _bits)] is >= 0 and var group ? group : null;

    /// <summary>As <see cref="ControlPlane.Compares.Comparison.Unequal"/> has them.</summary>
    public static string ToText(BitArray unequal)
    {
        var bytes = new byte[(unequal.Length + 7) / 8];
        unequal.CopyTo(bytes, 0);
        return Convert.ToBase64String(bytes);
    }
}
