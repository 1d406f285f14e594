using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Amazon.DynamoDBv2.Model;

namespace Failover.ItemRecord;

/// <summary>
/// Hashes items so that equal ones have equal hashes, by the same rules as <see cref="AttributeEquality"/>: types count, maps and sets have no order, lists have one, numbers go by value.
/// Not for several threads at once: it keeps its buffer.
/// </summary>
/// <param name="seed">
/// The hash is fast, not cryptographic: of items that clients have made, equal sums must not be something that can be made beforehand. So each compare draws its own seed.
/// </param>
public sealed class ItemHasher(long seed)
{
    private byte[] _buffer = new byte[4096];

    /// <summary>The hash of an item with all its attributes, the system's too.</summary>
    /// <remarks>Hashed once more as a whole: sums of members alone would be equal where two items have exchanged a member, and items are added up too.</remarks>
    public UInt128 Of(Dictionary<string, AttributeValue> item)
    {
        var end = Write(OfMap(item, 0), 0);
        return XxHash128.HashToUInt128(_buffer.AsSpan(0, end), seed);
    }

    /// <summary>The hash of a key, which tells its bucket.</summary>
    public UInt128 OfKey(string id)
    {
        var end = Write(id, 0);
        return XxHash128.HashToUInt128(_buffer.AsSpan(0, end), seed);
    }

    /// <summary>The sum over the members, each hashed by itself: so that their order does not count, and nothing need be sorted.</summary>
    private UInt128 OfMap(Dictionary<string, AttributeValue> map, int start)
    {
        var sum = (UInt128)map.Count;
        foreach (var (name, value) in map)
        {
            var end = Write(value, Write(name, start));
            sum += XxHash128.HashToUInt128(_buffer.AsSpan(start, end - start), seed);
        }

        return sum;
    }

    /// <summary>Writes a value from <paramref name="at"/> on; where it ends.</summary>
    private int Write(AttributeValue value, int at) => value switch
    {
        { S: { } text } => Write(text, WriteTag('S', at)),
        { N: { } number } => WriteNumber(number, WriteTag('N', at)),
        { M: { } map } => WriteMap(map, at),
        { BOOL: { } flag } => WriteTag(flag ? 'T' : 'F', at),
        { L: { } list } => WriteList(list, at),
        { SS: { } strings } => WriteSet(strings, 's', at, static (hasher, text, to) => hasher.Write(text, to)),
        { NS: { } numbers } => WriteSet(numbers, 'n', at, static (hasher, number, to) => hasher.WriteNumber(number, to)),
        { B: { } bytes } => Write(bytes, WriteTag('B', at)),
        { BS: { } blobs } => WriteSet(blobs, 'b', at, static (hasher, bytes, to) => hasher.Write(bytes, to)),
        _ => WriteTag('0', at),
    };

    private int WriteMap(Dictionary<string, AttributeValue> map, int at)
    {
        // Its members are hashed behind what is written already.
        var sum = OfMap(map, at);
        return Write(sum, WriteTag('M', at));
    }

    private int WriteList(List<AttributeValue> list, int at)
    {
        at = Write(list.Count, WriteTag('L', at));
        foreach (var value in list)
        {
            at = Write(value, at);
        }

        return at;
    }

    private int WriteSet<T>(List<T> set, char tag, int at, Func<ItemHasher, T, int, int> write)
    {
        var sum = (UInt128)set.Count;
        foreach (var element in set)
        {
            var end = write(this, element, at);
            sum += XxHash128.HashToUInt128(_buffer.AsSpan(at, end - at), seed);
        }

        return Write(sum, WriteTag(tag, at));
    }

    private int WriteNumber(string text, int at)
    {
        Span<char> digits = text.Length <= 64 ? stackalloc char[64] : new char[text.Length];
        if (!NumberForm.TryRead(text, digits, out var length, out var isNegative, out var exponent))
        {
            return Write(text, WriteTag('?', at));
        }

        at = Write(exponent, WriteTag(isNegative ? '-' : '+', at));
        return Write(digits[..length], at);
    }

    private int WriteTag(char tag, int at)
    {
        Reserve(at, 1);
        _buffer[at] = (byte)tag;
        return at + 1;
    }

    private int Write(int number, int at)
    {
        Reserve(at, sizeof(int));
        BinaryPrimitives.WriteInt32LittleEndian(_buffer.AsSpan(at), number);
        return at + sizeof(int);
    }

    private int Write(UInt128 number, int at)
    {
        Reserve(at, 16);
        BinaryPrimitives.WriteUInt128LittleEndian(_buffer.AsSpan(at), number);
        return at + 16;
    }

    /// <summary>With its length before it, so that no two sequences of values look alike. As UTF-16: what is compared are the strings themselves, and nothing need be encoded.</summary>
    private int Write(ReadOnlySpan<char> text, int at)
    {
        at = Write(text.Length, at);
        var bytes = MemoryMarshal.AsBytes(text);
        Reserve(at, bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(at));
        return at + bytes.Length;
    }

    private int Write(MemoryStream bytes, int at)
    {
        var length = (int)bytes.Length;
        at = Write(length, at);
        Reserve(at, length);
        bytes.Position = 0;
        bytes.ReadExactly(_buffer, at, length);
        bytes.Position = 0;
        return at + length;
    }

    private void Reserve(int at, int length)
    {
        if (at + length > _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, at + length));
        }
    }
}
