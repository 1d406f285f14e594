using System.Text.Json;
using System.Text.Json.Serialization;
using Amazon.Lambda.DynamoDBEvents;
using Amazon.Lambda.SQSEvents;
using Failover.ReplicationAudit.Arrivals;

namespace Failover.ReplicationAudit;

/// <summary>The events that the function takes, what it answers, and what it keeps.</summary>
[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(DynamoDBEvent.DynamodbStreamRecord))]
[JsonSerializable(typeof(SQSEvent))]
[JsonSerializable(typeof(StreamsEventResponse))]
[JsonSerializable(typeof(AuditMessage))]
[JsonSerializable(typeof(PendingBatch))]
internal sealed partial class JsonContext : JsonSerializerContext;
