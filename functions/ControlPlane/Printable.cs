namespace Failover.ControlPlane;

/// <summary>Text that came from outside, made fit for a ballot, a journal line and a terminal.</summary>
public static class Printable
{
    private const string Cut = "...";

    /// <summary>At most <paramref name="max"/> characters of printable ASCII; every other character becomes a question mark.</summary>
    /// <remarks>A quote, a backslash and what HTML escapes are printable, and take up to six bytes in JSON.</remarks>
    public static string Of(string text, int max)
    {
        if (text.Length <= max && !text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            return text;
        }

        var kept = text.Length <= max ? text : string.Concat(text.AsSpan(0, Math.Max(0, max - Cut.Length)), Cut.AsSpan(0, Math.Min(max, Cut.Length)));
        return string.Create(kept.Length, kept, static (plain, source) =>
        {
            for (var i = 0; i < plain.Length; i++)
            {
                plain[i] = source[i] is >= ' ' and <= '~' ? source[i] : '?';
            }
        });
    }
}
