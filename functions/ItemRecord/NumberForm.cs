using System.Globalization;

namespace Failover.ItemRecord;

/// <summary>
/// A number of DynamoDB's by its value: sign, digits without zeros at either end, and exponent. <c>1</c>, <c>1.0</c> and <c>10e-1</c> are one;
/// it never goes through a floating-point type, for 38 digits would not survive it.
/// </summary>
/// <param name="IsNegative">False of zero.</param>
/// <param name="Digits">The significant digits, from the first that is not zero to the last; empty of zero.</param>
/// <param name="Exponent">The value is 0.<see cref="Digits"/> times ten to this; 0 of zero.</param>
public readonly record struct NumberForm(bool IsNegative, string Digits, int Exponent)
{
    /// <summary>Whether two texts are one number. Texts that are no numbers are equal as texts.</summary>
    public static bool AreEqual(string left, string right) =>
        left == right || (TryParse(left, out var one) && TryParse(right, out var other) && one == other);

    /// <summary>Reads a number as DynamoDB or JSON write one.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out NumberForm number)
    {
        number = default;
        Span<char> digits = text.Length <= 64 ? stackalloc char[64] : new char[text.Length];
        if (!TryRead(text, digits, out var length, out var isNegative, out var exponent))
        {
            return false;
        }

        number = new NumberForm(isNegative, digits[..length].ToString(), exponent);
        return true;
    }

    /// <summary>As <see cref="TryParse"/>, without an allocation: the digits go to <paramref name="digits"/>, which is as long as the text at least.</summary>
    internal static bool TryRead(ReadOnlySpan<char> text, Span<char> digits, out int length, out bool isNegative, out int exponent)
    {
        (length, exponent) = (0, 0);
        isNegative = text.Length > 0 && text[0] == '-';
        var mantissa = text.Length > 0 && text[0] is '-' or '+' ? text[1..] : text;
        if (mantissa.IndexOfAny('e', 'E') is >= 0 and var at)
        {
            if (!int.TryParse(mantissa[(at + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent))
            {
                return false;
            }

            mantissa = mantissa[..at];
        }

        var (seen, isFraction) = (false, false);
        foreach (var character in mantissa)
        {
            if (character == '.' && !isFraction)
            {
                isFraction = true;
                continue;
            }

            if (!char.IsAsciiDigit(character))
            {
                return false;
            }

            seen = true;
            if (length > 0 || character != '0')
            {
                digits[length++] = character;
                exponent += isFraction ? 0 : 1;
            }
            else
            {
                exponent -= isFraction ? 1 : 0;
            }
        }

        while (length > 0 && digits[length - 1] == '0')
        {
            length--;
        }

        if (length == 0)
        {
            (isNegative, exponent) = (false, 0);
        }

        return seen;
    }
}
