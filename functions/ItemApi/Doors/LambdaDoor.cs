using Amazon.Lambda.Core;
using Amazon.Lambda.Serialization.SystemTextJson;
using Failover.Hosting;
using Failover.ItemApi.Access;
using Microsoft.AspNetCore.Hosting.Server;

namespace Failover.ItemApi.Doors;

/// <summary>
/// The door behind API Gateway. <c>Amazon.Lambda.AspNetCoreServer</c> puts its server where Kestrel would be; it is taken from the services without a web host around it, whose start is most of what a
/// process would otherwise spend before its first answer.
/// </summary>
internal static class LambdaDoor
{
    /// <summary>Whether Lambda has started this process.</summary>
    public static bool IsHere => Environment.GetEnvironmentVariable("AWS_LAMBDA_FUNCTION_NAME") is { Length: > 0 };

    /// <summary>Serves until Lambda ends the process.</summary>
    public static async Task RunAsync(Function function, ILoggerFactory logging)
    {
        var services = new ServiceCollection();
        services.AddSingleton(logging);
        services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        services.AddAWSLambdaHosting(LambdaEventSource.HttpApi, new SourceGeneratorLambdaJsonSerializer<EventJsonContext>());
        await using var provider = services.BuildServiceProvider();
        await provider.GetRequiredService<IServer>().StartAsync(new HttpApplication(function), CancellationToken.None);
    }

    /// <summary>Who calls, as API Gateway's authorizer has verified.</summary>
    public static Task<Caller?> CallerAsync(HttpContext context, CancellationToken cancellationToken) => Task.FromResult(Caller.Of(context.User.Claims));

    /// <summary>What Lambda leaves of its time for the work itself; null where the request did not come through it.</summary>
    public static TimeSpan? TimeLeft(HttpContext context) => context.Items.TryGetValue("LambdaContext", out var lambda) ? (lambda as ILambdaContext)?.TimeLeft() : null;
}
