using System.Globalization;
using System.Text;
using System.Text.Json;
using Amazon.DynamoDBv2.Model;

namespace Failover.ItemRecord;

/// <summary>What is wrong with a client's JSON.</summary>
public enum ItemMistake
{
    /// <summary>It is not JSON (RFC 8259).</summary>
    Syntax,

    /// <summary>There is a comment, which JSON does not have.</summary>
    Comment,

    /// <summary>Something follows the JSON value.</summary>
    TrailingData,

    /// <summary>It is another value than an object.</summary>
    NotAnObject,

    /// <summary>An object has a member twice: readers differ in which they take.</summary>
    DuplicateMember,

    /// <summary>A string is no Unicode: bytes that are not UTF-8, or half of a surrogate pair.</summary>
    InvalidUnicode,

    /// <summary>A number has more digits than DynamoDB keeps.</summary>
    NumberTooPrecise,

    /// <summary>A number is larger, or nearer to zero, than DynamoDB holds.</summary>
    NumberOutOfRange,

    /// <summary>It nests deeper than DynamoDB holds.</summary>
    TooDeep,

    /// <summary>A member's name is empty, or longer than DynamoDB takes.</summary>
    InvalidName,

    /// <summary>A member's name belongs to the system.</summary>
    ReservedName,
}

/// <summary>A client's JSON cannot become an item.</summary>
/// <param name="jsonPointer">Where: a JSON pointer (RFC 6901).</param>
/// <param name="says">What is wrong, and how to mend it. It may hold text of the client's: for the client, not for logs.</param>
public sealed class ItemFormatException(ItemMistake mistake, string jsonPointer, string says) : FormatException(says)
{
    public ItemMistake Mistake => mistake;

    public string JsonPointer => jsonPointer;
}

/// <summary>
/// Reads a client's JSON object as DynamoDB's attributes: without loss, or not at all. Members keep no order. Strings are not normalised.
/// A number keeps its value, not its spelling: <c>1.10</c> is <c>1.1</c>.
/// </summary>
public ref struct ItemParser
{
    private const int NameBytesMax = 65_535;
    private const int ShownLengthMax = 60;

    private readonly List<string> _path = [];
    private Utf8JsonReader _reader;

    private ItemParser(ReadOnlySpan<byte> json) =>
        // Comments are tokens, so that they can be told apart from other mistakes. Depth is checked here, before the reader's own limit.
        _reader = new Utf8JsonReader(json, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Allow, MaxDepth = 2 * ItemJson.DepthMax });

    /// <summary>Reads a whole text.</summary>
    /// <exception cref="ItemFormatException">It is not an object that DynamoDB can hold.</exception>
    public static Dictionary<string, AttributeValue> Parse(ReadOnlySpan<byte> json)
    {
        if (json.StartsWith("\uFEFF"u8))
        {
            throw new ItemFormatException(ItemMistake.Syntax, "", "The text begins with a byte order mark; JSON has none.");
        }

        var parser = new ItemParser(json);
        try
        {
            parser.Next();
            if (parser._reader.TokenType != JsonTokenType.StartObject)
            {
                throw parser.Mistake(ItemMistake.NotAnObject, "An item is a JSON object.");
            }

            var item = parser.Members();
            parser.End(json);
            return item;
        }
        catch (JsonException error)
        {
            throw parser.Mistake(
                ItemMistake.Syntax,
                string.Create(CultureInfo.InvariantCulture, $"This is not JSON: line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}."));
        }
    }

    private void Next()
    {
        if (!_reader.Read())
        {
            throw Mistake(ItemMistake.Syntax, "There is no JSON text.");
        }

        if (_reader.TokenType == JsonTokenType.Comment)
        {
            throw Mistake(ItemMistake.Comment, "JSON has no comments.");
        }
    }

    /// <summary>The reader itself would stop at the first byte after the value with a mistake of syntax.</summary>
    private readonly void End(ReadOnlySpan<byte> json)
    {
        var rest = json[(int)_reader.BytesConsumed..].TrimStart(" \t\r\n"u8);
        if (!rest.IsEmpty)
        {
            throw rest[0] == (byte)'/'
                ? Mistake(ItemMistake.Comment, "JSON has no comments.")
                : Mistake(ItemMistake.TrailingData, "Something follows the object: send one object, and nothing after it.");
        }
    }

    private AttributeValue Value()
    {
        switch (_reader.TokenType)
        {
            case JsonTokenType.String:
                return new AttributeValue { S = Text() };
            case JsonTokenType.Number:
                return new AttributeValue { N = Number() };
            case JsonTokenType.True or JsonTokenType.False:
                return new AttributeValue { BOOL = _reader.TokenType == JsonTokenType.True };
            case JsonTokenType.StartArray:
                return new AttributeValue { L = Elements(), IsLSet = true };
            case JsonTokenType.StartObject:
                return new AttributeValue { M = Members(), IsMSet = true };
            default:
                return new AttributeValue { NULL = true };
        }
    }

    private Dictionary<string, AttributeValue> Members()
    {
        CheckDepth();
        var members = new Dictionary<string, AttributeValue>();
        for (Next(); _reader.TokenType != JsonTokenType.EndObject; Next())
        {
            var name = Text();
            _path.Add(name);
            if (name.Length == 0 || Encoding.UTF8.GetByteCount(name) > NameBytesMax)
            {
                throw Mistake(ItemMistake.InvalidName, $"A member's name has 1 to {NameBytesMax} bytes of UTF-8.");
            }

            if (_path.Count == 1 && ItemAttributes.IsReserved(name))
            {
                throw Mistake(ItemMistake.ReservedName, $"The member '{Shown(name)}' begins with '_': such names belong to the system.");
            }

            Next();
            if (!members.TryAdd(name, Value()))
            {
                throw Mistake(ItemMistake.DuplicateMember, $"The object has the member '{Shown(name)}' twice.");
            }

            _path.RemoveAt(_path.Count - 1);
        }

        return members;
    }

    private List<AttributeValue> Elements()
    {
        CheckDepth();
        var elements = new List<AttributeValue>();
        for (Next(); _reader.TokenType != JsonTokenType.EndArray; Next())
        {
            _path.Add(elements.Count.ToString(CultureInfo.InvariantCulture));
            elements.Add(Value());
            _path.RemoveAt(_path.Count - 1);
        }

        return elements;
    }

    private readonly void CheckDepth()
    {
        if (_reader.CurrentDepth >= ItemJson.DepthMax)
        {
            throw Mistake(ItemMistake.TooDeep, $"An item nests {ItemJson.DepthMax} levels deep at most, itself included.");
        }
    }

    private readonly string Text()
    {
        try
        {
            return _reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Mistake(ItemMistake.InvalidUnicode, "A string is not valid Unicode: it has bytes that are not UTF-8, or half of a surrogate pair.");
        }
    }

    private readonly string Number()
    {
        // A number has no escapes, so that its bytes are its characters.
        var text = Encoding.ASCII.GetString(_reader.ValueSpan);
        if (!NumberForm.TryParse(text, out var number) || !number.IsInRange)
        {
            throw Mistake(ItemMistake.NumberOutOfRange, $"The number {Shown(text)} is outside of what DynamoDB holds: 0, or a magnitude from 1E-130 to 9.9999999999999999999999999999999999999E+125.");
        }

        return number.Digits.Length <= NumberForm.DigitsMax
            ? number.ToJson()
            : throw Mistake(ItemMistake.NumberTooPrecise, $"The number {Shown(text)} has {number.Digits.Length} significant digits; DynamoDB keeps {NumberForm.DigitsMax}. Send it as a string.");
    }

    private readonly ItemFormatException Mistake(ItemMistake mistake, string says) =>
        new(mistake, string.Concat(_path.Select(name => "/" + name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal))), says);

    private static string Shown(string text) => text.Length <= ShownLengthMax ? text : text[..(ShownLengthMax - (char.IsHighSurrogate(text[ShownLengthMax - 1]) ? 1 : 0))] + "…";
}
