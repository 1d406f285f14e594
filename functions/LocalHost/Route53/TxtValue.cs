using System.Globalization;
using System.Text;

namespace Failover.LocalHost.Route53;

/// <summary>
/// A TXT value as Route 53 takes it: character strings in quotation marks, of at most 255 characters each. Within them <c>\"</c> is a
/// quotation mark,
/// <c>\\</c> a backslash, and <c>\ooo</c> the character with that octal code.
/// </summary>
internal static class TxtValue
{
    private const int StringMax = 255;
    private const int ValueMax = 4000;

    /// <summary>The character strings of a value; null with Route 53's words for what is wrong where it is none.</summary>
    public static (IReadOnlyList<string>? Strings, string? Mistake) Parse(string value)
    {
        if (value.Length > ValueMax)
        {
            return (null, "CharacterStringTooLong (Value is too long)");
        }

        var strings = new List<string>();
        for (var at = SkipBlanks(value, 0); at < value.Length; at = SkipBlanks(value, at))
        {
            if (value[at] != '"' || ReadString(value, ref at) is not { } text)
            {
                return (null, "InvalidCharacterString (Value should be enclosed in quotation marks)");
            }

            if (text.Length > StringMax)
            {
                return (null, "CharacterStringTooLong (Value is too long)");
            }

            strings.Add(text);
        }

        return strings.Count > 0 ? (strings, null) : (null, "InvalidCharacterString (Value should be enclosed in quotation marks)");
    }

    /// <summary>A text as a value: in as many strings as it needs.</summary>
    public static string Quote(string text) =>
        text.Length == 0 ? "\"\"" : string.Join(' ', text.Chunk(StringMax).Select(part => $"\"{string.Concat(part.Select(Escape))}\""));

    private static string Escape(char character) => character switch
    {
        '"' or '\\' => $"\\{character}",
        < ' ' or > '~' => "\\" + Convert.ToString(character & 0xFF, 8).PadLeft(3, '0'),
        _ => character.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>Reads the string whose first quotation mark is at <paramref name="at"/>, and moves behind its last; null where it has
    /// none, or a character that must be escaped.</summary>
    private static string? ReadString(string value, ref int at)
    {
        var text = new StringBuilder();
        for (at++; at < value.Length; at++)
        {
            switch (value[at])
            {
                case '"':
                    at++;
                    return text.ToString();
                case '\\' when Octal(value.AsSpan(at + 1)) is { } code:
                    text.Append(code);
                    at += 3;
                    break;
                case '\\' when at + 1 < value.Length:
                    text.Append(value[++at]);
                    break;
                case < ' ' or > '~':
                    return null;
                default:
                    text.Append(value[at]);
                    break;
            }
        }

        return null;
    }

    /// <summary>The character whose octal code begins the text.</summary>
    private static char? Octal(ReadOnlySpan<char> text) =>
        text is [>= '0' and <= '3' and var high, >= '0' and <= '7' and var middle, >= '0' and <= '7' and var low, ..]
            ? (char)(((high - '0') * 64) + ((middle - '0') * 8) + (low - '0'))
            : null;

    private static int SkipBlanks(string value, int at)
    {
        while (at < value.Length && value[at] is ' ' or '\t')
        {
            at++;
        }

        return at;
    }
}
