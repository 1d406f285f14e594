namespace Failover.Hosting;

/// <summary>
/// Standard output, one whole line at a time. The stream itself, not <see cref="Console.Out"/>: a Lambda runtime replaces that
/// by a writer that puts words before each line, and a log line must be one JSON object.
/// </summary>
internal static class StandardOutput
{
    private static readonly Stream Stream = Console.OpenStandardOutput();
    private static readonly Lock Lock = new();

    public static void WriteLine(ReadOnlySpan<byte> json)
    {
        var line = new byte[json.Length + 1];
        json.CopyTo(line);
        line[^1] = (byte)'\n';
        lock (Lock)
        {
            Stream.Write(line);
            Stream.Flush();
        }
    }
}
