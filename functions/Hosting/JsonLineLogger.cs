using System.Buffers;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Failover.Hosting;

/// <summary>Writes each log entry as one JSON object on one line, at once: a frozen Lambda process has no time later.</summary>
public sealed class JsonLineLoggerProvider(LineWriter output, TimeProvider time) : ILoggerProvider
{
    private const int ValueLengthMax = 2000;

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new JsonLineLogger(categoryName, output, time);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private sealed class JsonLineLogger(string category, LineWriter output, TimeProvider time) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var buffer = new ArrayBufferWriter<byte>(512);
            using (var writer = new Utf8JsonWriter(buffer))
            {
                writer.WriteStartObject();
                writer.WriteString("time", time.GetUtcNow());
                writer.WriteString("level", logLevel.ToString());
                writer.WriteString("category", category);
                writer.WriteString("event", eventId.Name);
                writer.WriteString("message", Cut(formatter(state, exception)));
                if (state is IReadOnlyList<KeyValuePair<string, object?>> values)
                {
                    foreach (var (name, value) in values)
                    {
                        if (name != "{OriginalFormat}")
                        {
                            writer.WriteString(JsonNamingPolicy.CamelCase.ConvertName(name), Cut(value?.ToString() ?? ""));
                        }
                    }
                }

                if (exception is not null)
                {
                    writer.WriteString("exception", Cut(exception.ToString()));
                }

                writer.WriteEndObject();
            }

            output.WriteLine(buffer.WrittenSpan);
        }

        private static string Cut(string text) => text.Length <= ValueLengthMax ? text : text[..ValueLengthMax];
    }
}
