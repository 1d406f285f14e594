using System.Text.Json.Serialization;
using Amazon.Lambda.APIGatewayEvents;
using Failover.ItemApi.Health;
using Microsoft.AspNetCore.Mvc;

namespace Failover.ItemApi;

/// <summary>Everything that is serialized by its type: events, problems and health.</summary>
[JsonSerializable(typeof(APIGatewayHttpApiV2ProxyRequest))]
[JsonSerializable(typeof(APIGatewayHttpApiV2ProxyResponse))]
internal sealed partial class EventJsonContext : JsonSerializerContext;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ProblemDetails))]
[JsonSerializable(typeof(LiveReport))]
[JsonSerializable(typeof(ReadyReport))]
internal sealed partial class JsonContext : JsonSerializerContext;
