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
internal sealed record TickMessage(long Slot);
