using System.Text.Json;
using System.Text.Json.Serialization;
using Amazon.Lambda.DynamoDBEvents;
using Amazon.Lambda.SQSEvents;
using Failover.ControlPlane.Compares;
using Failover.ReplicationAudit.Arrivals;
using Failover.ReplicationAudit.Compare;
using Failover.ReplicationAudit.Losses;

namespace Failover.ReplicationAudit;

/// <summary>The events that the function takes, what it answers, and what it keeps.</summary>
[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(DynamoDBEvent.DynamodbStreamRecord))]
[JsonSerializable(typeof(SQSEvent))]
[JsonSerializable(typeof(StreamsEventResponse))]
[JsonSerializable(typeof(AuditMessage))]
[JsonSerializable(typeof(PendingBatch))]
[JsonSerializable(typeof(LateArrival[]))]
[JsonSerializable(typeof(CompareUnit))]
[JsonSerializable(typeof(CompareTotals))]
internal sealed partial class JsonContext : JsonSerializerContext;
