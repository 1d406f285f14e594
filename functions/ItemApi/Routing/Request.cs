using System.Text;
using Failover.ItemApi.Access;
using Failover.ItemApi.Answers;

namespace Failover.ItemApi.Routing;

/// <summary>A request that has found its route.</summary>
/// <param name="pathId">The segment where the template has <c>{id}</c>, as it came; null where it has none.</param>
internal sealed class Request(HttpContext context, Caller caller, string? pathId, IReadOnlyDictionary<string, string> query)
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public Caller Caller => caller;

    public string? PathId => pathId;

    public HttpRequest Http => context.Request;

    /// <summary>A query parameter; null where it is absent.</summary>
    public string? Query(string name) => query.GetValueOrDefault(name);

    /// <summary>A header's whole value; null where it is absent. Some servers split values at commas: put together again, they mean the same.</summary>
    public string? Header(string name) => context.Request.Headers.TryGetValue(name, out var values) ? string.Join(',', values.ToArray()) : null;

    /// <summary>Reads a query strictly: two texts never become one name or value.</summary>
    /// <exception cref="ProblemException">It is not possible here.</exception>
    public static Dictionary<string, string> ReadQuery(string? query, IReadOnlyList<Parameter>? known)
    {
        var read = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in known is null ? [] : (query ?? "").TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var at = part.IndexOf('=', StringComparison.Ordinal);
            var name = Decode(at < 0 ? part : part[..at]);
            if (!known!.Any(parameter => parameter.Name == name))
            {
                throw new ProblemException(ProblemKind.InvalidQuery, known!.Count == 0 ? "There are no parameters here." : $"The parameters here are {string.Join(", ", known.Select(parameter => parameter.Name))}.");
            }

            if (!read.TryAdd(name, Decode(at < 0 ? "" : part[(at + 1)..])))
            {
                throw new ProblemException(ProblemKind.InvalidQuery, $"The parameter '{name}' occurs twice.");
            }
        }

        return read;
    }

    private static string Decode(string text)
    {
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%')
            {
                if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2]))
                {
                    throw new ProblemException(ProblemKind.InvalidQuery, "A '%' in a query stands before two hex digits; a plain one is written '%25'.");
                }

                bytes.Add(Convert.FromHexString(text.AsSpan(i + 1, 2))[0]);
                i += 2;
            }
            else if (text[i] > '~')
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(text[i..(i + (char.IsHighSurrogate(text[i]) && i + 1 < text.Length ? 2 : 1))]));
                i += char.IsHighSurrogate(text[i]) ? 1 : 0;
            }
            else
            {
                bytes.Add(text[i] == '+' ? (byte)' ' : (byte)text[i]);
            }
        }

        try
        {
            return StrictUtf8.GetString([.. bytes]);
        }
        catch (DecoderFallbackException)
        {
            throw new ProblemException(ProblemKind.InvalidUnicode, "The query is not UTF-8.");
        }
    }
}
