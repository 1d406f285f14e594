using Failover.LocalHost.Route53;

namespace Failover.LocalHost.Dns;

/// <summary>A zone as the server answers it, whoever keeps it.</summary>
/// <param name="Name">The apex, with a trailing dot.</param>
/// <param name="Sets">What it holds now.</param>
internal sealed record ServedZone(string Name, Func<IReadOnlyCollection<ZoneRecordSet>> Sets);
