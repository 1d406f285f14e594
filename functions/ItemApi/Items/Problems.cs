using System.Globalization;
using Microsoft.AspNetCore.Mvc;

namespace Failover.ItemApi.Items;

/// <summary>The answers that say no, as problem+json (RFC 9457).</summary>
internal static class Problems
{
    public static IResult BadRequest(string detail) => Of(StatusCodes.Status400BadRequest, "Bad request", detail);

    public static IResult NotFound(string id) => Of(StatusCodes.Status404NotFound, "Not found", $"There is no item '{id}'.");

    public static IResult PreconditionFailed(string detail) => Of(StatusCodes.Status412PreconditionFailed, "Precondition failed", detail);

    public static IResult Conflict(string id) => Of(StatusCodes.Status409Conflict, "Conflict", $"There is an item '{id}' already.");

    public static IResult Contended() => Of(
        StatusCodes.Status503ServiceUnavailable, "Contended", "Others kept writing this item; nothing was written. Try again.");

    public static IResult Fenced(DateTimeOffset until) => new RetryLater(
        5,
        Of(
            StatusCodes.Status503ServiceUnavailable,
            "Writes are fenced",
            $"A planned move is under way: writes are refused here until it is done, at the latest at {until:u}. Nothing was written."));

    public static IResult OutcomeUnknown() => Of(
        StatusCodes.Status503ServiceUnavailable, "Outcome unknown", "The write was not confirmed: it may or may not have happened. Read the item before you write again.");

    public static IResult DataPathFailed() => Of(
        StatusCodes.Status503ServiceUnavailable, "Data path failed", "The table did not answer in time. A write may or may not have happened.");

    private static IResult Of(int status, string title, string detail) =>
        Results.Json(
            new ProblemDetails { Status = status, Title = title, Detail = detail },
            JsonContext.Default.ProblemDetails,
            "application/problem+json",
            status);
}

/// <summary>An answer that says after how many seconds to try again.</summary>
internal sealed class RetryLater(int seconds, IResult answer) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return answer.ExecuteAsync(httpContext);
    }
}
