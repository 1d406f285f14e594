namespace Failover.ItemApi.Answers;

/// <summary>A way in which a request can fail; each has a type of its own, so that programs can tell them apart.</summary>
/// <param name="Slug">The last part of the problem's type, <see cref="TypePrefix"/> before it. Clients depend on it.</param>
/// <param name="Meaning">What it means, and what a client does about it; the API's description shows it.</param>
internal sealed record ProblemKind(string Slug, int Status, string Title, string Meaning)
{
    public const string TypePrefix = "urn:failover:problem:";

    /// <summary>After how many seconds to try again; null where trying again does not help.</summary>
    public int? RetryAfterSeconds { get; init; }

    public static readonly ProblemKind InvalidJson = new("invalid-json", 400, "The body is not JSON", "The body is not JSON (RFC 8259).");
    public static readonly ProblemKind CommentInJson = new("comment-in-json", 400, "The body has a comment", "JSON has no comments.");
    public static readonly ProblemKind TrailingData = new("trailing-data", 400, "Something follows the object", "Send one object, and nothing after it.");
    public static readonly ProblemKind NotAnObject = new("not-an-object", 400, "The body is not an object", "An item, and a patch of one, is a JSON object.");
    public static readonly ProblemKind DuplicateMember = new("duplicate-member", 400, "A member occurs twice", "An object has a member twice; 'pointer' says which.");
    public static readonly ProblemKind InvalidUnicode = new("invalid-unicode", 400, "A string is not Unicode", "Bytes that are not UTF-8, or half of a surrogate pair.");
    public static readonly ProblemKind NumberTooPrecise = new("number-too-precise", 400, "A number has too many digits", "DynamoDB keeps 38 significant digits. Send it as a string.");
    public static readonly ProblemKind NumberOutOfRange = new("number-out-of-range", 400, "A number is out of range", "DynamoDB holds 0, and magnitudes from 1E-130 to 9.9999999999999999999999999999999999999E+125.");
    public static readonly ProblemKind TooDeep = new("too-deep", 400, "The item nests too deep", "DynamoDB holds 32 levels, the item itself included.");
    public static readonly ProblemKind InvalidName = new("invalid-name", 400, "A member's name is not possible", "A name has 1 to 65535 bytes of UTF-8.");
    public static readonly ProblemKind ReservedName = new("reserved-name", 400, "A member's name is reserved", "Names that begin with '_' belong to the system.");
    public static readonly ProblemKind IdDiffers = new("id-differs", 400, "The id differs", "The member 'id' is not the id that the address names. Leave it out, or send the same.");
    public static readonly ProblemKind InvalidId = new("invalid-id", 400, "The id is not possible", "In a path an id is 1 to 255 of A-Z, a-z, 0-9, '.', '_', '~' and '-', but neither '.' nor '..'; with ?id= it is any text of 1 to 2048 bytes. None begins with '_'.");
    public static readonly ProblemKind MissingId = new("missing-id", 400, "The id is missing", "The request names no item.");
    public static readonly ProblemKind InvalidQuery = new("invalid-query", 400, "A query parameter is wrong", "A parameter that is not known here, occurs twice, or has a value that it cannot have.");
    public static readonly ProblemKind InvalidHeader = new("invalid-header", 400, "A header is wrong", "A header has a value that it cannot have.");
    public static readonly ProblemKind InvalidCursor = new("invalid-cursor", 400, "The cursor is not ours", "The cursor is not, or no longer, one that this API gave. Begin again without it.");
    public static readonly ProblemKind NotTaken = new("not-taken", 400, "DynamoDB does not take this", "DynamoDB refused it by a rule of its own; nothing was written.");
    public static readonly ProblemKind Unauthenticated = new("unauthenticated", 401, "Who are you?", "There is no bearer token, or it is not valid here.");
    public static readonly ProblemKind InsufficientScope = new("insufficient-scope", 403, "The token does not allow this", "The token lacks the scope that 'WWW-Authenticate' names.");
    public static readonly ProblemKind NotFound = new("not-found", 404, "There is no such item", "There is no item with this id, or no longer.");
    public static readonly ProblemKind NoRoute = new("no-route", 404, "There is nothing here", "The API has no such address.");
    public static readonly ProblemKind MethodNotAllowed = new("method-not-allowed", 405, "The method is not for this address", "'Allow' says which are.");
    public static readonly ProblemKind BodyTooSlow = new("body-too-slow", 408, "The body came too slowly", "The body had not come whole when the request's time was up. Nothing was written.");
    public static readonly ProblemKind Exists = new("exists", 409, "There is such an item already", "An item with this id exists. PUT replaces it.");
    public static readonly ProblemKind PreconditionFailed = new("precondition-failed", 412, "The item is not as asked", "Nothing was done. 'ETag' has the item's present tag, where there is an item.");
    public static readonly ProblemKind BodyTooLarge = new("body-too-large", 413, "The body is too large", "No item has a JSON text that long.");
    public static readonly ProblemKind ItemTooLarge = new("item-too-large", 413, "The item is too large", "DynamoDB holds items of 400 KiB, names and the system's own attributes included.");
    public static readonly ProblemKind UnsupportedMediaType = new("unsupported-media-type", 415, "The body's type is not JSON", "Send 'Content-Type: application/json', or for a patch 'application/merge-patch+json'; UTF-8, and not compressed.");
    public static readonly ProblemKind KeyReused = new("key-reused", 422, "The idempotency key is another's", "This key was used for a create with other content. Take a new key for a new create.");
    public static readonly ProblemKind Throttled = new("throttled", 429, "Too fast", "DynamoDB throttles; nothing was written. Come again after a while, with jitter.") { RetryAfterSeconds = 1 };
    public static readonly ProblemKind Failed = new("failed", 500, "This is a fault of ours", "A fault in this program. A write may or may not have happened.");
    public static readonly ProblemKind Fenced = new("fenced", 503, "Writes are fenced", "A planned move is under way: writes are refused here until it is done. Nothing was written.") { RetryAfterSeconds = 5 };
    public static readonly ProblemKind NotActive = new("not-active", 503, "Another region writes", "This region has no right to write now. 'active' says which endpoint has, as far as this one knows. Nothing was written.") { RetryAfterSeconds = 1 };
    public static readonly ProblemKind Contended = new("contended", 503, "Others kept writing this item", "Nothing was written. Try again.") { RetryAfterSeconds = 1 };
    public static readonly ProblemKind ClockDrift = new("clock-drift", 503, "A clock is wrong", "The item's version lies too far ahead of this process's clock; following it would drag all clocks along. Nothing was written.") { RetryAfterSeconds = 60 };
    public static readonly ProblemKind OutcomeUnknown = new("outcome-unknown", 503, "Nobody knows whether it happened", "The write was not confirmed: it may or may not have happened, or may still happen. Read the item before you write again.") { RetryAfterSeconds = 1 };
    public static readonly ProblemKind Unavailable = new("unavailable", 503, "The table did not answer in time", "The data path failed. A write may or may not have happened.") { RetryAfterSeconds = 1 };
    public static readonly ProblemKind NotReady = new("not-ready", 503, "Not ready", "The data path does not answer.") { RetryAfterSeconds = 1 };

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<ProblemKind> All =
    [
        InvalidJson, CommentInJson, TrailingData, NotAnObject, DuplicateMember, InvalidUnicode, NumberTooPrecise, NumberOutOfRange, TooDeep, InvalidName, ReservedName, IdDiffers,
        InvalidId, MissingId, InvalidQuery, InvalidHeader, InvalidCursor, NotTaken, Unauthenticated, InsufficientScope, NotFound, NoRoute, MethodNotAllowed, BodyTooSlow, Exists, PreconditionFailed,
        BodyTooLarge, ItemTooLarge, UnsupportedMediaType, KeyReused, Throttled, Failed, Fenced, NotActive, Contended, ClockDrift, OutcomeUnknown, Unavailable, NotReady,
    ];

    /// <summary>What a mistake in a client's JSON is called.</summary>
    public static ProblemKind Of(ItemRecord.ItemMistake mistake) => mistake switch
    {
        ItemRecord.ItemMistake.Comment => CommentInJson,
        ItemRecord.ItemMistake.TrailingData => TrailingData,
        ItemRecord.ItemMistake.NotAnObject => NotAnObject,
        ItemRecord.ItemMistake.DuplicateMember => DuplicateMember,
        ItemRecord.ItemMistake.InvalidUnicode => InvalidUnicode,
        ItemRecord.ItemMistake.NumberTooPrecise => NumberTooPrecise,
        ItemRecord.ItemMistake.NumberOutOfRange => NumberOutOfRange,
        ItemRecord.ItemMistake.TooDeep => TooDeep,
        ItemRecord.ItemMistake.InvalidName => InvalidName,
        ItemRecord.ItemMistake.ReservedName => ReservedName,
        _ => InvalidJson,
    };
}
