using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.AspNetCoreServer.Internal;
using Amazon.Lambda.Core;
using Amazon.Lambda.RuntimeSupport;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Amazon.Lambda.AspNetCoreServer.Hosting.Internal;

/// <summary>An ASP.NET Core server whose requests are HTTP API events from the Runtime API.</summary>
internal sealed partial class HttpApiV2Server(ILambdaSerializer serializer, IServiceScopeFactory scopes, ILogger<HttpApiV2Server> logger) : IServer
{
    public IFeatureCollection Features { get; } = new FeatureCollection();

    /// <summary>Runs until the Runtime API is gone, as the official server does.</summary>
    public async Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
        where TContext : notnull
    {
        using var bootstrap = LambdaBootstrapBuilder.Create<APIGatewayHttpApiV2ProxyRequest, APIGatewayHttpApiV2ProxyResponse>(
            (request, context) => HandleAsync(application, request, context), serializer).Build();
        await bootstrap.RunAsync(cancellationToken);
    }

    internal async Task<APIGatewayHttpApiV2ProxyResponse> HandleAsync<TContext>(
        IHttpApplication<TContext> application, APIGatewayHttpApiV2ProxyRequest request, ILambdaContext lambda)
        where TContext : notnull
    {
        var features = HttpApiV2.ToFeatures(request, lambda);
        await using var scope = scopes.CreateAsyncScope();
        features.Set<IServiceProvidersFeature>(new RequestServices(scope.ServiceProvider));
        var context = application.CreateContext(features);
        Exception? failure = null;
        try
        {
            await application.ProcessRequestAsync(context);
        }
        catch (Exception error)
        {
            // What was answered so far goes out, as an error.
            failure = error;
            UnhandledException(error);
            features.GetRequiredFeature<IHttpResponseFeature>().StatusCode = StatusCodes.Status500InternalServerError;
        }
        finally
        {
            application.DisposeContext(context, failure);
        }

        return HttpApiV2.ToResponse(features);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "The application threw an unhandled exception.")]
    private partial void UnhandledException(Exception exception);

    private sealed class RequestServices(IServiceProvider services) : IServiceProvidersFeature
    {
        IServiceProvider IServiceProvidersFeature.RequestServices { get; set; } = services;
    }
}
