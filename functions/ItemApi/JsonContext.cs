using System.Text.Json.Serialization;
using Amazon.Lambda.APIGatewayEvents;

namespace Failover.ItemApi;

/// <summary>The events that come through Lambda, and their answers.</summary>
[JsonSerializable(typeof(APIGatewayHttpApiV2ProxyRequest))]
[JsonSerializable(typeof(APIGatewayHttpApiV2ProxyResponse))]
internal sealed partial class EventJsonContext : JsonSerializerContext;
