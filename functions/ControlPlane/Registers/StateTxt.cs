using System.Globalization;

namespace Failover.ControlPlane.Registers;

/// <summary>
/// What the TXT record <c>_failover.&lt;name&gt;</c> says, to the fence and to anybody with <c>dig</c>:
/// <c>v=1 epoch=42 active=nyc3 since=2026-11-23T08:00:00Z by=us-east-2 plan=9f2c41d0 why=RegionLost</c>.
/// </summary>
public sealed record StateTxt(long Epoch, string Active, string Since, string By, string Plan, string Why)
{
    private const int LengthMax = 255;

    /// <summary>The record's text: printable ASCII without quote or backslash, at most 255 characters.</summary>
    /// <exception cref="InvalidOperationException">A part has other characters, or the whole is too long.</exception>
    public string Format()
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"v=1 epoch={Epoch} active={Active} since={Since} by={By} plan={Plan} why={Why}");
        return text.Length <= LengthMax && TryParse(text) == this
            ? text
            : throw new InvalidOperationException($"Not a state TXT: '{text}'.");
    }

    /// <summary>Reads the record's text; null for anything that is not exactly of the form.</summary>
    public static StateTxt? TryParse(string text)
    {
        if (text.Length > LengthMax || text.AsSpan().ContainsAnyExceptInRange(' ', '~') || text.AsSpan().ContainsAny('"', '\\'))
        {
            return null;
        }

        string[] keys = ["v", "epoch", "active", "since", "by", "plan", "why"];
        var parts = text.Split(' ');
        if (parts.Length != keys.Length)
        {
            return null;
        }

        var values = new string[keys.Length];
        for (var i = 0; i < keys.Length; i++)
        {
            if (!parts[i].StartsWith(keys[i] + "=", StringComparison.Ordinal) || parts[i].Length == keys[i].Length + 1)
            {
                return null;
            }

            values[i] = parts[i][(keys[i].Length + 1)..];
        }

        return values[0] == "1" && long.TryParse(values[1], NumberStyles.None, CultureInfo.InvariantCulture, out var epoch)
            ? new StateTxt(epoch, values[2], values[3], values[4], values[5], values[6])
            : null;
    }
}
