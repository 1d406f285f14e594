using Failover.ItemApi.Answers;
using Failover.ItemApi.Routing;
using Failover.ItemRecord;

namespace Failover.ItemApi.Items;

/// <summary>The tags in <c>If-Match</c> or <c>If-None-Match</c> (RFC 9110, 13.1).</summary>
/// <param name="IsAny"><c>*</c>.</param>
/// <param name="Strong">Those that name one representation exactly.</param>
/// <param name="All">Those and the weak ones.</param>
internal sealed record EntityTags(bool IsAny, IReadOnlyList<string> Strong, IReadOnlyList<string> All)
{
    /// <summary>A tag as the header has it.</summary>
    public static string Quoted(StoredItem item) => $"\"{EntityTag.Of(item)}\"";

    /// <summary>The tags of a header; null where it is absent.</summary>
    /// <exception cref="ProblemException">It is not one that RFC 9110 allows; or it is empty, by which nobody can have meant anything.</exception>
    public static EntityTags? Of(Request request, string header)
    {
        if (request.Header(header)?.Trim(' ', '\t') is not { } text)
        {
            return null;
        }

        if (text == "*")
        {
            return new EntityTags(true, [], []);
        }

        var (strong, all) = (new List<string>(), new List<string>());
        for (var at = Math.Max(0, text.AsSpan().IndexOfAnyExcept(" ,\t")); at < text.Length;)
        {
            var isWeak = text.AsSpan(at).StartsWith("W/");
            var from = at + (isWeak ? 3 : 1);
            var to = from <= text.Length && text[from - 1] == '"' ? text.IndexOf('"', from) : -1;
            if (to < 0 || text.AsSpan(from, to - from).ContainsAnyInRange('\0', ' ') || text.AsSpan(from, to - from).Contains('\x7f'))
            {
                throw Malformed(header);
            }

            all.Add(text[from..to]);
            if (!isWeak)
            {
                strong.Add(text[from..to]);
            }

            // The next one, past a comma and whatever space is around it.
            var rest = text.AsSpan(to + 1);
            var past = rest.IndexOfAnyExcept(" ,\t");
            if (past >= 0 && !rest[..past].Contains(','))
            {
                throw new ProblemException(ProblemKind.InvalidHeader, $"{header} has something other than a comma between two ETags.");
            }

            at = past < 0 ? text.Length : to + 1 + past;
        }

        return all.Count > 0 ? new EntityTags(false, strong, all) : throw Malformed(header);
    }

    private static ProblemException Malformed(string header) => new(ProblemKind.InvalidHeader, $"{header} holds '*', or ETags as a GET or a write answered them, with commas between.");

    /// <summary>What a write asks the item to be.</summary>
    /// <exception cref="ProblemException">A header is wrong.</exception>
    public static Precondition PreconditionOf(Request request)
    {
        var (match, noneMatch) = (Of(request, "If-Match"), Of(request, "If-None-Match"));
        return new Precondition(match is { IsAny: false } ? match.Strong : null, match is { IsAny: true }, noneMatch is { IsAny: true })
        {
            IfNoneMatch = noneMatch is { IsAny: false } ? noneMatch.All : null,
        };
    }
}
