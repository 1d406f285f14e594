namespace Failover.Hosting;

/// <summary>Reads a function's settings from the environment and tells every mistake at once.</summary>
public sealed class Settings(Func<string, string?> read)
{
    private readonly List<string> _mistakes = [];

    /// <summary>The settings of this process.</summary>
    public static Settings OfEnvironment() => new(Environment.GetEnvironmentVariable);

    /// <summary>A setting that must be there.</summary>
    public string Required(string name, string meaning)
    {
        if (read(name) is { Length: > 0 } value)
        {
            return value;
        }

        _mistakes.Add($"{name} is not set: {meaning}");
        return "";
    }

    /// <summary>A setting that may be missing.</summary>
    public string? Optional(string name) => read(name) is { Length: > 0 } value ? value : null;

    /// <summary>A whole number within a range, or its default.</summary>
    public int Number(string name, int otherwise, int min, int max)
    {
        if (read(name) is not { Length: > 0 } text)
        {
            return otherwise;
        }

        if (int.TryParse(text, out var value) && value >= min && value <= max)
        {
            return value;
        }

        _mistakes.Add($"{name} is '{text}': it must be a whole number from {min} to {max}");
        return otherwise;
    }

    /// <summary>Names with commas between that must be there.</summary>
    public IReadOnlyList<string> RequiredList(string name, string meaning) => Required(name, meaning).Length == 0 ? [] : List(name);

    /// <summary>Names with commas between; empty where it is missing.</summary>
    public IReadOnlyList<string> List(string name) => (read(name) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>One of an enumeration's names, or its default.</summary>
    public T Choice<T>(string name, T otherwise)
        where T : struct, Enum => Enum.Parse<T>(Choice(name, [otherwise.ToString(), .. Enum.GetNames<T>().Where(other => other != otherwise.ToString())]));

    /// <summary>One of some words; the first where it is missing.</summary>
    public string Choice(string name, params IReadOnlyList<string> words)
    {
        var text = read(name) is { Length: > 0 } given ? given : words[0];
        if (words.Contains(text))
        {
            return text;
        }

        _mistakes.Add($"{name} is '{text}': it must be {string.Join(" or ", words)}");
        return words[0];
    }

    /// <summary>Whether nobody on the way can change what an address answers: https, or http to this machine itself.</summary>
    public static bool IsSafe(Uri address) => address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback);

    /// <summary>An address as <see cref="IsSafe"/> wants it. Null where it is missing.</summary>
    public Uri? Address(string name)
    {
        if (read(name) is not { Length: > 0 } text)
        {
            return null;
        }

        if (Uri.TryCreate(text, UriKind.Absolute, out var address) && IsSafe(address))
        {
            return address;
        }

        _mistakes.Add($"{name} is '{text}': it must be an https address");
        return null;
    }

    /// <summary>Ends the reading.</summary>
    /// <exception cref="InvalidOperationException">Something was missing or wrong; the message lists all of it.</exception>
    public void ThrowIfMistaken()
    {
        if (_mistakes.Count > 0)
        {
            throw new InvalidOperationException("The function's settings are not valid:\n" + string.Join('\n', _mistakes.Select(mistake => "  " + mistake)));
        }
    }
}
