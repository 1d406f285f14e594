using System.Text.RegularExpressions;
using Failover.ItemApi.Access;
using Failover.ItemApi.Answers;
using Failover.ItemApi.Doors;
using Failover.ItemApi.Operations;
using Failover.ItemApi.Routing;
using Failover.ItemApi.Writing;

namespace Failover.ItemApi;

/// <summary>Who a request comes from; null: nobody has said.</summary>
internal delegate Task<Caller?> CallerOf(HttpContext context, CancellationToken cancellationToken);

/// <summary>
/// Every request, through whichever door it came: found its route, let in, answered within its deadline, and logged. The one catch is here.
/// </summary>
internal sealed partial class Function(
    Router router, AccessRule access, CallerOf callerOf, RegisterReader? registers, ServedRequests requests, string region, TimeSpan requestTimeout, TimeProvider time, ILogger logger)
{
    public async Task HandleAsync(HttpContext context)
    {
        var start = time.GetTimestamp();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        deadline.CancelAfter(LambdaDoor.TimeLeft(context) is { } left && left < requestTimeout ? left : requestTimeout);
        Route? route = null;
        Exception? failure = null;
        var hasGone = false;
        Answer answer;
        try
        {
            (route, var id) = router.Find(context.Request.Method, context.Request.Path.Value ?? "");
            answer = await AnswerAsync(context, route, id, deadline.Token);
        }
        catch (Exception error)
        {
            failure = error;
            var problem = Failures.Of(error);
            answer = problem.ToAnswer();
            hasGone = context.RequestAborted.IsCancellationRequested;
            if (!hasGone)
            {
                Note(problem.Kind, error);
            }
        }

        context.Response.Headers["Failover-Region"] = region;
        context.Response.Headers["Failover-Version"] = Health.BuildVersion.Text;
        if (registers?.Last is { } register)
        {
            context.Response.Headers["Failover-Epoch"] = register.Epoch.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.CacheControl = "no-cache";
        try
        {
            // Not bound by the deadline, which may be past: this is what time was kept for.
            await answer.SendAsync(context, context.RequestAborted);
        }
        catch (Exception error) when (error is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
        {
            // What was done is done, and logged; it is no failure of this program's.
            hasGone = true;
        }

        requests.Write(new ServedRequest(
            context.Request.Method, route?.Template, hasGone ? StatusCodes.Status499ClientClosedRequest : answer.Status, time.GetElapsedTime(start), TraceOf(context), hasGone ? null : answer.Problem?.Slug,
            (failure as ItemRecord.ClockDriftException)?.Ahead));
    }

    private async Task<Answer> AnswerAsync(HttpContext context, Route route, string? id, CancellationToken cancellationToken)
    {
        Caller? caller = null;
        if (access.Asks(route.Access))
        {
            caller = await callerOf(context, cancellationToken);
            if (access.Check(route.Access, caller) is { } refusal)
            {
                throw new ProblemException(refusal);
            }
        }

        var query = Request.ReadQuery(context.Request.QueryString.Value, route.Query);
        return await route.Handler(new Request(context, caller ?? Caller.Anyone, id, query), cancellationToken);
    }

    private void Note(ProblemKind kind, Exception error)
    {
        if (kind == ProblemKind.Failed)
        {
            Log.RequestFailed(logger, error);
        }
        else if (kind == ProblemKind.Unavailable)
        {
            Log.DataPathFailed(logger, error);
        }
    }

    /// <summary>The trace that a request belongs to: Lambda's, or the client's own by W3C's header where that has its form; nothing else of the client's comes into a log.</summary>
    private static string TraceOf(HttpContext context) =>
        context.Request.Headers.TraceParent.ToString() is var given && TraceParent().IsMatch(given) ? given : context.TraceIdentifier;

    [GeneratedRegex("^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$", RegexOptions.CultureInvariant)]
    private static partial Regex TraceParent();
}
