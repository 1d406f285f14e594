using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using Amazon.Lambda.AspNetCoreServer.Hosting.Internal;
using Amazon.Lambda.Core;
using Amazon.Lambda.Serialization.SystemTextJson;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>What sends events to the function.</summary>
public enum LambdaEventSource
{
    RestApi,
    HttpApi,
    ApplicationLoadBalancer,
    WebsocketApi,
}

/// <summary>Serves an ASP.NET Core application from Lambda's events.</summary>
public static class ServiceCollectionExtensions
{
    /// <summary>In a Lambda process the Runtime API takes Kestrel's place; elsewhere nothing changes.</summary>
    public static IServiceCollection AddAWSLambdaHosting<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(
        this IServiceCollection services, LambdaEventSource eventSource, SourceGeneratorLambdaJsonSerializer<T> serializer)
        where T : JsonSerializerContext
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("AWS_LAMBDA_FUNCTION_NAME")))
        {
            return services;
        }

        if (eventSource != LambdaEventSource.HttpApi)
        {
            throw new ArgumentException($"This stand-in serves {nameof(LambdaEventSource.HttpApi)} only, not {eventSource}.", nameof(eventSource));
        }

        services.RemoveAll<IServer>();
        services.TryAddSingleton<ILambdaSerializer>(serializer);
        return services.AddSingleton<IServer, HttpApiV2Server>();
    }
}
