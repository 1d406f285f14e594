using Failover.ItemRecord;

namespace Failover.ItemApi.Health;

/// <summary>Whether the process lives, and whether it can serve.</summary>
internal static class HealthApi
{
    /// <summary>An id that no item can have: reading it costs one read unit, and says that the data path works.</summary>
    private const string ReadyId = "_ready";

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", (ItemApiOptions options) =>
            Results.Json(new LiveReport("live", options.Region), JsonContext.Default.LiveReport));
        routes.MapGet("/health/ready", ReadyAsync);
    }

    private static async Task<IResult> ReadyAsync(
        HttpResponse response, ItemStore store, ItemApiOptions options, TimeProvider time, ILoggerFactory logging, CancellationToken cancellationToken)
    {
        response.Headers.CacheControl = "no-store";
        try
        {
            await store.ReadAsync(ReadyId, consistent: true, cancellationToken);
            return Report("ready", StatusCodes.Status200OK);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            Log.NotReady(logging.CreateLogger("Failover.ItemApi.Health"), error);
            return Report("the data path does not answer", StatusCodes.Status503ServiceUnavailable);
        }

        IResult Report(string status, int code) =>
            Results.Json(new ReadyReport(status, options.Region, time.GetUtcNow(), BuildVersion.Text), JsonContext.Default.ReadyReport, statusCode: code);
    }
}

/// <summary>What <c>/health/live</c> answers.</summary>
internal sealed record LiveReport(string Status, string Region);

/// <summary>What <c>/health/ready</c> answers: enough to notice a stale cache, or the wrong region.</summary>
internal sealed record ReadyReport(string Status, string Region, DateTimeOffset At, string Version);
