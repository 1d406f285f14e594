using System.Buffers.Binary;
using System.Text;

namespace Failover.ReplicationAudit.Compare;

/// <summary>Keys with the hashes of their items, packed: what crosses regions of an item that may differ.</summary>
public sealed class KeyList
{
    private const int BytesAHash = 16;

    private readonly MemoryStream _bytes = new();

    /// <summary>How many bytes it holds: a key's and 18 more for each item.</summary>
    public int Length => (int)_bytes.Length;

    public void Add(string key, UInt128 hash)
    {
        // A key has 2 KB at the most, DynamoDB's limit.
        Span<byte> head = stackalloc byte[sizeof(ushort) + BytesAHash];
        var text = Encoding.UTF8.GetBytes(key);
        BinaryPrimitives.WriteUInt16LittleEndian(head, (ushort)text.Length);
        BinaryPrimitives.WriteUInt128LittleEndian(head[sizeof(ushort)..], hash);
        _bytes.Write(head);
        _bytes.Write(text);
    }

    /// <summary>Takes out all that it holds.</summary>
    public byte[] Take()
    {
        var bytes = _bytes.ToArray();
        _bytes.SetLength(0);
        return bytes;
    }

    public static IEnumerable<(string Key, UInt128 Hash)> Read(byte[] bytes)
    {
        for (var at = 0; at < bytes.Length;)
        {
            var length = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at));
            var hash = BinaryPrimitives.ReadUInt128LittleEndian(bytes.AsSpan(at + sizeof(ushort)));
            at += sizeof(ushort) + BytesAHash;
            yield return (Encoding.UTF8.GetString(bytes, at, length), hash);
            at += length;
        }
    }

    /// <summary>
    /// The keys of which two regions' lists do not say the same. A list may name a key several times, where a part of a table was read twice: then it says the same only if it never says anything else.
    /// </summary>
    public static IEnumerable<string> Differing(IEnumerable<(string Key, UInt128 Hash)> here, IEnumerable<(string Key, UInt128 Hash)> there)
    {
        var left = new Dictionary<string, UInt128>(StringComparer.Ordinal);
        var differing = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (key, hash) in here)
        {
            if (!left.TryAdd(key, hash) && left[key] != hash)
            {
                differing.Add(key);
            }
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (key, hash) in there)
        {
            seen.Add(key);
            if (!left.TryGetValue(key, out var other) || other != hash)
            {
                differing.Add(key);
            }
        }

        differing.UnionWith(left.Keys.Where(key => !seen.Contains(key)));
        return differing.Order(StringComparer.Ordinal);
    }
}
