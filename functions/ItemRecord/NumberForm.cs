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
    /// <summary>DynamoDB's limit on the significant digits of a number.</summary>
    public const int DigitsMax = 38;

    private const int ExponentMax = 126;
    private const int ExponentMin = -129;

    private const int Far = 1_000_000_000;

    /// <summary>Past this many zeros on either side a number is written with an exponent.</summary>
    private const int ZerosMax = 21;

    /// <summary>Whether DynamoDB can hold it, but for its precision: zero, or a magnitude from 1E-130 to 9.99…E+125.</summary>
    public bool IsInRange => Digits.Length == 0 || Exponent is >= ExponentMin and <= ExponentMax;

    /// <summary>The one JSON text of this value: two texts of one number are written alike, whichever engine kept them.</summary>
    public string ToJson()
    {
        var sign = IsNegative ? "-" : "";
        var zeros = Exponent - Digits.Length;
        return Digits.Length == 0 ? "0"
            : zeros is >= 0 and <= ZerosMax ? $"{sign}{Digits}{new string('0', zeros)}"
            : Exponent > 0 && zeros < 0 ? $"{sign}{Digits.AsSpan(0, Exponent)}.{Digits.AsSpan(Exponent)}"
            : Exponent is <= 0 and > -ZerosMax ? $"{sign}0.{new string('0', -Exponent)}{Digits}"
            : string.Create(CultureInfo.InvariantCulture, $"{sign}{Digits[0]}{(Digits.Length > 1 ? "." : "")}{Digits.AsSpan(1)}E{Exponent - 1:+0;-0}");
    }

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
            var power = mantissa[(at + 1)..];
            if (!int.TryParse(power, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent) || Math.Abs((long)exponent) > Far)
            {
                // So far out that no more digits bring it back; of zero it does not count.
                if (power.TrimStart("+-") is var figures && (figures.IsEmpty || figures.ContainsAnyExceptInRange('0', '9') || power.Length - figures.Length > 1))
                {
                    return false;
                }

                exponent = power[0] == '-' ? -Far : Far;
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
