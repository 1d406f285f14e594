using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;

namespace Failover.HealthCheck.Dns;

/// <summary>Who holds a name's records: Route 53, or DigitalOcean.</summary>
public interface IDnsProvider
{
    /// <summary>The name's record sets and its state TXT.</summary>
    /// <exception cref="ProviderBusyException">The provider throttles; a moment later it may not.</exception>
    Task<Listing> ListAsync(Service service, CancellationToken cancellationToken);

    /// <summary>Replaces what was listed by the plan, unless it is no longer what was listed.</summary>
    Task<ApplyAnswer> ApplyAsync(Service service, Plan plan, Listing listed, CancellationToken cancellationToken);

    /// <summary>Why the provider would refuse to replace the plan that the name has by another; null if it would take it, or if the name is not as that plan says. Changes nothing.</summary>
    /// <exception cref="ProviderBusyException">The provider throttles.</exception>
    Task<string?> RefusalOfAsync(Service service, Plan present, Plan plan, CancellationToken cancellationToken);
}

/// <summary>What came of an attempt to apply a plan.</summary>
/// <param name="Reason">What the provider said, where it refused; not yet bounded.</param>
public sealed record ApplyAnswer(ApplyOutcome Outcome, string Reason = "");

/// <summary>The provider throttles.</summary>
public sealed class ProviderBusyException(string message, Exception inner) : Exception(message, inner);
