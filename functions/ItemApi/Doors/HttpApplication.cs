using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;

namespace Failover.ItemApi.Doors;

/// <summary>The function as ASP.NET Core's servers take an application: both Kestrel and Lambda's server are handed the same one.</summary>
internal sealed class HttpApplication(Function function) : IHttpApplication<HttpContext>
{
    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public Task ProcessRequestAsync(HttpContext context) => function.HandleAsync(context);

    public void DisposeContext(HttpContext context, Exception? exception) => (context as DefaultHttpContext)?.Uninitialize();
}
