using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Failover.ItemRecord;

/// <summary>
/// The version that a write gives to an item: a hybrid logical clock reading, the writing region and the writing process.
/// </summary>
/// <remarks>
/// As text: 12 hex digits of Unix milliseconds, 4 of counter, <c>-</c>, region, <c>-</c>, 8 characters of writer id.
/// Ordinal order of the text is the order of the clock. It orders versions of one line of descent only:
/// concurrent versions are ordered by DynamoDB's own last-writer-wins timestamp, which nobody outside can read.
/// </remarks>
public readonly record struct ItemVersion : IComparable<ItemVersion>
{
    private const int ClockLength = 16;
    private const int WriterLength = 8;

    /// <summary>The greatest value of the counter; past it the clock advances by one millisecond.</summary>
    public const int CounterMax = 0xFFFF;

    private ItemVersion(string text) => Text = text;

    /// <summary>The version as stored, and as an ETag shows it.</summary>
    public string Text { get; }

    /// <summary>The hybrid logical clock's physical part, in Unix milliseconds.</summary>
    public long UnixMilliseconds => long.Parse(Text.AsSpan(0, 12), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    /// <summary>The hybrid logical clock's logical part, 0 to <see cref="CounterMax"/>.</summary>
    public int Counter => int.Parse(Text.AsSpan(12, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    /// <summary>The region of the replica that took the write.</summary>
    public string Region => Text[(ClockLength + 1)..^(WriterLength + 1)];

    /// <summary>The process that made the write.</summary>
    public string Writer => Text[^WriterLength..];

    /// <summary>Makes a version from its parts.</summary>
    /// <exception cref="ArgumentException">A part is outside its range or has other characters than its form allows.</exception>
    public static ItemVersion Create(long unixMilliseconds, int counter, string region, string writer)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{unixMilliseconds:x12}{counter:x4}-{region}-{writer}");
        return TryParse(text, out var version)
            ? version
            : throw new ArgumentException($"Not a version: {unixMilliseconds} ms, counter {counter}, region '{region}', writer '{writer}'.");
    }

    /// <summary>Reads a version; false for text that has another form.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out ItemVersion version)
    {
        version = default;
        if (text is null || text.Length < ClockLength + WriterLength + 3
            || text[ClockLength] != '-' || text[^(WriterLength + 1)] != '-'
            || text.AsSpan(0, ClockLength).ContainsAnyExcept("0123456789abcdef")
            || text.AsSpan(ClockLength + 1).ContainsAnyExcept("abcdefghijklmnopqrstuvwxyz0123456789-"))
        {
            return false;
        }

        version = new ItemVersion(text);
        return true;
    }

    /// <inheritdoc/>
    public int CompareTo(ItemVersion other) => string.CompareOrdinal(Text, other.Text);

    public static bool operator <(ItemVersion left, ItemVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(ItemVersion left, ItemVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(ItemVersion left, ItemVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(ItemVersion left, ItemVersion right) => left.CompareTo(right) >= 0;

    /// <inheritdoc/>
    public override string ToString() => Text;
}
