using System.Collections.Concurrent;
using Failover.ControlPlane;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Dns;
using Microsoft.Extensions.Logging;

namespace Failover.HealthCheck;

/// <summary>
/// In quiet times, the DNS provider is asked what it would refuse of each endpoint's plan: a missing right, an alias that leads nowhere, a CNAME beside other records. It is an alarm today, and not a failover that fails.
/// Once an hour, when a process starts, and every five minutes while something would be refused.
/// </summary>
internal sealed class PlanChecks(string observer, TickReport report, TimeSpan callTimeout, TimeProvider time, ILogger logger)
{
    private const int ReasonMax = 300;

    private static readonly TimeSpan Period = TimeSpan.FromHours(1);
    private static readonly TimeSpan PeriodWhileRefused = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, (DateTimeOffset At, int Refused)> _last = [];

    /// <summary>Asks if it is time to, and if the request limit has room to spare; tells in any case what is known.</summary>
    /// <param name="register">Of a name that is settled.</param>
    public async Task CheckAsync(Service service, Register register, IDnsProvider provider, TokenBucket bucket, ZoneLine line, CancellationToken cancellationToken)
    {
        var known = _last.TryGetValue(service.Name, out var last);
        if ((!known || last.At + (last.Refused > 0 ? PeriodWhileRefused : Period) <= time.GetUtcNow()) && bucket.TakeSpare(2 * service.Endpoints.Count))
        {
            var refusals = await Task.WhenAll(service.Endpoints.Select(endpoint => RefusalOfAsync(service, register, endpoint, provider, line, cancellationToken)));
            if (refusals.All(refusal => refusal.IsKnown))
            {
                _last[service.Name] = last = (time.GetUtcNow(), refusals.Count(refusal => refusal.Why is not null));
                known = true;
            }
        }

        if (known)
        {
            report.Checked(service, last.Refused);
        }
    }

    private async Task<(bool IsKnown, string? Why)> RefusalOfAsync(Service service, Register register, ServiceEndpoint endpoint, IDnsProvider provider, ZoneLine line, CancellationToken cancellationToken)
    {
        string? why;
        try
        {
            var plan = Plan.For(service, endpoint, register.Epoch + 1, time.GetUtcNow(), observer, "Check");
            why = await line.EnterAsync(async () =>
            {
                using var deadline = cancellationToken.Within(2 * callTimeout);
                return await provider.RefusalOfAsync(service, register.Plan, plan, deadline.Token);
            }, cancellationToken);
        }
        catch (ProviderBusyException)
        {
            return (false, null);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            why = $"it cannot be asked: {error.Message}";
        }

        if (why is not null)
        {
            Log.WouldBeRefused(logger, service.Name, endpoint.Name, Printable.Of(why, ReasonMax));
        }

        return (true, why);
    }
}
