using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Failover.ControlPlane;

/// <summary>Text that came from outside, made fit for a ballot, a journal line and a terminal.</summary>
public static class Printable
{
    private const string Cut = "...";

    /// <summary>What a character takes that JSON escapes.</summary>
    private const int EscapedLength = 6;

    /// <summary>Printable ASCII of at most <paramref name="max"/> bytes in JSON; every other character becomes a question mark, and what is too long ends with three dots.</summary>
    public static string Of(string text, int max)
    {
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            length += LengthOf(text[i]);
            if (length > max)
            {
                return Plain(text.AsSpan(0, Fitting(text, max - Cut.Length))) + Cut;
            }
        }

        return Plain(text);
    }

    /// <summary>Whether a person's text, in any language, takes at most <paramref name="max"/> bytes in JSON and holds nothing that a terminal or a page could take for more than text.</summary>
    public static bool Fits(string text, int max)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune == Rune.ReplacementChar || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned)
            {
                return false;
            }
        }

        return JsonEncodedText.Encode(text).EncodedUtf8Bytes.Length <= max;
    }

    private static int Fitting(string text, int max)
    {
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            length += LengthOf(text[i]);
            if (length > max)
            {
                return i;
            }
        }

        return text.Length;
    }

    private static string Plain(ReadOnlySpan<char> text)
    {
        var plain = text.ToArray();
        for (var i = 0; i < plain.Length; i++)
        {
            plain[i] = plain[i] is >= ' ' and <= '~' ? plain[i] : '?';
        }

        return new string(plain);
    }

    private static int LengthOf(char character) => character is '"' or '\\' or '<' or '>' or '&' or '\'' or '+' or '`' ? EscapedLength : 1;
}
