namespace Failover.Hosting;

/// <summary>Writes log lines and metrics, each whole and at once.</summary>
public sealed class LineWriter(Stream stream)
{
    private readonly Lock _lock = new();

    /// <summary>
    /// Standard output: the stream itself, not <see cref="Console.Out"/>, which a Lambda runtime replaces by a writer that puts words before each line;
    /// a log line must be one JSON object.
    /// </summary>
    public static LineWriter OfStandardOutput() => new(Console.OpenStandardOutput());

    /// <summary>Writes one JSON object as one line.</summary>
    public void WriteLine(ReadOnlySpan<byte> json)
    {
        var line = new byte[json.Length + 1];
        json.CopyTo(line);
        line[^1] = (byte)'\n';
        lock (_lock)
        {
            stream.Write(line);
            stream.Flush();
        }
    }
}
