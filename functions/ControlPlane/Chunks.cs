namespace Failover.ControlPlane;

/// <summary>Divides what is to be kept into rows.</summary>
public static class Chunks
{
    /// <summary>DynamoDB's limit on an item is 400 KB.</summary>
    public const int RowBytesMax = 300_000;

    /// <summary>A key is 2 KB at the most, and in JSON each of its characters can be six bytes.</summary>
    public const int BytesACharacterMax = 6;

    /// <summary>Chunks of at most <paramref name="countMax"/> elements that together are no larger than a row may be; an element that is larger by itself is a chunk of its own.</summary>
    /// <param name="bytes">How large an element is at the most.</param>
    public static IEnumerable<IReadOnlyList<T>> BySize<T>(IEnumerable<T> elements, Func<T, int> bytes, int countMax = int.MaxValue)
    {
        var (chunk, size) = (new List<T>(), 0);
        foreach (var element in elements)
        {
            var more = bytes(element);
            if (chunk.Count > 0 && (chunk.Count == countMax || size + more > RowBytesMax))
            {
                yield return chunk;
                (chunk, size) = ([], 0);
            }

            chunk.Add(element);
            size += more;
        }

        if (chunk.Count > 0)
        {
            yield return chunk;
        }
    }
}
