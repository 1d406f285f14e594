using System.Text.Json;
using System.Text.Json.Serialization;
using Amazon.Lambda.SQSEvents;

namespace Failover.HealthCheck;

/// <summary>The events that the function takes and the messages that it queues.</summary>
[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(SQSEvent))]
[JsonSerializable(typeof(TickMessage))]
internal sealed partial class JsonContext : JsonSerializerContext;

/// <summary>One queued tick.</summary>
/// <param name="Format">A message of another format was queued by another version: it is dropped.</param>
/// <param name="Start">The time that the tick stands for, in Unix milliseconds.</param>
internal sealed record TickMessage(int Format, long Start)
{
    /// <summary>The format that this version queues.</summary>
    public const int FormatNow = 2;
}
