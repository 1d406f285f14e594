using Failover.ControlPlane;
using Failover.ItemRecord;

namespace Failover.ItemApi.Writing;

/// <summary>Reads the register of the service that this API serves, strongly, and remembers the last reading.</summary>
/// <param name="endpoints">The endpoints that are served from this region's replica.</param>
internal sealed class RegisterReader(ControlStore control, string service, IReadOnlySet<string> endpoints, TimeProvider time)
{
    /// <summary>Whose register it is.</summary>
    public string Service => service;

    /// <summary>Now, by both clocks.</summary>
    public Moment Now => Moment.Of(time);

    /// <summary>The last reading; null: none yet, or there was no register.</summary>
    public Reading? Last { get; private set; }

    /// <summary>Reads it; null where there is none.</summary>
    public async Task<Reading?> ReadAsync(CancellationToken cancellationToken)
    {
        var sent = Now;
        var register = await control.ReadRegisterAsync(service, cancellationToken);
        return Last = register is null ? null : new Reading(register.Epoch, register.Plan.Endpoint, endpoints.Contains(register.Plan.Endpoint), sent, Now);
    }
}
