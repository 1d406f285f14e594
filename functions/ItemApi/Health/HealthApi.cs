using Failover.ItemApi.Answers;
using Failover.ItemApi.Routing;

namespace Failover.ItemApi.Health;

/// <summary>Whether the process lives, and whether it can serve.</summary>
internal sealed class HealthApi(ReadyCheck check, string region)
{
    private static readonly (string Name, string Value)[] NoStore = [("Cache-Control", "no-store")];

    /// <summary>The process, and nothing else.</summary>
    public Task<Answer> LiveAsync(Request request, CancellationToken cancellationToken) => Task.FromResult(Answer.Json(StatusCodes.Status200OK, json =>
    {
        json.WriteStartObject();
        json.WriteString("status", "live");
        json.WriteString("region", region);
        json.WriteString("version", BuildVersion.Text);
        json.WriteEndObject();
    }) with { Headers = NoStore });

    /// <summary>The data path: what was read, and when, so that a stale cache or another region's answer is noticed.</summary>
    public async Task<Answer> ReadyAsync(Request request, CancellationToken cancellationToken)
    {
        var report = await check.LookAsync(cancellationToken);
        return Answer.Json(report.IsReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, json =>
        {
            json.WriteStartObject();
            json.WriteString("status", report.IsReady ? "ready" : "the data path does not answer");
            json.WriteString("region", region);
            json.WriteString("at", report.At);
            json.WriteString("version", BuildVersion.Text);
            if (report.Register is { } register)
            {
                json.WriteNumber("epoch", register.Epoch);
                json.WriteString("active", register.Endpoint);
            }

            if (report.LagMs.Count > 0)
            {
                json.WriteStartObject("replicationLagMs");
                foreach (var (from, lag) in report.LagMs)
                {
                    json.WriteNumber(from, lag);
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();
        }) with { Headers = NoStore, Problem = report.IsReady ? null : ProblemKind.NotReady };
    }
}
