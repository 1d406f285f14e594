using System.Globalization;
using Failover.ItemApi.Answers;
using Failover.ItemApi.Routing;

namespace Failover.ItemApi.Items;

/// <summary>
/// The header by which clients say, and are told, when an item ends by itself: <c>Item-Expires-At: 2027-01-31T12:00:00Z</c>, or <c>never</c>.
/// DynamoDB's time to live has whole seconds. A tombstone has an end of its own that no client sets.
/// </summary>
internal static class Expiry
{
    public const string Header = "Item-Expires-At";

    private const string Never = "never";
    private const string Form = "yyyy-MM-dd'T'HH:mm:ss'Z'";
    private static readonly string[] Forms = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    /// <summary>What a write asks for.</summary>
    /// <param name="isGiven">False: the header is absent.</param>
    /// <returns>When the item ends; null: never.</returns>
    /// <exception cref="ProblemException">It is no time, or past.</exception>
    public static DateTimeOffset? Of(Request request, DateTimeOffset now, out bool isGiven)
    {
        isGiven = request.Header(Header) is not null;
        return Parse(request) is not { } at ? null : at > now ? at : throw IsPast();
    }

    /// <summary>What a write asks for, or once asked for.</summary>
    /// <returns>When the item ends, or has ended; null: never.</returns>
    /// <exception cref="ProblemException">It is no time.</exception>
    public static DateTimeOffset? Parse(Request request)
    {
        if (request.Header(Header) is not { } text || text == Never)
        {
            return null;
        }

        if (!DateTimeOffset.TryParseExact(text, Forms, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out var at) || !HasZone(text))
        {
            throw new ProblemException(ProblemKind.InvalidHeader, $"{Header} is '{Never}', or a time as RFC 3339 writes it, with its zone: 2027-01-31T12:00:00Z.");
        }

        return DateTimeOffset.FromUnixTimeSeconds(at.ToUnixTimeSeconds());
    }

    /// <summary>What is said of an item that would have ended already.</summary>
    public static ProblemException IsPast() => new(ProblemKind.InvalidHeader, $"{Header} is past: to end an item now, delete it.");

    /// <summary>Refuses it where it means nothing.</summary>
    /// <exception cref="ProblemException">It is there.</exception>
    public static void Refuse(Request request)
    {
        if (request.Header(Header) is not null)
        {
            throw new ProblemException(ProblemKind.InvalidHeader, $"{Header} means nothing for a delete: how long it is remembered is not the client's to say.");
        }
    }

    public static string Text(DateTimeOffset at) => at.UtcDateTime.ToString(Form, CultureInfo.InvariantCulture);

    private static bool HasZone(string text) => text.EndsWith('Z') || text.AsSpan(19).IndexOfAny('+', '-') >= 0;
}
