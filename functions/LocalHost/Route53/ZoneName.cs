using System.Globalization;
using System.Text;

namespace Failover.LocalHost.Route53;

/// <summary>Names as Route 53 keeps them.</summary>
internal static class ZoneName
{
    /// <summary>In lower case, with a dot at its end, and every character but letters, digits, <c>-</c> and <c>_</c> as its octal code:
    /// <c>*</c> is <c>\052</c>.</summary>
    public static string Normal(string name)
    {
        var normal = new StringBuilder();
        var plain = name.TrimEnd('.');
        for (var i = 0; i < plain.Length; i++)
        {
            var character = char.ToLowerInvariant(plain[i]);
            if (character == '\\' && i + 3 < plain.Length && plain.AsSpan(i + 1, 3).IndexOfAnyExceptInRange('0', '7') < 0)
            {
                normal.Append(Kept((char)Convert.ToInt32(plain.Substring(i + 1, 3), 8)));
                i += 3;
            }
            else
            {
                normal.Append(character == '.' ? "." : Kept(character));
            }
        }

        return normal.Append('.').ToString();
    }

    /// <summary>Route 53's order: the ASCII order of the names with their labels reversed, the dot at the end included, so that <c>-</c>
    /// comes before it.</summary>
    public static int Compare(string left, string right) => string.CompareOrdinal(Reversed(left), Reversed(right));

    private static string Kept(char character) =>
        char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character is '-' or '_'
        ? character.ToString(CultureInfo.InvariantCulture)
        : "\\" + Convert.ToString(character & 0xFF, 8).PadLeft(3, '0');

    private static string Reversed(string name) => string.Join('.', name.TrimEnd('.').Split('.').Reverse()) + ".";
}
