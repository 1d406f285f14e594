using System.Text.Json.Serialization;
using Amazon.Lambda.DynamoDBEvents;

namespace Failover.ReplicationAudit;

/// <summary>The event that the function takes and what it answers.</summary>
[JsonSerializable(typeof(DynamoDBEvent))]
[JsonSerializable(typeof(StreamsEventResponse))]
internal sealed partial class JsonContext : JsonSerializerContext;
