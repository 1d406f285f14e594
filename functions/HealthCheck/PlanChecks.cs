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
    private static readonly TimeSpan PeriodWhileUnknown = TimeSpan.FromMinutes(1);

    /// <summary>By service: when it is checked next.</summary>
    private readonly ConcurrentDictionary<string, DateTimeOffset> _nextAt = [];

    /// <summary>Checks the plans if it is time to, the zone is not being changed, and the request limit has room to spare.</summary>
    /// <param name="register">Of a name that is settled.</param>
    /// <param name="patience">How long the check may take.</param>
    public async Task CheckAsync(Service service, Register register, IDnsProvider provider, TokenBucket bucket, ZoneLine line, TimeSpan patience, CancellationToken cancellationToken)
    {
        if (_nextAt.GetValueOrDefault(service.Name) > time.GetUtcNow() || patience < callTimeout || !line.IsFree || !bucket.TakeSpare(2 * service.Endpoints.Count))
        {
            return;
        }

        _nextAt[service.Name] = time.GetUtcNow() + PeriodWhileUnknown;
        if (await CountRefusedAsync(service, register, provider, line, patience, cancellationToken) is { } refused)
        {
            _nextAt[service.Name] = time.GetUtcNow() + (refused > 0 ? PeriodWhileRefused : Period);
            report.Checked(service, refused);
        }
    }

    /// <summary>How many endpoints' plans would be refused; null if the provider does not answer: other alarms cover that.</summary>
    private async Task<int?> CountRefusedAsync(Service service, Register register, IDnsProvider provider, ZoneLine line, TimeSpan patience, CancellationToken cancellationToken)
    {
        var refused = 0;
        using var deadline = cancellationToken.Within(patience);
        try
        {
            foreach (var endpoint in service.Endpoints)
            {
                var plan = Plan.For(service, endpoint, register.Epoch + 1, time.GetUtcNow(), observer, "Check");
                if (await line.EnterAsync(() => provider.RefusalOfAsync(service, register.Plan, plan, deadline.Token), deadline.Token) is { } why)
                {
                    Log.WouldBeRefused(logger, service.Name, endpoint.Name, Printable.Of(why, ReasonMax));
                    refused++;
                }
            }

            return refused;
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            Log.CallFailed(logger, "Checking plans", error);
            return null;
        }
    }
}
