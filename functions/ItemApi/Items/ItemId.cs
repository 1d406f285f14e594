using System.Buffers;
using System.Text;
using Failover.ItemRecord;

namespace Failover.ItemApi.Items;

/// <summary>The rules of an item's id.</summary>
internal static class ItemId
{
    /// <summary>DynamoDB's limit on a partition key, in bytes of UTF-8.</summary>
    private const int BytesMax = 2048;

    private const int PathLengthMax = 255;

    private static readonly SearchValues<char> PathCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-");

    /// <summary>
    /// What is wrong with an id, or null. It must be able to stand in a path, and API Gateway hands a path over already decoded,
    /// so only characters that are never encoded are safe.
    /// </summary>
    public static string? MistakeIn(string id) =>
        id is "." or ".." || id.Length > PathLengthMax || id.AsSpan().ContainsAnyExcept(PathCharacters)
            ? $"An id is 1 to {PathLengthMax} of A-Z, a-z, 0-9, '.', '_', '~' and '-', and neither '.' nor '..'."
            : Mistake(id);

    private static string? Mistake(string id) =>
        id.Length == 0 ? "An id is not empty."
        : ItemAttributes.IsReserved(id) ? "An id that begins with '_' belongs to the system."
        : Encoding.UTF8.GetByteCount(id) > BytesMax ? $"An id is at most {BytesMax} bytes of UTF-8."
        : null;
}
