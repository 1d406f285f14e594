using System.Buffers;
using System.Text;
using Failover.ItemApi.Answers;
using Failover.ItemApi.Routing;
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

    /// <summary>The id that the address names, in the path or by <c>?id=</c>.</summary>
    /// <exception cref="ProblemException">There is none, or it is not possible.</exception>
    public static string Of(Request request)
    {
        if (request.PathId is { } inPath)
        {
            return FitsPath(inPath)
                ? Checked(inPath)
                : throw new ProblemException(ProblemKind.InvalidId, $"In a path an id is 1 to {PathLengthMax} of A-Z, a-z, 0-9, '.', '_', '~' and '-', and neither '.' nor '..'. Any other goes by '?id='.");
        }

        return Checked(request.Query("id") ?? throw new ProblemException(ProblemKind.MissingId, "Say which item: '?id='."));
    }

    /// <summary>An id from wherever it came, if it is possible.</summary>
    /// <exception cref="ProblemException">It is not.</exception>
    public static string Checked(string id) =>
        id.Length == 0 ? throw new ProblemException(ProblemKind.MissingId, "The id is empty.")
        : ItemAttributes.IsReserved(id) ? throw new ProblemException(ProblemKind.InvalidId, "An id that begins with '_' belongs to the system.")
        : Encoding.UTF8.GetByteCount(id) > BytesMax ? throw new ProblemException(ProblemKind.InvalidId, $"An id is at most {BytesMax} bytes of UTF-8.")
        : id;

    /// <summary>The address of an item.</summary>
    public static string AddressOf(string id) => FitsPath(id) ? "/items/" + id : "/items?id=" + Uri.EscapeDataString(id);

    /// <summary>API Gateway hands a path over already decoded, so that only characters that are never encoded are safe there.</summary>
    private static bool FitsPath(string id) => id is not ("." or "..") && id.Length is > 0 and <= PathLengthMax && !id.AsSpan().ContainsAnyExcept(PathCharacters);
}
